"""Start: makes the folder and starts an agent there, in a Python of its own that knows nothing of this process."""

from __future__ import annotations

import fcntl
import os
import sys
import time

from envref import client
from envref.paths import open_lock

_PATIENCE = 1.0  # seconds; a Python that starts takes a twentieth of that
_STEP = 0.002
_CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from {} import main; main()"


def start(place: str, patience: float = 0) -> None:
    """Returns when an agent listens, or can't be had. Of several processes one starts it, the others wait."""
    try:
        client.check_length(place)
        client.check_above(place)  # before it is made: `sudo envref` must not leave root's folder in a user's place
        _make(place)
        client.check(place)
        lock = open_lock(os.path.join(place, "start"))
    except OSError:
        return  # connecting fails of the same, and says it
    try:
        until = time.monotonic() + (patience or _PATIENCE)
        if locked(lock, until) and not _listens(place):
            spawn("envref.agent.process", place, until)
    finally:
        os.close(lock)


def _make(place: str) -> None:
    try:
        os.mkdir(place, 0o700)
    except FileExistsError:
        pass


def locked(lock: int, until: float) -> bool:
    """Takes the lock; False if another process has it until then, a time of `time.monotonic()`."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(_STEP)
        else:
            return True


def _listens(place: str) -> bool:
    try:
        client.connect(place).close()
    except OSError:
        return False
    return True


def spawn(module: str, place: str, until: float) -> bool:
    """Runs `main` of the module, which goes to the background, in a Python of its own; whether it got there.

    Nothing of ours goes along: no environment, no descriptor, no argument but the folder.
    """
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    argv = [sys.executable, "-I", "-S", "-c", _CODE.format(module), here, place]
    null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    try:
        process = os.posix_spawn(sys.executable, argv, {}, file_actions=null)
    except OSError:
        return False
    while time.monotonic() < until:
        try:
            ended, status = os.waitpid(process, os.WNOHANG)
        except ChildProcessError:
            return False
        if ended:
            return status == 0
        time.sleep(_STEP)
    return False
