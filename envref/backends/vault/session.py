"""Unlock sessions: a vault's identity in the agent or the kernel's keyring until its time is up (security.md 4.4).

The agent has it on every system, where the user has agreed to one (docs/agent.md). Else it is in the user's own
keyring, not the terminal's: `envref vault lock` has to end every session. No process of another user can read it,
nothing reaches a disk, and it is forgotten when the time is up.
"""

from __future__ import annotations

import os
import sys
import time

from envref import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.client import Agent
    from envref.libc import Buffer

# add_key and keyctl, by machine; the C library has no functions for them
_SYSTEM_CALLS = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219), "ppc64le": (269, 271)}
_USER_KEYRING = -4
_KEYRING_ID, _INVALIDATE, _READ, _SEARCH, _SET_TIMEOUT, _SET_PERMISSION = 0, 21, 11, 10, 15, 5
_OWNER_ONLY = 0x3F3F0000  # all rights to the possessor and the user, none to group and others
_IDENTITY = b"identity"  # its address in the agent
_PATIENCE = 1.0  # seconds for another process that talks to the agent about the same vault
_LONGEST = 30 * 86400  # seconds


def is_possible() -> bool:
    """Whether the system has such a keyring, and lets this process see it."""
    return _control(_KEYRING_ID, _USER_KEYRING, 0) >= 0


def remember(vault_id: str, identity_line: str, seconds: int, agent: Agent | None = None, name: str = "") -> bool:
    """Keeps the identity for that long, under a name that `agent status` shows; False if nothing here does.

    Without an agent that keeps it, the keyring has to, which most containers deny.
    """
    if agent is None or not _tell(agent, vault_id, identity_line, seconds, name):
        return _add(vault_id, identity_line, seconds)
    _forget(vault_id)
    return True


def recall(vault_id: str, agent: Agent | None = None) -> str | None:
    """The identity line of a session that has not ended. `agent` is that of the activation, if it has one."""
    found = _recall(vault_id)
    if found is None:
        from envref.client import Agent, folder

        found = _ask(agent or Agent(folder()), vault_id)
    return found


def forget(vault_id: str) -> None:
    """Ends the vault's session, wherever it is kept."""
    from envref.agent.tell import tell
    from envref.client import FORGET, folder

    _forget(vault_id)
    tell(folder(), FORGET, _kind(vault_id))


def _tell(agent: Agent, vault_id: str, identity_line: str, seconds: int, name: str) -> bool:
    """Whether the agent has it now, and for that long."""
    from envref.agent.tell import tell
    from envref.client import FORGET, VALUE, Late

    kind = _kind(vault_id)
    tell(agent.place, FORGET, kind)  # else an earlier session would keep its own time
    try:
        visit = agent.turn((kind, kind, name.encode(), b"%d" % seconds), [_IDENTITY], time.monotonic() + _PATIENCE)
    except Late:
        return False
    visit.put({_IDENTITY: VALUE + identity_line.encode("ascii")})
    return _ask(agent, vault_id) == identity_line


def _ask(agent: Agent, vault_id: str) -> str | None:
    """What the agent has; who is given it uses it from now on."""
    from envref.client import Late

    kind = _kind(vault_id)
    try:
        visit = agent.turn((kind, kind, b"", b"%d" % _LONGEST), [_IDENTITY], time.monotonic() + _PATIENCE)
    except Late:
        return None
    visit.end()
    found = visit.given.get(_IDENTITY)
    return None if found is None else found.decode("ascii", "replace")


def _kind(vault_id: str) -> bytes:
    """A type of store of its own for each vault: what forgets what vaults gave leaves it, and it is forgotten alone."""
    return f"session {vault_id}".encode("ascii", "replace")


def _add(vault_id: str, identity_line: str, seconds: int) -> bool:
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


def _recall(vault_id: str) -> str | None:
    key = _find(vault_id)
    if key < 0:
        return None
    buffer = libc.buffer()
    length = _control(_READ, key, buffer, libc.BUFFER)
    return buffer.raw[:length].decode("ascii", "replace") if 0 < length <= libc.BUFFER else None


def _forget(vault_id: str) -> None:
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
