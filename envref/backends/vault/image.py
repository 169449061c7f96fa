"""A vault that lies in a project, of which it may be a part: read once, from its bytes, and replaced as a whole.

SQLite never sees the file. What lies beside a database steers it: a journal that a repository ships makes it write to,
or delete, files that the journal names (docs/adr/0018-vaults-in-projects.md).
"""

from __future__ import annotations

import os
import time

from envref import atomic
from envref.backends.answer import no_answer
from envref.backends.vault import database
from envref.errors import EnvrefError
from envref.paths import shown, without_links
from envref.store_errors import BackendInvalid, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


_BESIDE = ("-journal", "-wal", "-shm")
_VERSIONS = slice(18, 20)  # of the file format: 2 is a write-ahead log, which no memory has
_LARGEST = 256 * 1024 * 1024  # bytes
_STEPS = 100_000  # of SQLite's machine, about a millisecond, between two looks at the clock
_ROOM = 1024 * 1024  # bytes that SQLite may need for a row beyond what the file holds
_TABLES = {"metadata": ("key", "value"), "secrets": ("key", "value", "mac")}
_OLD_SECRETS = ("key", "value")  # of format 1


def refuse_companions(path: str) -> None:
    """BackendInvalid where SQLite left, or somebody put, a journal beside the vault."""
    for suffix in _BESIDE:
        if os.path.lexists(path + suffix):
            raise BackendInvalid(
                f"vault: {shown(path + suffix)} lies beside the vault, which is in a project; it is not opened",
                hint="envref leaves no such file: find out where it came from, and remove it",
            )


class Image:
    """An open vault of a project: a copy in memory. A write holds the file's lock, and reads the file again."""

    def __init__(self, path: str, deadline: float) -> None:
        refuse_companions(path)
        self._path = path
        self._lock: atomic.Lock | None = None
        self._read = b""
        self.connection = database.connect(":memory:", isolation_level=None)
        database.prepare(self.connection)
        self.connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        self._load()

    def snapshot(self) -> None:
        """Reads the file again: others may have written while the passphrase was typed."""
        self._load()

    def begin(self, deadline: float) -> None:
        """Takes the right to write, waiting for it until `deadline`; what others wrote meanwhile is there then."""
        self._take_lock(deadline)
        self._load()
        self.connection.setlimit(database.LONGEST, _LARGEST)
        self.connection.execute("BEGIN")

    def commit(self) -> None:
        """Ends the transaction: the file has its outcome, or the call raises and the file is as it was."""
        self.connection.execute("COMMIT")
        self._save()

    def compact(self, deadline: float) -> None:
        """Rewrites the file without its free pages."""
        self._take_lock(deadline)
        self._load()
        self.connection.execute("VACUUM")
        self._save()

    def close(self) -> None:
        """Undoes what was not committed, and lets others write."""
        self.connection.close()
        self._release()

    def _take_lock(self, deadline: float) -> None:
        lock = atomic.lock(self._path, deadline=deadline)
        started = time.monotonic()
        try:
            lock.__enter__()
        except TimeoutError:
            raise no_answer("vault", started, deadline) from None
        except EnvrefError as error:
            raise BackendUnavailable(f"vault: {error.message}") from None
        self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.__exit__(None, None, None)
            self._lock = None

    def _load(self) -> None:
        content = _content(self._path)
        if content == self._read:
            return
        self._read = content
        # No honest column is longer than its file, whatever an expression in it would make.
        self.connection.setlimit(database.LONGEST, len(content) + _ROOM)
        self.connection.deserialize(content[: _VERSIONS.start] + b"\1\1" + content[_VERSIONS.stop :])
        _check_schema(self.connection)

    def _save(self) -> None:
        content = self.connection.serialize()
        if content != self._read:
            try:
                atomic.write(self._path, content, mode=0o600)
            except EnvrefError as error:
                raise BackendUnavailable(f"vault: {error.message}") from None
        self._release()


def _content(path: str) -> bytes:
    """The file's bytes, through one descriptor. FileNotFoundError and other errors of the system as they are."""
    with open(path, "rb", opener=without_links) as file:
        status = os.fstat(file.fileno())
        database.check_status(path, status, in_project=True)
        if status.st_size > _LARGEST:
            limit = f"{_LARGEST >> 20} MiB"
            raise BackendInvalid(f"vault: {shown(path)} is larger than the {limit} that a vault in a project may have")
        return file.read(_LARGEST)


def _check_schema(connection: sqlite3.Connection) -> None:
    """BackendInvalid for anything but envref's own tables and columns: the rest is code that SQLite would run."""
    for kind, name, statement in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        own_table = kind == "table" and name in _TABLES and not _is_virtual(statement)
        if not own_table and not (kind == "index" and statement is None):
            raise _foreign(str(name))
    for table, columns in _TABLES.items():
        found = tuple(_columns(connection, table))
        if found and found != columns and not (table == "secrets" and found == _OLD_SECRETS):
            raise _foreign(table)


def _columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """The columns; a generated one, which is computed and not stored, is no column of ours."""
    for _number, name, _type, _null, _default, _key, hidden in connection.execute(f"PRAGMA table_xinfo({table})"):
        yield "" if hidden else str(name)


def _is_virtual(statement: object) -> bool:
    return not isinstance(statement, str) or statement.split()[:2] != ["CREATE", "TABLE"]


def _foreign(name: str) -> BackendInvalid:
    return BackendInvalid(
        f'vault: the file holds "{name}": it is another program\'s database',
        hint="set path of the backend to another file",
    )
