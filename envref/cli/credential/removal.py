"""`envref credential --setup TOOL --remove`: what has a tool ask envref, taken out of the tool's config again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import streams
from envref.paths import shown
from envref.project.project import configured
from envref.tools import cargo_config, registries, settings, unsetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.project.project import Project


def remove_from(tool: str, directory: str) -> None:
    """Whatever the project's config says of the tool now. EnvrefError where the tool's own config can't be changed."""
    _TOOLS[tool](configured(directory))


def _git(project: Project) -> None:
    _run(unsetting.commands_of_git(project.root), "git config --global")


def _kubectl(project: Project) -> None:
    user = project.config.project
    _run(unsetting.commands_of_kubectl(project.root, user), f'user "{user}" of the kubeconfig')


def _run(commands: list[settings.Words], what: str) -> None:
    for words in commands:
        settings.told(words, unsetting.NOT_THERE)
    streams.inform(f"removed: {what}" if commands else f"skip {what} (envref is not in it)")


def _aws(project: Project) -> None:
    _edit(settings.file_of_aws(), lambda text: unsetting.without_aws(text, project.root))


def _docker(project: Project) -> None:
    _edit(settings.file_of_docker(), lambda text: unsetting.without_docker(text, project.root))
    registries.forget(project.root)


def _cargo(project: Project) -> None:
    _edit(cargo_config.path(), lambda text: cargo_config.without(text, project.root))


def _edit(path: str, edit: Callable[[str], str]) -> None:
    changed = os.path.exists(path) and settings.edit_file(path, edit)
    streams.inform(f"update {shown(path)}" if changed else f"skip {shown(path)} (envref is not in it)")


_TOOLS: dict[str, Callable[[Project], None]] = {
    "aws": _aws,
    "cargo": _cargo,
    "docker": _docker,
    "git": _git,
    "kubectl": _kubectl,
}
