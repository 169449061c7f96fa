"""`envref set`: a variable in an env file, every other byte kept."""

from __future__ import annotations

import os

import click

from envref import atomic, streams
from envref.cli.files import project
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import profile_option
from envref.env.edit import with_value
from envref.env.file import EnvFile
from envref.errors import UsageError
from envref.project.edit import trust_kept
from envref.project.project import Project
from envref.refs.reference import SCHEME, InvalidReference, Reference

_PRIVATE, _SHARED = 0o600, 0o644
_Target = tuple[str, str, int]  # path, shown name, and mode if it is new, of the file to write


@click.command("set", cls=Command)
@click.argument("assignment", metavar="KEY=VALUE")
@profile_option
@click.option("--local", is_flag=True, help="Write to the local file.")
@click.option("-f", "--file", metavar="FILE", help="Write to this file.")
@click.option("--local-file", metavar="FILE", help="The local file, for --local.")
@click.option("--expand", is_flag=True, help="Keep $NAME and ${…} live.")
@click.option("--export-prefix", is_flag=True, help="Write `export` before the name.")
def assign(
    assignment: str,
    profile: str | None,
    file: str | None,
    local_file: str | None,
    *,
    local: bool,
    expand: bool,
    export_prefix: bool,
) -> None:
    """Set a variable in an env file; every other byte stays.

    Example: envref set DB_HOST=localhost --local
    """
    name, value = _split(assignment)
    exclusive(local=local, profile=profile, file=file)
    found = project(profile)
    path, shown, mode = target(found, profile, file, local_file, local=local)
    # The user chose a path given as an option; a configured path must not lead out of the project.
    inside = None if file or local_file else found.root
    with atomic.lock(path, inside=inside), trust_kept(found.root, path):
        before = EnvFile.read(path, shown) if os.path.lexists(path) else EnvFile.parse("", shown)
        after = with_value(before, name, value, expand=expand, exported=export_prefix)
        atomic.write(path, str(after).encode(), inside=inside, mode=mode)
    streams.inform(f"set {name} in {shown}")


def _split(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not equals:
        raise UsageError(f'invalid format "{assignment}": expected KEY=VALUE')
    if not name:
        raise UsageError(f'empty key in "{assignment}"')
    if value.startswith(SCHEME):
        try:
            Reference.parse(value)
        except InvalidReference as error:
            raise UsageError(error.message) from None
    return name, value


def target(
    found: Project, profile: str | None, file: str | None, local_file: str | None = None, *, local: bool
) -> _Target:
    """The file that the options choose."""
    return _named(file, local_file) or _configured(found, profile, local=local)


def _named(file: str | None, local_file: str | None) -> _Target | None:
    """The file that an option names; None if the project's config decides."""
    name = file or local_file
    return (os.path.join(directory(), name), name, _SHARED if file else _PRIVATE) if name else None


def _configured(found: Project, profile: str | None, *, local: bool) -> _Target:
    """The project's own file for this kind of line."""
    if local:
        name, mode = found.config.local_file, _PRIVATE
    elif profile and found.profile:
        name, mode = found.config.profile_file(found.profile), _SHARED
    else:
        name, mode = found.config.env_file, _SHARED
    return os.path.join(found.root, name), _from_here(found.root, name), mode


def _from_here(root: str, name: str) -> str:
    """The file's name in the user's directory: in a folder below, `.env` would be taken for that folder's own."""
    root, here = os.path.realpath(root), os.path.realpath(directory())
    return os.path.join(os.path.relpath(root, here), name) if here.startswith(os.path.join(root, "")) else name
