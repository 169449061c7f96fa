"""What waits for the end of a life and then removes its folder: a process of its own, which knows no value."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import time

from envref.tools import life as lives
from envref.tools.file_folder import FileFolder, hold, life_of, remove

_LOOK = 1.0  # seconds between two looks where nothing tells of an end at once
_LONG = 5.0  # and where something does


def main() -> None:
    """What `attend` runs, with the folder as the only argument. Its starter's process ends when the waiting begins."""
    os.closerange(3, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    os.setsid()
    os.chdir("/")
    folder = os.fsdecode(os.fsencode(sys.argv[1]))
    hold(folder)
    if os.fork():
        os._exit(0)
    try:
        _await(folder, life_of(folder))
        _remove(folder)
    finally:
        os._exit(0)


def _await(folder: str, life: str) -> None:
    """Returns when the life has ended, or the folder is gone."""
    ends = _pidfd(lives.process_of(life))
    while os.path.isdir(folder) and not lives.has_ended(life):
        if ends < 0:
            time.sleep(_LOOK)
        elif select.select([ends], [], [], _LONG)[0]:
            return


def _pidfd(process: int) -> int:
    """A descriptor that becomes readable when the process ends; -1 for none, and where the system has no such thing."""
    try:
        return os.pidfd_open(process) if process else -1
    except (OSError, AttributeError):
        return -1


def _remove(folder: str) -> None:
    """Under the lock of the folder above, so that nobody writes there meanwhile."""
    while True:
        try:
            with FileFolder(os.path.dirname(folder)):
                remove(folder)
                return
        except TimeoutError:
            time.sleep(_LOOK)
