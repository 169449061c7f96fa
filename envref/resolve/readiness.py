"""Whether a store can be used. Its time begins now: stores are looked at one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from envref.store_errors import BackendError, BackendLocked

if TYPE_CHECKING:
    from envref.resolve.store import Store


def complaint(store: Store) -> BackendError | None:
    """The store's error when asked for a secret that does not exist; None if it is ready."""
    until = time.monotonic() + store.timeout
    try:
        found = store.opened(until).probe(until)
    except BackendError as error:
        found = error
    return store.signed(found) if found else None


def faults(store: Store) -> list[BackendError]:
    """What keeps the store from being used, or is unsafe about it. Asks for no value but a credential that it borrows,
    and not for that of a locked store.
    """
    until = time.monotonic() + store.timeout
    try:
        for lender in store.lenders:
            locked = next((each for each in faults(lender) if isinstance(each, BackendLocked)), None)
            if locked:
                return [locked]
        found = store.opened(until).examine(until)
    except BackendError as error:
        found = [error]
    return [store.signed(error) for error in found]
