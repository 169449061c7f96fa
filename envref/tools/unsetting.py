"""Unsetting: the way back of `settings` (Cargo's is in `cargo_config`): what has each tool ask envref about a project,
taken out of the tool's own config. It goes by the command that was written, so servers that the project no longer names
go too. Nothing else there is changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envref.errors import pasted
from envref.project.place import parse
from envref.tools import registries, settings

if TYPE_CHECKING:
    from envref.tools.settings import Words

_NO_ANSWER, NOT_THERE = 1, 5  # git-config(1): its statuses for a question without an answer, and nothing to unset


def commands_of_git(root: str) -> list[Words]:
    """The empty helper in front goes as well: it was written with the other one."""
    helper = settings.helper_of_git(root)
    asked = ("git", "config", "--global", "--null", "--get-regexp", r"^credential\..*\.helper$")
    pairs = [entry.partition("\n") for entry in settings.told(asked, _NO_ANSWER).split("\0")]
    commands: list[Words] = []
    for key in (name for name, _, value in pairs if value == helper):
        unset = ("git", "config", "--global", "--unset-all", key)
        commands += [(*unset, "^!envref "), (*unset, "^$")]
        url = key.removeprefix("credential.").removesuffix(".helper")
        place = parse(url)
        if place and place.path:
            commands.append((*unset[:-1], f"credential.{url}.useHttpPath", "^true$"))
    return commands


def commands_of_kubectl(root: str, user: str) -> list[Words]:
    _, *words = settings.asking(root, "kubectl")
    execs = {each.get("name"): (each.get("user") or {}).get("exec") or {} for each in settings.users_of_kubectl()}
    own = execs.get(user, {})
    is_ours = own.get("command") == "envref" and own.get("args") == words
    return [("kubectl", "config", "delete-user", user)] if is_ours else []


def without_aws(text: str, root: str) -> str:
    """Without the line, and without a section that is empty then."""
    wanted = pasted(settings.asking(root, "aws"))
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        name, _, value = line.partition("=")
        if name.strip() == "credential_process" and value.strip() == wanted:
            kept.append("")  # its place: the section may be empty now
        else:
            kept.append(line)
    return "".join(line for index, line in enumerate(kept) if not _is_emptied(kept, index))


def _is_emptied(lines: list[str], index: int) -> bool:
    """Whether a section begins here that held nothing but the line that was taken out, or its blank lines follow."""
    start = next((place for place in range(index, -1, -1) if lines[place].lstrip().startswith("[")), None)
    if start is None:
        return False
    end = next((place for place in range(start + 1, len(lines)) if lines[place].lstrip().startswith("[")), len(lines))
    return "" in lines[start:end] and not "".join(lines[start + 1 : end]).strip()


def without_docker(text: str, root: str) -> str:
    config = settings.config_of_docker(text)
    places = [parse(server) for server, directory in registries.known().items() if directory == root]
    own = {settings.name_for_docker(place) for place in places if place}
    helpers = config.get("credHelpers", {})
    kept = {server: helper for server, helper in helpers.items() if not (server in own and helper == settings.HELPER)}
    if kept == helpers:
        return text
    config = {name: value for name, value in config.items() if name != "credHelpers"}
    return json.dumps(config | ({"credHelpers": kept} if kept else {}), indent="\t", ensure_ascii=False) + "\n"
