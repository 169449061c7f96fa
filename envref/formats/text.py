"""A value as the text that an environment, or any output, can hold: exactly that text, or an error that names it.

Apart from `shells`: `run` and `get` write for no shell.
"""

from __future__ import annotations

import sys

from envref.errors import EnvrefError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.secret import Secret

_LONGEST = 131_072  # bytes of NAME=VALUE and its NUL: Linux' MAX_ARG_STRLEN (security.md 6)


class Unencodable(EnvrefError):
    """A value that the output can't hold: which variable, and why. Never the value."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: value {reason}; no output produced")
        self.name = name
        self.reason = reason


def exact_text(name: str, value: str | Secret) -> str:
    """The value as text that every format can write: UTF-8 without NUL."""
    text = value if isinstance(value, str) else value.reveal()
    _encoded(name, text)
    return text


def environment_text(name: str, value: str | Secret) -> str:
    """The value as text that fits into a process's environment; Linux limits its length."""
    text = value if isinstance(value, str) else value.reveal()
    if len(name) + len(_encoded(name, text)) + 2 > _LONGEST and sys.platform == "linux":
        raise Unencodable(name, f"exceeds, with its name, the {_LONGEST} bytes that Linux allows a variable")
    return text


def _encoded(name: str, text: str) -> bytes:
    if "\0" in text:
        raise Unencodable(name, "contains a NUL character, which no environment can hold")
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass  # that exception holds the value, so it must not become the context of ours
    raise Unencodable(name, "is not valid UTF-8, which every output is")
