"""Conversion of an ancestor's vault, format 1, into format 2: by the first write, within its transaction."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from envref.backends.vault import age
from envref.backends.vault.contents import new_contents
from envref.backends.vault.format import FORMAT
from envref.errors import BackendInvalid, BackendUnavailable
from envref.paths import shown

if TYPE_CHECKING:
    import sqlite3

    from envref.backends.vault.ancestor import Ancestor
    from envref.backends.vault.contents import Contents
    from envref.backends.vault.file import VaultFile

_PATIENCE = 20.0  # seconds for the copy of the old vault


def converted(vault: VaultFile, connection: sqlite3.Connection, ancestor: Ancestor) -> Contents:
    """Format 2 in place of format 1; every value is read back and compared. What was there is kept beside the vault."""
    values = {key: ancestor.value(key) or b"" for key in ancestor.names()}
    kept = _keep_old(vault)
    contents = new_contents(connection, os.urandom(16).hex(), vault.passphrase(), age.DEFAULT_WORK_FACTOR)
    for key, value in values.items():
        contents.put(key, value)
    if {key: contents.value(key) for key in contents.names()} != values:
        raise BackendInvalid(
            "vault: the converted values differ from the old ones; nothing was changed",
            hint="envref vault export of the older envref still works; please report this",
        )
    if ancestor.locked:
        contents.lock()
    vault.warnings.append(f"the vault was converted to format {FORMAT}; the old one is {shown(kept)}")
    return contents


def _keep_old(vault: VaultFile) -> str:
    """Copies the vault as it is into a file beside it; returns the path of the copy."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = (f"{vault.path}.v1-{stamp}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 100))))
    kept = next(name for name in names if not os.path.lexists(name))
    try:
        vault.copy(kept, time.monotonic() + _PATIENCE)
    except OSError as error:
        raise BackendUnavailable(f"vault: {shown(kept)}: {error.strerror}") from None
    return kept
