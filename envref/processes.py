"""Processes: what Linux says of a process in /proc (proc(5)). Other systems have no /proc."""

from __future__ import annotations

import os


class Process:
    """The line /proc/PID/stat. `ticks` is when it began, in clock ticks since the system did."""

    __slots__ = ("has_ended", "name", "parent", "ticks")

    def __init__(self, stat: bytes) -> None:
        name, _, rest = stat.partition(b"(")[2].rpartition(b")")  # a name may hold spaces and brackets
        fields = rest.split()  # from the third on, as proc(5) counts them
        self.name = name.decode(errors="replace")
        self.has_ended = fields[0] in (b"Z", b"X")
        self.parent = int(fields[1])
        self.ticks = int(fields[19])


def are_shown() -> bool:
    """Whether this system shows them in /proc."""
    return os.path.isdir("/proc/self")


def find(number: int) -> Process | None:
    """None for a process that is not there, or is not shown to us."""
    try:
        with open(f"/proc/{number}/stat", "rb") as file:
            return Process(file.read())
    except OSError:
        return None


def start_of(number: int) -> str:
    """What tells a process from another one that gets its number later; empty for one that has ended."""
    process = find(number)
    return "" if process is None or process.has_ended else str(process.ticks)


def began_at(number: int) -> float | None:
    """When the process began, in seconds since the epoch; None where the system doesn't say."""
    process = find(number)
    if process is None:
        return None
    try:
        with open("/proc/stat", "rb") as file:
            booted = next(int(line.split()[1]) for line in file if line.startswith(b"btime "))
    except (OSError, StopIteration):
        return None
    return booted + process.ticks / os.sysconf("SC_CLK_TCK")


def words_of(number: int) -> list[bytes]:
    """The command line of a process; empty if nobody says."""
    return _entries(number, "cmdline")


def environment_of(number: int) -> list[bytes]:
    """The variables that a process was started with, each as NAME=VALUE; empty for another user's process."""
    return _entries(number, "environ")


def _entries(number: int, kind: str) -> list[bytes]:
    try:
        with open(f"/proc/{number}/{kind}", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []
