"""Reached: the shells into which Flox may write again what a hook exports.

Flox removes FLOX_SHELL before it runs a hook (flox-activations/src/cli/activate.rs:122 of 1.15), so that the hook's
process is looked up: Flox's own is above it, and the user's shell above that. For a shell of its own Flox asks
FLOX_SHELL, SHELL and that parent, in this order; in place FLOX_SHELL, the parent and SHELL
(flox/src/utils/detect_shell.rs). Which of the two it is can't be seen from a hook.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import processes
from envref.backends.callers import upward

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLOX = "flox-activatio"  # flox-activations, within the 15 bytes that Linux keeps of a program's name


def shells(environment: Mapping[str, str]) -> list[str]:
    """Their names, without paths. Outside a hook none; where the system shows no processes, what SHELL says."""
    above = list(upward(os.getppid()))
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


def _given_to(number: int) -> str:
    """The FLOX_SHELL that a process was started with; Linux alone shows it to others."""
    entries = processes.environment_of(number)
    found = [entry.partition(b"=")[2] for entry in entries if entry.startswith(b"FLOX_SHELL=")]
    return os.fsdecode(found[0]) if found else ""
