"""Format 1, the vault of the Go ancestor: every value an age file behind the passphrase itself.

Tables `metadata(key, value)` and `secrets(key, value)`, no row `format`; scrypt 2^15 for each value, nothing that binds
a value to its key. envref reads it as it is; the first write converts it (security.md 4.4).
"""

from __future__ import annotations

from envref.store_errors import BackendDenied, BackendInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    _Unwrap = Callable[[str], bytes]

VERIFIER = "__envref_verify__"  # its plain text proves the passphrase
_VERIFIED = b"envref-vault-ok"
_LOCK = "__envref_locked__"


class Ancestor:
    """The rows of a format 1 vault. Call `open_with` before reading any value."""

    def __init__(self, connection: sqlite3.Connection, metadata: dict[str, str]) -> None:
        self._connection = connection
        self._metadata = metadata
        self._unwrap: _Unwrap | None = None

    @property
    def locked(self) -> bool:
        return self._metadata.get(_LOCK) == "true"

    def open_with(self, unwrap: _Unwrap) -> None:
        """Takes what opens an age file, or raises BackendDenied: so does this, for a vault of another passphrase."""
        if unwrap(self._metadata[VERIFIER]) != _VERIFIED:
            raise BackendDenied("vault: wrong passphrase")
        self._unwrap = unwrap

    def names(self) -> Iterable[str]:
        """Every full key."""
        return [key for (key,) in self._connection.execute("SELECT CAST(key AS TEXT) FROM secrets")]

    def revision(self, key: str) -> str:  # noqa: ARG002
        """Format 1 signs nothing, so it has none."""
        return ""

    def value(self, key: str) -> bytes | None:
        """The value under a full key; None if it has none. Costs one scrypt, about 0.1 s."""
        row = self._connection.execute("SELECT CAST(value AS TEXT) FROM secrets WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        if self._unwrap is None:
            raise RuntimeError("the vault's contents were used before open_with")
        try:
            return self._unwrap(row[0])
        except (BackendDenied, BackendInvalid):
            fact = f'vault: the value of "{key}" can\'t be decrypted with the passphrase'
            raise BackendInvalid(fact, hint="restore a copy of the vault") from None
