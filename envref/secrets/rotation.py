"""Rotation: a new value for a secret, and the old ones kept as `KEY.__history.N`, 1 the newest (commands.md 2.7).

If the store can make several changes at once, a rotation is one change. Otherwise its order guarantees that wherever it
stops, the current value is where it was or in slot 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from envref.errors import UsageError
from envref.refs.address import HISTORY
from envref.secret import Secret
from envref.secrets.scoped import ScopedStore
from envref.store_errors import BackendError, BackendInvalid

DEFAULT_KEEP = 5  # old values

_MOST = 100


def check_keep(keep: int) -> int:
    """`keep`, if that many old values can be kept; else raises a UsageError."""
    if keep < 0:
        raise UsageError("keep must be at least 0")
    if keep > _MOST:
        raise UsageError(f"keep must not exceed {_MOST}")
    return keep


def slot(key: str, number: int) -> str:
    """The key under which an old value is kept."""
    return f"{key}{HISTORY}{number}"


def history(store: ScopedStore, key: str) -> dict[int, str]:
    """The slots of a key that hold something, by their number, newest first. Raises BackendError."""
    prefix = f"{key}{HISTORY}"
    numbers = [name.removeprefix(prefix) for name in store.listed() if name.startswith(prefix)]
    return {number: slot(key, number) for number in sorted(int(text) for text in numbers if _is_number(text))}


def rotate(store: ScopedStore, key: str, current: Secret, new: Secret, *, keep: int) -> None:
    """Makes `new` the value of `key`, and `current` its newest old one; keeps at most `keep` old ones.

    Its BackendError says what a failure left: everything as it was, or the current value in slot 1.
    """
    slots = history(store, key)
    old = store.get_many(list(slots.values()))
    shifted = {slot(key, number + 1): old[name] for number, name in slots.items() if number < keep and name in old}
    if store.transactional:
        store.change(_at_once(key, current, new, shifted, slots, keep))
        return
    _in_order(store, key, current, new, shifted, keep)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and not text.startswith("0")


def _at_once(
    key: str, current: Secret, new: Secret, shifted: dict[str, Secret], slots: dict[int, str], keep: int
) -> dict[str, Secret | None]:
    moved = {slot(key, 1): current, **shifted}
    kept = {slot(key, number): moved[slot(key, number)] for number in range(1, keep + 1) if slot(key, number) in moved}
    emptied = [name for name in slots.values() if name not in kept]
    return {**kept, key: new, **dict.fromkeys(emptied)}


def _in_order(
    store: ScopedStore, key: str, current: Secret, new: Secret, shifted: dict[str, Secret], keep: int
) -> None:
    with _leaving("the current value is unchanged"):
        # The oldest moves first: a stop in between leaves a value twice, but never loses one.
        for name in reversed(shifted):
            store.change({name: shifted[name]})
        _archive(store, slot(key, 1), current)
    with _leaving(f'the previous value is in "{slot(key, 1)}"'):
        store.change({key: new})
    with _leaving(f'the new value is stored, and the previous one is in "{slot(key, 1)}"'):
        for number, name in reversed(history(store, key).items()):
            if number > keep:
                store.change({name: None})


def _archive(store: ScopedStore, name: str, current: Secret) -> None:
    store.change({name: current})
    if store.get(name) != current:
        raise BackendInvalid(
            f'backend "{store.name}" does not read back "{name}" as it was written',
            hint="look at it with the store's own program",
        )


@contextmanager
def _leaving(state: str) -> Iterator[None]:
    """Adds to a store's error what the rotation left behind."""
    try:
        yield
    except BackendError as error:
        raise BackendError(f"{error.message}; {state}", run=error.run, hint=error.hint) from None
