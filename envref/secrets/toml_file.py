"""Other tools' TOML files, as far as reading them goes: their tables, and errors with their place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from envref.flox.toml_text import fault


def parsed(text: str, name: str) -> dict[str, Any]:
    """The tables. MalformedFile with the place for a text that is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise fault(text, name, str(error)) from None


def table(value: object, name: str = "") -> Mapping[str, Any]:
    """The table called `name` in a table, or the value itself; empty where there is none."""
    inner = value.get(name) if name and isinstance(value, Mapping) else value
    return inner if isinstance(inner, Mapping) else {}


def texts(value: Mapping[str, Any]) -> dict[str, str]:
    """The members that are text."""
    return {name: each for name, each in value.items() if isinstance(each, str)}
