"""Leaks: any files that hold a secret's value, e.g. build outputs. Names path and variable, never the value."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from envref.checks.audit import is_harmless
from envref.checks.scan import Scan
from envref.errors import EnvrefError
from envref.paths import open_in_place
from envref.refs.outcome import Found
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.resolve.resolution import Resolution

SHORTEST = 6  # bytes: a shorter value occurs everywhere
SHORTEST_WORD = 12  # characters of a word or a number, which may occur anywhere
_MASK = "***"

# What compressed files begin with, by the specifications of the formats. What they hold can't be seen from outside.
_COMPRESSED = re.compile(
    rb"\x1f[\x8b\x9d]|\xfd7zXZ\0|\x28\xb5\x2f\xfd|BZh[1-9](?:1AY&SY|\x17rE8P\x90)|PK(?:\x03\x04|\x05\x06|\x07\x08)"
    rb"|\x04\x22\x4d\x18|7z\xbc\xaf\x27\x1c|LZIP|hsqs|Rar!\x1a\x07"
)


class Leak(NamedTuple):
    """A path, the variable whose value is in it, and the form in which it is."""

    path: str
    key: str
    form: str


class Search:
    """Looks for secrets, and keeps account of what it did not look for, or not look into."""

    def __init__(self, secrets: Iterable[tuple[str, Secret]], left_out: Iterable[tuple[str, str]] = ()) -> None:
        judged = [(name, value.reveal(), _unfit(value.reveal())) for name, value in secrets]
        wanted = [(name, value) for name, value, reason in judged if not reason]
        self.left_out = [*left_out, *((name, reason) for name, _, reason in judged if reason)]
        self.names = list(dict.fromkeys(name for name, _ in wanted))
        self.files = 0  # that were looked into
        self.compressed: list[str] = []
        self.unread: list[tuple[str, str]] = []
        self._scan = Scan(wanted) if wanted else None

    def leaks(self, places: Iterable[str]) -> Iterator[Leak]:
        """A Leak for each path at or below the places and each secret in it. EnvrefError for a place that is not there.

        A place may be a link; links below it are not followed.
        """
        for place in places if self._scan else ():
            if not os.path.exists(place):
                raise EnvrefError(f"{self.shown(place)}: no such file or directory")
            yield from self._in_names(os.path.dirname(place), [os.path.basename(place)])
            if os.path.isdir(place):
                yield from self._in_tree(place)
            elif os.path.isfile(place):
                yield from self._in_file(os.path.realpath(place) if os.path.islink(place) else place)

    def _in_tree(self, top: str) -> Iterator[Leak]:
        for folder, folders, names in os.walk(top, onerror=self._not_read):
            folders.sort()
            names.sort()
            yield from self._in_names(folder, folders + names)
            for path in (os.path.join(folder, name) for name in names):
                if self._is_regular(path):
                    yield from self._in_file(path)

    def _is_regular(self, path: str) -> bool:
        try:
            return stat.S_ISREG(os.lstat(path).st_mode)
        except OSError as error:
            self._not_read(error)
            return False

    def _in_names(self, folder: str, names: Sequence[str]) -> Iterator[Leak]:
        """What the names say, and where links lead."""
        said = {name: os.fsencode(name) + b"\0" + _target(os.path.join(folder, name)) for name in names}
        if self._found(b"\0".join(said.values())):
            for name, text in said.items():
                yield from self._all(os.path.join(folder, name), self._found(text))

    def _in_file(self, path: str) -> Iterator[Leak]:
        found: dict[str, str] = {}
        try:
            with open_in_place(path) as file:
                is_compressed = _COMPRESSED.match(file.peek(16))
                found = self._scan.file(file) if self._scan else {}
            if is_compressed:
                self.compressed.append(self.shown(path))
            self.files += not is_compressed
        except OSError as error:
            self._not_read(error, path)
        yield from self._all(path, found)

    def _all(self, path: str, found: Mapping[str, str]) -> Iterator[Leak]:
        yield from (Leak(self.shown(path), name, found[name]) for name in self.names if name in found)

    def _found(self, data: bytes) -> Mapping[str, str]:
        return self._scan.text(data) if self._scan else {}

    def shown(self, path: str) -> str:
        """The path without the names that hold a value, which no output may."""
        if not self._found(os.fsencode(path)):
            return path
        parts = [_MASK if self._found(os.fsencode(part)) else part for part in path.split("/")]
        masked = "/".join(parts)
        return _MASK if self._found(os.fsencode(masked)) else masked

    def _not_read(self, error: OSError, path: str = "") -> None:
        self.unread.append((self.shown(path or error.filename), error.strerror or str(error)))


def search_for(resolution: Resolution) -> Search:
    """For the variables that hold a secret, and for what each reference within a longer value gave by itself."""
    secrets, left_out = [], []
    for name, value in resolution.values():
        outcomes = [outcome for _, outcome in resolution.filled[name].answers if isinstance(outcome, Found)]
        stored = [outcome.secret for outcome in outcomes if outcome.backend is not None]
        if outcomes and not stored:
            left_out.append((name, "a reference's default is no secret, it stands in the env file"))
        elif isinstance(value, Secret):
            secrets += [(name, each) for each in (value, *stored) if each is value or each != value]
    return Search(secrets, left_out)


def _unfit(value: str) -> str:
    """Why it makes no sense to look for a value; empty if it does."""
    text = value.strip()
    if len(text.encode("utf-8", "surrogateescape")) < SHORTEST:
        return f"fewer than {SHORTEST} bytes occur everywhere"
    if is_harmless(text):
        return "an everyday value"
    is_word = text.isascii() and text.isalpha() and text in (text.lower(), text.upper(), text.capitalize())
    if len(text) < SHORTEST_WORD and (is_word or text.isdecimal()):
        return f"one word or number of fewer than {SHORTEST_WORD} characters may occur anywhere"
    return ""


def _target(path: str) -> bytes:
    try:
        return os.fsencode(os.readlink(path))
    except OSError:  # not a link, which is the usual case
        return b""
