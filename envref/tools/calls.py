"""Calls: what each process that a shim became stands for, kept beside it: a wrapper may clear its environment.

The mark in the environment says the same (`lookup`). Without it a wrapper that runs `env -i PATH="$PATH" gh` would get
itself from the shim for ever. A file a process and tool; no value is in it. Where there is no /proc, only marks count.
"""

from __future__ import annotations

import os

from envref import processes
from envref.paths import make_private, open_new, open_ours, state_path

_HIGHEST = 64  # processes above a shim that are looked at


def recalled(tool: str, process: int) -> str:
    """The mark of the nearest process from this one upwards that a shim of the tool became; empty if there is none."""
    place = state_path("calls")
    known = _known(place, tool)
    for _ in range(_HIGHEST):
        found = processes.find(process) if known and process > 0 else None
        if found is None:
            return ""
        if process in known and (mark := _read(_file(place, process, tool), found.ticks)):
            return mark
        process = found.parent
    return ""


def note(tool: str, process: int, mark: str) -> None:
    """Keeps the mark as long as the process lasts. What can't be kept stops no tool."""
    place, now = state_path("calls"), processes.find(process)
    if not place or now is None:
        return
    try:
        if make_private(place):
            return
        for other in _known(place, tool):
            if other == process or not processes.start_of(other):
                _forget(_file(place, other, tool))
        with open_new(_file(place, process, tool)) as file:
            file.write(f"{now.ticks}\n{mark}".encode("utf-8", "surrogateescape"))
    except OSError:
        pass


def _known(place: str, tool: str) -> set[int]:
    """The processes of which something is kept for the tool."""
    try:
        names = os.listdir(place) if place else []
    except OSError:
        return set()
    parts = (name.partition("-") for name in names)
    return {int(number) for number, _, named in parts if named == tool and number.isascii() and number.isdecimal()}


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # another call did


def _file(place: str, process: int, tool: str) -> str:
    return os.path.join(place, f"{process}-{tool}")


def _read(path: str, began: int) -> str:
    """Empty for what an earlier process of that number left."""
    try:
        with open_ours(path) as file:
            ticks, _, mark = file.read().decode("utf-8", "surrogateescape").partition("\n")
    except OSError:
        return ""
    return mark if ticks == str(began) else ""
