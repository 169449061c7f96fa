"""Remembered: a store's answers by way of the agent: what it keeps is not asked for, what the store says is told to it.

Values and "not there" are kept. Errors never are; those that any other caller would meet too are handed to whoever
waits for this one.
"""

from __future__ import annotations

import os

from envref import __version__, streams
from envref.client import ABSENT, ERROR, VALUE, Late
from envref.digest import digest
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    FieldNotFound,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.client import Agent, Visit
    from envref.refs.address import Address
    from envref.refs.outcome import Answer
    from envref.resolve.store import Store

# What others would be told too. A limit, a missing program and a server that is away may be this caller's own.
_HANDED_ON = {each.__name__: each for each in (BackendDenied, BackendLocked, BackendInvalid, FieldNotFound)}
_FIELDS = "\n"  # after a revision, and between the parts of an error that is handed on: neither has a line end


class Remembered:
    """Whom a store's answers are told to, and for how many seconds. `scope` is whose secrets its credentials are."""

    __slots__ = ("agent", "scope", "seconds")

    def __init__(self, agent: Agent, seconds: int, scope: tuple[str, str | None]) -> None:
        self.agent = agent
        self.seconds = seconds
        self.scope = scope

    def answers(self, store: Store, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        """The store's answer for each address that it has. Raises BackendError if it can't be used, and nothing is
        kept of it.
        """
        names = {address: digest(repr(address.identity).encode()).encode() for address in addresses}
        head = (_key(store, self.scope), store.type.encode(), store.name.encode(), b"%d" % self.seconds)
        try:
            visit = self.agent.turn(head, list(names.values()), until)
        except Late:
            fact = "another envref is asking it, and had no answer in time"
            advice = "raise --timeout or the backend's timeout"
            raise BackendTimeout(fact, subject=store.label, advice=advice) from None
        found: dict[Address, Answer] = {
            address: _error(visit.errors[name]) for address, name in names.items() if name in visit.errors
        }
        kept = {address: visit.given[name] for address, name in names.items() if name in visit.given}
        found |= {address: _secret(value) for address, value in kept.items() if value is not None}
        rest = [address for address in addresses if address not in kept and address not in found]
        if kept:
            streams.detail(f'agent: it had {len(kept)} of {len(addresses)} key(s) of backend "{store.name}"')
        return {**found, **self._asked(store, rest, names, visit, until)} if rest else found

    def _asked(
        self,
        store: Store,
        addresses: Sequence[Address],
        names: Mapping[Address, bytes],
        visit: Visit,
        until: float,
    ) -> Mapping[Address, Answer]:
        """What the store says, told to the agent if that waits for it."""
        try:
            told = store.told(addresses, until)
        except BackendError as error:
            _refuse(visit, error)
            return dict.fromkeys(addresses, store.timely(error))
        else:
            visit.put({names[address]: text for address in addresses if (text := _text(told.get(address)))})
            return told
        finally:
            visit.end()  # Ctrl-C too: the next who waits asks


def _text(answer: Answer | None) -> bytes:
    """An answer for the agent; empty for one that is not told."""
    if answer is None:
        return ABSENT
    if isinstance(answer, Secret):
        return VALUE + answer.revision.encode() + _FIELDS.encode() + answer.reveal().encode()
    handed = b"" if _may_be_unlocked(answer) else _handed(answer)
    return ERROR + handed if handed else b""


def _secret(kept: bytes) -> Secret:
    """What `_text` made of it."""
    revision, _, value = kept.decode().partition(_FIELDS)
    return Secret(value, revision)


def _may_be_unlocked(error: BackendError) -> bool:
    """Whether one who waits may have what this caller lacks: a terminal, for a store that is locked."""
    return isinstance(error, (BackendLocked, BackendDenied)) and not streams.has_terminal()


def _refuse(visit: Visit, error: BackendError) -> None:
    """Tells those who wait; where one of them may do better, the lead goes on to the next."""
    if _may_be_unlocked(error):
        return
    handed = _handed(error)
    if handed:
        visit.refuse(handed)
    else:
        visit.release()


def _handed(error: BackendError) -> bytes:
    """The error as bytes; empty if it is not handed on, or can't be."""
    parts = (type(error).__name__, error.message, error.hint, *error.run)
    plain = all(type(word) is str for word in error.run) and not any(c in part for part in parts for c in "\n\0")
    return _FIELDS.join(parts).encode(errors="replace") if plain and parts[0] in _HANDED_ON else b""


def _error(text: bytes) -> BackendError:
    kind, message, hint, *run = text.decode(errors="replace").split(_FIELDS)
    return _HANDED_ON.get(kind, BackendInvalid)(message, run=tuple(run), hint=hint)


def _key(store: Store, scope: tuple[str, str | None]) -> bytes:
    """What the store is: whatever may change its answers, but the secrets in it, and who is signed in by a file."""
    return digest(
        "\0".join((__version__, str(os.geteuid()), *_meaning(store, scope))).encode(errors="surrogateescape")
    ).encode()


def _meaning(store: Store, scope: tuple[str, str | None]) -> Iterator[str]:
    yield from (store.type, store.name)
    yield from (f"{name}={value!r}" for name, value in sorted(store.arguments().items()))
    yield from (f"${name}={os.environ[name]}" for name in sorted(_read(store.variables)))
    if store.borrowed:
        yield from map(repr, scope)
        yield from (f"{option}<{uri}" for option, uri in sorted(store.borrowed.items()))
        for lender in store.lenders:
            yield from _meaning(lender, scope)


def _read(patterns: str) -> Iterable[str]:
    """The variables that there are of `Store.variables`, and those of proxies, which any program may read."""
    wanted, _, without = patterns.partition("!")
    left = set(_matching(without.split()))
    proxies = (name for name in os.environ if name.endswith(("_PROXY", "_proxy")))
    return {*_matching(wanted.split()), *proxies} - left


def _matching(patterns: Iterable[str]) -> Iterable[str]:
    """The variables that there are of these names; a star stands for any end."""
    begins = tuple(each[:-1] for each in patterns if each[-1] == "*")
    return [name for name in os.environ if name.startswith(begins) or name in patterns]
