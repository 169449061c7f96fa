"""Scan: which values stand in a stream of bytes. One pass for all their forms, in bounded memory."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from envref.checks.forms import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from envref.checks.forms import Anchor

    Named = tuple[str, Anchor]

_CHUNK = 1024 * 1024  # bytes read at once


class Scan:
    """Looks for values of six bytes or more, each of which has a name; several may share one."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        anchors = [(name, anchor) for name, value in values for form in forms(value) for anchor in form.anchors]
        self._names = {name for name, _ in anchors}
        self._overlap = max(anchor.before + len(anchor.text) + anchor.after for _, anchor in anchors)
        self._sampled = _Samples([each for each in anchors if len(each[1].text) >= _Samples.SHORTEST])
        self._short = [each for each in anchors if len(each[1].text) < _Samples.SHORTEST]

    def text(self, data: bytes) -> dict[str, str]:
        """The names of the values in the data, each with how it is written there."""
        return self.file(io.BytesIO(data))

    def file(self, file: BinaryIO) -> dict[str, str]:
        """The same of a file. Raises OSError."""
        found: dict[str, str] = {}
        end = b""
        while len(found) < len(self._names) and (chunk := file.read(_CHUNK)):
            data = end + chunk
            for name, anchor in self._near(data):
                if name not in found and (how := anchor.form.found(data, anchor)):
                    found[name] = how
            end = data[-self._overlap :]  # a form that is cut off here is whole in what comes next
        return found

    def _near(self, data: bytes) -> Iterator[Named]:
        """The anchors that may be in the data."""
        yield from self._sampled.near(data)
        yield from self._short


class _Samples:
    """Anchors, found by a word of theirs.

    An anchor of 15 bytes holds a whole word of 8 that begins at a multiple of 8, wherever it stands itself. So only
    those words are looked at, and one set knows which belong to an anchor: the number of anchors costs nothing.
    """

    SHORTEST = 7  # bytes of an anchor, for words of 4

    def __init__(self, anchors: Sequence[Named]) -> None:
        shortest = min((len(anchor.text) for _, anchor in anchors), default=15)
        size, self._code = (8, "Q") if shortest >= 15 else (4, "I")
        self._step = (shortest - size + 1) // size  # words from one that is looked at to the next
        self._stride = size * self._step
        self._anchors: dict[int, list[Named]] = {}
        for each in anchors:
            for start in range(self._stride):
                word = int.from_bytes(each[1].text[start : start + size], sys.byteorder)
                self._anchors.setdefault(word, []).append(each)
        self._words = frozenset(self._anchors)

    def near(self, data: bytes) -> Iterator[Named]:
        """The anchors of which a word is in the data."""
        whole = data + bytes(-len(data) % self._stride)
        seen = self._words.intersection(memoryview(whole).cast(self._code)[:: self._step])  # type: ignore[call-overload]
        for word in seen:
            yield from self._anchors[word]
