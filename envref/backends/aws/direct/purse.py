"""Purse: temporary keys of a role, kept to their end by the agent where the user has agreed to one (docs/agent.md).

What they are kept under is a digest of all that they were given for, with the keys or the token that asked for them:
whoever signs in anew gets new ones.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from envref.agent.tell import tell
from envref.backends.aws.direct.signature import Credentials
from envref.client import FORGET, VALUE, Late
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envref.client import Agent, Visit

    Given = tuple[Credentials, float]  # with the seconds since 1970 at which they end

_KIND = b"aws keys"  # a type of store of its own: it is forgotten alone
_ADDRESS = b"keys"
_LONGEST = 12 * 3600  # seconds that AWS lets such keys last
_EARLY = 15 * 60  # seconds before their end in which `aws` would renew them
_PATIENCE = 5.0  # seconds for another process that asks for the same


class Purse:
    """The agent, or nothing that keeps keys. `has_given` says that some of the keys in use were kept."""

    def __init__(self, agent: Agent | None = None) -> None:
        self._agent = agent
        self.has_given = False

    def keys(self, meaning: Sequence[str], name: str, deadline: float, obtain: Callable[[], Given]) -> Credentials:
        """What is kept for this meaning, else what `obtain` gives. `name` is what `agent status` shows."""
        visit = None if self._agent is None else _visit(self._agent, meaning, name, deadline)
        if visit is None:
            return obtain()[0]
        try:
            kept = visit.given.get(_ADDRESS)
            if kept is not None:
                self.has_given = True
                return _read(kept)
            given, end = obtain()
            seconds = int(end - time.time()) - _EARLY
            if seconds > 0:
                visit.keep({_ADDRESS: VALUE + _written(given)}, min(seconds, _LONGEST))
            return given
        finally:
            visit.end()

    def empty(self) -> None:
        """Forgets what was kept: AWS does not accept it any more."""
        if self._agent is not None:
            tell(self._agent.place, FORGET, _KIND)
        self.has_given = False


def _visit(agent: Agent, meaning: Sequence[str], name: str, deadline: float) -> Visit | None:
    key = hashlib.sha256("\0".join(meaning).encode()).hexdigest().encode()
    until = min(deadline, time.monotonic() + _PATIENCE)
    try:
        return agent.turn((key, _KIND, name.encode().replace(b"\0", b""), b"%d" % _LONGEST), [_ADDRESS], until)
    except Late:
        return None


def _written(keys: Credentials) -> bytes:
    return json.dumps(words_of(keys)).encode()


def _read(kept: bytes) -> Credentials:
    name, secret, token = json.loads(kept)
    return Credentials(name, Secret(secret), Secret(token) if token else None)


def words_of(keys: Credentials) -> tuple[str, str, str]:
    """The keys as a part of the meaning of what they ask for."""
    return keys.name, keys.secret.reveal(), keys.token.reveal() if keys.token else ""
