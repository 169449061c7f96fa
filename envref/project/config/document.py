"""Document: a config's text, and edits of it: exactly what is asked for changes (commands.md 12).

The nodes of `config.yaml` know their places, so an edit is a few splices of the text that look like the text around
them (docs/adr/0010-config-edits.md). The result has to read back as the old data with exactly the intended change:
envref refuses a layout that nobody thought of, names its place, and never damages it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from envref.env.source import newline
from envref.errors import EnvrefError
from envref.project.config.yaml import BOM, Mapping, Scalar, Sequence, parse

if TYPE_CHECKING:
    from envref.project.config.yaml import Node

    Data = str | dict[str, "Data"] | list["Data"] | None  # None is YAML's null

_BLANKS = " \t"
_STEP = "  "
_COLON = re.compile(r"\s*:")
_COMMENT_LINE = re.compile(r"( *)#")
_DASH_LINE = re.compile(r"^ *-(?=\s|$)", re.MULTILINE)
_INSIGNIFICANT = re.compile(r"(\s+(#[^\n]*)?)*")

# Written without quotes: words that YAML 1.1 and 1.2 both read as exactly this text.
_BARE = re.compile(r"([A-Za-z_]|[./][A-Za-z_])[\w./+=@-]*( [\w/+=@][\w./+=@-]*)*", re.ASCII)
_NO_TEXT = ("null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan")


def scalar(text: str) -> str:
    """The text in YAML: bare if no reader can take it for something else, else in double quotes."""
    bare = _BARE.fullmatch(text) and text.lower() not in _NO_TEXT
    return text if bare else _double_quoted(text)


def _double_quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's rules for strings are a part of YAML's


class _Splice(NamedTuple):
    """`text` in place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


class _Extent(NamedTuple):
    """Where the key or item of a collection starts, and where it ends."""

    start: int
    end: int


class Document:
    """A config file. `source` is its bytes; an edit makes a new one.

    Making it raises EnvrefError for text that is not YAML that envref reads; an edit does for a layout it can't change.
    """

    def __init__(self, source: bytes, file: str) -> None:
        self.source = source
        self.top = parse(source, file)
        self._file = file
        self._text = source.decode().removeprefix(BOM)

    def get(self, key: str) -> Data:
        """The value at a top-level key; None for null and for no key."""
        node = self.top.entries.get(key)
        return None if node is None else _data(node)

    def with_value(self, key: str, value: str) -> Document:
        """The document with `key: value` at the top. A replaced value keeps its quotes."""
        node = self.top.entries.get(key)
        splices = self._added(key, value) if node is None else [self._replaced(self.top.keys[key], node, value)]
        return self._edited(splices, self._data() | {key: value})

    def without(self, key: str) -> Document:
        """The document without this top-level key; unchanged if there is none."""
        if key not in self.top.entries:
            return self
        names = list(self.top.keys)
        intended = {name: value for name, value in self._data().items() if name != key}
        if self.top.flow:
            return self._edited(self._cut_from_flow(self._places(self.top), names.index(key)), intended)
        start = self.top.keys[key].start
        return self._edited([self._cut_lines(start, self._place(self.top, key).end)], intended)

    def with_entry(self, key: str, name: str, fields: dict[str, str] | None) -> Document:
        """The document with the entry `name` in the mapping at `key`: a mapping of the fields, or null."""
        value: Data = None if fields is None else {**fields}
        node = self.top.entries.get(key)
        if isinstance(node, Mapping) and node.entries:
            splices = self._into(node, name, value)
        else:
            splices = self._filled(key, {name: value})
        before = self.get(key)
        entries = before if isinstance(before, dict) else {}
        return self._edited(splices, self._data() | {key: {**entries, name: value}})

    def with_item(self, key: str, fields: dict[str, str], *, first: bool = False) -> Document:
        """The document with a mapping of the fields as the last, or first, item of the list at `key`."""
        node = self.top.entries.get(key)
        if isinstance(node, Sequence) and node.items:
            splices = self._prepended(key, node, {**fields}) if first else self._appended(node, {**fields})
        else:
            splices = self._filled(key, [{**fields}])
        before = self.get(key)
        items = before if isinstance(before, list) else []
        added: Data = [{**fields}, *items] if first else [*items, {**fields}]
        return self._edited(splices, self._data() | {key: added})

    def without_item(self, key: str, index: int) -> Document:
        """The document without the item at this index, from 0, of the list at `key`."""
        node = self.top.entries[key]
        items = self.get(key)
        if not isinstance(node, Sequence) or not isinstance(items, list):
            raise EnvrefError(node.problem(f"{key} must be a list"), subject="loading config")
        intended = self._data() | {key: items[:index] + items[index + 1 :]}
        if node.flow:
            return self._edited(self._cut_from_flow(self._places(node), index), intended)
        splices = [self._cut_lines(self._dash(node, index), self._end(node.items[index]))]
        if len(items) == 1:  # nothing at all would be null: as if there were no list
            colon = self._after_colon(self.top.keys[key])
            splices.insert(0, _Splice(colon, colon, " []"))
        return self._edited(splices, intended)

    # The result, or a refusal.

    def _edited(self, splices: Iterable[_Splice], intended: dict[str, Data]) -> Document:
        text = self._text
        for splice in sorted(splices, reverse=True):
            text = text[: splice.start] + splice.text + text[splice.end :]
        bom = BOM if self.source.startswith(BOM.encode()) else ""
        try:
            edited = Document((bom + text).encode(), self._file)
        except EnvrefError:
            raise self._refusal() from None
        if edited._data() != intended:
            raise self._refusal()
        return edited

    def _refusal(self) -> EnvrefError:
        return EnvrefError(
            f"{self._file}: this layout can't be changed without touching other lines; nothing was changed",
            hint="change it by hand: envref edit --config",
        )

    def _data(self) -> dict[str, Data]:
        return {key: _data(node) for key, node in self.top.entries.items()}

    # Additions.

    def _added(self, key: str, value: Data) -> list[_Splice]:
        """Adds a top-level key."""
        if self.top.entries or self.top.flow:
            return self._into(self.top, key, value)
        return [self._lines_at(len(self._text), self._block({key: value}, ""))]

    def _filled(self, key: str, value: Data) -> list[_Splice]:
        """Adds a value to a top-level key that has none, or an empty collection."""
        node = self.top.entries.get(key)
        if node is None:
            return self._added(key, value)
        name = self.top.keys[key]
        written = self._text[node.start : node.end]
        if self.top.flow or "\n" in written:
            return [self._flow_value(name, node, value)]
        colon = self._after_colon(name)
        below = self._below(_Extent(name.start, colon), name.column)
        rest = list(self._block({key: value}, self._indent(name.start)))[1:]
        return [_Splice(colon, max(colon, node.end), ""), self._lines_at(below, rest)]

    def _flow_value(self, key: Scalar, node: Node, value: Data) -> _Splice:
        """The value in brackets: in those of an empty collection, which may have comments, or in place of null."""
        written = self._flow(value)
        if node.flow:
            return _Splice(node.start + 1, node.start + 1, written[1:-1])
        if node.start < node.end:
            return _Splice(node.start, node.end, written)
        return self._behind(key, written)

    def _behind(self, key: Scalar, written: str) -> _Splice:
        """Adds a value to a key that nothing follows; in brackets not even a colon may."""
        colon = _COLON.match(self._text, key.end)
        at = colon.end() if colon else key.end
        return _Splice(at, at, f" {written}" if colon else f": {written}")

    def _into(self, mapping: Mapping, key: str, value: Data) -> list[_Splice]:
        """Adds an entry to a mapping."""
        if mapping.flow:
            return self._into_flow(mapping, self._places(mapping), f"{self._scalar(key)}: {self._flow(value)}")
        *_, last = mapping.keys.values()
        at = self._below(self._place(mapping, last.text), last.column)
        return [self._lines_at(at, self._block({key: value}, self._indent(last.start)))]

    def _appended(self, sequence: Sequence, value: Data) -> list[_Splice]:
        """Adds an item to a list, written like its last one."""
        if sequence.flow:
            return self._into_flow(sequence, self._places(sequence), self._flow(value))
        last = sequence.items[-1]
        dash = self._dash(sequence, len(sequence.items) - 1)
        indent, gap = self._indent(dash), self._text[dash + 1 : last.start]
        gap = gap if gap.strip(" ") == "" and gap else " "
        at = self._below(_Extent(dash, self._end(last)), sequence.column)
        if getattr(last, "flow", False):
            return [self._lines_at(at, [f"{indent}-{gap}{self._flow(value)}"])]
        first, *rest = self._block(value, indent + " " + gap)
        return [self._lines_at(at, [f"{indent}-{gap}{first.lstrip(' ')}", *rest])]

    def _prepended(self, key: str, sequence: Sequence, value: Data) -> list[_Splice]:
        """Adds an item before the first, and before the comments above that: they are about it."""
        if sequence.flow:
            return [_Splice(sequence.start + 1, sequence.start + 1, f"{self._flow(value)}, ")]
        indent = self._indent(sequence.start)
        first, *rest = self._block(value, indent + _STEP)
        lines = [f"{indent}- {first.lstrip(' ')}", *rest]
        return [self._lines_at(self._next_line(self._after_colon(self.top.keys[key])), lines)]

    def _into_flow(self, collection: Node, places: list[_Extent], written: str) -> list[_Splice]:
        if not places:
            return [_Splice(collection.start + 1, collection.start + 1, written)]
        last = places[-1]
        after = self._skip(last.end)
        trailing = self._text[after] == ","
        end = after + 1 if trailing else last.end
        mark = " ," if self._text[end - 1] == ":" else ","  # libyaml does not read `a:,`
        if self._is_first(last.start) and self._is_last(end):
            comma = [] if trailing else [_Splice(end, end, mark)]
            line = self._line_end(end)
            own_line = newline(self._text) + self._indent(last.start) + written + ("," if trailing else "")
            # The order of two splices at one place would be undefined.
            if comma and line == end:
                return [_Splice(line, line, mark + own_line)]
            return [*comma, _Splice(line, line, own_line)]
        return [_Splice(end, end, f" {written}," if trailing else f"{mark} {written}")]

    # Replacement and removal.

    def _replaced(self, key: Scalar, node: Node, value: str) -> _Splice:
        old = self._text[node.start : node.end]
        if not old:
            return self._behind(key, self._scalar(value))
        if old[0] in "|>" and isinstance(node, Scalar) and not node.plain:
            # The blank lines below it count as part of it, and stay.
            return _Splice(node.start, node.end, scalar(value) + old[len(old.rstrip()) :])
        if old[0] == "'":
            return _Splice(node.start, node.end, "'" + value.replace("'", "''") + "'")
        return _Splice(node.start, node.end, _double_quoted(value) if old[0] == '"' else self._scalar(value))

    def _cut_lines(self, start: int, end: int) -> _Splice:
        """The lines from the one of a key or dash to the one where its value ends."""
        if not self._is_first(start):
            raise self._refusal()
        return _Splice(self._line_start(start), self._line_after(end), "")

    def _cut_from_flow(self, places: list[_Extent], index: int) -> list[_Splice]:
        """Removes one entry or item in brackets, and the comma that it no longer needs."""
        start, end = places[index]
        after = self._skip(end)
        if self._text[after] == ",":
            end = after + 1
            if self._is_first(start) and self._is_last(end):
                return [self._cut_lines(start, end)]
            return [_Splice(start, end + len(self._text[end:]) - len(self._text[end:].lstrip(_BLANKS)), "")]
        own = self._cut_lines(start, end) if self._is_first(start) and self._is_last(end) else _Splice(start, end, "")
        if index == 0:
            return [own]
        comma = self._skip(places[index - 1].end)
        if own.start == start and not self._text[comma + 1 : start].strip():
            return [_Splice(comma, end, "")]
        return [_Splice(comma, comma + 1, ""), own]

    # Places.

    def _places(self, collection: Node) -> list[_Extent]:
        """Where each entry or item is."""
        if isinstance(collection, Mapping):
            return [self._place(collection, key) for key in collection.keys]
        items = collection.items if isinstance(collection, Sequence) else []
        return [_Extent(item.start, self._end(item)) for item in items]

    def _place(self, mapping: Mapping, key: str) -> _Extent:
        name, value = mapping.keys[key], mapping.entries[key]
        # The parsers place an empty value wherever they noticed that there is none.
        empty = isinstance(value, Scalar) and value.start == value.end
        return _Extent(name.start, self._after_colon(name) if empty else self._end(value))

    def _end(self, node: Node) -> int:
        """Where the text of a node ends; a block collection ends with its last child."""
        if isinstance(node, Mapping) and node.keys and not node.flow:
            return self._places(node)[-1].end
        if isinstance(node, Sequence) and node.items and not node.flow:
            return self._end(node.items[-1])
        return node.end

    def _after_colon(self, key: Scalar) -> int:
        colon = _COLON.match(self._text, key.end)
        return colon.end() if colon else key.end

    def _dash(self, sequence: Sequence, index: int) -> int:
        """Where the dash of an item is."""
        if index == 0:
            return sequence.start
        found = _DASH_LINE.search(self._text, self._line_after(self._end(sequence.items[index - 1])))
        if found is None or found.end() > max(sequence.items[index].start, found.start() + 1):
            raise self._refusal()
        return found.end() - 1

    def _below(self, place: _Extent, column: int) -> int:
        """The start of the line below an entry, and below the comments that are indented deeper than it."""
        at = line = self._line_after(place.end)
        while line < len(self._text):
            after = self._next_line(line)
            comment = _COMMENT_LINE.match(self._text, line)
            if comment and len(comment[1]) >= column:
                at = after
            elif not comment and self._text[line:after].strip():
                break
            line = after
        return at

    def _skip(self, at: int) -> int:
        """The next character that is neither blank nor comment."""
        found = _INSIGNIFICANT.match(self._text, at)
        return found.end() if found else at

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Where the line's own characters end."""
        end = self._text.find("\n", at)
        end = len(self._text) if end < 0 else end
        return end - 1 if self._text[at:end].endswith("\r") else end

    def _next_line(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

    def _line_after(self, end: int) -> int:
        """The start of the line below a value; a block scalar includes its last line end."""
        return end if end and self._text[end - 1] == "\n" else self._next_line(end)

    def _is_first(self, at: int) -> bool:
        return not self._text[self._line_start(at) : at].strip(_BLANKS)

    def _is_last(self, at: int) -> bool:
        """Whether nothing but a comment follows on the line."""
        rest = self._text[at : self._line_end(at)]
        return not rest.strip(_BLANKS) or (rest[0] in _BLANKS and rest.lstrip(_BLANKS).startswith("#"))

    # Writing.

    def _indent(self, at: int) -> str:
        start = self._line_start(at)
        return self._text[start:at] if self._is_first(at) else " " * (at - start)

    def _lines_at(self, at: int, lines: Iterable[str]) -> _Splice:
        """Inserts whole lines at the start of a line or the end of a file; a missing final line end stays missing."""
        end = newline(self._text)
        if at and self._text[at - 1] != "\n":
            return _Splice(at, at, "".join(end + line for line in lines))
        return _Splice(at, at, "".join(line + end for line in lines))

    def _scalar(self, text: str) -> str:
        return _double_quoted(text) if self._is_json() else scalar(text)

    def _is_json(self) -> bool:
        """Whether the file is JSON, or looks like it: then an edit has to write JSON as well."""
        return self.top.flow and all(self._text[key.start] == '"' for key in self.top.keys.values())

    def _flow(self, data: Data) -> str:
        """The data in brackets, on one line."""
        if data is None:
            return "null"
        if isinstance(data, str):
            return self._scalar(data)
        if isinstance(data, list):
            return "[" + ", ".join(map(self._flow, data)) + "]"
        return "{" + ", ".join(f"{self._scalar(key)}: {self._flow(value)}" for key, value in data.items()) + "}"

    def _block(self, data: Data, indent: str) -> Iterator[str]:
        """The data as lines."""
        if isinstance(data, list):
            for item in data:
                first, *rest = self._block(item, indent + _STEP)
                yield f"{indent}- {first.lstrip(' ')}"
                yield from rest
        elif isinstance(data, dict):
            for key, value in data.items():
                inline = f" {scalar(value)}" if isinstance(value, str) else ""
                yield f"{indent}{scalar(key)}:{inline}"
                if not inline:
                    yield from self._block(value, indent + self._step(value))

    def _step(self, data: Data) -> str:
        """How much deeper the file indents what is below a key: for lists often not at all."""
        kind = Sequence if isinstance(data, list) else Mapping
        for key, node in self.top.entries.items():
            if isinstance(node, kind) and not getattr(node, "flow", False) and node.end > node.start:
                return " " * max(0, node.column - self.top.keys[key].column)
        return _STEP


def _data(node: Node) -> Data:
    if isinstance(node, Mapping):
        return {key: _data(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [_data(item) for item in node.items]
    return node.text if isinstance(node, Scalar) and not node.is_null else None
