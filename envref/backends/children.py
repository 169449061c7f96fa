"""Programs that envref started: a signal that ends envref ends them too, with all that they started."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

# What `kill`, a closed terminal and Ctrl-\\ send. Ctrl-C raises KeyboardInterrupt, which ends them by itself.
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_PATIENCE = 0.2  # seconds for programs that were killed to be gone; the caller waits for their end and envref's

_groups: set[int] = set()  # each by the number of its first process
_lock = threading.RLock()  # of a start: a signal within it waits until the new group is known
_starts: list[bool] = []  # one where a start is going on
_late: list[int] = []  # the signal that came meanwhile


def watch() -> None:
    """From now on these signals end the programs first. One that is ignored, e.g. by nohup, stays so.

    Only a main thread can say so: it calls this before others start programs.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


@contextmanager
def starting() -> Iterator[Callable[[int], None]]:
    """The context in which a program is started; the caller tells the number of its group."""
    with _lock:
        _starts.append(True)
        try:
            yield _groups.add
        finally:
            _starts.pop()
    if _late and threading.current_thread() is threading.main_thread():
        _end(_late[0], None)


def ended(group: int) -> None:
    _groups.discard(group)


def kill(group: int) -> None:
    """Ends a whole group at once. It outlives its leader, and its number is not reused while a member lives."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of zombies
        pass


def _reap(groups: Sequence[int]) -> None:
    """Takes their leaders' statuses. What nobody takes is seen as running until the system's first process does."""
    until = time.monotonic() + _PATIENCE
    for group in groups:
        try:
            while not os.waitpid(group, os.WNOHANG)[0] and time.monotonic() < until:
                time.sleep(0.002)
        except ChildProcessError:
            pass  # whoever started it took it


def _end(number: int, _frame: FrameType | None) -> None:
    with _lock:  # free, or the main thread's own
        if _starts:
            _late.append(number)
            return
        groups = list(_groups)
        for group in groups:
            kill(group)
    _reap(groups)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
