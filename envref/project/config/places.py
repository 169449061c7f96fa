"""Places in a config's text: where its keys, items, values and lines begin and end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref.project.config.yaml import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from envref.project.config.yaml import Node

BLANKS = " \t"
_COLON = re.compile(r"\s*:")
_COMMENT_LINE = re.compile(r"( *)#")
_DASH_LINE = re.compile(r"^ *-(?=\s|$)", re.MULTILINE)
_INSIGNIFICANT = re.compile(r"(\s+(#[^\n]*)?)*")


class Extent(NamedTuple):
    """Where the key or item of a collection starts, and where it ends."""

    start: int
    end: int


class Places:
    """Of one text. Nodes are those that `config.yaml` made of it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def all_of(self, collection: Node) -> list[Extent]:
        """Where each entry or item is."""
        if isinstance(collection, Mapping):
            return [self.of(collection, key) for key in collection.keys]
        items = collection.items if isinstance(collection, Sequence) else []
        return [Extent(item.start, self.end(item)) for item in items]

    def of(self, mapping: Mapping, key: str) -> Extent:
        name, value = mapping.keys[key], mapping.entries[key]
        # The parsers place an empty value wherever they noticed that there is none.
        empty = isinstance(value, Scalar) and value.start == value.end
        return Extent(name.start, self.after_colon(name) if empty else self.end(value))

    def end(self, node: Node) -> int:
        """Where the text of a node ends; a block collection ends with its last child."""
        if isinstance(node, Mapping) and node.keys and not node.flow:
            return self.all_of(node)[-1].end
        if isinstance(node, Sequence) and node.items and not node.flow:
            return self.end(node.items[-1])
        return node.end

    def after_colon(self, key: Scalar) -> int:
        """Behind the colon of a key; behind the key itself where it has none."""
        colon = _COLON.match(self._text, key.end)
        return colon.end() if colon else key.end

    def dash(self, sequence: Sequence, index: int) -> int | None:
        """Where the dash of an item is; None where it is not at the start of a line of its own."""
        if index == 0:
            return sequence.start
        found = _DASH_LINE.search(self._text, self.line_after(self.end(sequence.items[index - 1])))
        if found is None or found.end() > sequence.items[index].start:
            return None
        return found.end() - 1

    def below(self, place: Extent, column: int) -> int:
        """The start of the line below an entry, and below the comments that are indented deeper than it."""
        at = line = self.line_after(place.end)
        while line < len(self._text):
            after = self.next_line(line)
            comment = _COMMENT_LINE.match(self._text, line)
            if comment and len(comment[1]) >= column:
                at = after
            elif not comment and self._text[line:after].strip():
                break
            line = after
        return at

    def skip(self, at: int) -> int:
        """The next character that is neither blank nor comment."""
        found = _INSIGNIFICANT.match(self._text, at)
        return found.end() if found else at

    def line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Where the line's own characters end."""
        end = self._text.find("\n", at)
        end = len(self._text) if end < 0 else end
        return end - 1 if self._text[at:end].endswith("\r") else end

    def next_line(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

    def line_after(self, end: int) -> int:
        """The start of the line below a value; a block scalar includes its last line end."""
        return end if end and self._text[end - 1] == "\n" else self.next_line(end)

    def is_first(self, at: int) -> bool:
        """Whether only blanks are before it on its line."""
        return not self._text[self.line_start(at) : at].strip(BLANKS)

    def has_own_lines(self, start: int, end: int) -> bool:
        """Whether nothing but a comment is beside what stands there."""
        return self.is_first(start) and self.is_last(end)

    def is_last(self, at: int) -> bool:
        """Whether nothing but a comment follows on its line."""
        rest = self._text[at : self.line_end(at)]
        return not rest.strip(BLANKS) or (rest[0] in BLANKS and rest.lstrip(BLANKS).startswith("#"))

    def indent(self, at: int) -> str:
        """What is before it on its line, in blanks."""
        start = self.line_start(at)
        return self._text[start:at] if self.is_first(at) else " " * (at - start)
