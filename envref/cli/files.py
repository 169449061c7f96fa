"""The env files that `get`, `list` and `set` work on: the project's, or the directory's if there is no project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import click

from envref.cli.grammar import directory
from envref.cli.options import timeout_of_environment
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.paths import open_named, shown
from envref.project.project import (
    PATIENCE,
    NoProject,
    Project,
    bare,
    configured,
    layers,
    present,
    readable,
    with_files,
)
from envref.project.trust.gate import is_granted
from envref.resolve.resolution import environment_of


class Chosen(NamedTuple):
    """Files named on the command line, relative to the current directory; nothing for the configured one.

    Several base files are layers, the last one on top.
    """

    file: tuple[str, ...] = ()
    local_file: str | None = None
    profile_file: str | None = None


def files_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-f`, as often as there are layers."""
    text = "The base file, also a pipe; several are layers, the last on top."
    return click.option("-f", "--file", metavar="FILE", multiple=True, help=text)(command)


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-f`, `--local-file` and `--profile-file`."""
    for words, text in (
        (["--profile-file"], "The profile's overrides."),
        (["--local-file"], "The personal overrides."),
    ):
        command = click.option(*words, metavar="FILE", help=text)(command)
    return files_option(command)


def project(profile: str | None) -> Project:
    """The surrounding project without its env files; without a config, the directory with the usual file names."""
    try:
        return configured(directory(), profile)
    except NoProject:
        if not os.path.isdir(directory()):  # nobody may take it for one without files
            raise EnvrefError("no such directory", subject=shown(directory()), hint="-C names it") from None
        return bare(directory(), profile)


def environment(profile: str | None, chosen: Chosen) -> Environment:
    """The merged and interpolated variables; prints the warnings. Asks no store; references stay."""
    return environment_of(loaded(profile, chosen))


def loaded(profile: str | None, chosen: Chosen, known: Iterable[EnvFile] = ()) -> Project:
    """The project with the named files, and its own for the rest. `known` were read already: a pipe can't be again."""
    return with_named(project(profile), chosen, known)


def with_named(found: Project, chosen: Chosen, known: Iterable[EnvFile] = ()) -> Project:
    """The same for a project without its env files. Only named files and the base have to exist."""
    config = found.config
    instead = {
        config.profile_file(found.profile) if found.profile else "": [chosen.profile_file],
        config.local_file: [chosen.local_file],
        config.env_file: chosen.file,
    }
    given = {name: [each for each in files if each] for name, files in instead.items()}
    read = {file.name: file for file in known}
    files: list[EnvFile] = []
    named: list[EnvFile] = []
    unread: list[str] = []
    names = present(found, [name for name, files_there in given.items() if files_there])
    if given.get(""):  # the file of a profile that is not in effect
        names.insert(names.index(config.env_file) + 1, "")
    for name in names:
        if given.get(name):
            named += [read.get(_title(found, each)) or named_file(each, _title(found, each)) for each in given[name]]
            files += named[-len(given[name]) :]
            continue
        path = readable(found, name, is_granted)
        if path:
            files.append(read.get(name) or EnvFile.read(path, name, timeout_of_environment() or PATIENCE))
        else:
            unread.append(name)
    return with_files(found, files, unread, named)


def named_file(name: str, title: str | None = None) -> EnvFile:
    """A file that the user named, also a pipe or standard input, to its end; messages call it by its title."""
    return EnvFile.decoded(named_content(name), title or name)


def named_content(name: str) -> bytes:
    """What a file that the user named holds. EnvrefError for one that can't be read."""
    try:
        with open_named(os.path.join(directory(), name)) as file:
            return file.read()
    except OSError as error:
        raise EnvrefError((error.strerror or "unreadable").lower(), subject=name) from None


def _title(found: Project, name: str) -> str:
    """The name as it was given, unless messages would take it for another file of the project."""
    path = os.path.join(directory(), name)
    same = os.path.join(found.root, name)
    clashes = name in layers(found) and os.path.realpath(path) != os.path.realpath(same)
    return os.path.relpath(path, found.root) if clashes else name
