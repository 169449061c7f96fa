"""The seconds that a store may take, as `--timeout` and ENVREF_TIMEOUT give them."""

from __future__ import annotations

import os

from envref.cli.request import seconds
from envref.errors import UsageError


def timeout_of_environment() -> float | None:
    """The seconds of ENVREF_TIMEOUT; None without it. Raises UsageError."""
    text = os.environ.get("ENVREF_TIMEOUT")
    return checked(text, "ENVREF_TIMEOUT") if text else None


def checked(text: str, source: str = "--timeout") -> float:
    """The seconds that the text means. Raises UsageError, which names the source."""
    number = seconds(text)
    if number is None:
        raise UsageError(f'invalid {source} "{text}": must be seconds between 0.1 and 600')
    return number
