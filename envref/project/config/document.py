"""Document: a config's text, and edits of it: exactly what is asked for changes (commands.md 12).

The nodes of `config.yaml` know their places, so an edit is a few splices of the text that look like the text around
them (docs/adr/0010-config-edits.md). The result has to read back as the old data with exactly the intended change:
envref refuses a layout that nobody thought of, names its place, and never damages it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from envref.env.source import newline
from envref.errors import EnvrefError
from envref.project.config.places import BLANKS, Extent, Places
from envref.project.config.style import STEP, Style, double_quoted, scalar
from envref.project.config.yaml import BOM, Mapping, Scalar, Sequence, parse

if TYPE_CHECKING:
    from envref.project.config.style import Data
    from envref.project.config.yaml import Node


class _Splice(NamedTuple):
    """`text` in place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


class Document:
    """A config file. `source` is its bytes; an edit makes a new one.

    Making it raises EnvrefError for text that is not YAML that envref reads; an edit does for a layout it can't change.
    """

    def __init__(self, source: bytes, file: str) -> None:
        self.source = source
        self.top = parse(source, file)
        self._file = file
        self._text = source.decode().removeprefix(BOM)
        self._places = Places(self._text)
        self._style = Style(self.top, self._text)

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
            return self._edited(self._cut_from_flow(self._places.all_of(self.top), names.index(key)), intended)
        start = self.top.keys[key].start
        return self._edited([self._cut_lines(start, self._places.of(self.top, key).end)], intended)

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
        if not isinstance(node, Sequence):
            raise EnvrefError(node.problem(f"{key} must be a list"), subject="loading config")
        kept = [_data(item) for item in node.items if item is not node.items[index]]
        intended = self._data() | {key: kept}
        if node.flow:
            return self._edited(self._cut_from_flow(self._places.all_of(node), index), intended)
        splices = [self._cut_lines(self._dash(node, index), self._places.end(node.items[index]))]
        if not kept:  # nothing at all would be null: as if there were no list
            colon = self._places.after_colon(self.top.keys[key])
            splices.append(_Splice(colon, colon, " []"))
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

    def _lines_at(self, at: int, lines: Iterable[str]) -> _Splice:
        """Inserts whole lines at the start of a line or the end of a file; a missing final line end stays missing."""
        end = newline(self._text)
        if at and self._text[at - 1] != "\n":
            return _Splice(at, at, "".join(end + line for line in lines))
        return _Splice(at, at, "".join(line + end for line in lines))

    def _dash(self, sequence: Sequence, index: int) -> int:
        dash = self._places.dash(sequence, index)
        if dash is None:
            raise self._refusal()
        return dash

    # Additions.

    def _added(self, key: str, value: Data) -> list[_Splice]:
        """Adds a top-level key."""
        if self.top.entries or self.top.flow:
            return self._into(self.top, key, value)
        return [self._lines_at(len(self._text), self._style.block({key: value}, ""))]

    def _filled(self, key: str, value: Data) -> list[_Splice]:
        """Adds a value to a top-level key that has none, or an empty collection."""
        node = self.top.entries.get(key)
        if node is None:
            return self._added(key, value)
        name = self.top.keys[key]
        written = self._text[node.start : node.end]
        if self.top.flow or "\n" in written:
            return [self._flow_value(name, node, value)]
        colon = self._places.after_colon(name)
        below = self._places.below(Extent(name.start, colon), name.column)
        rest = list(self._style.block({key: value}, self._places.indent(name.start)))[1:]
        return [_Splice(colon, max(colon, node.end), ""), self._lines_at(below, rest)]

    def _flow_value(self, key: Scalar, node: Node, value: Data) -> _Splice:
        """The value in brackets: in those of an empty collection, which may have comments, or in place of null."""
        written = self._style.flow(value)
        if node.flow:
            return _Splice(node.start + 1, node.start + 1, written[1:-1])
        if node.start < node.end:
            return _Splice(node.start, node.end, written)
        return self._behind(key, written)

    def _behind(self, key: Scalar, written: str) -> _Splice:
        """Adds a value to a key that nothing follows; in brackets not even a colon may."""
        at = self._places.after_colon(key)
        return _Splice(at, at, f" {written}" if at > key.end else f": {written}")

    def _into(self, mapping: Mapping, key: str, value: Data) -> list[_Splice]:
        """Adds an entry to a mapping."""
        if mapping.flow:
            return self._into_flow(
                mapping, self._places.all_of(mapping), f"{self._style.scalar(key)}: {self._style.flow(value)}"
            )
        *_, last = mapping.keys.values()
        at = self._places.below(self._places.of(mapping, last.text), last.column)
        return [self._lines_at(at, self._style.block({key: value}, self._places.indent(last.start)))]

    def _appended(self, sequence: Sequence, value: Data) -> list[_Splice]:
        """Adds an item to a list, written like its last one."""
        if sequence.flow:
            return self._into_flow(sequence, self._places.all_of(sequence), self._style.flow(value))
        last = sequence.items[-1]
        dash = self._dash(sequence, len(sequence.items) - 1)
        indent, gap = self._places.indent(dash), self._text[dash + 1 : last.start]
        gap = gap if gap.strip(" ") == "" and gap else " "
        at = self._places.below(Extent(dash, self._places.end(last)), sequence.column)
        if last.flow:
            return [self._lines_at(at, [f"{indent}-{gap}{self._style.flow(value)}"])]
        first, *rest = self._style.block(value, indent + " " + gap)
        return [self._lines_at(at, [f"{indent}-{gap}{first.lstrip(' ')}", *rest])]

    def _prepended(self, key: str, sequence: Sequence, value: Data) -> list[_Splice]:
        """Adds an item before the first, and before the comments above that: they are about it."""
        if sequence.flow:
            return [_Splice(sequence.start + 1, sequence.start + 1, f"{self._style.flow(value)}, ")]
        indent = self._places.indent(sequence.start)
        first, *rest = self._style.block(value, indent + STEP)
        lines = [f"{indent}- {first.lstrip(' ')}", *rest]
        return [self._lines_at(self._places.next_line(self._places.after_colon(self.top.keys[key])), lines)]

    def _into_flow(self, collection: Node, places: list[Extent], written: str) -> list[_Splice]:
        if not places:
            return [_Splice(collection.start + 1, collection.start + 1, written)]
        last = places[-1]
        after = self._places.skip(last.end)
        trailing = self._text[after] == ","
        end = after + 1 if trailing else last.end
        mark = " ," if self._text[end - 1] == ":" else ","  # libyaml does not read `a:,`
        if self._places.has_own_lines(last.start, end):
            comma = [] if trailing else [_Splice(end, end, mark)]
            line = self._places.line_end(end)
            own_line = newline(self._text) + self._places.indent(last.start) + written + ("," if trailing else "")
            # The order of two splices at one place would be undefined.
            if comma and line == end:
                return [_Splice(line, line, mark + own_line)]
            return [*comma, _Splice(line, line, own_line)]
        return [_Splice(end, end, f" {written}," if trailing else f"{mark} {written}")]

    # Replacement and removal.

    def _replaced(self, key: Scalar, node: Node, value: str) -> _Splice:
        old = self._text[node.start : node.end]
        if not old:
            return self._behind(key, self._style.scalar(value))
        if old[0] in "|>" and isinstance(node, Scalar) and not node.plain:
            # The blank lines below it count as part of it, and stay.
            return _Splice(node.start, node.end, scalar(value) + old[len(old.rstrip()) :])
        if old[0] == "'":
            return _Splice(node.start, node.end, "'" + value.replace("'", "''") + "'")
        return _Splice(node.start, node.end, double_quoted(value) if old[0] == '"' else self._style.scalar(value))

    def _cut_lines(self, start: int, end: int) -> _Splice:
        """The lines from the one of a key or dash to the one where its value ends."""
        if not self._places.is_first(start):
            raise self._refusal()
        return _Splice(self._places.line_start(start), self._places.line_after(end), "")

    def _cut_from_flow(self, places: list[Extent], index: int) -> list[_Splice]:
        """Removes one entry or item in brackets, and the comma that it no longer needs."""
        start, end = places[index]
        after = self._places.skip(end)
        if self._text[after] == ",":
            end = after + 1
            if self._places.has_own_lines(start, end):
                return [self._cut_lines(start, end)]
            return [_Splice(start, end + len(self._text[end:]) - len(self._text[end:].lstrip(BLANKS)), "")]
        own = self._cut_lines(start, end) if self._places.has_own_lines(start, end) else _Splice(start, end, "")
        if index == 0:
            return [own]
        comma = self._places.skip(places[index - 1].end)
        if own.start == start and not self._text[comma + 1 : start].strip():
            return [_Splice(comma, end, "")]
        return [_Splice(comma, comma + 1, ""), own]


def _data(node: Node) -> Data:
    if isinstance(node, Mapping):
        return {key: _data(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [_data(item) for item in node.items]
    return node.text if isinstance(node, Scalar) and not node.is_null else None
