"""Rule: what one variable's value has to be, and which member of the rule a value breaks first (commands.md 2.10)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref.checks.pattern import is_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.checks.pattern import Patience


def _form(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:,\[\]]++)(?::[0-9]{1,5}+)?"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_is_number = _form(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_is_short_integer = _form(r"[0-9]{1,5}")
_is_url = _form(rf"[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/?#]*@)?{_HOST}(?:,{_HOST})*+(?:[/?#]\S*)?")
_is_email = _form(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]++@{_LABEL}(?:\.{_LABEL})+")


class Type(NamedTuple):
    """What messages call a value of the type, and whether a text is one."""

    expected: str
    accepts: Callable[[str], bool]


TYPES = {
    "string": Type("text", lambda _text: True),
    "number": Type("a number", _is_number),
    "boolean": Type(
        "a boolean (true/false/1/0/yes/no/on/off)",
        lambda text: text.lower() in ("true", "false", "1", "0", "yes", "no", "on", "off"),
    ),
    "url": Type("a valid URL with scheme and host", _is_url),
    "enum": Type("one of its values", lambda _text: True),  # `values` are looked at for every type
    "email": Type("a valid email address", _is_email),
    "port": Type("a port number (1-65535)", lambda text: _is_short_integer(text) and 1 <= int(text) <= 65535),
}


class Rule(NamedTuple):
    """What a variable's value has to be. `default` is what the program takes when the variable is not set."""

    type: str = "string"
    required: bool = False
    default: str | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None
    description: str = ""

    def broken(self, text: str, shown: str, patience: Patience) -> tuple[str, str] | None:
        """The first member that `text` breaks and the message; None if it breaks none.

        InvalidPattern and TooSlow as `pattern.is_found` raises them.
        """
        if not TYPES[self.type].accepts(text):
            return "type", f"expected {TYPES[self.type].expected}, got {shown}"
        if self.values and text not in self.values:
            return "values", f"expected one of [{', '.join(self.values)}], got {shown}"
        if self.pattern is not None and not is_found(self.pattern, text, patience):
            return "pattern", f'value {shown} does not match pattern "{self.pattern}"'
        return None
