"""Node: YAML text as nodes that know their place. The only module that imports yaml.

Scalars keep their written text; what they mean is YAML 1.2 core. While the parser runs, before anything is built, this
module refuses what makes YAML dangerous: anchors, aliases, tags, duplicate keys, depth (security.md 5.7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from envref.errors import EnvrefError, Problem, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml._yaml import Mark as LibraryMark

DEEPEST = 20
BOM = "\ufeff"

# The parser of libyaml is ten times as fast; both raise the same errors.
_Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # escapes in double quotes can write these
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Node:
    """A piece of a file; line and column count from 1.

    `start` and `end` are offsets in the text without its BOM. They enclose a scalar or a collection in brackets; the
    `end` of a block collection is where the next token begins. `flow` says that a collection stands in brackets.
    """

    file: str
    line: int
    column: int
    start: int = field(default=0, kw_only=True)
    end: int = field(default=0, kw_only=True)
    flow: bool = field(default=False, kw_only=True)

    def problem(self, text: str) -> str:
        """`FILE:LINE:COL: TEXT`."""
        return str(Problem(self.file, self.line, self.column, text))


@dataclass(frozen=True)
class Scalar(Node):
    """Text. Only plain text, without quotes, can be null, a boolean or a number."""

    text: str
    plain: bool

    @property
    def is_null(self) -> bool:
        return self.plain and _NULL.fullmatch(self.text) is not None

    def boolean(self) -> bool | None:
        """The boolean it is, else None."""
        if not self.plain:
            return None
        return True if _TRUE.fullmatch(self.text) else False if _FALSE.fullmatch(self.text) else None

    def number(self) -> float | None:
        """The decimal number it is, else None."""
        return float(self.text) if self.plain and _NUMBER.fullmatch(self.text) else None


@dataclass(frozen=True)
class Sequence(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Mapping(Node):
    """`entries` are the values by key; `keys` are the nodes of the keys themselves."""

    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)


def parse(source: bytes, file: str) -> Mapping:
    """The top mapping of the only document in `source`; empty when there is none. EnvrefError says what is wrong."""
    try:
        text = source.decode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        raise _error(_after(source[: error.start].decode("utf-8", "replace"), file), "not UTF-8 text") from None
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        raise _error(_after(text[: unreadable.start()], file), "control character")
    try:
        return _YamlReader(text, file).document()
    except yaml.MarkedYAMLError as error:
        raise _error(_at(error.problem_mark, file), _fault(error, text)) from None


def _fault(error: yaml.MarkedYAMLError, text: str) -> str:
    """What the parser says; a tab where YAML wants blanks is named, because the parser speaks of tokens."""
    mark = error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return "a tab in the indentation; YAML takes blanks only"
    return printable(error.problem or "not YAML")


def _after(text: str, file: str) -> Node:
    """The place after `text`."""
    return Node(file, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _at(mark: yaml.Mark | LibraryMark | None, file: str) -> Node:
    """The place of a parser's mark, which counts from 0."""
    return Node(file, mark.line + 1, mark.column + 1, start=mark.index) if mark else Node(file, 1, 1)


def _index(mark: yaml.Mark | LibraryMark | None) -> int:
    return mark.index if mark else 0


def _error(place: Node, text: str) -> EnvrefError:
    return EnvrefError(place.problem(text), subject="loading config")


class _YamlReader:
    """One pass over the parser's events. The parser reads no further than we ask."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)

    def document(self) -> Mapping:
        next(self._events)  # the stream's start
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return Mapping(self._file, 1, 1)
        if getattr(start, "tags", None):
            raise _error(self._place(start), "tags are not allowed")
        top = self._node(next(self._events), 1)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _error(self._place(after), "a second document is not allowed")
        if isinstance(top, Scalar) and top.is_null:
            return Mapping(self._file, 1, 1)
        if not isinstance(top, Mapping):
            raise _error(top, 'expected "key: value" lines')
        return top

    def _place(self, event: yaml.Event) -> Node:
        return _at(event.start_mark, self._file)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = self._place(event)
        self._refuse(event, place)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if depth > DEEPEST:
            raise _error(place, f"nested deeper than {DEEPEST} levels")
        flow = bool(getattr(event, "flow_style", False))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth, flow=flow)
        return self._mapping(place, depth, flow=flow)

    def _refuse(self, event: yaml.Event, place: Node) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _error(place, "aliases are not allowed")
        if getattr(event, "anchor", None) is not None:
            raise _error(place, "anchors are not allowed")
        if getattr(event, "tag", None) is not None:
            raise _error(place, "tags are not allowed")

    def _scalar(self, event: yaml.ScalarEvent, place: Node) -> Scalar:
        if _NO_TEXT.search(event.value):
            raise _error(place, "no text may hold NUL or half a character")
        plain = event.style is None or event.style == ""
        end = _index(event.end_mark)
        return Scalar(self._file, place.line, place.column, event.value, plain, start=place.start, end=end)

    def _sequence(self, place: Node, depth: int, *, flow: bool) -> Sequence:
        items = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, depth + 1))
        end = _index(event.end_mark)
        return Sequence(self._file, place.line, place.column, items, start=place.start, end=end, flow=flow)

    def _mapping(self, place: Node, depth: int, *, flow: bool) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise _error(key, "a key must be text")
            if key.text in entries:
                raise _error(key, f'duplicate key "{printable(key.text)}"')
            keys[key.text] = key
            entries[key.text] = self._node(next(self._events), depth + 1)
        end = _index(event.end_mark)
        return Mapping(self._file, place.line, place.column, entries, keys, start=place.start, end=end, flow=flow)
