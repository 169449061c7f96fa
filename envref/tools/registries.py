"""Registries: which project has the credential of a registry of docker's: docker starts its helper anywhere, without a
word about it. A file of the user's own state, which only `envref credential --setup docker --write` changes.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from envref import atomic
from envref.errors import EnvrefError
from envref.paths import NO_HOME, open_ours, state_path
from envref.project.place import ServerPlace, parse
from envref.project.trust.record import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FOLDER = "credential"
_KEEPING = "keeping the registries of docker"


def known() -> dict[str, str]:
    """The project's directory for each registry, as it is written in the project's config."""
    try:
        with open_ours(_path()) as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    is_map = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if is_map else {}


def directory_of(asked: ServerPlace) -> str:
    """The project whose config has the registry; empty if none was written down."""
    for server, directory in known().items():
        place = parse(server)
        if place and place.is_registry_of(asked):
            return directory
    return ""


def add(servers: Iterable[str], directory: str) -> None:
    """From now on these are the project's. EnvrefError if that can't be saved."""
    _save(lambda old: {**old, **dict.fromkeys(servers, directory)})


def forget(directory: str) -> None:
    """The project has none any more. EnvrefError if that can't be saved."""
    if directory in known().values():
        _save(lambda old: {server: each for server, each in old.items() if each != directory})


def _save(change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    if not _path():
        raise EnvrefError(f"{_KEEPING}: no home directory", hint=NO_HOME)
    private_directory(_FOLDER, os.environ, _KEEPING)
    with atomic.lock(_path()):
        text = json.dumps(change(known()), indent=1) + "\n"
        atomic.write(_path(), text.encode(), mode=0o600)


def _path() -> str:
    return state_path(_FOLDER, "docker.json")
