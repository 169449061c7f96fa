"""Loan: a credential that a store's option names in another store: `token: ref://STORE/KEY`.

It is asked for when the store that needs it is asked, once (docs/adr/0024).
"""

from __future__ import annotations

import time
from _thread import RLock
from typing import TYPE_CHECKING

from envref.project.project import words_of
from envref.refs.outcome import Found, Missing
from envref.refs.reference import Reference
from envref.resolve.resolve import Scope, resolve
from envref.resolve.store import Stores
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from envref.errors import EnvrefError
    from envref.refs.outcome import Outcome
    from envref.resolve.store import Store

# What an error of the lender is for the borrower. Absence is none of them: the search for a secret must not go on.
_KINDS = (BackendDenied, BackendLocked, BackendTimeout, BackendUnavailable, BackendInvalid)


class Desk:
    """Where the stores of a project borrow, one at a time: none is asked twice for one credential, or in a circle.

    The lenders are asked for secrets of this project and profile.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._stores = Stores(())
        self._turn = RLock()  # a lender may have to borrow first
        self._borrowers: list[Store] = []

    def serve(self, stores: Stores) -> None:
        """From now on these lend to each other."""
        self._stores = stores
        for store in stores:
            store.lenders = _behind(store, stores)

    def open(self, store: Store, until: float) -> None:
        """Lends the store what its options name. Raises BackendError, of the class of the lender's own."""
        if not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            fact = "it waited too long for its credential"
            raise BackendTimeout(fact, subject=store.label, advice="raise --timeout or the backend's timeout")
        try:
            if not store.is_open:
                self._open(store, until)
        finally:
            self._turn.release()

    def _open(self, store: Store, until: float) -> None:
        if store in self._borrowers:
            names = ", ".join(each.name for each in self._borrowers)
            fact = f"{store.label}: its credential leads back to itself ({names})"
            raise BackendInvalid(fact, hint="keep it in another backend")
        self._borrowers.append(store)
        try:
            found = {option: self._lent(store, option, uri, until) for option, uri in store.borrowed.items()}
        finally:
            self._borrowers.pop()
        store.open(
            {option: each.secret.reveal() for option, each in found.items()},
            {option: self._renewal(store.borrowed[option], each) for option, each in found.items()},
        )

    def _lent(self, store: Store, option: str, uri: str, until: float) -> Found:
        subject, reference = f"{store.label}: {option} {uri}", Reference.parse(uri)
        lender = self._stores.get(reference.store or "")
        if lender is None:
            known = ", ".join(self._stores.names())
            raise BackendInvalid(
                f'backend "{reference.store}" is not configured (configured: {known})', subject=subject
            )
        until = min(until, time.monotonic() + lender.limit)
        hint = f"put the credential where {uri} is, or name another secret in the config"
        return _checked(resolve([reference], self._stores, self._scope, until)[reference], subject, hint)

    def _renewal(self, uri: str, found: Found) -> dict[str, Any]:
        """What replaces a credential that is refused: the words of an error's cure."""
        reference = Reference.parse(uri)
        lender = self._stores.store(reference.store)
        if reference.foreign is not None or reference.field or lender.mapped(reference.key, found.scope):
            return {"hint": f"put a new one where {uri} is"}
        named = (reference.key, "--backend", lender.name, *words_of(found.scope))
        return {"run": ("envref", "secret", "set", *named)}


def _checked(outcome: Outcome, subject: str, hint: str) -> Found:
    """What was found. Raises the error of anything else: without it the store would use another credential."""
    if isinstance(outcome, Missing):
        raise BackendLocked(outcome.reason, subject=subject, run=outcome.run, hint="" if outcome.run else hint)
    if not isinstance(outcome, Found):
        raise _failure(outcome.error, subject)
    if not outcome.secret.reveal().strip():
        raise BackendInvalid("the secret is empty", subject=subject, hint=hint)
    return outcome


def _failure(error: EnvrefError, subject: str) -> BackendError:
    kind = next((kind for kind in _KINDS if isinstance(error, kind)), BackendInvalid)
    return kind(error.message, subject=subject, run=error.run, hint=error.hint)


def _behind(store: Store, stores: Stores) -> Sequence[Store]:
    """Every store that has to be asked before this one."""
    found: list[Store] = []
    waiting = [store]
    while waiting:
        for uri in waiting.pop().borrowed.values():
            lender = stores.get(Reference.parse(uri).store or "")
            if lender and lender is not store and lender not in found:
                found.append(lender)
                waiting.append(lender)
    return found
