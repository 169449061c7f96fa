"""Watch: notices when a file that decides what `resolve` prints changes (commands.md 2.2)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from watchfiles import watch

from envref.errors import EnvrefError
from envref.project.project import choice_path, configured, find, layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    State = dict[str, tuple[int, ...]]

_QUIET = 100  # milliseconds without a further change that end a change
_LOOK_ANYWAY = 1_000  # milliseconds after which to look anyway: some file systems report no changes


class Files:
    """The config, and the env files that it names for a profile, there or not; `also` names others beside it.

    While the config can't be read, these are the files that the last good one named: editing one may be the cure.
    """

    def __init__(self, start: str, profile: str | None, also: Iterable[str] = ()) -> None:
        self._also = list(also)
        self._start = start
        self._profile = profile
        self._config = find(start)
        self._named = [".env", ".env.local"]

    def paths(self) -> list[str]:
        try:
            project = configured(self._start, self._profile)
        except EnvrefError:
            own = []
        else:
            self._config = project.config.path
            self._named = layers(project)
            own = [project.config.global_path] if project.config.global_path else []
        root = os.path.dirname(self._config)
        own += filter(None, [choice_path(root, os.environ)])
        named = [os.path.join(root, name) for name in (*self._named, *self._also)]
        return list(dict.fromkeys([self._config, *own, *named]))


def rounds(files: Files) -> Iterator[None]:
    """Yields at once, and each time that one of the files changed, appeared or went away. Ends by KeyboardInterrupt."""
    seen = _state(files)
    yield
    while True:
        folders = _folders(files)
        for _ in watch(
            *folders, watch_filter=None, step=_QUIET, rust_timeout=_LOOK_ANYWAY, yield_on_timeout=True, recursive=False
        ):
            # A report of the watcher is only a reason to look, so that a change during the last round is found too.
            now = _state(files)
            if now != seen:
                seen = now
                yield
            if _folders(files) != folders:
                break


def _folders(files: Files) -> list[str]:
    """The folders of the files: only they show a file that is replaced, or that does not exist yet."""
    places = {os.path.dirname(name) for path in files.paths() for name in (path, os.path.realpath(path))}
    return sorted(place for place in places if os.path.isdir(place))


def _state(files: Files) -> State:
    return {path: _signature(path) for path in files.paths()}


def _signature(path: str) -> tuple[int, ...]:
    """A value that differs after every change; empty for an absent file."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    if stat.S_ISFIFO(status.st_mode):  # each reading changes its times
        return (status.st_dev, status.st_ino)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def counted(files: Files) -> int:
    """How many of the watched files exist now."""
    return sum(1 for state in _state(files).values() if state)
