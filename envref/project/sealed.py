"""Sealed files: a team's secrets in its repository, one file a scope, and which of them were taken in here."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envref import atomic
from envref.digest import digest
from envref.errors import EnvrefError
from envref.paths import open_file, open_ours, state_path
from envref.project.trust.record import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

    from envref.project.project import Project

FILE = ".envref.secrets.age"
_LARGEST = 64 << 20  # bytes of a file
_OF_PROFILE = re.compile(r"\.envref\.secrets\.([^.]+)\.age")
_FOLDER = "taken"
_DIGEST = 64  # hex digits


def file_of(profile: str | None) -> str:
    """The name of a scope's own file: no scope's push replaces another's."""
    return FILE if profile is None else f".envref.secrets.{profile}.age"


def profile_of(name: str) -> tuple[str | None] | None:
    """The profile whose own file has this name, in a tuple; None for a name that is free for any scope."""
    if name == FILE:
        return (None,)
    found = _OF_PROFILE.fullmatch(name)
    return (found[1],) if found else None


def there(project: Project) -> list[str]:
    """The files that may have secrets for the project as it is: the profile's own, and the one of no profile."""
    names = dict.fromkeys([file_of(project.profile), FILE])
    return [name for name in names if os.path.isfile(os.path.join(project.root, name))]


def waiting(project: Project) -> list[str]:
    """Those of them that nobody took in here since they were written."""
    return [name for name in there(project) if not _is_taken(project.root, name)]


def content(root: str, name: str) -> bytes:
    """What a file of the project holds. EnvrefError if it can't be read, or is too large."""
    return read(os.path.join(root, name), name, open_file)


def read(path: str, name: str, opened: Callable[[str], BufferedReader]) -> bytes:
    """The same for a file that is called `name` in messages."""
    try:
        with opened(path) as file:
            sealed = file.read(_LARGEST + 1)
    except OSError as error:
        raise EnvrefError(f"reading {name}: {error.strerror}") from None
    if len(sealed) > _LARGEST:
        raise EnvrefError(f"reading {name}: larger than {_LARGEST >> 20} MiB")
    return sealed


def take(root: str, name: str, held: bytes) -> None:
    """Remembers that this is what the file held when its secrets were taken in, or written. EnvrefError if it can't."""
    path = os.path.join(private_directory(_FOLDER, os.environ), _place(root, name))
    atomic.write(path, digest(held).encode(), mode=0o600)


def _is_taken(root: str, name: str) -> bool:
    try:
        with open_ours(state_path(_FOLDER, _place(root, name))) as file:
            return file.read(_DIGEST).decode("ascii", "replace") == digest(content(root, name))
    except (OSError, EnvrefError):
        return False


def _place(root: str, name: str) -> str:
    return digest(os.fsencode(os.path.join(root, name)))
