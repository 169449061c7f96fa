"""`envref unset`: a variable leaves an env file, every other byte kept."""

from __future__ import annotations

import os

import click

from envref import atomic, streams
from envref.cli import candidates
from envref.cli.assign import target
from envref.cli.files import project
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import profile_option
from envref.env.edit import without
from envref.env.file import EnvFile
from envref.errors import EnvrefError, printable
from envref.project.edit import trust_kept
from envref.project.project import Project, layers


@click.command(cls=Command)
@click.argument("key", shell_complete=candidates.variables)
@profile_option
@click.option("--local", is_flag=True, help="Take it out of the local file.")
@click.option("-f", "--file", metavar="FILE", help="Take it out of this file.")
def unset(key: str, profile: str | None, file: str | None, *, local: bool) -> None:
    """Take a variable out of an env file; every other byte stays, and so does a secret in its store.

    Example: envref unset DB_HOST --local
    """
    exclusive(local=local, profile=profile, file=file)
    found = project(profile)
    path, shown, _ = target(found, profile, file, local=local)
    inside = None if file else found.root
    with atomic.lock(path, inside=inside), trust_kept(found.root, path):
        before = EnvFile.read(path, shown) if os.path.lexists(path) else EnvFile.parse("", shown)
        if before.get(key) is None:
            raise _not_there(key, shown, found)
        atomic.write(path, str(without(before, key)).encode(), inside=inside)
    streams.inform(f"unset {key} in {shown}")


def _not_there(key: str, shown: str, found: Project) -> EnvrefError:
    """The error for a file that does not set the name, with the command for the project's file that does."""
    others = [name for name in layers(found) if _sets(os.path.join(found.root, name), name, key)]
    place = os.path.relpath(os.path.join(found.root, others[-1]), directory()) if others else ""
    run = ("envref", "unset", key, "-f", place) if others else ()
    return EnvrefError(f"{shown} does not set {printable(key)}", run=run)


def _sets(path: str, name: str, key: str) -> bool:
    return os.path.isfile(path) and EnvFile.read(path, name).get(key) is not None
