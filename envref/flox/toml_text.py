"""TOML text: a file that is changed as text, so that no byte outside the change differs. Python's own reader decides.

No library writes a changed document back with every other byte kept: tomlkit moves comments and line ends. And a line
that looks like the header of a table may be part of somebody's script. So an edit never trusts its own idea of the
place. It proposes texts, one for each place that may be right, and `chosen` takes the first that reads as the old data
with exactly the wanted values. If none does, there is no edit.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from envref.errors import MalformedFile, Problem

Path = tuple[str, ...]  # the keys that lead to a value
Wanted = Mapping[Path, Any]  # what each path should hold: a value, None for nothing, or ANYTHING

ANYTHING: Any = object()


def read(text: str) -> dict[str, Any] | None:
    """The data of a text; None where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def at(data: Mapping[str, Any], path: Path) -> Any:
    """The value at the path, or None."""
    node: Any = data
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def table_at(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The table at the path; an empty one where there is none."""
    table = at(data, path)
    return table if isinstance(table, dict) else {}


def chosen(text: str, proposals: Iterable[str], wanted: Wanted) -> str | None:
    """The first proposal that reads as the text with the wanted values and no other difference, or None.

    A table that gets its first key, or loses its last one, may come or go with it.
    """
    rest = _without(tomllib.loads(text), wanted)
    for proposal in proposals:
        data = read(proposal)
        if data is not None and _has(data, wanted) and _without(data, wanted) == rest and _is_kept(proposal):
            return proposal
    return None


def is_kept(text: str) -> bool:
    """Whether tomlkit, which finds the places of values, keeps every byte. Raises TOMLKitError if it can't read."""
    return tomlkit.dumps(tomlkit.parse(text)) == text


def value_of(literal: str) -> Any:
    """The value that a literal stands for; None for a text that is not one."""
    data = read(f"x = {literal}")
    return data["x"] if data is not None and len(data) == 1 else None


def span(text: str, path: Path) -> tuple[int, int] | None:
    """Where the literal of the value at the path begins and ends; None where it has no place of its own.

    tomlkit knows where a value is, but has no call that returns it. So we give it a value of another type, and the two
    texts differ exactly there: the new literal differs from the old one in its first and last character. With the path
    ("vars", "A"):

        [vars]            [vars]
        B = "0"           B = "0"
        A = "0" # zero    A = 0 # zero
            ^^^               ^            19 characters before and 8 after are alike, so the span is (19, 22)
    """
    document = tomlkit.parse(text)
    container: Any = document
    for key in path[:-1]:
        container = container[key]
    literal = "0" if isinstance(at(tomllib.loads(text), path), str | dict) else '"0"'
    container[path[-1]] = tomlkit.value(literal)
    other = tomlkit.dumps(document)
    start = _alike(text, other)
    rest = _alike(text[:start:-1], other[:start:-1]) if start else 0
    return (start, len(text) - rest) if other[start : len(other) - rest] == literal else None


def replaced(text: str, path: Path, literal: str) -> str | None:
    """The text with this literal in place of the value at the path, which must exist."""
    place = span(text, path)
    if place is None:
        return None
    return chosen(text, [text[: place[0]] + literal + text[place[1] :]], {path: value_of(literal)})


def headers(text: str, table: Path) -> Iterator[re.Match[str]]:
    """The lines that look like the header of this table, without their line ends."""
    return re.finditer(rf"^[ \t]*\[[ \t]*{_dotted(table)}[ \t]*\][^\n]*$", text, re.MULTILINE)


def is_empty_below(text: str, header: re.Match[str]) -> bool:
    """Whether nothing is below the header, not even a comment."""
    return re.match(r"\s*(?:\[|\Z)", text[header.end() :]) is not None


def with_key(text: str, path: Path, literal: str) -> Iterator[str]:
    """Proposals: the new key at the top of its table, beside keys of the same table, in its braces, in a new table."""
    table, key = path[:-1], path[-1]
    for header in headers(text, table):
        yield below(text, header, f"{key} = {literal}")
    for skipped in range(len(table)):
        dotted = ".".join(path[skipped:])
        for line in re.finditer(rf"^[ \t]*{_dotted(table[skipped:])}[ \t]*\.", text, re.MULTILINE):
            yield f"{text[: line.start()]}{dotted} = {literal}\n{text[line.start() :]}"
    yield from _inside_braces(text, table, f"{key} = {literal}")
    yield with_table(text, table, f"{key} = {literal}")


def without_key(text: str, path: Path) -> Iterator[str]:
    """A proposal: without the key, its value and what `with_key` wrote around them; none if the text differs."""
    start, end = span(text, path) or (0, 0)
    key = re.search(rf"(?:^|(?<=[{{\n ]))(?:[\w-]+\.)*{re.escape(path[-1])} = $", text[:start])
    if key is None:
        return
    before, after = text[: key.start()], text[end:]
    if before.endswith("\n") and after[:1] in ("", "\n"):
        yield before[:-1] + after
    elif not before and after.startswith("\n"):
        yield after[1:]
    elif before.endswith("{ ") and after.startswith(","):
        yield before[:-1] + after[1:]
    elif before.endswith("{") and after.lstrip(" \t").startswith("}"):
        yield before + after


def below(text: str, header: re.Match[str], lines: str) -> str:
    """A proposal: the lines right below the header."""
    return f"{text[: header.end()]}\n{lines}{text[header.end() :]}"


def with_table(text: str, table: Path, lines: str) -> str:
    """A proposal: a new table of these lines at the end. A missing final line end stays missing."""
    end = len(text) - text.endswith("\n")
    return f"{text[:end]}\n\n[{'.'.join(table)}]\n{lines}{text[end:]}"


def without_header(text: str, table: Path) -> Iterator[str]:
    """Proposals: without the table's header and one blank line before it, if nothing is below it."""
    for header in headers(text, table):
        if is_empty_below(text, header):
            blank = 2 if text[: header.start()].endswith("\n\n") else 0
            yield text[: header.start() - blank] + text[header.end() + (not blank) :]


def _inside_braces(text: str, table: Path, assigned: str) -> Iterator[str]:
    value = at(tomllib.loads(text), table)
    place = span(text, table) if value is not None else None
    if place and text[place[0]] == "{":
        start = place[0] + 1
        yield f"{text[:start]} {assigned},{text[start:]}" if value else f"{text[:start]}{assigned}{text[start:]}"


def _dotted(path: Path) -> str:
    """A pattern for the keys of the path with dots between them, each bare or quoted."""
    return r"[ \t]*\.[ \t]*".join(rf"""(?:{key}|"{key}"|'{key}')""" for key in map(re.escape, path))


def _alike(one: str, other: str) -> int:
    """How many characters the two texts share at their start."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _has(data: Mapping[str, Any], wanted: Wanted) -> bool:
    return all(value is ANYTHING or at(data, path) == value for path, value in wanted.items())


def _is_kept(text: str) -> bool:
    try:
        return is_kept(text)
    except TOMLKitError:
        return False


def _without(data: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """The data without the values at the paths, and without tables that are then empty."""
    rest = copy.deepcopy(dict(data))
    for path in paths:
        _cut(rest, path)
    return rest


def _cut(table: dict[str, Any], path: Path) -> None:
    key, *rest = path
    if not rest:
        table.pop(key, None)
    elif isinstance(table.get(key), dict):
        _cut(table[key], tuple(rest))
        if not table[key]:
            del table[key]


def fault(text: str, name: str, said: str) -> MalformedFile:
    """The error of a TOML reader, with the place taken out of its text: Python's has it nowhere else before 3.14."""
    place = re.search(r" \(?at (?:line (\d+),? col(?:umn)? (\d+)|end of document)\)?$", said)
    message = said[: place.start()] if place else said
    last = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
    line, column = (int(place[1]), int(place[2])) if place and place[1] else last if place else (1, 1)
    return MalformedFile([Problem(name, line, column, f"not valid TOML: {message[:1].lower()}{message[1:]}")])
