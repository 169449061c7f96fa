"""Bare: an environment without what activations put into it, for a program that is not to see secrets (docs/tools.md).

It is no boundary: a program of the same user can ask envref, or read the memory of another process of that user.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref.fresh import seen
from envref.resolve.withheld import withheld
from envref.tools import shims
from envref.tools.lookup import ASKED, MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.env.environment import Environment
    from envref.project.project import Project

# What undoes an activation has the values that it set, or those that it replaced: direnv(1), and Flox's
# diff_serializer.rs. Without the rest of direnv's, a direnv below would unload what is not there.
_DIFFS = ("DIRENV_DIFF", "DIRENV_DIR", "DIRENV_FILE", "DIRENV_WATCHES", "_FLOX_HOOK_DIFF")


def names_seen(environment: Mapping[str, str]) -> list[str]:
    """The names in ENVREF_SEEN, of whichever project it is, and even if it is cut off."""
    return [word.partition("=")[0] for word in environment.get(seen.NAME, "").split(" ") if "=" in word]


def names_of(project: Project, environment: Environment) -> list[str]:
    """The project's variables that depend on a reference, or that only a tool gets, or what is made of these."""
    secret = [name for name, variable in environment.variables.items() if variable.plain is None]
    return [*secret, *withheld(project, environment.variables)]


def bare(environment: Mapping[bytes, bytes], names: Iterable[str], folder: str) -> dict[bytes, bytes]:
    """The environment without these names and all that repeats them; PATH has no shims but those in `folder`."""
    left_out = {*map(os.fsencode, names), *map(os.fsencode, (*_DIFFS, seen.NAME, MARK, ASKED))}
    kept = {name: value for name, value in environment.items() if name not in left_out}
    if b"PATH" in kept:
        path = shims.without(os.fsdecode(kept[b"PATH"]))
        kept[b"PATH"] = os.fsencode(os.pathsep.join([*([folder] if folder else []), *path]))
    return kept
