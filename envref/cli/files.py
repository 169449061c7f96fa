"""The env files that `get`, `list` and `set` work on: the project's, or the directory's where there is no project."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from envref import streams
from envref.cli.grammar import directory
from envref.envfile import EnvFile, merge
from envref.environment import Environment
from envref.project import NoProject, Project, bare, configured, not_read, readable


class Chosen(NamedTuple):
    """Files named on the command line, each relative to where one is; None for the configured one."""

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
    """The project around, without its env files; without a config the directory with the usual file names."""
    try:
        return configured(directory(), profile)
    except NoProject:
        return bare(directory(), profile)


def environment(profile: str | None, chosen: Chosen) -> Environment:
    """The merged and interpolated variables; says the warnings. No store is asked, references stay."""
    found = project(profile)
    files = [EnvFile.read(path, name) for path, name in _layers(found, chosen)]
    for warning in (*found.warnings, *(str(warning) for file in files for warning in file.warnings)):
        streams.warn(warning)
    return Environment(merge(files), os.environ if found.config.interpolate_environment else None)


def _layers(found: Project, chosen: Chosen) -> list[tuple[str, str]]:
    """Path and shown name of base, profile and local file. Only what is named, and the base, has to exist."""
    config = found.config
    profile_file = config.profile_file(found.profile) if found.profile else ""
    return [
        *_layer(found, config.env_file, chosen.file, required=True),
        *_layer(found, profile_file, chosen.profile_file),
        *_layer(found, config.local_file, chosen.local_file),
    ]


def _layer(found: Project, configured: str, named: str | None, *, required: bool = False) -> list[tuple[str, str]]:
    if named:
        return [(os.path.join(directory(), named), named)]
    if not required and not (configured and os.path.lexists(os.path.join(found.root, configured))):
        return []
    path = readable(found, configured)
    if path:
        return [(path, configured)]
    streams.warn(not_read(found.root, configured))
    return []
