"""What a shell may complete besides commands and options: names of the project, and never a store's."""

from __future__ import annotations

import os

import click

from envref.cli.grammar import Settings
from envref.config.model import is_profile_name
from envref.envfile import EnvFile
from envref.errors import EnvrefError
from envref.project import Project, configured, env_path, file_names


def profiles(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The profiles of the project: those configured, and those that have a file."""
    project = _project(context)
    if project is None:
        return []
    files = [name.removeprefix(".env.") for name in os.listdir(project.root) if name.startswith(".env.")]
    found = {*project.config.profiles, *filter(is_profile_name, files)}
    return sorted(name for name in found if name.startswith(incomplete))


def backends(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The configured backends, in their order."""
    project = _project(context)
    names = [backend.name for backend in project.config.backends] if project else []
    return [name for name in names if name.startswith(incomplete)]


def variables(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The variables that the project's env files set."""
    project = _project(context)
    if project is None:
        return []
    names = {name for file in file_names(project.config, project.profile) for name in _set_in(project.root, file)}
    return sorted(name for name in names if name.startswith(incomplete))


def _project(context: click.Context) -> Project | None:
    """The project around; None without one, or with a broken one: a completion has nobody to tell."""
    settings = context.find_object(Settings)
    try:
        return configured((settings and settings.directory) or ".", context.params.get("profile"))
    except EnvrefError:
        return None


def _set_in(root: str, file: str) -> list[str]:
    try:
        return [entry.name for entry in EnvFile.read(env_path(root, file), file).entries]
    except EnvrefError:
        return []
