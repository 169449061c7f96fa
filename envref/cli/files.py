"""The env files that `get`, `list` and `set` work on: the project's, or the directory's if there is no project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import click

from envref.cli.grammar import directory
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.project import NoProject, Project, bare, configured, not_read, readable
from envref.project.trust.gate import is_granted
from envref.resolve.resolution import environment_of


class Chosen(NamedTuple):
    """Files named on the command line, relative to the current directory; None for the configured one."""

    file: str | None
    local_file: str | None
    profile_file: str | None


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-f`, `--local-file` and `--profile-file`."""
    for words, text in (
        (["--profile-file"], "The profile's overrides."),
        (["--local-file"], "The personal overrides."),
        (["-f", "--file"], "The base file."),
    ):
        command = click.option(*words, metavar="FILE", help=text)(command)
    return command


def project(profile: str | None) -> Project:
    """The surrounding project without its env files; without a config, the directory with the usual file names."""
    try:
        return configured(directory(), profile)
    except NoProject:
        return bare(directory(), profile)


def environment(profile: str | None, chosen: Chosen) -> Environment:
    """The merged and interpolated variables; prints the warnings. Asks no store; references stay."""
    return environment_of(loaded(profile, chosen))


def loaded(profile: str | None, chosen: Chosen) -> Project:
    """The project with the named files, and its own for the rest."""
    found = project(profile)
    layers = list(_layers(found, chosen))
    files = [EnvFile.read(path, name) for path, name in layers if path]
    unread = [name for path, name in layers if not path]
    warnings = [
        *found.warnings,
        *(str(warning) for file in files for warning in file.warnings),
        *(not_read(found.root, name) for name in unread),
    ]
    return Project(found.root, found.config, found.profile, files=files, warnings=warnings, unread=unread)


def _layers(found: Project, chosen: Chosen) -> Iterator[tuple[str, str]]:
    """Path and shown name of base, profile and local file; an empty path for a file that waits for trust.

    Only named files and the base have to exist.
    """
    config = found.config
    profile_file = config.profile_file(found.profile) if found.profile else ""
    for own, named in (
        (config.env_file, chosen.file),
        (profile_file, chosen.profile_file),
        (config.local_file, chosen.local_file),
    ):
        if named:
            yield os.path.join(directory(), named), named
        elif own == config.env_file or (own and os.path.lexists(os.path.join(found.root, own))):
            yield readable(found, own, is_granted), own
