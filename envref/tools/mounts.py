"""Which file system holds a directory: what is in memory only does not outlive the machine's power."""

from __future__ import annotations

import os

from envref.paths import nearest_existing

IN_MEMORY = ("tmpfs", "ramfs")  # their pages may be swapped, as any program's memory may


def is_in_memory(path: str) -> bool:
    """Whether what is written there stays in memory. False where the system does not tell."""
    return file_system(path) in IN_MEMORY


def file_system(path: str) -> str:
    """The type of the file system that holds `path`, or would; empty if the system has no list of them."""
    status = os.stat(nearest_existing(os.path.realpath(path)))
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            for mount in mounts:
                before, _, after = mount.partition(" - ")
                if before.split()[2] == device:
                    return after.split()[0]
    except OSError:
        pass
    return ""
