"""Inherited: the configs that a project extends: their layers lie below its own, their stores come after its own.

A monorepo's parts share what their common parent has. Within the git repository around the project that is the
project's own; anything else is outside, and waits for trust.
"""

from __future__ import annotations

import os

from envref.backends.programs import repository_around
from envref.errors import EnvrefError, printable
from envref.paths import is_within, shown
from envref.project.config.files import FILE, check_directory
from envref.project.config.load import load
from envref.project.config.model import BackendConfig, Config
from envref.project.linked import is_personal_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_MOST = 16  # configs, each of which extends the next


def inherit(config: Config, root: str, environment: Mapping[str, str] = os.environ) -> Config:
    """The config with what it extends. Raises EnvrefError for a directory or config there that can't be used."""
    parents = list(_parents(config, root, environment))
    theirs = [(place, parent) for place, parent in parents if "backends" in parent.from_project]
    fields: dict[str, Any] = {"parents": tuple(parents), "project": _name(config, parents)}
    fields["warnings"] = (*config.warnings, *(_nothing(place) for place, _ in parents if _is_empty(root, place)))
    fields["audit_log"] = max(config.audit_log, *(parent.audit_log for _, parent in parents))
    fields["source"] = b"\0".join([config.source, *(place.encode() + b"\0" + each.source for place, each in parents)])
    fields["closed"] = tuple(sorted({*config.closed, *(name for _, parent in parents for name in parent.closed)}))
    if theirs:
        fields["from_project"] = tuple(sorted({*config.from_project, "backends"}))
        fields["backends"] = tuple(_backends(config, theirs, root).values())
    kept = [each.tools for each in (config, *(each for _, each in parents)) if "tools" in each.from_project]
    if kept:
        fields["from_project"] = tuple(sorted({*fields.get("from_project", config.from_project), "tools"}))
        fields["tools"] = _tools(kept)
    return config.replaced(**fields)


def beyond(root: str, path: str) -> str:
    """Where an env file above the root really is, if it is not the repository's own; else empty."""
    target = os.path.realpath(path)
    repository = repository_around(root)
    if repository != root and is_within(target, [repository]):
        return ""
    return "" if is_personal_file(root, path) else target


def outside_parents(root: str, config: Config) -> list[tuple[str, str]]:
    """The directories that it extends outside of its repository: as the config has them, and where they are."""
    places = [(place, os.path.realpath(os.path.join(root, place))) for place, _ in config.parents]
    repository = repository_around(root)
    return [(place, target) for place, target in places if not is_within(target, [repository])]


def _parents(config: Config, root: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Config]]:
    at, passed = root, [root]
    while config.extends:
        named, at = config.extends, os.path.realpath(os.path.join(at, config.extends))
        if not os.path.isdir(at):
            raise _fault(f"extends: {named}: no such directory", "name a directory relative to the config")
        if at in passed or len(passed) > _MOST:
            raise _fault(f"extends: {named} leads in a circle, or to more than {_MOST} others", "take one of them out")
        passed.append(at)
        for each in _way(root, at):
            check_directory(each, environment)
        config = _config(at, environment)
        yield os.path.relpath(at, root), config


def _way(root: str, directory: str) -> list[str]:
    """The directories that decide what is found there: from the common parent down."""
    common = os.path.commonpath([root, directory])
    way = [directory]
    while way[-1] != common:
        way.append(os.path.dirname(way[-1]))
    return way


def _config(directory: str, environment: Mapping[str, str]) -> Config:
    """The config there; without one, the usual file names and no store."""
    path = os.path.join(directory, FILE)
    if not os.path.lexists(path):
        return Config(backends=())
    try:
        return load(path, environment)
    except EnvrefError as error:
        raise EnvrefError(f"{shown(path, environment)}: {error.message}", subject="loading config") from None


def _is_empty(root: str, place: str) -> bool:
    """Whether nothing there can have a part in the project: no config, and no env file of any profile."""
    try:
        names = os.listdir(os.path.join(root, place))
    except OSError:
        return False
    return not any(name.startswith(".env") and name != ".envrc" for name in names)


def _nothing(place: str) -> str:
    return f"extends: {printable(place)}: nothing is there: no {FILE} and no .env"


def _name(config: Config, parents: list[tuple[str, Config]]) -> str:
    names = [each.project for each in (config, *(parent for _, parent in parents)) if each.project]
    if not names:
        raise _fault("invalid config: project name is required", f"add project: to {FILE}")
    return names[0]


def _backends(config: Config, theirs: list[tuple[str, Config]], root: str) -> dict[str, BackendConfig]:
    """Its own stores, then theirs, with their paths where their own config means them; a name means the nearest."""
    found = {each.name: each for each in config.backends} if "backends" in config.from_project else {}
    for place, parent in theirs:
        home = os.path.normpath(os.path.join(root, place))
        for backend in parent.backends:
            agent = 0 if parent.agent == 0 else backend.agent  # its own no stays one
            found.setdefault(backend.name, backend.replaced(home=home, agent=agent))
    return found


def _tools(kept: list[dict[str, dict[str, tuple[str, ...]]]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """All of them together: what a parent keeps for a tool must not get into the shell here."""
    together: dict[str, dict[str, tuple[str, ...]]] = {}
    for tool, ways in (pair for tools in kept for pair in tools.items()):
        own = together.setdefault(tool, {})
        for way, names in ways.items():
            own[way] = tuple(dict.fromkeys((*own.get(way, ()), *names)))
    return together


def _fault(message: str, hint: str) -> EnvrefError:
    return EnvrefError(message, subject="loading config", hint=hint)
