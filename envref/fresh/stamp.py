"""The stamp: says that some secret of this user was written, to direnv and to prompts (docs/adr/0037-stamp.md).

It is a folder with one empty file. direnv watches the folder's time. A prompt remembers the file's name: while that is
there nothing was written, which costs a shell one stat. No name is used twice.
"""

from __future__ import annotations

import os
import time

from envref import streams
from envref.paths import make_empty, make_private, open_folder, state_path

NAME = "stamp"
_TRIES = 10  # somebody else may touch it at the same time


def touch() -> str:
    """Touches the stamp, which is made if needed; returns why it can't be, or nothing. Raises no error.

    A link, and what others could change, is left alone.
    """
    path = state_path(NAME)
    if not path:
        return "there is no home directory"
    try:
        stranger = make_private(path)
        if stranger:
            return f"{stranger} belongs to another user"
        folder = open_folder(path)
    except OSError as error:
        return f"{error.filename or path}: {error.strerror}"
    try:
        before = int(os.fstat(folder).st_mtime)
        _rename(folder)
        _advance(folder, before)
    except OSError as error:
        return f"{path}: {error.strerror}"
    finally:
        os.close(folder)
    return ""


def _rename(folder: int) -> None:
    """Gives the file a name that it never had. What is there besides it goes away, however it came there."""
    new = f"{time.time_ns()}-{os.getpid()}"
    for _ in range(_TRIES):
        there = sorted(os.listdir(folder))
        try:
            if there:
                os.rename(there[0], new, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                make_empty(new, folder)
        except FileNotFoundError:
            continue  # somebody else renamed it meanwhile
        for name in there[1:]:
            _remove(name, folder)
        return


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


def _advance(folder: int, before: int) -> None:
    """Sets the folder's time at least a second further: direnv compares whole seconds."""
    if int(os.fstat(folder).st_mtime) <= before:
        os.utime(folder, (before + 1, before + 1))


def tell() -> None:
    """Touches the stamp after a secret was written; where it can't be touched, only -v says so."""
    fault = touch()
    if fault:
        streams.detail(f"prompts and direnv are not told: {fault}")
