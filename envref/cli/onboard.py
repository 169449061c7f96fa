"""`envref onboard`: from a fresh clone to a project that resolves, one question a secret."""

from __future__ import annotations

import os
import sys

import click

from envref import streams
from envref.cli import activate, prompt, team_files
from envref.cli.grammar import Command, directory
from envref.cli.options import backend_option, profile_option
from envref.cli.request import Request
from envref.cli.secret.target import target_in
from envref.cli.timeout import timeout_of_environment
from envref.errors import FAILED, OK, EnvrefError, printable
from envref.paths import expanded
from envref.project import sealed
from envref.project.project import Project
from envref.refs.outcome import Missing
from envref.resolve.report import complaints
from envref.resolve.resolution import Resolution
from envref.secret import Secret
from envref.secrets import onboarding
from envref.secrets.onboarding import AbsentSecret
from envref.secrets.scoped import doing

_NOTHING = "[ok] All secrets are resolved and no missing keys found."
_QUESTION = "  Enter value (or press Enter to skip): "


@click.command(cls=Command)
@profile_option
@backend_option
@click.option("-i", "--identity", metavar="FILE", help="Your private key, of age or SSH, for the team's file.")
@click.option("--dry-run", is_flag=True, help="Only say what is missing.")
def onboard(profile: str | None, backend: str | None, identity: str | None, *, dry_run: bool) -> int:
    """Take in the secrets that the team pushed, and ask for each that no store has yet.

    Finds your key itself: in $AGE_IDENTITY, in ~/.ssh, and where age keys are kept.

    Example: envref onboard --dry-run
    """
    request = Request(directory(), profile=profile, timeout=timeout_of_environment(), locked=False, everything=True)
    resolution = activate.resolve(request)
    wanted = onboarding.wanted(resolution)
    waits = bool(wanted or sealed.waiting(resolution.project) or _broken(resolution)) and not dry_run
    if waits and _taken(resolution.project, backend, identity):
        resolution = activate.resolve(request)
        wanted = onboarding.wanted(resolution)
    keys = onboarding.missing_keys(resolution)
    broken = _broken(resolution)
    streams.say(broken)
    if dry_run:
        lines = [] if broken and not wanted and not keys else _report(wanted, keys, sealed.there(resolution.project))
        streams.write("".join(f"{printable(line)}\n" for line in lines))
        return FAILED if broken else OK
    if not wanted and not keys:
        if not broken:
            streams.inform(_NOTHING)
        return FAILED if broken else OK
    return max(_ask_for_all(wanted, keys, Questioner(resolution, backend)), FAILED if broken else OK)


def _taken(project: Project, backend: str | None, identity: str | None) -> bool:
    """Whether there may be secrets now that were not there before: a vault to keep them, or those of the team."""
    from envref.cli.vault.usual import create_missing, ready  # which needs what only a vault needs

    is_made = create_missing(project)
    served = ready(project, backend)
    return bool(team_files.take_all(served, backend, _path(identity))) or is_made or served is not project


def _broken(resolution: Resolution) -> list[str]:
    """What can't be onboarded: stores that failed, texts that are not valid references."""
    failed = [
        filled
        for filled in resolution.filled.values()
        if any(not isinstance(outcome, Missing) for _, outcome in filled.failures)
    ]
    return complaints(failed)[:-1] if failed else []


def _path(identity: str | None) -> str | None:
    return os.path.join(directory(), expanded(identity)) if identity else None


def _report(wanted: list[AbsentSecret], keys: list[str], files: list[str]) -> list[str]:
    if not wanted and not keys:
        return [_NOTHING]
    lines = []
    if wanted:
        width = max(len(each.name) for each in wanted)
        rows = [f"  {number}. {each.name:<{width}}  {each.reference.uri}" for number, each in enumerate(wanted, 1)]
        lines += ["Unresolved references:", *rows]
        lines += [f"{name} waits, and may have them." for name in files]
    if keys:
        lines += ["Missing keys (defined in .env.example but not set):", *(f"  - {key}" for key in keys)]
    return [*lines, "[dry-run] Use envref onboard to set them interactively."]


class Questioner:
    """Asks for one secret after the other and stores each."""

    def __init__(self, resolution: Resolution, backend: str | None) -> None:
        self._project = resolution.project
        self._backend = backend
        self.configured = self.skipped = 0
        self.failed = False

    def ask(self, wanted: AbsentSecret) -> None:
        """Asks for one secret; a given value goes to the store that the reference names."""
        reference = wanted.reference
        if reference.foreign is not None:
            streams.say([f'  skipped: add it in backend "{reference.store}" itself'])
            self.skipped += 1
            return
        value = _answer()
        if value is None:
            streams.say(["  skipped"])
            self.skipped += 1
            return
        try:
            self._store(wanted, value)
        except EnvrefError as error:
            streams.say([f"  {line}" for line in error.lines()])
            self.failed = True
            return
        streams.say(["  stored"])
        self.configured += 1

    def _store(self, wanted: AbsentSecret, value: Secret) -> None:
        target = target_in(self._project, wanted.reference.store or self._backend)
        target.check_writable(wanted.reference.key)
        with doing("storing secret"):
            target.store().change_and_verify({wanted.reference.key: value})
        target.log("set", wanted.reference.key, "onboard")


def _answer() -> Secret | None:
    """The value without blanks around it; None if it was skipped or the input ended."""
    if prompt.at_terminal():
        value = prompt.hidden(_QUESTION)
    else:
        streams.ask(_QUESTION + "\n")
        value = Secret(sys.stdin.readline() if sys.stdin is not None else "")
    stripped = Secret(value.reveal().strip())
    return None if stripped == Secret("") else stripped


def _ask_for_all(wanted: list[AbsentSecret], keys: list[str], questioner: Questioner) -> int:
    for number, each in enumerate(wanted, 1):
        streams.say([f"[{number}/{len(wanted)}] {each.name}", f"  ref: {each.reference.uri}"])
        questioner.ask(each)
    if keys:
        streams.say(["Missing keys:", *(f"  - {key}; run: envref set {key}=…" for key in keys)])
    streams.say(["Summary:", f"  Configured: {questioner.configured}", f"  Skipped:    {questioner.skipped}"])
    return FAILED if questioner.failed else OK
