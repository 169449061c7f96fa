"""Which processes of a test are still there."""

from __future__ import annotations

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
