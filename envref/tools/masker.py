"""Masker: a stream of bytes without the needles in it, also where one arrives in several pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = b"***"
_HEAD = 4  # bytes: that many are looked for to find the beginning of a needle; no needle is shorter
_MANY = 100  # pieces in one read; from there on a search for each needle is faster
_CAPITALS = b"QXZJKVYWUHGBFOMDLNPCRSAITE"  # the rarest in English first


class Needles:
    """What is looked for, prepared.

    A needle with a capital letter has a piece that begins with its rarest one. One regular expression finds all such
    pieces in a scan for some letters, which is five times as fast as a search for each; mostly it finds few.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        every = list(dict.fromkeys(needles))
        pieces = {needle: _piece(needle) for needle in every}
        self._told: dict[bytes, list[bytes]] = {}
        for needle in every:
            self._told.setdefault(pieces[needle], []).append(needle)
        self._others = self._told.pop(b"", [])
        self._scan = _scan(self._told)
        self.longest = max(map(len, every), default=0)
        self.heads: dict[bytes, list[bytes]] = {}
        for needle in every:
            self.heads.setdefault(needle[:_HEAD], []).append(needle)
        self.beginnings = {head[:length] for head in self.heads for length in range(1, _HEAD)}

    def among(self, data: bytes) -> list[bytes]:
        """Those that are in the data."""
        found = [needle for needle in self._others if needle in data]
        return found + [needle for piece in self._pieces(data) for needle in self._told[piece] if needle in data]

    def _pieces(self, data: bytes) -> Iterable[bytes]:
        """The pieces that are in the data, which may overlap; all of them where a great many are."""
        if not self._scan:
            return ()
        found: set[bytes] = set()
        match = self._scan.search(data)
        for _ in range(_MANY):
            if not match:
                return found
            found.add(match.group())
            match = self._scan.search(data, match.start() + 1)
        return self._told


def _piece(needle: bytes) -> bytes:
    """The beginning of the needle from its rarest capital letter on; empty without one that has enough behind it."""
    places = [place for place in range(len(needle) - _HEAD + 1) if needle[place] in _CAPITALS]
    if not places:
        return b""
    start = min(places, key=lambda place: _CAPITALS.index(needle[place]))
    return needle[start : start + _HEAD]


def _scan(pieces: Iterable[bytes]) -> re.Pattern[bytes] | None:
    """Finds each of these. The branches differ in their first letter, so that few places need a second look."""
    rests: dict[bytes, set[bytes]] = {}
    for piece in pieces:
        rests.setdefault(piece[:1], set()).add(re.escape(piece[1:]))
    branches = [letter + b"(?:" + b"|".join(sorted(rest)) + b")" for letter, rest in sorted(rests.items())]
    return re.compile(b"|".join(branches), re.DOTALL) if branches else None


class Masker:
    """One stream. `held` is the end of what was fed, which may be the beginning of a needle."""

    __slots__ = ("_needles", "held")

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be shown now."""
        data = self.held + data
        found = self._needles.among(data)
        spans = _spans(data, found)
        end = self._end(data, spans)
        self.held = data[end:]
        return _masked(data[:end], [span for span in spans if span[1] <= end])

    def flush(self) -> bytes:
        """What is held, whatever may come."""
        data, self.held = self.held, b""
        return _masked(data, _spans(data, self._needles.among(data)))

    def _end(self, data: bytes, spans: Iterable[tuple[int, int]]) -> int:
        """Where the end begins that may belong to a needle which is not complete: never within one that is."""
        end = len(data) - self._unfinished(data)
        for start, stop in spans:
            if start < end < stop:
                end = start
        return end

    def _unfinished(self, data: bytes) -> int:
        """The length of the longest end of the data with which a needle begins that goes on behind it."""
        tail = data[-(self._needles.longest - 1) :] if self._needles.longest > 1 else b""
        best = 0
        for head, needles in self._needles.heads.items():
            start = tail.find(head)
            while start >= 0 and len(tail) - start > best:
                end = tail[start:]
                if any(len(needle) > len(end) and needle.startswith(end) for needle in needles):
                    best = len(end)
                start = tail.find(head, start + 1)
        if best:
            return best
        sizes = range(min(_HEAD - 1, len(data)), 0, -1)
        return next((size for size in sizes if data[-size:] in self._needles.beginnings), 0)


def _spans(data: bytes, found: Iterable[bytes]) -> list[tuple[int, int]]:
    """Where the needles are, as disjoint pieces in order: what overlaps is one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_places(data, found)):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _places(data: bytes, found: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    for needle in found:
        start = data.find(needle)
        while start >= 0:
            yield start, start + len(needle)
            start = data.find(needle, start + 1)


def _masked(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    shown, position = [], 0
    for start, end in spans:
        shown += [data[position:start], MASK]
        position = end
    return b"".join([*shown, data[position:]]) if position else data
