"""`envref profile create`."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import click

from envref import atomic, streams
from envref.cli.grammar import Command, directory
from envref.env.file import EnvFile
from envref.errors import EnvrefError, UsageError
from envref.project.config.check import path_fault
from envref.project.config.document import Document
from envref.project.config.files import FILE
from envref.project.config.model import NO_PROFILES, Config, is_profile_name
from envref.project.edit import edit, preview
from envref.project.project import find

_TEMPLATE = """\
# Overrides of profile {name}: what is set here replaces the value in {base}.
# Its secrets are its own: envref secret set KEY --profile {name}
"""
_SHARED = 0o644


@click.command(cls=Command)
@click.argument("name")
@click.option("--from", "source", metavar="FILE", help="Start with a copy of this file of the project.")
@click.option("--env-file", metavar="PATH", help="The profile's file, where it is not to be .env.NAME.")
@click.option("--register", is_flag=True, help=f"Also list the profile in {FILE}.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def create(name: str, source: str | None, env_file: str | None, *, register: bool, force: bool) -> None:
    """Make the env file of a new profile.

    Example: envref profile create staging --register --from .env
    """
    _check_name(name)
    _check_path(env_file)
    path = find(directory())
    # Both come before any writing. The active profile may not exist yet: that may be why it is created.
    before = preview(path, lambda document: _without_active(name, document))
    change = _registering(name, env_file, before) if register else lambda document: document
    config = preview(path, lambda document: change(_without_active(name, document)))
    usual = config.profile_file(name)
    file = env_file or usual
    if register and file != usual:
        raise EnvrefError(f'profile "{name}" is registered with {usual}', hint=f"change its env_file in {FILE}")
    _write(os.path.dirname(path), file, source, _TEMPLATE.format(name=name, base=config.env_file), force=force)
    if file != usual:
        streams.warn(f'profile "{name}" uses {usual}, not {file}; register it with --register')
    if register and name not in before.profiles:
        edit(path, change)
        streams.inform(f'Registered profile "{name}" in {FILE}')


def _check_name(name: str) -> None:
    if name in NO_PROFILES:
        raise UsageError(f'cannot create profile "{name}": reserved')
    if "/" in name or "\\" in name:
        raise UsageError("profile name must not contain path separators")
    if "." in name:
        raise UsageError("profile name must not contain dots")
    if not name:
        raise UsageError("profile name must not be empty")
    if not is_profile_name(name):
        raise UsageError(f'invalid profile name "{name}"', hint="a name has letters, digits, _ and -")


def _check_path(path: str | None) -> None:
    fault = "" if path is None else path_fault(path)
    if fault:
        raise UsageError(f"--env-file {fault}")


def _without_active(name: str, document: Document) -> Document:
    return document.without("active_profile") if document.get("active_profile") == name else document


def _registering(name: str, env_file: str | None, before: Config) -> Callable[[Document], Document]:
    """The change that lists the profile; none if it is listed already."""
    fields = {"env_file": env_file} if env_file and env_file != before.profile_file(name) else None

    def change(document: Document) -> Document:
        return document if name in before.profiles else document.with_entry("profiles", name, fields)

    return change


def _write(root: str, file: str, source: str | None, text: str, *, force: bool) -> None:
    path, mode = os.path.join(root, file), _SHARED
    if source is not None:
        text = str(EnvFile.read(os.path.join(root, source), source))
        mode = stat.S_IMODE(os.stat(os.path.join(root, source)).st_mode) & _SHARED  # as private as what it copies
    folder = os.path.dirname(file)
    if not os.path.isdir(os.path.dirname(path)):
        raise EnvrefError(f"creating {file}: no such directory: {folder}", run=("mkdir", "-p", folder))
    with atomic.lock(path, inside=root):
        if os.path.lexists(path) and not force:
            raise EnvrefError(f"profile file {file} already exists (use --force to overwrite)")
        atomic.write(path, text.encode(), inside=root, mode=mode)
    streams.inform(f"Created {file}")
