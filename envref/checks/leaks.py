"""Leaks: any files that hold a secret's value, e.g. build outputs. Names path and variable, never the value."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from envref.errors import EnvrefError
from envref.paths import open_in_place
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.resolve.resolution import Values

SHORTEST = 6  # bytes: a shorter value occurs everywhere
_CHUNK = 4 * 1024 * 1024  # bytes read at once


class Leak(NamedTuple):
    """A file and the variable whose value is in it."""

    path: str
    key: str


class Search:
    """Looks for the secrets among some variables. `too_short` names those that can't be looked for."""

    def __init__(self, values: Values) -> None:
        secrets = [(name, value.reveal().encode()) for name, value in values if isinstance(value, Secret)]
        self.too_short = [name for name, value in secrets if len(value) < SHORTEST]
        self._wanted = [(name, value) for name, value in secrets if len(value) >= SHORTEST]
        self._overlap = max((len(value) for _, value in self._wanted), default=1) - 1

    def leaks(self, places: Iterable[str]) -> Iterator[Leak]:
        """A Leak for each file below the places and each secret in it. EnvrefError for a place that can't be read."""
        for place in places:
            for path in _files(place):
                yield from (Leak(path, name) for name in self._names_in(path))

    def _names_in(self, path: str) -> list[str]:
        open_ = dict(self._wanted)
        try:
            file = open_in_place(path)
        except OSError as error:
            raise EnvrefError(f"reading {path}: {error.strerror}") from None
        with file:
            end = b""
            while open_ and (chunk := file.read(_CHUNK)):
                data = end + chunk if end else chunk
                open_ = {name: value for name, value in open_.items() if value not in data}
                end = data[-self._overlap :] if self._overlap else b""
        return [name for name, _ in self._wanted if name not in open_]


def _files(place: str) -> Iterator[str]:
    """The regular files of a tree, in order; symlinks are not followed, but the place itself may be one."""
    if not os.path.isdir(place):
        if not os.path.exists(place):
            raise EnvrefError(f"{place}: no such file or directory")
        if os.path.isfile(place):
            yield os.path.realpath(place) if os.path.islink(place) else place
        return
    for top, folders, names in os.walk(place, onerror=_refuse):
        folders.sort()
        yield from (path for name in sorted(names) if stat.S_ISREG(os.lstat(path := os.path.join(top, name)).st_mode))


def _refuse(error: OSError) -> None:
    raise EnvrefError(f"reading {error.filename}: {error.strerror}") from None
