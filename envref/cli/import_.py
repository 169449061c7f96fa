"""`envref import`: an env file with real values becomes one with references."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from envref import atomic, streams
from envref.cli.grammar import Command, directory
from envref.cli.options import backend_option, only_option, profile_option
from envref.cli.secret.target import target_of
from envref.env.file import EnvFile
from envref.errors import FAILED, OK
from envref.project.edit import trust_kept
from envref.secrets import adoption
from envref.secrets.adoption import Candidate, Plan
from envref.secrets.scoped import doing
from envref.secrets.target import Target


@click.command("import", cls=Command)
@click.argument("file")
@profile_option
@backend_option
@only_option
@click.option("--dry-run", is_flag=True, help="Say what would be stored; ask no store and change nothing.")
def import_(file: str, profile: str | None, backend: str | None, only: list[str], *, dry_run: bool) -> int:
    """Store the secrets of an env file, and write references in their place.

    Example: envref import .env
    """
    path = os.path.join(directory(), file)
    plan = adoption.plan(EnvFile.read(path, file), only)
    for name, reason in plan.left.items():
        streams.warn(f"{name}: left as it is: {reason}")
    if not plan.candidates:
        streams.inform(f"nothing to store in {file}")
        return FAILED if plan.left else OK
    if dry_run:
        for candidate in plan.candidates:
            streams.inform(f"would store {candidate.name} as {candidate.key}")
        return OK
    target = target_of(backend, profile)
    inside = _bound(path, target.project.root)
    with atomic.lock(path, inside=inside):
        pass  # before storing anything: the file must be writable
    stored = _stored(plan, target)
    _rewrite(path, file, stored, inside)
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


def _rewrite(path: str, file: str, stored: Sequence[Candidate], inside: str | None) -> None:
    """Puts the references into the file as it is now; it may have been edited meanwhile."""
    if not stored:
        return
    with atomic.lock(path, inside=inside), trust_kept(inside or os.path.dirname(os.path.abspath(path)), path):
        after = adoption.rewritten(EnvFile.read(path, file), stored)
        atomic.write(path, str(after).encode(), inside=inside)
    for line, name in adoption.remains(after, stored).items():
        streams.warn(f"{file}:{line}: still holds a value of {name}")
    names = ", ".join(candidate.name for candidate in stored)
    streams.inform(f"rotate, because {file} held them in clear: {names}")
