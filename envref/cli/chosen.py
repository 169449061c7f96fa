"""Chosen: the env files that the user named, and the project that has them in the place of its own.

Both doors of `get` come through here, so this file imports nothing that they do not need.
"""

from __future__ import annotations

import os

from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.paths import shown
from envref.project.project import PATIENCE, NoProject, bare, configured, layers, present, readable, with_files
from envref.resolve.resolution import is_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.project.project import Project


STDIN = "-"


class Chosen:
    """Files named on the command line, relative to `directory`; nothing for the configured one.

    Several base files are layers, the last one on top.
    """

    __slots__ = ("directory", "file", "local_file", "profile_file")

    def __init__(
        self,
        directory: str,
        file: tuple[str, ...] = (),
        local_file: str | None = None,
        profile_file: str | None = None,
    ) -> None:
        self.directory = directory
        self.file = file
        self.local_file = local_file
        self.profile_file = profile_file


def project(directory: str, profile: str | None) -> Project:
    """The surrounding project without its env files; without a config, the directory with the usual file names."""
    try:
        return configured(directory, profile)
    except NoProject:
        if not os.path.isdir(directory):  # nobody may take it for one without files
            raise EnvrefError("no such directory", subject=shown(directory), hint="-C names it") from None
        return bare(directory, profile)


def loaded(profile: str | None, chosen: Chosen, known: Iterable[EnvFile] = ()) -> Project:
    """The project with the named files, and its own for the rest. `known` were read already: a pipe can't be again."""
    return with_named(project(chosen.directory, profile), chosen, known)


def with_named(found: Project, chosen: Chosen, known: Iterable[EnvFile] = ()) -> Project:
    """The same for a project without its env files. Only named files and the base have to exist."""
    config = found.config
    instead = {
        config.profile_file(found.profile) if found.profile else "": [chosen.profile_file],
        config.local_file: [chosen.local_file],
        config.env_file: chosen.file,
    }
    given = {name: [each for each in files if each] for name, files in instead.items()}
    read = {file.name: file for file in known}
    files: list[EnvFile] = []
    named: list[EnvFile] = []
    unread: list[str] = []
    names = present(found, [name for name, files_there in given.items() if files_there])
    if given.get(""):  # the file of a profile that is not in effect
        names.insert(names.index(config.env_file) + 1, "")
    for name in names:
        if given.get(name):
            titles = [(each, _title(found, chosen.directory, each)) for each in given[name]]
            named += [read.get(title) or named_file(chosen.directory, each, title) for each, title in titles]
            files += named[-len(titles) :]
            continue
        path = readable(found, name, is_trusted)
        if path:
            files.append(read.get(name) or EnvFile.read(path, name, _patience()))
        else:
            unread.append(name)
    return with_files(found, files, unread, named)


def _patience() -> float:
    """How many seconds to wait for a pipe."""
    if not os.environ.get("ENVREF_TIMEOUT"):
        return PATIENCE
    from envref.cli.timeout import timeout_of_environment

    return timeout_of_environment() or PATIENCE


def named_file(directory: str, name: str, title: str | None = None) -> EnvFile:
    """A file that the user named, also a pipe or standard input, to its end; messages call it by its title."""
    return EnvFile.decoded(named_content(directory, name), title or name)


def named_content(directory: str, name: str) -> bytes:
    """What a file that the user named holds. EnvrefError for one that can't be read."""
    from envref.paths import open_named

    try:
        with open_named("/dev/stdin" if name == STDIN else os.path.join(directory, name)) as file:
            return file.read()
    except OSError as error:
        raise EnvrefError((error.strerror or "unreadable").lower(), subject=name) from None


def _title(found: Project, directory: str, name: str) -> str:
    """The name as it was given, unless messages would take it for another file of the project."""
    path = os.path.join(directory, name)
    same = os.path.join(found.root, name)
    clashes = name in layers(found) and os.path.realpath(path) != os.path.realpath(same)
    return os.path.relpath(path, found.root) if clashes else name
