"""The env files that commands work on: the project's, or the directory's if there is no project; and their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from envref.cli import chosen as lookup
from envref.cli.chosen import Chosen
from envref.cli.grammar import directory
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.project import Project
from envref.resolve.resolution import environment_of


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


def named(file: tuple[str, ...], local_file: str | None, profile_file: str | None) -> Chosen:
    """What the options of `file_options` name, in the command's directory."""
    return Chosen(directory(), file, local_file, profile_file)


def project(profile: str | None) -> Project:
    """The project without its env files, around the command's directory."""
    return lookup.project(directory(), profile)


def environment(profile: str | None, chosen: Chosen) -> Environment:
    """The merged and interpolated variables; prints the warnings. Asks no store; references stay."""
    return environment_of(lookup.loaded(profile, chosen))


def named_file(name: str, title: str | None = None) -> EnvFile:
    """A file that the user named, in the command's directory (`chosen.named_file`)."""
    return lookup.named_file(directory(), name, title)


def named_content(name: str) -> bytes:
    """What such a file holds."""
    return lookup.named_content(directory(), name)
