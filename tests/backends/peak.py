"""How much memory a test's own process took at most."""

from __future__ import annotations

import resource
import sys


def kibibytes():
    """This program's own peak. Linux lets `ru_maxrss` begin at the peak of the process that started it."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
