"""The tables of a vault within one transaction: format 2 (security.md 4.3)."""

from __future__ import annotations

from envref.backends.vault import database
from envref.backends.vault.format import FORMAT, UNSIGNED, Keys, SealedValue, new_identity
from envref.store_errors import BackendInvalid, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from envref.backends.vault.turn import Turn
    from envref.secret import Secret

_REVISION = 12  # hex digits: two writes in 16 million million are alike
# With casts, because SQLite lets a text column hold anything.
_METADATA = "SELECT CAST(key AS TEXT), CAST(value AS TEXT) FROM metadata"
_MACS = "SELECT CAST(key AS TEXT), CAST(mac AS TEXT) FROM secrets"
_ROW = "SELECT CAST(value AS TEXT), CAST(mac AS TEXT) FROM secrets WHERE key = ?"
_UPSERT_METADATA = "INSERT INTO metadata VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_UPSERT_ROW = (
    "INSERT INTO secrets VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, mac = excluded.mac"
)


class Contents:
    """The rows of an unlocked or still sealed vault. Every read and write begins with `open_with`.

    A write counts only after `sign` has renewed the manifest.
    """

    def __init__(self, connection: sqlite3.Connection, metadata: dict[str, str]) -> None:
        self._connection = connection
        self._metadata = metadata
        self._macs: dict[str, str] = dict(_bounded(connection, _MACS))
        self._keys: Keys | None = None

    @property
    def locked(self) -> bool:
        """Whether `envref vault lock` closed it: a guard against accidents, not extra encryption."""
        return self._metadata.get("locked") != "false"

    @property
    def vault_id(self) -> str:
        return self._metadata.get("vault_id", "")

    @property
    def wrapped(self) -> str:
        """The identity behind its passphrase, an armored age file."""
        return self._metadata.get("identity", "")

    @property
    def keys(self) -> Keys:
        """The keys given to `open_with`."""
        if self._keys is None:
            raise RuntimeError("the vault's contents were used before open_with")
        return self._keys

    def unwrap(self, passphrase: Secret, turn: Turn) -> Keys:
        """The keys that `passphrase` opens; costs the work factor. BackendDenied when it is wrong."""
        from envref.backends.vault import age

        content = turn.take(lambda: age.unwrap(self.wrapped, passphrase.reveal().encode("utf-8")))
        return Keys(self.vault_id, self.wrapped, content.decode("ascii", "replace").rstrip("\n"))

    def signed_by(self, keys: Keys) -> bool:
        """Whether these keys made the manifest over exactly these rows."""
        return keys.has_signed(self._metadata, self._macs)

    def open_with(self, keys: Keys) -> None:
        """Makes the values readable; BackendInvalid when something other than envref changed any row."""
        if not self.signed_by(keys):
            raise BackendInvalid(
                "vault: rows were changed by something other than envref", hint="restore a copy of the vault"
            )
        self._keys = keys

    def names(self) -> Iterable[str]:
        """Every full key."""
        return self._macs.keys()

    def value(self, key: str) -> bytes | None:
        """The value under a full key; None if it has none, BackendInvalid if somebody tampered with its row."""
        row = self._connection.execute(_ROW, (key,)).fetchone()
        return None if row is None else self.keys.open(key, SealedValue(*row))

    def revision(self, key: str) -> str:
        """The beginning of the row's signature: new at each write, for that encrypts anew; empty without a row."""
        return self._macs.get(key, "")[:_REVISION]

    def put(self, key: str, value: bytes) -> None:
        """Creates or replaces a value."""
        row = self.keys.seal(key, value)
        self._connection.execute(_UPSERT_ROW, (key, *row))
        self._macs[key] = row.mac

    def remove(self, key: str) -> bool:
        """Removes the value; returns whether there was one."""
        self._connection.execute("DELETE FROM secrets WHERE key = ?", (key,))
        return self._macs.pop(key, None) is not None

    def lock(self) -> None:
        self._write("locked", "true")

    def unlock(self) -> None:
        self._write("locked", "false")

    def wrap(self, passphrase: Secret, work_factor: int) -> None:
        """Puts the identity behind another passphrase; the values stay as they are."""
        wrapped = _wrapped(self.keys.identity_line, passphrase, work_factor)
        self._write("identity", wrapped)
        self._keys = Keys(self.vault_id, wrapped, self.keys.identity_line)

    def replace_identity(self, passphrase: Secret, work_factor: int) -> None:
        """A new identity, and every value sealed to it."""
        values = {key: self.value(key) for key in self.names()}
        identity = new_identity()
        wrapped = _wrapped(identity, passphrase, work_factor)
        self._write("identity", wrapped)
        self._keys = Keys(self.vault_id, wrapped, identity)
        for key, value in values.items():
            if value is not None:
                self.put(key, value)

    def sign(self) -> None:
        """Counts the write and renews the manifest: the last step of every one."""
        self._write("generation", str(int(self._metadata["generation"]) + 1))
        self._write(UNSIGNED, self.keys.manifest(self._metadata, self._macs))

    def _write(self, name: str, text: str) -> None:
        self._connection.execute(_UPSERT_METADATA, (name, text))
        self._metadata[name] = text


def new_contents(connection: sqlite3.Connection, vault_id: str, passphrase: Secret, work_factor: int) -> Contents:
    """Empty tables in place of any others, with a new identity, ready to be written and signed."""
    database.create_tables(connection)
    identity = new_identity()
    wrapped = _wrapped(identity, passphrase, work_factor)
    metadata = {"format": FORMAT, "vault_id": vault_id, "identity": wrapped, "generation": "0", "locked": "false"}
    connection.executemany(_UPSERT_METADATA, metadata.items())
    contents = Contents(connection, metadata)
    keys = Keys(vault_id, wrapped, identity)
    metadata[UNSIGNED] = keys.manifest(metadata, {})
    contents.open_with(keys)
    return contents


def metadata_of(connection: sqlite3.Connection) -> dict[str, str]:
    """The rows about the vault itself. BackendUnavailable where `envref vault init` has not run."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        raise not_initialized()
    if not {"metadata", "secrets"} <= tables:
        raise BackendInvalid(
            "vault: the file is another program's database", hint="set path of the backend to another file"
        )
    return dict(_bounded(connection, _METADATA))


def _bounded(connection: sqlite3.Connection, query: str) -> Iterator[tuple[str, str]]:
    """Rows of two texts. BackendInvalid once they are more than the file can hold: crafted pages share their text."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    left = pages * size
    for key, text in connection.execute(query):
        left -= len(key) + len(text)
        if left < 0:
            raise BackendInvalid(
                "vault: the file is damaged: its rows are longer than the file", hint="restore a copy of it"
            )
        yield key, text


def not_initialized() -> BackendUnavailable:
    return BackendUnavailable("vault: not initialized", run=("envref", "vault", "init"))


def _wrapped(identity_line: str, passphrase: Secret, work_factor: int) -> str:
    from envref.backends.vault import age

    # The line end lets `age -d -i` use the unwrapped file as it is.
    return age.wrap(f"{identity_line}\n".encode("ascii"), passphrase.reveal().encode("utf-8"), work_factor)
