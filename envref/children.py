"""Programs that envref started: a signal that ends envref ends them too, with all that they started."""

from __future__ import annotations

import os
import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# What `kill`, a closed terminal and Ctrl-\\ send. Ctrl-C raises KeyboardInterrupt, which ends them by itself.
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_groups: set[int] = set()  # each by the number of its first process


def watch() -> None:
    """From now on these signals end the programs first. One that is ignored, e.g. by nohup, stays so.

    Only a main thread can say so: it calls this before others start programs.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def started(group: int) -> None:
    _groups.add(group)


def ended(group: int) -> None:
    _groups.discard(group)


def kill(group: int) -> None:
    """Ends a whole group at once. It outlives its leader, and its number is not reused while a member lives."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of zombies
        pass


def _end(number: int, _frame: FrameType | None) -> None:
    for group in list(_groups):
        kill(group)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
