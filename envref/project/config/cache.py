"""The compiled copy of a config: its checked data, beside the very bytes it was made from (docs/adr/0002).

A copy counts only for exactly these bytes, this envref and this Python, so it is never stale; and it is only a cache:
whatever goes wrong with it is silent. Copies lie in `$XDG_CACHE_HOME/envref/config/`, one a project.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time

from envref import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from envref.project.config.files import Sources

_FORMAT = "envref config 3"
_END = b"\nend of envref config\n"  # a rename that outran its data in a crash leaves a file without it
_LONGEST_NAME = 200  # bytes, of the 255 that a file name may have
_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read(sources: Sources, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """The data that `write` was given for the same sources, or None."""
    directory = _directory(environment)
    try:
        if not directory or not _is_ours(os.lstat(directory), stat.S_IFDIR):
            return None
        with open(os.open(_file(directory, sources), _OPEN_READ), "rb", buffering=0) as opened:
            if not _is_ours(os.fstat(opened.fileno()), stat.S_IFREG):
                return None
            content = opened.readall()
    except OSError:
        return None
    return _data(content, _head(sources))


def _data(content: bytes, head: bytes) -> dict[str, Any] | None:
    # Compared before it is unpacked: marshal may only ever see what this very version wrote.
    if not content.startswith(head) or not content.endswith(_END):
        return None
    try:
        data = marshal.loads(content[len(head) : -len(_END)])  # noqa: S302  our own file, compared above
    except (ValueError, EOFError, TypeError):
        return None
    return data if isinstance(data, dict) else None


def write(sources: Sources, data: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Keeps a copy, if that can be done. The last of several writers wins; a reader sees a whole copy or none."""
    directory = _directory(environment)
    try:
        if not directory or not _prepared(directory):
            return
        _replace(_file(directory, sources), _head(sources) + marshal.dumps(data) + _END)
    except (OSError, ValueError):
        return


def _replace(file: bytes, content: bytes) -> None:
    temporary = file + f".{os.getpid()}.{time.monotonic_ns()}".encode()
    try:
        with open(os.open(temporary, _OPEN_NEW, 0o600), "wb") as opened:
            opened.write(content)
        os.rename(temporary, file)
    except OSError:
        _remove(temporary)


def _remove(file: bytes) -> None:
    try:
        os.unlink(file)
    except OSError:
        pass


def _directory(environment: Mapping[str, str]) -> str:
    """Where the copies lie; empty when the environment names no absolute place."""
    own, home = environment.get("XDG_CACHE_HOME", ""), environment.get("HOME", "")
    cache = own if os.path.isabs(own) else os.path.join(home, ".cache")
    return os.path.join(cache, "envref", "config") if os.path.isabs(cache) else ""


def _prepared(directory: str) -> bool:
    """Makes the directory if need be; False if it is not, or would not be, ours alone."""
    existing = directory
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    # `sudo envref` with the user's HOME must not leave root's directories in it.
    if os.stat(existing).st_uid != os.geteuid():
        return False
    os.makedirs(directory, 0o700, exist_ok=True)
    return _is_ours(os.lstat(directory), stat.S_IFDIR)


def _is_ours(status: os.stat_result, kind: int) -> bool:
    """Whether it is of this kind, belongs to us, and nobody else may write it."""
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_IFMT(status.st_mode) == kind and status.st_uid == os.geteuid() and not others


def _file(directory: str, sources: Sources) -> bytes:
    # Two long paths with one ending share a file; each then finds the other's bytes in it, and none of its own.
    return os.path.join(os.fsencode(directory), os.fsencode(sources.path).replace(b"/", b"%")[-_LONGEST_NAME:])


def _head(sources: Sources) -> bytes:
    """All that a copy depends on. The lengths come first, so that no two sources have one head."""
    lengths = f"{len(sources.project_bytes)} {len(sources.global_bytes)}"
    made_by = (_FORMAT, __version__, str(sys.implementation.cache_tag), lengths)
    places = os.fsencode(sources.path), os.fsencode(sources.shown_global_path)
    return b"\0".join((*(part.encode() for part in made_by), *places, sources.project_bytes, sources.global_bytes))
