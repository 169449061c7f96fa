"""Nothing of a run outlives it: however pytest ends, a process beside it then ends all that carry its mark.

The mark is a variable that programs inherit; who starts a server with an environment of its own adds `mark()`. Run as a
program, `reaper.py MARK`, this is the process that waits for the end of its parent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

MARK = "PYTEST_RUN_MARK"  # what begins with PYTEST is kept when a test's environment is cleared
_LOOK = 0.3  # seconds between two looks whether pytest is still there
_PATIENCE = 5.0  # seconds for what starts new processes while it is being ended


def begin():
    """Marks this process's children to be, and starts who ends them. Linux only: elsewhere nothing is done."""
    if sys.platform != "linux":
        return
    os.environ[MARK] = f"{os.getpid()}-{time.monotonic_ns()}"
    subprocess.Popen(
        [sys.executable, "-IS", __file__, os.environ[MARK]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,  # a Ctrl-C is for pytest
    )


def mark():
    """The variable, for an environment that inherits nothing."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}


def marked(value):
    """The numbers of the processes that carry this mark, this one apart."""
    text = f"{MARK}={value}".encode()
    found = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]
    return [process for process in found if text in environment_of(process).split(b"\0")]


def environment_of(process):
    """The bytes that a process began with as its environment; empty if it is not there or not ours."""
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _end_all(value):
    patience = time.monotonic() + _PATIENCE
    while (found := marked(value)) and time.monotonic() < patience:
        for process in found:
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass  # it has ended
        time.sleep(0.05)


if __name__ == "__main__":
    run = os.getppid()
    while os.getppid() == run:
        time.sleep(_LOOK)
    _end_all(sys.argv[1])
