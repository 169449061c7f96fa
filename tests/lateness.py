"""The one clock for every bound on wall time: it leaves out by how much the machine was late meanwhile.

A bound such as "the limit and a second" is a promise of envref's, not of a machine that has other things to do. So
while it is measured, a thread sleeps 10 ms and then works 1 ms, again and again, as the programs that are waited for
do; whatever it takes more than that is the machine's own, and is not counted. On a quiet machine that is nothing.
"""

from __future__ import annotations

import re
import threading
import time

_SLEEP = 0.01  # seconds
_WORK = 0.001  # seconds of a processor
_running = set()


class Stopwatch:
    """Runs from when it is made until it is asked; `started` is that moment by `time.monotonic()`."""

    def __init__(self):
        self.started = time.monotonic()
        self._late = 0.0
        self._due = self.started + _SLEEP + _WORK
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()
        _running.add(self)

    def seconds(self):
        """What passed, without what the machine was late."""
        passed = time.monotonic() - self.started
        overdue = max(0.0, time.monotonic() - self._due)
        late = self._late + overdue
        self.end()
        return max(0.0, passed - late)

    def end(self):
        """It measures no more."""
        self._ended.set()
        self._thread.join()
        _running.discard(self)

    def _measure(self):
        while not self._ended.wait(_SLEEP):
            _work()
            now = time.monotonic()
            self._late += max(0.0, now - self._due)
            self._due = now + _SLEEP + _WORK


def end_all():
    """Those of a test that failed, or was skipped, before it asked: they would work on beside the next ones."""
    for stopwatch in list(_running):
        stopwatch.end()


def as_set(said, limit):
    """`said` with the limit of `limit` seconds that a message tells: what was used up before the call is put back."""

    def told(found):
        return f"within {limit:g} s" if 0 < float(found[1]) <= limit else found[0]

    return re.sub(r"within ([0-9.]+) s", told, said)


def _work():
    until = time.thread_time() + _WORK
    while time.thread_time() < until:
        pass
