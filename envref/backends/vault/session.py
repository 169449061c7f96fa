"""Unlock sessions: a vault's identity in the kernel's keyring until its time is up (security.md 4.4).

The user's own keyring, not the terminal's: `envref vault lock` has to end every session. No process of another user can
read it, nothing reaches a disk, and the kernel forgets it when the time is up.
"""

from __future__ import annotations

import os
import sys

from envref import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.libc import Buffer

# add_key and keyctl, by machine; the C library has no functions for them
_SYSTEM_CALLS = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219), "ppc64le": (269, 271)}
_USER_KEYRING = -4
_KEYRING_ID, _INVALIDATE, _READ, _SEARCH, _SET_TIMEOUT, _SET_PERMISSION = 0, 21, 11, 10, 15, 5
_OWNER_ONLY = 0x3F3F0000  # all rights to the possessor and the user, none to group and others


def is_possible() -> bool:
    """Whether the system has such a keyring, and lets this process see it."""
    return _control(_KEYRING_ID, _USER_KEYRING, 0) >= 0


def remember(vault_id: str, identity_line: str, seconds: int) -> bool:
    """Keeps the identity for that long; False if the system has no such keyring, as in most containers."""
    calls = _calls()
    if calls is None:
        return False
    add_key, _ = calls
    payload = identity_line.encode("ascii")
    key = libc.call("syscall", add_key, b"user", _description(vault_id), payload, len(payload), _USER_KEYRING)
    if key < 0:
        return False
    restricted = _control(_SET_PERMISSION, key, _OWNER_ONLY) >= 0 and _control(_SET_TIMEOUT, key, seconds) >= 0
    if not restricted:
        _control(_INVALIDATE, key)
    return restricted


def recall(vault_id: str) -> str | None:
    """The identity line of a session that has not ended."""
    key = _find(vault_id)
    if key < 0:
        return None
    buffer = libc.buffer()
    length = _control(_READ, key, buffer, libc.BUFFER)
    return buffer.raw[:length].decode("ascii", "replace") if 0 < length <= libc.BUFFER else None


def forget(vault_id: str) -> None:
    """Ends the vault's session, if there is one."""
    key = _find(vault_id)
    if key >= 0:
        _control(_INVALIDATE, key)


def _find(vault_id: str) -> int:
    return _control(_SEARCH, _USER_KEYRING, b"user", _description(vault_id), 0)


def _description(vault_id: str) -> bytes:
    return f"envref:{vault_id}".encode("ascii", "replace")


def _calls() -> tuple[int, int] | None:
    return _SYSTEM_CALLS.get(os.uname().machine) if sys.platform == "linux" else None


def _control(operation: int, *arguments: int | bytes | Buffer) -> int:
    """Calls `keyctl(2)`; negative if it failed or does not exist."""
    calls = _calls()
    return -1 if calls is None else libc.call("syscall", calls[1], operation, *arguments)
