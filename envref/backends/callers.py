"""Callers: the programs above a process, as /proc shows them, or where there is none as `ps` (POSIX) lists them."""

from __future__ import annotations

from envref import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HIGHEST = 64  # processes, as numbers that are given again could lead in a circle
_PS = "/bin/ps"  # of macOS and the BSDs; the one in PATH may be anybody's
_PATIENCE = 2.0  # seconds for `ps`


def upward(number: int) -> Iterator[tuple[int, str]]:
    """Number and program of this process and of those above it, the nearest first, until the system says no more."""
    ask = _by_proc if processes.are_shown() else _by_ps
    for _ in range(_HIGHEST):
        answer = ask(number)
        if answer is None:
            return
        parent, name = answer
        yield number, name
        if parent < 1:
            return
        number = parent


def _by_proc(number: int) -> tuple[int, str] | None:
    found = processes.find(number)
    return None if found is None else (found.parent, found.name)


def _by_ps(number: int) -> tuple[int, str] | None:
    """Its parent and its program without the directory."""
    import os
    import time

    from envref.backends.command import run
    from envref.errors import EnvrefError

    argv = [_PS, "-o", "ppid=", "-o", "comm=", "-p", str(number)]
    try:
        done = run(argv, deadline=time.monotonic() + _PATIENCE, label="ps")
    except EnvrefError:
        return None
    parent, _, name = done.stdout.decode(errors="replace").strip().partition(" ")
    return (int(parent), os.path.basename(name.strip())) if parent.isdecimal() else None
