"""The instructions of a command, as valgrind's callgrind counts them, by the file whose code they are in."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.sample import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.sample import Command

# A process that becomes another program writes what it has before that; `run` does.
_OPTIONS = ("--tool=callgrind", "--combine-dumps=yes", "--dump-before=execve")
_NAMED = re.compile(r"c?ob=\((\d+)\)(?: (.*))?")


@dataclass(frozen=True)
class Count:
    """`interpreter` is what Python's own code executes: the same on every processor and with every C library.

    `whole` has the rest too: the C library, which chooses its functions by the processor, the loader, SQLite, OpenSSL.
    """

    interpreter: int
    whole: int


def count(command: Command) -> Count:
    """Runs the command once, 30 times as long as usual. Raises Failed unless it ends with status 0."""
    with tempfile.TemporaryDirectory(prefix="callgrind-") as directory:
        out = os.path.join(directory, "out")
        beneath = ["valgrind", *_OPTIONS, f"--callgrind-out-file={out}", *command.arguments]
        run(replace(command, arguments=beneath))
        with open(out, encoding="utf-8") as file:
            return counted(by_object(file))


def counted(instructions: Mapping[str, int]) -> Count:
    """The count of what each file's code executed."""
    own = sum(number for path, number in instructions.items() if _is_interpreter(path))
    return Count(own, sum(instructions.values()))


def _is_interpreter(path: str) -> bool:
    """Whether a file is Python's: the program, its library, an extension of its standard library."""
    name = os.path.basename(path)
    return name.startswith(("python", "libpython")) or ".cpython-" in name


def by_object(lines: Iterable[str]) -> dict[str, int]:
    """The instructions in each file of code, from callgrind's output (its format: the valgrind manual, 6).

    A line of cost belongs to the last `ob=`; the one after `calls=` is the cost of what was called, which has its own.
    """
    found: dict[str, int] = {}
    names: dict[str, str] = {}
    current = ""
    for line in _own_lines(lines):
        named = _NAMED.match(line)
        if named:
            number, name = named.groups()
            names.setdefault(number, name or "")
            current = names[number] if line.startswith("ob=") else current
        elif line[0].isdigit() or line[0] in "+-*":
            found[current] = found.get(current, 0) + int(line.split()[1])
    return found


def _own_lines(lines: Iterable[str]) -> Iterator[str]:
    """All but the empty ones, and those of a called function's cost."""
    is_callee = False
    for line in lines:
        if not is_callee and line.strip():
            yield line
        is_callee = line.startswith("calls=")
