"""Owners: the sessions that use what is kept, each by its leader's process; who of them has ended.

Linux says so by a pidfd, at once. Where there is none (an old kernel, a filter of system calls), the start time in
`/proc` is compared at each look. macOS has kqueue; nobody ran that part yet.
"""

from __future__ import annotations

import os
import select
import sys

from envref.processes import start_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_select: Any = select  # kqueue is in it on macOS only
MOST = 256


class Owners:
    """`poll` is told of the descriptors that become readable when an owner ends."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._pidfds: dict[int, int] = {}  # by descriptor
        self._starts: dict[int, str] = {}  # by process: what tells it from another one of its number
        self._queue: Any = _select.kqueue() if sys.platform != "linux" else None
        self._queued: set[int] = set()
        if self._queue:
            poll.register(self._queue.fileno(), select.POLLIN)

    def __iter__(self) -> Iterator[int]:
        return iter({*self._pidfds.values(), *self._starts, *self._queued})

    def __len__(self) -> int:
        return len(self._pidfds) + len(self._starts) + len(self._queued)

    def add(self, process: int) -> bool:
        """Looks after the process from now on; False if it has ended, or can't be looked after."""
        if process in self:
            return True
        if process <= 0 or len(self) >= MOST:  # a queue may know a process 0, which is nobody's owner
            return False
        return self._add_to_queue(process) if self._queue else self._add(process)

    def _add(self, process: int) -> bool:
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            return False
        except (OSError, AttributeError):
            return self._add_start(process)
        self._pidfds[descriptor] = process
        self._poll.register(descriptor, select.POLLIN)
        return True

    def _add_start(self, process: int) -> bool:
        started = start_of(process)
        if started:
            self._starts[process] = started
        return bool(started)

    def _add_to_queue(self, process: int) -> bool:
        is_there = self._told(process, _select.KQ_EV_ADD)
        self._queued |= {process} if is_there else set()
        return is_there

    def _told(self, process: int, flag: int) -> bool:
        """Whether the queue took that; it does not know of one that has ended."""
        try:
            self._queue.control([_select.kevent(process, _select.KQ_FILTER_PROC, flag, _select.KQ_NOTE_EXIT)], 0, 0)
        except OSError:
            return False
        return True

    def ended(self, readable: int | None = None) -> list[int]:
        """The owners that ended: that of a readable descriptor, or at a look those that have none."""
        if self._queue:
            return [event.ident for event in self._queue.control(None, MOST, 0)]
        if readable is not None:
            return [self._pidfds[readable]] if readable in self._pidfds else []
        return [process for process, started in self._starts.items() if start_of(process) != started]

    def remove(self, process: int) -> None:
        self._starts.pop(process, None)
        if process in self._queued:
            self._queued.discard(process)
            self._told(process, _select.KQ_EV_DELETE)  # of one that ended it is gone already
        for descriptor in [each for each, owner in self._pidfds.items() if owner == process]:
            del self._pidfds[descriptor]
            self._poll.unregister(descriptor)
            os.close(descriptor)


def session_of(process: int) -> int:
    """The leader of the session that the process is in; 0 if there is none to be seen from here."""
    try:
        return os.getsid(process) if process > 0 else 0
    except OSError:
        return 0
