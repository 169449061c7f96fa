"""`.doppler.yaml`, in the one form in which `doppler` writes it: what it says of each scope.

This is no reader of YAML, which would take longer than `doppler` itself: a line that may mean anything else is Unusual.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envref.backends.http.connection import Unusual

if TYPE_CHECKING:
    from collections.abc import Sequence

    _Block = tuple["_SettingLine", list["_SettingLine"]]

_OTHER = "a file of another form"
_MEMBERS = {"scoped", "version-check", "analytics", "tui", "flags"}
_WORD = r"[A-Za-z0-9/](?:[A-Za-z0-9._/@+~{more}-]*[A-Za-z0-9._/@+~-])?"
_QUOTED = r"'[^'\n]*'|\"[^\"\\\n]*\""
_KEY, _VALUE = _WORD.replace("{more}", " "), _WORD.replace("{more}", ":")
_LINE = re.compile(rf"( *)({_KEY}|{_QUOTED}):(?: ({_VALUE}|{_QUOTED}|{{}}))?")
_NULL = {"null", "Null", "NULL"}
_EMPTY = "{}"


class _SettingLine:
    """A line: how far it is indented, its key, and its value as it is written; empty without one."""

    __slots__ = ("depth", "key", "value")

    def __init__(self, text: str) -> None:
        found = _LINE.fullmatch(text)
        if not found:  # not quoted: it may hold a token
            raise Unusual(_OTHER)
        self.depth = len(found[1])
        self.key = _unquoted(found[2])
        self.value = found[3] or ""


def scopes(text: str) -> dict[str, dict[str, str]]:
    """The settings of each scope, as they are written; an empty one for null."""
    members = _blocks([_SettingLine(line) for line in text.split("\n") if line])
    if members.keys() - _MEMBERS:
        raise Unusual("a member of the file")
    scoped = _blocks(_inner(*members["scoped"])) if "scoped" in members else {}
    return {scope: _values(_inner(*block)) for scope, block in scoped.items()}


def _blocks(lines: Sequence[_SettingLine]) -> dict[str, _Block]:
    """The lines that are indented least, by key, each with those below it."""
    found: dict[str, _Block] = {}
    for line in lines:
        if line.depth > lines[0].depth:
            found[next(reversed(found))][1].append(line)
        elif line.depth < lines[0].depth or line.key in found:
            raise Unusual(_OTHER)
        else:
            found[line.key] = (line, [])
    return found


def _inner(line: _SettingLine, below: Sequence[_SettingLine]) -> Sequence[_SettingLine]:
    """The lines of a mapping, which has no value of its own."""
    if line.value not in ("", _EMPTY) or (line.value and below):
        raise Unusual(_OTHER)
    return below


def _values(lines: Sequence[_SettingLine]) -> dict[str, str]:
    found = _blocks(lines)
    if any(below or line.value == _EMPTY for line, below in found.values()):
        raise Unusual(_OTHER)
    return {key: "" if line.value in _NULL else _unquoted(line.value) for key, (line, _) in found.items()}


def _unquoted(word: str) -> str:
    return word[1:-1] if word[:1] in ("'", '"') else word
