"""The CPythons that envref is tested with: every minor version from 3.11 on that this machine has."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from dataclasses import dataclass

OLDEST = (3, 11)
NEWEST = (3, 15)
# Free-threaded builds and previews can't load every wheel that is pinned.
_PROBE = """
import platform, sys
if sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final" and "t" not in sys.abiflags:
    print(*sys.version_info[:3], sys.executable)
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython: its version as three numbers, and the absolute path of its program."""

    version: tuple[int, int, int]
    program: str

    @property
    def minor(self) -> str:
        """`3.11`: what its environment is called."""
        return f"{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        return "Python " + ".".join(str(number) for number in self.version)


def interpreters() -> list[Interpreter]:
    """One a minor version; the one that runs this comes first, the others from old to new."""
    found: dict[str, Interpreter] = {}
    for candidate in _candidates():
        interpreter = _probe(candidate)
        if interpreter and interpreter.version[:2] >= OLDEST:
            found.setdefault(interpreter.minor, interpreter)
    if not found:
        sys.exit(f"{sys.executable} is not a released CPython from 3.11 on; name one with PYTHON=PROGRAM")
    first, *others = found.values()
    return [first, *sorted(others, key=lambda interpreter: interpreter.version)]


def _candidates() -> list[str]:
    names = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    uv = os.path.expanduser("~/.local/share/uv/python")
    managed = [os.path.join(pyenv, "versions", "3.*"), os.path.join(uv, "cpython-3.*")]
    programs = [program for pattern in managed for program in glob.glob(os.path.join(pattern, "bin", "python3"))]
    return [sys.executable, *names, *sorted(programs)]


def _probe(candidate: str) -> Interpreter | None:
    """The interpreter; None if it is missing, broken (a pyenv shim without its version), or not a released CPython."""
    try:
        probe = subprocess.run([candidate, "-I", "-c", _PROBE], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    if not probe.stdout:
        return None
    *version, program = probe.stdout.strip().split(" ", 3)
    major, minor, patch = map(int, version)
    return Interpreter((major, minor, patch), program)
