"""`envref import`: an env file with real values becomes one with references."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from envref import atomic, streams
from envref.cli.files import project
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.import_claims import import_claims, reader_of
from envref.cli.options import backend_option, only_option, profile_option, without_option
from envref.cli.prompt import at_terminal, confirmed
from envref.cli.secret.target import filled
from envref.env.file import EnvFile
from envref.errors import FAILED, OK, EnvrefError, MalformedFile
from envref.project.edit import trust_kept
from envref.secrets import adoption
from envref.secrets.adoption import Adopted, Candidate, Plan
from envref.secrets.scoped import doing
from envref.secrets.target import Target

_SHOWN = 12  # names of a line
_SCRIPT = ".envrc"  # direnv's


@click.command("import", cls=Command)
@click.argument("file")
@profile_option
@backend_option
@only_option
@without_option
@click.option("-y", "--yes", is_flag=True, help="Ask nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored; ask no store and change nothing.")
def import_(
    file: str,
    profile: str | None,
    backend: str | None,
    only: list[str],
    without: list[str],
    *,
    yes: bool,
    dry_run: bool,
) -> int:
    """Store the secrets of an env file, and write references in their place.

    At a terminal it shows what it takes and leaves, and asks. Of fnox.toml, secretspec.toml and a Flox manifest it
    writes what they refer to into the project's env file, and asks no store.

    Example: envref import .env
    """
    exclusive(**{"only": only, "except": without})
    reader = reader_of(file)
    if reader:
        return import_claims(reader, file, profile, only, without, dry_run=dry_run)
    path = os.path.join(directory(), file)
    found = project(profile)
    plan = adoption.plan(_read(path, file), only, without, found.config)
    for name, reason in plan.left.items():
        streams.warn(f"{name}: left as it is: {reason}")
    if not plan.candidates and not plan.adopted:
        streams.inform(f"nothing to store in {file}")
        _tell_plain(plan)
        return FAILED if plan.left else OK
    asks = at_terminal() and not yes
    if dry_run or asks:
        _tell(plan)
    if dry_run or (
        asks and not confirmed(f"Take these {len(plan.candidates) + len(plan.adopted)} from {file}? [y/N] ")
    ):
        return OK
    return _import(plan, path, file, filled(backend, profile))


def _read(path: str, file: str) -> EnvFile:
    """The file to import. EnvrefError, for a pipe and for a script that somebody took for an env file with the way."""
    if file == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        fact = "not a regular file, and references are written back into what is imported"
        raise EnvrefError(fact, subject=file, hint="save it as a file of the project, and import that")
    try:
        return EnvFile.read(path, file)
    except MalformedFile:
        if os.path.basename(file) == _SCRIPT:
            streams.inform(f"{_SCRIPT} is a script: move its lines export NAME=value into .env, and import that")
        raise


def _tell(plan: Plan) -> None:
    """What would be done, and what not."""
    for candidate in plan.candidates:
        streams.inform(f"would store {candidate.name} as {candidate.key}")
    for adopted in plan.adopted:
        streams.inform(f"would write {adopted.uri} for {adopted.name}")
    _tell_plain(plan)


def _tell_plain(plan: Plan) -> None:
    """The rest of the file: what it says of itself is no secret."""
    if plan.plain:
        more = len(plan.plain) - _SHOWN
        names = ", ".join(plan.plain[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        streams.inform(f"no secret, as it seems: {names} (--only NAME takes one)")


def _import(plan: Plan, path: str, file: str, target: Target) -> int:
    inside = _bound(path, target.project.root)
    with atomic.lock(path, inside=inside):
        pass  # before storing anything: the file must be writable
    stored = _stored(plan, target) if plan.candidates else []
    _rewrite(path, file, stored, plan.adopted, inside)
    _tell_plain(plan)
    return FAILED if plan.left or len(stored) < len(plan.candidates) else OK


def _stored(plan: Plan, target: Target) -> list[Candidate]:
    """Stores what the store lacks and reads it back; returns the candidates that the store now has."""
    for candidate in plan.candidates:
        target.check_writable(candidate.key)
    store = target.store()
    with doing("retrieving secret"):
        present = store.get_many([candidate.key for candidate in plan.candidates])
    difference = adoption.compare(plan.candidates, present)
    if difference.new:
        with doing("storing secret"):
            store.change_and_verify({candidate.key: candidate.value for candidate in difference.new})
    for candidate in difference.new:
        target.log("import", candidate.key, candidate.name)
        streams.inform(f"{candidate.name}: stored as {candidate.key} in {target}")
    for candidate in difference.same:
        streams.inform(f"{candidate.name}: {candidate.key} has this value already in {target}")
    for candidate in difference.other:
        streams.warn(f"{candidate.name}: left as it is: {candidate.key} has another value in {target}")
    return [*difference.new, *difference.same]


def _bound(path: str, root: str) -> str | None:
    """The folder that a link may not leave: the project for a file in it, none for a file elsewhere."""
    return root if os.path.abspath(path).startswith(os.path.join(root, "")) else None


def _rewrite(path: str, file: str, stored: Sequence[Candidate], adopted: Sequence[Adopted], inside: str | None) -> None:
    """Puts the references into the file as it is now; it may have been edited meanwhile."""
    if not stored and not adopted:
        return
    with atomic.lock(path, inside=inside), trust_kept(inside or os.path.dirname(os.path.abspath(path)), path):
        after = adoption.rewritten(EnvFile.read(path, file), stored, adopted)
        atomic.write(path, str(after).encode(), inside=inside)
    for line, name in adoption.remains(after, stored).items():
        streams.warn(f"{file}:{line}: still holds a value of {name}")
    for each in adopted:
        streams.inform(f"{each.name}: {each.uri}")
    if stored:
        names = ", ".join(candidate.name for candidate in stored)
        streams.inform(f"rotate, because {file} held them in clear: {names}")
