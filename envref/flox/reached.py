"""Reached: the shells into which Flox may write again what a hook exports.

Flox removes FLOX_SHELL before it runs a hook (flox-activations/src/cli/activate.rs:122 of 1.15), so that the hook's
process is looked up: Flox's own is above it, and the user's shell above that. For a shell of its own Flox asks
FLOX_SHELL, SHELL and that parent, in this order; in place FLOX_SHELL, the parent and SHELL
(flox/src/utils/detect_shell.rs). Which of the two it is can't be seen from a hook.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from envref.errors import EnvrefError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FLOX = "flox-activatio"  # flox-activations, within the 15 bytes that Linux keeps of a program's name
_PATIENCE = 2.0  # seconds for `ps`, where there is no /proc
_HIGHEST = 64  # processes; a hook that calls envref through others is a few below Flox's


def shells(environment: Mapping[str, str]) -> list[str]:
    """Their names, without paths. Outside a hook none; where the system shows no processes, what SHELL says."""
    above = list(_ancestors())
    named = _name(environment.get("SHELL", ""))
    if not above:
        return [named]
    position = next((place for place, (_, name) in enumerate(above) if _FLOX in name), None)
    if position is None:
        return []
    wanted = _name(_given_to(above[position][0]))
    parent = next((name for _, name in above[position:] if _FLOX not in name and name != "flox"), "")
    return [wanted] if wanted else list(dict.fromkeys([named, _name(parent)]))


def _name(path: str) -> str:
    """The program's name, also of a login shell and of one that Nix wrapped (`.fish-wrapped`)."""
    return os.path.basename(path).lstrip("-.").removesuffix("-wrapped")


def _ancestors() -> Iterator[tuple[int, str]]:
    """Number and program of the processes above this one, the nearest first."""
    number = os.getppid()
    for _ in range(_HIGHEST):
        try:
            parent, name = _process(number)
        except (OSError, ValueError, EnvrefError):
            return
        yield number, name
        number = parent
        if number < 1:
            return


def _process(number: int) -> tuple[int, str]:
    """A process's parent and program. OSError, ValueError or EnvrefError if the system doesn't say."""
    if sys.platform.startswith("linux"):
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            name, _, rest = file.read().partition("(")[2].rpartition(")")
        return int(rest.split()[1]), name
    from envref.backends.command import run

    argv = ["/bin/ps", "-o", "ppid=,comm=", "-p", str(number)]
    listed = run(argv, deadline=time.monotonic() + _PATIENCE, label="listing processes")
    parent, name = listed.stdout.decode(errors="replace").split(maxsplit=1)
    return int(parent), os.path.basename(name.strip())


def _given_to(number: int) -> str:
    """The FLOX_SHELL that a process was started with; Linux alone shows it to others."""
    try:
        with open(f"/proc/{number}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return ""
    found = [entry.partition(b"=")[2] for entry in entries if entry.startswith(b"FLOX_SHELL=")]
    return os.fsdecode(found[0]) if found else ""
