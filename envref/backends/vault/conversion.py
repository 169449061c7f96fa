"""Conversion of an ancestor's vault, format 1, into format 2: by the first write, within its transaction."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from envref.backends.vault import age
from envref.backends.vault.contents import new_contents
from envref.paths import shown
from envref.store_errors import BackendInvalid, BackendUnavailable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from envref.backends.vault.ancestor import Ancestor
    from envref.backends.vault.contents import Contents
    from envref.secret import Secret

_PATIENCE = 20.0  # seconds for the copy of the old vault


def values_of(ancestor: Ancestor) -> dict[str, bytes]:
    """Every value by its full key."""
    return {key: ancestor.value(key) or b"" for key in ancestor.names()}


def keep(path: str, copy: Callable[[str, float], None]) -> str:
    """Copies the vault as it is into a file beside it; returns the path of that."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = (f"{path}.v1-{stamp}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 100))))
    kept = next(name for name in names if not os.path.lexists(name))
    try:
        copy(kept, time.monotonic() + _PATIENCE)
    except OSError as error:
        raise BackendUnavailable(f"vault: {shown(kept)}: {error.strerror}") from None
    return kept


def converted(connection: sqlite3.Connection, values: Mapping[str, bytes], passphrase: Secret) -> Contents:
    """A vault of format 2 with these values; each is read back and compared."""
    contents = new_contents(connection, os.urandom(16).hex(), passphrase, age.DEFAULT_WORK_FACTOR)
    for key, value in values.items():
        contents.put(key, value)
    if {key: contents.value(key) for key in contents.names()} != values:
        raise BackendInvalid(
            "vault: the converted values differ from the old ones; nothing was changed",
            hint="envref vault export of the older envref still works; please report this",
        )
    return contents
