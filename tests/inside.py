"""In the scope `inside` no test starts a program: one that would is skipped at that moment, whoever starts it.

So a test need not say that it does. A copy of the tests' own process (`os.fork`) is no program, and is made.
"""

from __future__ import annotations

import contextlib
import functools
import sys

import pytest

# What Python tells of before a program is started (the table of audit events in its manual).
_STARTS = {"subprocess.Popen", "os.posix_spawn", "os.spawn", "os.system", "os.forkpty"}
_REASON = "scope inside: what starts a program is tried by the tests of the oldest and the newest Python"


class _Watch:
    """Whether programs are refused now, and whether one was. Python can't take its hook away again."""

    def __init__(self):
        self.refuses = False
        self.refused = False
        sys.addaudithook(self._look)

    def _look(self, event, _):
        if self.refuses and event in _STARTS:
            self.refused = True
            pytest.skip(_REASON)


_watch = functools.cache(_Watch)


@contextlib.contextmanager
def kept(scope):
    """The tests' own process is not left meanwhile, if that is the scope."""
    if scope != "inside":
        yield
        return
    watch = _watch()
    watch.refuses, watch.refused = True, False
    try:
        yield
    finally:
        watch.refuses = False
        if watch.refused:  # also where the start was a thread's, and what waits for it failed
            pytest.skip(_REASON)
