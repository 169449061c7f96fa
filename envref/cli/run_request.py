"""Run: what `envref run` is asked for, and the closed grammar of its hot door."""

from __future__ import annotations

from envref.cli import words
from envref.cli.request import VALUES, Request, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FLAGS = ("--strict", "--partial", "--pristine", "--all", "--locked")
_NAMES = ("directory", "profile", "only", "timeout")
_VALUES = {word: name for word, name in VALUES.items() if name in _NAMES}
_EXCLUSIVE = ({"--strict", "--partial"}, {"--all", "only"})
GRAMMAR = {*_FLAGS, *_VALUES}


class Run:
    """What to start, with the variables of which request. `lenient` starts it without what is unresolved."""

    __slots__ = ("command", "lenient", "pristine", "request")

    def __init__(self, request: Request, command: tuple[str, ...], *, lenient: bool, pristine: bool) -> None:
        self.request = request
        self.command = command
        self.lenient = lenient
        self.pristine = pristine


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Run | None:
    """What `run` with these words starts; None for anything unusual or wrong, which the click door takes.

    Options are words of their own, their values too, and none of them begins with a dash.
    """
    given = words.read(arguments, _FLAGS, _VALUES)
    if given is None or not given.rest or any(pair <= given.options.keys() for pair in _EXCLUSIVE):
        return None
    once, options = given.last(), given.options
    limit = once.get("timeout", environment.get("ENVREF_TIMEOUT") or None)
    only = [name for names in options.get("only", ()) for name in names.split(",")]
    timeout = None if limit is None else seconds(limit)
    if "" in only or "" in once.values() or (timeout is None) != (limit is None):
        return None
    everything = "--all" in options
    place, profile = once.get("directory", "."), once.get("profile")
    locked = True if "--locked" in options else None
    request = Request(place, profile=profile, only=only, timeout=timeout, locked=locked, everything=everything)
    lenient = "--partial" in options or ("--strict" not in options and is_lenient(environment))
    return Run(request, tuple(given.rest), lenient=lenient, pristine="--pristine" in options)


def is_lenient(environment: Mapping[str, str]) -> bool:
    """Whether ENVREF_STRICT lets `run` start a command without what is unresolved."""
    return environment.get("ENVREF_STRICT") == "0"
