"""One member of a structured secret: `#name` or `#/json/pointer` (commands.md 6.3)."""

from __future__ import annotations

from envref.errors import printable
from envref.store_errors import FieldNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_SHOWN = 20  # names of fields in a message


class NotStructured(ValueError):
    """The value is not a JSON object, or for a pointer not JSON at all."""


class _Number(str):
    """A number as it was written: `1.50` stays `1.50`."""

    __slots__ = ()


def member(value: str, field: str) -> str | None:
    """The text of `field` in the JSON text `value`; None if it is absent, or null.

    A name is a member of the top object, taken literally; a field that starts with "/" is a JSON Pointer (RFC 6901).
    Strings give their text, numbers and booleans their source text, objects and arrays compact JSON.
    """
    import json

    path = _pointer(field) if field.startswith("/") else [field]
    try:
        document = json.loads(value, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        raise NotStructured from None
    if not isinstance(document, dict if path == [field] else (dict, list)):
        raise NotStructured
    found = _walk(document, path)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    return json.dumps(_walk(json.loads(value), path), ensure_ascii=False, separators=(",", ":"))


def absent(field: str, name: str, known: Iterable[str], *, subject: str = "") -> FieldNotFound:
    """The error for a secret without that field; `known` are the names of those it has, never their values."""
    names = [printable(other) for other in dict.fromkeys(known)]
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    advice = f"its fields: {listed}" if names else "it has no fields"
    fact = f'field "{printable(field)}": "{printable(name)}" has no such field'
    return FieldNotFound(fact, subject=subject, advice=advice)


def names(value: str) -> list[str]:
    """The names of the members of the JSON object `value` that hold something; none of any other text."""
    import json

    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return [name for name, held in document.items() if held is not None] if isinstance(document, dict) else []


def _pointer(field: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in field[1:].split("/")]


def _walk(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and _is_index(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and (step == "0" or not step.startswith("0"))
