"""Style: how a config's text writes data, so that an addition looks like what is around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envref.project.config.yaml import Mapping, Sequence

if TYPE_CHECKING:
    Data = str | dict[str, "Data"] | list["Data"] | None  # None is YAML's null

STEP = "  "

# Written without quotes: words that YAML 1.1 and 1.2 both read as exactly this text.
_BARE = re.compile(r"([A-Za-z_]|[./][A-Za-z_])[\w./+=@-]*( [\w/+=@][\w./+=@-]*)*", re.ASCII)
_NO_TEXT = ("null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan")


def scalar(text: str) -> str:
    """The text in YAML: bare if no reader can take it for something else, else in double quotes."""
    bare = _BARE.fullmatch(text) and text.lower() not in _NO_TEXT
    return text if bare else double_quoted(text)


def double_quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's rules for strings are a part of YAML's


class Style:
    """That of one text, whose top mapping is `top`."""

    def __init__(self, top: Mapping, text: str) -> None:
        self._top = top
        self._text = text

    def scalar(self, text: str) -> str:
        return double_quoted(text) if self._is_json() else scalar(text)

    def _is_json(self) -> bool:
        """Whether the file is JSON, or looks like it: then an edit has to write JSON as well."""
        return self._top.flow and all(self._text[key.start] == '"' for key in self._top.keys.values())

    def flow(self, data: Data) -> str:
        """The data in brackets, on one line."""
        if data is None:
            return "null"
        if isinstance(data, str):
            return self.scalar(data)
        if isinstance(data, list):
            return "[" + ", ".join(map(self.flow, data)) + "]"
        return "{" + ", ".join(f"{self.scalar(key)}: {self.flow(value)}" for key, value in data.items()) + "}"

    def block(self, data: Data, indent: str) -> Iterator[str]:
        """The data as lines."""
        if isinstance(data, list):
            for item in data:
                first, *rest = self.block(item, indent + STEP)
                yield f"{indent}- {first.lstrip(' ')}"
                yield from rest
        elif isinstance(data, dict):
            for key, value in data.items():
                inline = f" {scalar(value)}" if isinstance(value, str) else ""
                yield f"{indent}{scalar(key)}:{inline}"
                if not inline:
                    yield from self.block(value, indent + self._step(value))

    def _step(self, data: Data) -> str:
        """How much deeper the file indents what is below a key: for lists often not at all."""
        kind = Sequence if isinstance(data, list) else Mapping
        for key, node in self._top.entries.items():
            if isinstance(node, kind) and not node.flow and node.end > node.start:
                return " " * max(0, node.column - self._top.keys[key].column)
        return STEP
