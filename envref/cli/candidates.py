"""Candidates: what a shell may complete besides commands and options: names in the project, never a store's."""

from __future__ import annotations

import click

from envref.backends.table import BUILTIN
from envref.cli.grammar import Settings
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.project import project
from envref.project.project import Project


def profiles(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The profiles of the project: those configured, and those that have a file."""
    found = _project(context)
    names = project.profiles(found.root, found.config) if found else ()
    return [name for name in names if name.startswith(incomplete)]


def members(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The members of the team."""
    found = _project(context)
    return [name for name in (found.config.team if found else ()) if name.startswith(incomplete)]


def backends(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The configured backends, in their order."""
    found = _project(context)
    names = [backend.name for backend in found.config.backends] if found else []
    return [name for name in names if name.startswith(incomplete)]


def backend_types(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The types that a backend can have."""
    return [kind for kind in BUILTIN if kind.startswith(incomplete)]


def variables(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The variables that the project's env files set."""
    found = _project(context)
    if found is None:
        return []
    files = project.layers(found)
    names = {name for file in files for name in _set_in(found.root, file)}
    return sorted(name for name in names if name.startswith(incomplete))


def _project(context: click.Context) -> Project | None:
    """The surrounding project; None if there is none or it is broken: a completion can't report an error."""
    settings = context.find_object(Settings)
    try:
        return project.configured((settings and settings.directory) or ".", context.params.get("profile"))
    except EnvrefError:
        return None


def _set_in(root: str, file: str) -> list[str]:
    try:
        return [entry.name for entry in EnvFile.read(project.env_path(root, file), file).entries]
    except EnvrefError:
        return []
