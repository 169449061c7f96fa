"""`envref audit --values`: the project's real secret values in any files, also in a Nix closure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import streams
from envref.checks.closure import Closure, closure
from envref.checks.forms import PLAIN
from envref.checks.leaks import search_for
from envref.cli import activate
from envref.cli.grammar import directory
from envref.cli.request import Request
from envref.errors import FAILED, OK, EnvrefError
from envref.formats import shells
from envref.resolve.report import complaints
from envref.secret import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envref.checks.leaks import Leak, Search

_SHOWN = 10  # compressed files: a closure has thousands of manual pages


def places(paths: Iterable[str]) -> list[Closure]:
    """The paths as they are."""
    return [Closure([os.path.normpath(os.path.join(directory(), path))]) for path in paths]


def closures(paths: Iterable[str]) -> list[Closure]:
    """The paths with every store path that they refer to."""
    return [closure(place, directory()) for found in places(paths) for place in found.places]


def search(where: Sequence[Closure], profile: str | None, format_: str) -> int:
    """Looks for the values of the project's references. What can't be resolved can't be found."""
    resolution = activate.resolve(Request(directory(), profile=profile, everything=True))
    streams.say(complaints(resolution.filled.values()))
    found = search_for(resolution)
    streams.warn_each(f"{name}: not searched for; {reason}" for name, reason in found.left_out)
    if not found.names:
        raise EnvrefError("no secret value to search for", run=("envref", "list", "--show-secrets"))
    leaks = list(found.leaks(dict.fromkeys(place for each in where for place in each.places)))
    gaps = [*_gaps(where, found)]
    streams.say(gaps)
    streams.warn_each(_compressed(found.compressed))
    if format_ == "json":
        streams.write(shells.json_text([leak._asdict() for leak in leaks]))
    elif leaks:
        streams.say(_lines(leaks))
    if not leaks and not found.files:
        raise EnvrefError("no file was looked into", hint="name a file, or a directory that holds some")
    is_clean = not (leaks or gaps or resolution.failed)
    if is_clean and format_ != "json" and streams.level != streams.QUIET:
        streams.write(f"OK: no secret values found ({len(found.names)} variable(s), {found.files} file(s))\n")
    return OK if is_clean else FAILED


def _gaps(where: Sequence[Closure], found: Search) -> Iterator[str]:
    """What should have been looked into and was not."""
    for each in where:
        if each.unknown:
            yield f"error: {found.shown(each.places[0])}: its references were not searched; {redact(each.unknown)}"
    yield from (f"error: {path}: not looked into; {reason}" for path, reason in found.unread)


def _compressed(paths: Sequence[str]) -> Iterator[str]:
    """What nobody can look into, at most ten lines of it."""
    shown = paths if streams.level >= streams.VERBOSE else paths[:_SHOWN]
    yield from (f"{path}: not looked into; it is compressed" for path in shown)
    if len(shown) < len(paths):
        yield f"{len(paths) - len(shown)} more compressed files were not looked into; -v names them"


def _lines(leaks: Sequence[Leak]) -> Iterator[str]:
    for leak in leaks:
        form = "" if leak.form == PLAIN else f" ({leak.form})"
        yield f"{leak.path}: holds the value of {leak.key}{form}"
    yield f"{len(leaks)} secret value(s) found"
    yield "  hint: rotate them, then remove the files"
