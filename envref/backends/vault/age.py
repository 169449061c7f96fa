"""An age file behind a passphrase: one scrypt stanza, one chunk. Wraps a vault's identity (security.md 4.3).

envref has its own because pyrage can't set scrypt's cost: it calibrates itself up to a gigabyte and four seconds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from envref.store_errors import BackendDenied, BackendInvalid, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

WORK_FACTORS = range(15, 21)  # commands.md 2.8: what may be written
DEFAULT_WORK_FACTOR = 17

_LARGEST_READ = 22  # the same as Go's age
_LARGEST_HASHLIB = 20  # OpenSSL's memory bound, 2^31 - 1 bytes, ends here
_VERSION = "age-encryption.org/v1"
_SALT_LABEL = b"age-encryption.org/v1/scrypt"
_BEGIN, _END = "-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_BLOCK = 8  # scrypt's r
_TAG = 16
_LONGEST_CHUNK = 65536 + _TAG
_STANZA_NONCE = bytes(12)
_LAST_CHUNK_NONCE = bytes(11) + b"\x01"


class _Header(NamedTuple):
    """The parts of the file before the payload."""

    salt: bytes
    work_factor: int
    body: bytes
    authenticated: bytes
    mac: bytes


def wrap(content: bytes, passphrase: bytes, work_factor: int) -> str:
    """`content`, at most 64 KiB, as an armored age file that costs 2^`work_factor` KiB to open."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    wrapping_key = _scrypt(passphrase, salt, work_factor)
    body = ChaCha20Poly1305(wrapping_key).encrypt(_STANZA_NONCE, file_key, None)
    header = f"{_VERSION}\n-> scrypt {_encode(salt)} {work_factor}\n{_encode(body)}\n---".encode("ascii")
    mac = f" {_encode(_header_mac(file_key, header))}\n".encode("ascii")
    payload = ChaCha20Poly1305(_derive(file_key, nonce, b"payload")).encrypt(_LAST_CHUNK_NONCE, content, None)
    return _armored(header + mac + nonce + payload)


def unwrap(armored: str, passphrase: bytes) -> bytes:
    """What `wrap` was given; BackendDenied for a wrong passphrase, BackendInvalid for anything but such a file."""
    return b"".join(_unwrapped(armored, passphrase, most_chunks=1))


def unwrap_long(armored: str, passphrase: bytes) -> bytes:
    """The same for a file of any length, as the ancestor wrote one for each value."""
    return b"".join(_unwrapped(armored, passphrase, most_chunks=len(armored) // _LONGEST_CHUNK + 1))


def _unwrapped(armored: str, passphrase: bytes, most_chunks: int) -> Iterator[bytes]:
    header, payload = _parsed(armored, most_chunks)
    _refuse_memory(header.work_factor)
    wrapping_key = _scrypt(passphrase, header.salt, header.work_factor)
    try:
        file_key = ChaCha20Poly1305(wrapping_key).decrypt(_STANZA_NONCE, header.body, None)
    except InvalidTag:
        raise BackendDenied("vault: wrong passphrase") from None
    if not hmac.compare_digest(_header_mac(file_key, header.authenticated), header.mac):
        raise _damaged("its header was changed")
    cipher = ChaCha20Poly1305(_derive(file_key, payload[:16], b"payload"))
    starts = range(16, len(payload), _LONGEST_CHUNK)
    for number, start in enumerate(starts, 1):
        nonce = (number - 1).to_bytes(11, "big") + (b"\x01" if number == len(starts) else b"\x00")
        try:
            yield cipher.decrypt(nonce, payload[start : start + _LONGEST_CHUNK], None)
        except InvalidTag:
            raise _damaged("its payload was changed") from None


def work_factor_of(armored: str) -> int:
    """The logarithm of scrypt's cost in an age file, without opening it."""
    return _parsed(armored, len(armored))[0].work_factor


def _parsed(armored: str, most_chunks: int = 1) -> tuple[_Header, bytes]:
    parts = _unarmored(armored).split(b"\n", 4)
    if len(parts) != 5 or parts[0] != _VERSION.encode("ascii"):
        raise _damaged("not an age file with one scrypt stanza")
    _, stanza, body, mac, payload = parts
    salt, work_factor = _stanza_fields(stanza)
    if not mac.startswith(b"--- "):
        raise _damaged("not an age file with one scrypt stanza")
    if not 16 + _TAG <= len(payload) <= 16 + _LONGEST_CHUNK * most_chunks:
        raise _damaged("its payload has a wrong length")
    authenticated = b"\n".join(parts[:3]) + b"\n---"
    return _Header(salt, work_factor, _decoded(body, 32), authenticated, _decoded(mac[4:], 32)), payload


def _stanza_fields(stanza: bytes) -> tuple[bytes, int]:
    """Salt and work factor of `-> scrypt SALT LOG_N`."""
    fields = stanza.split(b" ")
    if len(fields) != 4 or fields[:2] != [b"->", b"scrypt"]:
        raise _damaged("not an age file with one scrypt stanza")
    digits = fields[3]
    if not digits.isdigit() or len(digits) > 2 or digits.startswith(b"0") or int(digits) > _LARGEST_READ:
        raise _damaged(f"its work factor is not 1 to {_LARGEST_READ}")
    return _decoded(fields[2], 16), int(digits)


def _scrypt(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    salted, cost = _SALT_LABEL + salt, 1 << work_factor
    if work_factor > _LARGEST_HASHLIB:
        return Scrypt(salted, 32, cost, _BLOCK, 1).derive(passphrase)
    needed = 128 * _BLOCK * (cost + 3)  # V, B, X and T of RFC 7914, in bytes
    return hashlib.scrypt(passphrase, salt=salted, n=cost, r=_BLOCK, p=1, maxmem=needed, dklen=32)


def _refuse_memory(work_factor: int) -> None:
    needed, available = 1 << (work_factor + 10), _available_memory()
    if available is not None and needed > available // 2:
        raise BackendUnavailable(
            f"vault: its work factor {work_factor} needs {needed >> 20} MiB of memory, {available >> 20} MiB are free",
            hint="free some memory, or lower the work factor on a larger machine",
        )


def _available_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system doesn't say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _derive(file_key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(file_key)


def _header_mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derive(file_key, None, b"header"), header, "sha256")


def _armored(data: bytes) -> str:
    text = base64.b64encode(data).decode("ascii")
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def _unarmored(armored: str) -> bytes:
    try:
        data = base64.b64decode("".join(armored.strip().splitlines()[1:-1]), validate=True)
    except (ValueError, binascii.Error):
        raise _damaged("its armor is broken") from None
    # Writing it again and comparing allows only one spelling: columns, padding and unused bits included.
    if _armored(data).rstrip() != armored.strip():
        raise _damaged("its armor is broken")
    return data


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")


def _decoded(text: bytes, length: int) -> bytes:
    """The `length` bytes that canonical, unpadded base64 stands for."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != length or _encode(data).encode("ascii") != text:
        raise _damaged("a field of its header is malformed")
    return data


def _damaged(reason: str) -> BackendInvalid:
    return BackendInvalid(f"vault: the stored identity is damaged: {reason}", hint="restore a copy of the vault")
