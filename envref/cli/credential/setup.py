"""`envref credential --setup TOOL`: the setting that has a tool ask envref, shown or written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref import streams
from envref.cli.activate import agree
from envref.errors import EnvrefError, pasted
from envref.paths import shown
from envref.resolve import resolution as resolutions
from envref.tools import cargo_config, credential, registries, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.project.place import ServerPlace
    from envref.project.project import Project

_EXAMPLES = {
    "aws": "{credential-process: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]}",
    "cargo": "{credential: {index.crates.io: CARGO_TOKEN}}",
    "docker": "{credential: {ghcr.io: [GHCR_USER, GHCR_TOKEN]}}",
    "git": "{credential: {github.com: GITHUB_TOKEN}}",
    "kubectl": "{credential: {my-cluster.example:6443: KUBE_TOKEN}}",
}


def setup(tool: str, directory: str, *, is_written: bool) -> None:
    """Prints the setting, or writes it. EnvrefError where the project has nothing for the tool, or where something of
    the user's stands in its place.
    """
    project = resolutions.load(directory)
    if not (credential.names_for_aws(project.config) if tool == "aws" else _places(project, tool)):
        where = shown(project.config.path)
        raise EnvrefError(f"{where} has no credential for {tool}", hint=f"tools: {{{tool}: {_EXAMPLES[tool]}}}")
    if is_written:
        agree(project)
    _TOOLS[tool](project, is_written)


def _places(project: Project, tool: str) -> list[ServerPlace]:
    return [place for place, _ in credential.servers(project.config, tool)]


def _git(project: Project, is_written: bool) -> None:  # noqa: FBT001  the functions of a table
    _run(settings.commands_of_git(project.root, _places(project, "git")), "git config --global", is_written=is_written)


def _kubectl(project: Project, is_written: bool) -> None:  # noqa: FBT001
    user = project.config.project
    if is_written:
        settings.check_kubectl(user)
    command = settings.command_of_kubectl(project.root, user)
    _run([command], f'user "{user}" of the kubeconfig', is_written=is_written)
    streams.inform(
        f"the context takes it with: {pasted(('kubectl', 'config', 'set-context', '--current', '--user', user))}"
    )


def _run(commands: list[settings.Words], what: str, *, is_written: bool) -> None:
    if not is_written:
        streams.write("".join(f"{pasted(words)}\n" for words in commands))
        return
    settings.execute(commands)
    streams.inform(f"set: {what}")


def _aws(project: Project, is_written: bool) -> None:  # noqa: FBT001
    head, line = settings.section_of_aws(project.root, project.config.project)
    path = settings.file_of_aws()
    _edit(path, lambda text: settings.edit_aws(text, head, line), f"{head}\n{line}\n", is_written=is_written)
    streams.inform(f"the profile's name is {project.config.project}: AWS_PROFILE={pasted((project.config.project,))}")


def _docker(project: Project, is_written: bool) -> None:  # noqa: FBT001
    places = _places(project, "docker")
    servers = [settings.name_for_docker(place) for place in places]
    if is_written:
        registries.add([place.text for place in places], project.root)
    path = settings.file_of_docker()
    example = settings.edit_docker("", servers)
    _edit(path, lambda text: settings.edit_docker(text, servers), example, is_written=is_written)


def _cargo(project: Project, is_written: bool) -> None:  # noqa: FBT001
    def edit(text: str) -> str:
        for place in _places(project, "cargo"):
            text = cargo_config.edit(text, project.root, project.config.project, place)
        return text

    _edit(cargo_config.path(), edit, edit(""), is_written=is_written)


def _edit(path: str, edit: Callable[[str], str], example: str, *, is_written: bool) -> None:
    if not is_written:
        streams.inform(f"for {shown(path)}:")
        streams.write(example)
        return
    changed = settings.edit_file(path, edit)
    streams.inform(f"update {shown(path)}" if changed else f"skip {shown(path)} (envref is in it)")


_TOOLS: dict[str, Callable[[Project, bool], None]] = {
    "aws": _aws,
    "cargo": _cargo,
    "docker": _docker,
    "git": _git,
    "kubectl": _kubectl,
}
