"""SHA-256, by Python's own module: what hashlib loads first costs more than the rest of the gate together."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A module that is not there is looked for in every directory: Python 3.12 gave it another name.
_MODULE = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return str(sha256(data).hexdigest())


def sha256(data: bytes = b"") -> Any:
    """The running digest of `data`, to be updated."""
    try:
        return __import__(_MODULE).sha256(data)
    except ImportError:
        import hashlib

        return hashlib.sha256(data)
