"""The Secret Service read in three ways, on a private bus and keyring: `python -m bench.keychain`.

docs/adr/0016-secret-service.md says what was decided by it. Each figure is the best of RUNS reads in one process that
has imported everything, in milliseconds of wall clock: on a busy machine a median says more about the others on it.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
import time
from typing import TYPE_CHECKING, Any

from tests.backends.stores.secret_service import SecretService as Desktop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 15
SIZES = (1, 20, 100)


def by_envref(keys: Sequence[str]) -> int:
    from envref.backends.keychain.entry import KeychainEntry
    from envref.backends.keychain.secret_service import SecretService

    return len(SecretService().read_many([KeychainEntry("bench", key) for key in keys], time.monotonic() + 60))


def by_secretstorage(keys: Sequence[str]) -> int:
    """The library's API at its best: one connection, one session, and two calls a key."""
    import secretstorage
    from secretstorage.util import open_session

    with secretstorage.dbus_init() as connection:
        collection = secretstorage.Collection(connection)
        collection.session = open_session(connection)
        found = [next(collection.search_items({"service": "bench", "username": key})) for key in keys]
        return len([item.get_secret() for item in found])


def by_keyring(keys: Sequence[str]) -> int:
    from keyring.backends.SecretService import Keyring

    backend: Any = Keyring()  # type: ignore[no-untyped-call]
    return len([backend.get_password("bench", key) for key in keys])


WAYS: dict[str, Callable[[Sequence[str]], int]] = {
    "envref": by_envref,
    "secretstorage": by_secretstorage,
    "keyring": by_keyring,
}


def milliseconds(way: Callable[[Sequence[str]], int], keys: Sequence[str]) -> float:
    """The time of the quickest reading of all the keys, which are there."""
    taken = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        assert way(keys) == len(keys)
        taken.append(time.perf_counter() - started)
    return min(taken[1:]) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Desktop(pathlib.Path(directory) / "home") as desktop:
        os.environ.update(desktop.environment)
        keys = [f"key{number}" for number in range(max(SIZES))]
        fill(keys)
        print(f"{'keys':>5}", *(f"{name:>14}" for name in WAYS))
        for size in SIZES:
            print(f"{size:>5}", *(f"{milliseconds(way, keys[:size]):>14.1f}" for way in WAYS.values()))


def fill(keys: Sequence[str]) -> None:
    from envref.backends.keychain.entry import KeychainEntry
    from envref.backends.keychain.secret_service import SecretService

    for key in keys:
        SecretService().write(KeychainEntry("bench", key), b"value of the bench", time.monotonic() + 60)


if __name__ == "__main__":
    main()
