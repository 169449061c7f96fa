"""Which processes of a test are still there, and what this one has open."""

from __future__ import annotations

import gc
import os
import time

from tests.reaper import environment_of

_PATIENCE = 1.0  # seconds; a process that was killed takes a moment to end


def left_of(marker):
    """The numbers of the processes with the text `marker` in their environment that don't end by themselves."""
    deadline = time.monotonic() + _PATIENCE
    while (found := _with(str(marker).encode())) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _with(marker):
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and marker in environment_of(entry)]


def tidy_descriptors():
    """How many descriptors this process has open, without those that earlier tests left to Python's collector.

    It would close them at any time, in the middle of a test that counts. Afterwards a test counts by itself: what only
    the collector closes is left open.
    """
    gc.collect()
    return len(os.listdir("/dev/fd"))
