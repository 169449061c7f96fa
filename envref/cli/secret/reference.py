"""`--env NAME`: the line in an env file that refers to a stored secret (commands.md 2.7, 12)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from envref import atomic, streams
from envref.cli import candidates
from envref.env.edit import with_value
from envref.env.file import EnvFile
from envref.project.edit import trust_kept
from envref.project.project import Project, env_path
from envref.refs.reference import uri_of


def variable_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--env NAME`, for commands that store a value."""
    option = click.option(
        "--env",
        "variable",
        metavar="NAME",
        help="Let this variable refer to the secret.",
        shell_complete=candidates.variables,
    )
    return option(command)


class ReferenceLine:
    """`NAME=ref://secrets/KEY` in the base file, or in the profile's if one is in effect.

    Making it raises EnvrefError for a name or a file that can't be written, so nothing is stored then.
    """

    def __init__(self, project: Project, name: str, key: str) -> None:
        config, profile = project.config, project.profile
        self._root = project.root
        self._file = config.env_file if profile is None else config.profile_file(profile)
        self._path = os.path.join(project.root, self._file)
        self._name = name
        self._uri = uri_of(key)
        self._edited()

    def write(self) -> None:
        """Adds the line, or replaces the value of the last one with that name; every other byte stays."""
        with atomic.lock(self._path, inside=self._root), trust_kept(self._root, self._path):
            atomic.write(self._path, str(self._edited()).encode(), inside=self._root)
        streams.inform(f"set {self._name} in {self._file}")

    def _edited(self) -> EnvFile:
        there = os.path.lexists(self._path)
        before = EnvFile.read(env_path(self._root, self._file), self._file) if there else EnvFile.parse("", self._file)
        return with_value(before, self._name, self._uri)


def reference_line(project: Project, name: str | None, key: str) -> ReferenceLine | None:
    """The ReferenceLine for `--env`; None without the option."""
    return None if name is None else ReferenceLine(project, name, key)
