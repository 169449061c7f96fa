"""The compiled copy of a config: its checked data, beside the very bytes it was made from (docs/adr/0002).

A copy counts only for exactly these bytes, this envref and this Python, so it is never stale. It is only a cache:
envref ignores whatever goes wrong with it. Copies are in `$XDG_CACHE_HOME/envref/config/`, one a project and Python.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time

from envref import __version__
from envref.paths import cache_path, is_ours, make_private, open_new, open_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from envref.project.config.files import Sources

_FORMAT = "envref config 12"
_END = b"\nend of envref config\n"  # after a crash the renamed file may lack its data
_LONGEST_NAME = 200  # bytes, of the 255 that a file name may have


def read(sources: Sources, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """The data that `write` was given for the same sources, or None."""
    directory = cache_path("config", environment=environment)
    try:
        if not directory or not _is_ours(directory):
            return None
        with open_ours(_file(directory, sources)) as opened:
            content = opened.read()
    except OSError:
        return None
    return _data(content, _head(sources))


def _data(content: bytes, head: bytes) -> dict[str, Any] | None:
    # Compared before it is unpacked: marshal must only ever read what this very version wrote.
    if not content.startswith(head) or not content.endswith(_END):
        return None
    try:
        data = marshal.loads(content[len(head) : -len(_END)])  # noqa: S302  our own file, compared above
    except (ValueError, EOFError, TypeError):
        return None
    return data if isinstance(data, dict) else None


def write(sources: Sources, data: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Keeps a copy if possible. The last of several writers wins; a reader sees a whole copy or none."""
    directory = cache_path("config", environment=environment)
    try:
        if not directory or make_private(directory) or not _is_ours(directory):
            return
        _replace(_file(directory, sources), _head(sources) + marshal.dumps(data) + _END)
        _remove(_name(directory, sources))  # from when it served every Python
    except (OSError, ValueError):
        return


def _replace(file: bytes, content: bytes) -> None:
    temporary = file + f".{os.getpid()}.{time.monotonic_ns()}".encode()
    try:
        with open_new(temporary) as opened:
            opened.write(content)
        os.rename(temporary, file)
    except OSError:
        _remove(temporary)


def _remove(file: bytes) -> None:
    try:
        os.unlink(file)
    except OSError:
        pass


def _is_ours(directory: str) -> bool:
    status = os.lstat(directory)
    return stat.S_ISDIR(status.st_mode) and is_ours(status)


def _file(directory: str, sources: Sources) -> bytes:
    # With Python's tag, or two Pythons that alternate would write each other's copy anew at each activation.
    return _name(directory, sources) + f".{sys.implementation.cache_tag}".encode()


def _name(directory: str, sources: Sources) -> bytes:
    # Two long paths with the same ending share a file; each then finds the other's bytes and ignores them.
    return os.path.join(os.fsencode(directory), os.fsencode(sources.path).replace(b"/", b"%")[-_LONGEST_NAME:])


def _head(sources: Sources) -> bytes:
    """Everything that a copy depends on. The lengths come first, so that no two sources share a head."""
    lengths = f"{len(sources.project_bytes)} {len(sources.global_bytes)}"
    made_by = (_FORMAT, __version__, str(sys.implementation.cache_tag), lengths)
    places = os.fsencode(sources.path), os.fsencode(sources.shown_global_path)
    return b"\0".join((*(part.encode() for part in made_by), *places, sources.project_bytes, sources.global_bytes))
