"""Closure: all store paths that a path refers to, and those in turn, as Nix itself knows them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from envref.backends import command
from envref.backends.programs import is_inside, repository_around
from envref.store_errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 60.0  # seconds: the closure of a system is 100,000 lines
_STORE = "/nix/store"


class Closure(NamedTuple):
    """Where to look, and why that is not all; `unknown` is empty if it is."""

    places: list[str]
    unknown: str = ""


def closure(place: str, directory: str) -> Closure:
    """A place in the store becomes the closure of its store path; any other is followed by those of the links in it.

    Of a .drv file it is what its build needs. `directory` is where the user works: no program of its repository is run.
    """
    own = _store_path(os.path.realpath(place))
    roots = [own] if own else sorted(set(_linked(place)))
    outside = [] if own else [place]
    program = command.find("nix-store")
    if not roots:
        return Closure(outside)
    if program is None:
        return Closure([*outside, *roots], "nix-store is not on PATH")
    if is_inside(program, repository_around(os.path.realpath(directory))):
        return Closure([*outside, *roots], "the nix-store on PATH is the repository's own")
    answer = _requisites(program, roots)
    return Closure(outside + answer.places, answer.unknown)


def _requisites(program: str, roots: list[str]) -> Closure:
    try:
        argv = [program, "--query", "--requisites", *roots]
        answer = command.run(argv, deadline=time.monotonic() + _PATIENCE, label="nix-store")
    except BackendError as error:
        return Closure(roots, error.message)
    if answer.status:
        words = answer.stderr.strip().splitlines() or [f"exit status {answer.status}"]
        return Closure(roots, f"nix-store: {words[-1].removeprefix('error: ')}")
    return Closure(sorted(os.fsdecode(line) for line in answer.stdout.splitlines()))


def _linked(place: str) -> Iterator[str]:
    """The store paths that links below a directory lead to."""
    if os.path.isdir(place):
        yield from filter(None, (_store_path(os.path.realpath(link)) for link in _links(place)))


def _links(directory: str) -> Iterator[str]:
    for folder, folders, names in os.walk(directory):
        paths = (os.path.join(folder, name) for name in folders + names)
        yield from filter(os.path.islink, paths)


def _store_path(real: str) -> str:
    """The store path that a path without links is in; empty outside the store."""
    store = os.path.join(os.path.realpath(os.environ.get("NIX_STORE_DIR") or _STORE), "")
    name = real.removeprefix(store).partition("/")[0] if real.startswith(store) else ""
    return store + name if name else ""
