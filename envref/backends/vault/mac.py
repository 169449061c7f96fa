"""HMAC-SHA-256 (RFC 2104), as `hmac` has it where Python is without OpenSSL.

`hmac` loads OpenSSL, whose start was 9 % of reading ten references of an open vault: docs/adr/0047-mac.md.
"""

from __future__ import annotations

from envref.digest import sha256

_BLOCK = 64  # bytes that SHA-256 takes at once
_INNER, _OUTER = (int.from_bytes(bytes([pad]) * _BLOCK, "big") for pad in (0x36, 0x5C))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The MAC of the message, 32 bytes."""
    block = sha256(key).digest() if len(key) > _BLOCK else key
    number = int.from_bytes(block.ljust(_BLOCK, b"\0"), "big")
    inner = sha256((number ^ _INNER).to_bytes(_BLOCK, "big") + message).digest()
    mac: bytes = sha256((number ^ _OUTER).to_bytes(_BLOCK, "big") + inner).digest()
    return mac
