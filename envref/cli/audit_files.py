"""The files that `envref audit` looks at: those of the project, or all of the next commit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envref import streams
from envref.cli.files import named_file
from envref.cli.grammar import directory
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.paths import shown
from envref.project import git
from envref.project.config.files import FILE
from envref.project.config.load import load as load_config
from envref.project.config.model import Config
from envref.project.project import PATIENCE, Project, not_read, profiles, readable
from envref.project.trust.gate import is_granted

# What `.pre-commit-hooks.yaml` waits for, less what is no assignments: schemas, and files that are encrypted whole.
_ENV_FILE = re.compile(r"\.env([._-].+)?|.+\.env|\.flaskenv")
_OTHER_FORMATS = (".json", ".yaml", ".yml", ".md", ".age", ".enc", ".sops")


class Looked(NamedTuple):
    """The files that were read, what is wrong with those that could not be, and where a path of theirs begins."""

    files: list[EnvFile]
    faults: list[EnvrefError]
    root: str
    given: list[str]

    def place(self, name: str) -> str:
        """The path of a file that was read, as one types it here; empty if it is a pipe."""
        path = os.path.join(directory() if name in self.given else self.root, name)
        return os.path.relpath(path) if os.path.isfile(path) else ""


def present(found: Project, given: list[str], own: list[str]) -> Looked:
    """The files that exist; one that was named on the command line has to exist. EnvrefError if there is none."""
    files = [named_file(name) for name in given]
    for name in own:
        path = readable(found, name, is_granted)
        if not path:
            streams.warn(not_read(found.root, name))
        elif os.path.lexists(path):
            files.append(EnvFile.read(path, name, PATIENCE))
    if not files:
        raise EnvrefError(f"no env file in {shown(found.root)}", hint="name one with -f, or a directory with -C")
    return Looked(files, [], found.root, given)


def own_names(found: Project, file: tuple[str, ...], local_file: str | None, *, all_profiles: bool) -> list[str]:
    """The project's env files by their names in its root, less those that the command line replaces.

    Base, profiles, local.
    """
    config = found.config
    wanted = {**({found.profile: config.profile_file(found.profile)} if found.profile else {})}
    wanted |= profiles(found.root, config) if all_profiles else {}
    files = [*wanted.values(), *(f".env.{profile}.local" for profile in wanted)]
    replaced = {config.env_file if file else None, config.local_file if local_file else None}
    names = dict.fromkeys([config.env_file, *files, config.local_file])
    return [name for name in names if name not in replaced]


def staged(given: list[str]) -> Looked:
    """The env files of the next commit in all folders, and those that the configs beside them name.

    One that was named on the command line has to be staged. EnvrefError if there is none.
    """
    index = git.staged(directory())
    names = {os.path.normpath(name): name for name in given}
    names |= {name: name for name in _env_files(index)}
    missing = next((name for path, name in names.items() if path not in index), None)
    if missing:
        raise EnvrefError(f"{missing} is not staged", run=("git", "add", missing))
    if not names:
        raise EnvrefError("no env file is staged: nothing was looked at", hint="git ls-files shows what is")
    looked = Looked([], [], directory(), given)
    for path, name in names.items():
        data = git.content(directory(), index[path])
        try:
            looked.files.append(EnvFile.parse(data.decode("utf-8", "surrogateescape"), name))
        except EnvrefError as error:
            looked.faults.append(error)
    return looked


def _env_files(index: Iterable[str]) -> Iterator[str]:
    """By the name that everybody gives them, or by the config of a project."""
    configured = {name for path in index if os.path.basename(path) == FILE for name in _named_by(path)}
    return (path for path in index if path in configured or _is_env_file(os.path.basename(path)))


def _is_env_file(name: str) -> bool:
    return bool(_ENV_FILE.fullmatch(name)) and not name.endswith(_OTHER_FORMATS)


def _named_by(path: str) -> Iterator[str]:
    """The env files that a config names, as paths from where one stands. A config that can't be read names none."""
    folder = os.path.dirname(path)
    try:
        config = load_config(os.path.join(directory(), path), os.environ)
    except EnvrefError as error:
        streams.warn(f"{path}: not looked at for the names of env files: {error.message}")
        return
    for name in _names(config):
        yield os.path.normpath(os.path.join(folder, name))


def _names(config: Config) -> Iterator[str]:
    yield config.env_file
    yield config.local_file
    yield from map(config.profile_file, config.profiles)
