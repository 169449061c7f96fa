"""Lookup: which program a shim stands for: the first on PATH that is no shim, or what is behind a wrapper.

A wrapper may look for the tool on PATH again, finds the shim first, and would get itself from it for ever. So the
program that a shim became says so in its environment, with its pid: when a script (not one of node: package managers
run scripts that call them again) or a direct child of it calls the shim, the search goes on behind that script.
A shim call loads this module.
"""

from __future__ import annotations

import os

from envref.errors import EnvrefError
from envref.paths import open_file, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MARK = "_ENVREF_SHIM"  # TOOL=DEPTH=PID=PATH of each tool, joined by colons, which no PATH can hold
ASKED = "_ENVREF_ASKED"  # the tools whose variables are just being asked for, each between colons
HEAD = b"#!/bin/sh\n# envref shim "  # of every shim
_DEEPEST = 20  # calls of one tool by itself, each below the other
_FIRST_LINE = 256  # bytes of it that Linux reads


class NotThere(EnvrefError):
    """There is no program that the shim could become."""

    status = 127  # as in a shell (POSIX, 2.8.2)


class RealTool:
    """What a shim becomes. `mark` is for its environment; `is_behind`: a wrapper called, whose environment stays."""

    __slots__ = ("is_behind", "mark", "path")

    def __init__(self, path: str, mark: str, *, is_behind: bool) -> None:
        self.path = path
        self.mark = mark
        self.is_behind = is_behind


def program(tool: str, environment: Mapping[str, str], caller: Sequence[int]) -> RealTool:
    """The program that the tool's shim becomes. `caller` are the shim's own pid and its parent's. Raises NotThere."""
    marks = dict(_marks(environment.get(MARK, "")))
    depth, pid, before = marks.get(tool, (0, 0, ""))
    is_behind = pid in caller and _may_wrap(before)
    found = list(_on_path(tool, environment.get("PATH", os.defpath)))
    candidates = _behind(before, found) if is_behind else found
    if not candidates:
        raise _nothing_behind(tool, before) if is_behind else _not_installed(tool)
    if depth >= _DEEPEST:
        raise NotThere(
            f"{tool}: {shown(before)} calls {tool} again and again, and gets itself",
            hint=f"call the other {tool} there by its full path",
        )
    path = next((each for each in candidates if os.access(each, os.X_OK)), candidates[0])
    marks[tool] = (depth + 1, caller[0], path)
    mark = ":".join(f"{name}={count}={process}={place}" for name, (count, process, place) in marks.items())
    return RealTool(path, mark, is_behind=is_behind)


def _marks(text: str) -> Iterator[tuple[str, tuple[int, int, str]]]:
    """What the mark says of each tool; what is not envref's own counts for nothing."""
    for each in text.split(":"):
        tool, depth, pid, path = (each.split("=", 3) + [""] * 3)[:4]
        if tool and path and depth.isdecimal() and pid.isdecimal():
            yield tool, (int(depth), int(pid), path)


def _on_path(tool: str, path: str) -> Iterator[str]:
    """Every file of this name on PATH that is no shim, as a shell finds them."""
    for part in path.split(os.pathsep):
        place = os.path.join(part or ".", tool)
        if os.path.isfile(place) and not is_shim(place):
            yield place


def is_shim(place: str) -> bool:
    """Whether the file is a shim of envref's, wherever it lies."""
    return _beginning(place).startswith(HEAD)


def _may_wrap(place: str) -> bool:
    line = _beginning(place).partition(b"\n")[0]
    return line.startswith(b"#!") and b"node" not in line


def _beginning(place: str) -> bytes:
    try:
        with open_file(place) as file:
            return file.read(_FIRST_LINE)
    except OSError:
        return b""  # a program that may be run and not read is no script


def _behind(before: str, found: list[str]) -> list[str]:
    """Those behind it on PATH; all others where PATH has it no more."""
    start = found.index(before) + 1 if before in found else 0
    real = os.path.realpath(before)
    return [each for each in found[start:] if os.path.realpath(each) != real]


def _not_installed(tool: str) -> NotThere:
    return NotThere(f"{tool}: command not found: on PATH is only its shim", hint=f"install {tool}")


def _nothing_behind(tool: str, wrapper: str) -> NotThere:
    return NotThere(
        f"{tool}: {shown(wrapper)} calls {tool} again, and no other {tool} is behind it on PATH",
        hint=f"install {tool}, or call it there by its full path",
    )
