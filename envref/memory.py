"""Protection of this process's memory while it holds values: no core dump, no reader (security.md P12).

Best effort: Python can't wipe a text, and root sees everything. docs/adr/0009-memory.md says when and why.
"""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4

_before: list[tuple[int, int]] = []  # the limits of a core file that `protect` found


def protect() -> None:
    """No core file, and on Linux no other process of this user may read memory and environment of this one. Once."""
    if _before:
        return
    found = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, found[1]))
    _before.append(found)
    if sys.platform == "linux":
        _refuse_readers()


def release() -> None:
    """Restores the limit of core files, for the program that this process becomes; the kernel does the rest."""
    if _before:
        resource.setrlimit(resource.RLIMIT_CORE, _before.pop())


def _refuse_readers() -> None:
    try:
        from envref import libc
    except ImportError:  # a Python that was built without libffi
        return
    libc.call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
