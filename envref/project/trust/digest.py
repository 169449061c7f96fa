"""SHA-256, by Python's own module: what hashlib loads first costs more than the rest of the gate together."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return str(sha256(data).hexdigest())


def sha256(data: bytes = b"") -> Any:
    """The running digest of `data`, to be updated."""
    for module in ("_sha2", "_sha256"):
        try:
            return __import__(module).sha256(data)
        except ImportError:
            continue
    import hashlib

    return hashlib.sha256(data)
