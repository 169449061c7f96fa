"""`envref stale`: which of this shell's variables are old, without reading a value."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import activate, candidates
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import timeout_option
from envref.errors import FAILED, OK, PARTIAL, EnvrefError, printable
from envref.formats import shells
from envref.formats.text import exact_text
from envref.fresh import locked, seen, stale, stamp
from envref.fresh.chain import RevisionChain
from envref.fresh.seen import Unusable
from envref.project.trust.gate import check
from envref.refs.reference import Reference
from envref.resolve import resolution as resolutions
from envref.tools import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envref.env.environment import Environment, Filled, Variable
    from envref.fresh.seen import Seen
    from envref.fresh.stale import Verdict
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.resolve.chain import VariableChain
    from envref.resolve.resolution import Gate, Placing, Resolution

    Stores = Callable[[Iterable[Variable]], type[VariableChain] | None]

_AGAIN = 'export the variables again: eval "$(envref resolve --export)"'


@click.command("stale", cls=Command)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.variables)
@click.option("--json", "as_json", is_flag=True, help="Every name with its status, as JSON.")
@click.option("--services", is_flag=True, help="Also the Flox services that hold an old name.")
@click.option("--read", is_flag=True, help="Read values, and drop them, where nothing else tells.")
@click.option("--count", is_flag=True, help="Only the number of those that are old or gone.")
@click.option("--touch", is_flag=True, help="If one is old or gone, let direnv and prompts everywhere look again.")
@timeout_option
def command(
    names: tuple[str, ...],
    timeout: float | None,
    *,
    as_json: bool,
    services: bool,
    read: bool,
    count: bool,
    touch: bool,
) -> int:
    """Show which of this shell's variables are old.

    Exit status: 3 if one is old or gone, else 1 if one can't be told, else 0.

    Example: envref stale DB_PASSWORD || eval "$(envref refresh)"
    """
    exclusive(json=as_json, count=count)
    given = Shell(timeout)
    found = given.verdicts(names, read=read)
    if touch and old_names(found):
        _touch()
    if count:
        streams.write(f"{len(old_names(found))}\n")
    else:
        streams.write(json_of(found) if as_json else text_of(found))
    if services and streams.level > streams.QUIET:
        streams.say(_services(given.project, old_names(found)))
    return status(found)


def text_of(found: Iterable[Verdict]) -> str:
    """A line a name that is not fresh, and its cure; with -v all of them, with -q none."""
    if streams.level == streams.QUIET:
        return ""
    return "".join(f"{printable(line)}\n" for verdict in found for line in _lines(verdict))


def json_of(found: Iterable[Verdict]) -> str:
    return shells.json_text([_row(verdict) for verdict in found])


def _touch() -> None:
    fault = stamp.touch()
    if fault:
        raise EnvrefError(f"touching the stamp: {fault}", hint="XDG_STATE_HOME names another place for it")


def status(found: Iterable[Verdict]) -> int:
    """A name that can't be told is never fresh."""
    kinds = {verdict.status for verdict in found}
    if kinds & {stale.STALE, stale.GONE}:
        return PARTIAL
    return FAILED if stale.UNKNOWN in kinds else OK


def old_names(found: Iterable[Verdict]) -> list[str]:
    return [verdict.name for verdict in found if verdict.status in (stale.STALE, stale.GONE)]


class Shell:
    """The variables of the shell that called, and the project that they are of. `gate` is what its stores have to pass.

    Raises EnvrefError if nothing of it can be told, and Untrusted, before any store is asked.
    """

    def __init__(self, timeout: float | None, gate: Gate = check) -> None:
        self.timeout = timeout
        self.gate = gate
        profile = seen.profile_of(os.environ)
        self.project: Project = resolutions.load(directory(), profile, timeout)
        if self.project.unread:
            gate(self.project)
        try:
            self.seen: Seen = seen.of_environment(self.project)
            if self.seen.profile != self.project.profile:
                raise Unusable(f"is of {_profile(self.seen.profile)}, and here it is {_profile(self.project.profile)}")
        except Unusable as error:
            raise EnvrefError(f"{seen.NAME} {error}", hint=_AGAIN) from None
        self.environment: Environment = resolutions.environment_of(self.project)
        given = (source for sources in self.seen.sources.values() for source in sources)
        self.is_locked = self.project.config.locked or any(map(seen.is_of_lock, given))
        self._revised: dict[str, Filled] = {}

    def verdicts(self, names: Iterable[str], *, read: bool) -> list[Verdict]:
        """How the names stand, by default all that the shell was given."""
        wanted = self._wanted(names)
        found = stale.verdicts(wanted, self.revised(wanted))
        unknown = {verdict.name: verdict.seen for verdict in found if verdict.status == stale.UNKNOWN}
        if not read or not unknown:
            return found
        filled = self.filled(unknown)
        told = {name: self._read(name, filled.get(name)) for name in unknown}
        return [told.get(verdict.name, verdict) for verdict in found]

    def revised(self, names: Iterable[str]) -> Mapping[str, Filled]:
        """What the stores say of the revisions of these names now; no name is asked about twice."""
        wanted = list(names)
        new = [name for name in wanted if name not in self._revised]
        if new:
            self._revised |= self.filled(new, self._revisions)
        return {name: self._revised[name] for name in wanted if name in self._revised}

    def filled(self, names: Iterable[str], stores: Stores | None = None) -> Mapping[str, Filled]:
        """What becomes of these names now; those that no file sets any more are left out."""
        made = self._resolution(names, stores or self._values, _named)
        return {variable.name: made.filled[variable.name] for variable in made.chosen}

    def resolution(self, names: Iterable[str]) -> Resolution:
        """What becomes of these names now, for a shell that gets their values."""
        return self._resolution(names, self._values, activate.placing_for("session"))

    def _resolution(self, names: Iterable[str], stores: Stores, placing: Placing) -> Resolution:
        chosen = self.environment.select([name for name in names if name in self.environment.variables])
        asked = stores(self.environment.closure(chosen))
        return resolutions.resolved(
            self.project, self.environment, chosen, self.timeout, self.gate, stores=asked, placing=placing
        )

    def _values(self, variables: Iterable[Variable]) -> type[VariableChain] | None:
        """The stores as an activation has them: where the shell is locked, they give what envref.lock has now."""
        return activate.locked_stores(self.project, variables) if self.is_locked else None

    def _revisions(self, variables: Iterable[Variable]) -> type[VariableChain]:
        return locked.revision_chain(self.project, variables) if self.is_locked else RevisionChain

    def _wanted(self, names: Iterable[str]) -> dict[str, seen.Sources]:
        chosen = list(names) or list(self.seen.sources)
        for name in chosen:
            if name not in self.seen.sources:
                raise self._unknown(name)
        return {name: self.seen.sources[name] for name in chosen}

    def _unknown(self, name: str) -> EnvrefError:
        """Why nothing is known of a name that somebody asks about."""
        variable = self.environment.variables.get(name)
        if variable is None:
            return EnvrefError(f"{name}: no file of the project sets it", hint="envref list shows the variables")
        if variable.plain is not None:
            return EnvrefError(f"{name}: there is no reference in its value, so no store can make it old", hint=_AGAIN)
        return EnvrefError(f"{name}: this shell was not given it", hint=_AGAIN)

    def _read(self, name: str, filled: Filled | None) -> Verdict:
        """By the revision that comes with the value, else by the value itself, which is dropped at once."""
        now = stale.verdict(name, self.seen.sources[name], filled)
        value = filled.value if filled else None
        if now.status != stale.UNKNOWN or value is None or self._is_in_a_file(name):
            return now
        return stale.by_value(now, is_value=exact_text(name, value) == os.environ.get(name))

    def _is_in_a_file(self, name: str) -> bool:
        """Whether the value is a path, which stays when the secret changes."""
        references = self.environment.variables[name].references()
        return any(isinstance(each, Reference) and each.is_file for each in references)


def _named(project: Project, outcomes: dict[Reference, Outcome]) -> dict[Reference, Outcome]:
    """Files under the names that they have in this shell; none is made."""
    return files.named(project, outcomes, files.LIVES["session"]())


def _profile(profile: str | None) -> str:
    return f'profile "{profile}"' if profile else "no profile"


def _lines(verdict: Verdict) -> list[str]:
    if verdict.status == stale.FRESH and streams.level < streams.VERBOSE:
        return []
    return [verdict.line(), *(f"  {line}" for line in verdict.cure)]


def _row(verdict: Verdict) -> dict[str, object]:
    row: dict[str, object] = {"name": verdict.name, "status": verdict.status}
    row |= {"seen": list(verdict.seen), "now": list(verdict.now)}
    return {**row, "reason": verdict.reason} if verdict.reason else row


def _services(project: Project, names: Iterable[str]) -> list[str]:
    """The services that were started with an old name: those that .envref.yaml gives it, and those that get all."""
    from envref.flox import manifest_file, services

    old = set(names)
    given = project.config.services
    try:
        others = services.names_in(manifest_file.locate(project.root))
    except EnvrefError:
        others = []
    held = [name for name, variables in given.items() if old & set(variables)]
    held += [name for name in others if name not in given and old]
    return [f"services to restart: flox services restart {' '.join(sorted(held))}"] if held else []
