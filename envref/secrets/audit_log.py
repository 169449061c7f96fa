"""The audit log: who changed which secret, where and when (commands.md 3.6); and, where it is asked for, who read it.

Every command that writes, deletes or shares a secret calls `record` once for each, after the store has answered. Reads
are written by `resolve/reads`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from envref.errors import EnvrefError
from envref.paths import open_in_place, open_ours, shown
from envref.project import log
from envref.resolve import reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from envref.project.log import Line

CHANGES = ".log"  # what the name of the file ends in
# Where the log was until 0.2, in the project: what stands there is shown, and nothing is written to it.
FORMER = ".envref.audit.log"


class Event(NamedTuple):
    """What happened to a secret. `key` is without project and profile; `detail` is for people, e.g. `from shop`."""

    operation: str
    key: str
    backend: str
    project: str
    profile: str | None = None
    detail: str | None = None


def record(root: str, event: Event) -> None:
    """Adds a line to the log of the project at `root`. A failure to write is a warning, not an error."""
    log.add(root, CHANGES, [event._asdict()])


def changes(root: str) -> list[Line]:
    """The lines about changes, oldest first, the former log's too. EnvrefError for a log that can't be read."""
    former = _lines(os.path.join(root, FORMER), FORMER, open_in_place)
    path = log.place(root, CHANGES)
    return [*former, *_lines(path, path, open_ours)]


def read(root: str) -> list[Line]:
    """The lines about reads, oldest first. EnvrefError for a log that can't be read."""
    path = log.place(root, reads.KIND)
    return [line for each in (f"{path}.1", path) for line in _lines(each, each, open_ours)]


def entries(root: str) -> Iterator[dict[str, str]]:
    """The entries about changes, oldest first, without lines that are none; an unreadable log has none."""
    try:
        yield from (line.entry for line in changes(root) if line.entry is not None)
    except EnvrefError:
        return


def profiles(root: str) -> set[str]:
    """The profiles that the log names."""
    return {entry["profile"] for entry in entries(root) if entry.get("profile")}


def _lines(path: str, name: str, open_: Callable[[str], BufferedReader]) -> list[Line]:
    try:
        return log.lines(open_(path), name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EnvrefError(f"reading {shown(name)}: {error.strerror}") from None
