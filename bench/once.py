"""Runs one command and prints its exit status, wall seconds, CPU seconds and peak memory in bytes.

A process inherits the peak memory of the one that started it: measured from the bench itself, every program would
seem at least as large as the bench. So the bench starts this file with `python -I -S`, which makes it smaller than
any Python it measures.
"""

import os
import sys
import time

SILENT = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", os.O_RDWR, 0) for descriptor in (0, 1)]
KIBIBYTE = 1 if sys.platform == "darwin" else 1024  # macOS counts ru_maxrss in bytes

start = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=SILENT)
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - start
print(os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KIBIBYTE)
