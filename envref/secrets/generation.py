"""Random values for secrets, uniform and from the operating system's generator (commands.md 2.7)."""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Callable

from envref.errors import UsageError
from envref.secret import Secret

DEFAULT_LENGTH = 32
DEFAULT_CHARSET = "alphanumeric"

_SHORTEST, _LONGEST = 1, 1024  # characters
_ALPHANUMERIC = string.ascii_letters + string.digits
_ASCII = _ALPHANUMERIC + "!@#$%^&*()-_=+[]{}|;:,.<>?"
_HEX = "0123456789abcdef"


def _drawn_from(alphabet: str) -> Callable[[int], str]:
    return lambda length: "".join(secrets.choice(alphabet) for _ in range(length))


def _base64(length: int) -> str:
    """Random bytes encoded, and cut to the length: as many bytes as characters are always enough."""
    return base64.b64encode(secrets.token_bytes(length)).decode()[:length]


CHARSETS: dict[str, Callable[[int], str]] = {
    "alphanumeric": _drawn_from(_ALPHANUMERIC),
    "ascii": _drawn_from(_ASCII),
    "hex": _drawn_from(_HEX),
    "base64": _base64,
}


class Recipe:
    """How a value is made: how many characters, from which set. UsageError for values that can't be made."""

    def __init__(self, length: int = DEFAULT_LENGTH, charset: str = DEFAULT_CHARSET) -> None:
        if length < _SHORTEST:
            raise UsageError(f"length must be at least {_SHORTEST}")
        if length > _LONGEST:
            raise UsageError(f"length must not exceed {_LONGEST}")
        if charset not in CHARSETS:
            raise UsageError(f'unknown charset "{charset}" (valid: {", ".join(CHARSETS)})')
        self._length = length
        self._charset = charset

    def __str__(self) -> str:
        """The recipe as messages describe it."""
        return f"{self._length} chars, {self._charset}"

    def make(self) -> Secret:
        """A new value; no two calls give the same."""
        return Secret(CHARSETS[self._charset](self._length))
