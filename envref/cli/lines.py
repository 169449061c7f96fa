"""Lines: a line that is added to a file of the user's. Every other byte stays, and so does its kind of line end."""

from __future__ import annotations

import os
from collections.abc import Iterable

from envref import atomic
from envref.env.source import newline
from envref.errors import EnvrefError
from envref.paths import open_file


def add(path: str, line: str, *, same: Iterable[str] = (), inside: str | None = None) -> bool:
    """Adds the line at the end; False, and nothing is written, where it or one that means the `same` is there."""
    with atomic.lock(path, inside=inside):
        before = read(path)
        if {each.encode() for each in (line, *same)} & {each.strip() for each in before.splitlines()}:
            return False
        end = newline(before.decode("utf-8", "replace")).encode()
        missing = b"" if not before or before.endswith(b"\n") else end
        atomic.write(path, before + missing + line.encode() + end, inside=inside)
    return True


def read(path: str) -> bytes:
    """What is there; nothing where nothing is."""
    try:
        with open_file(path) as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise EnvrefError(f"reading {os.path.basename(path)}: {error.strerror}") from None
