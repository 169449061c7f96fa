"""The vault's file: who may read it, how SQLite opens it, and what SQLite's errors mean (security.md 4.3)."""

from __future__ import annotations

import os
import stat
import sys
import time

from envref.backends.answer import no_answer
from envref.errors import Home
from envref.paths import NO_HOME, configuration_path, expanded, open_new, shown
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendUnavailable

try:
    import _sqlite3 as sqlite3  # less what converts dates, of which a vault has none
except ImportError:
    import sqlite3  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

connect, Error = sqlite3.connect, sqlite3.Error
LONGEST = sqlite3.SQLITE_LIMIT_LENGTH  # the number of the limit on a row's bytes

_APPLICATION_ID = 0x656E7672  # "envr"
_LONGEST_WAIT = 20.0  # seconds for another process's transaction

_PRAGMAS = (
    "synchronous = EXTRA",
    "secure_delete = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "temp_store = MEMORY",
)

_CREATION = """
CREATE TABLE IF NOT EXISTS metadata(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
DELETE FROM metadata;
DROP TABLE IF EXISTS secrets;
CREATE TABLE secrets(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, mac TEXT NOT NULL);
"""

# SQLite's primary result code -> the class of error and what happened
_EXPLAINED: dict[int, tuple[type[BackendError], str]] = {
    sqlite3.SQLITE_NOTADB: (BackendInvalid, "{path} is not a vault"),
    sqlite3.SQLITE_CORRUPT: (BackendInvalid, "{path} is damaged"),
    sqlite3.SQLITE_FULL: (BackendUnavailable, "the disk is full"),
    sqlite3.SQLITE_READONLY: (BackendUnavailable, "{path} can't be written"),
    sqlite3.SQLITE_CANTOPEN: (BackendUnavailable, "{path} can't be opened"),
    sqlite3.SQLITE_PERM: (BackendDenied, "{path} can't be opened"),
}


def default_path(warnings: list[str]) -> str:
    """The vault's usual path (commands.md 3.1). `warnings` gets a line if that is the vault of an older envref."""
    usual = configuration_path("vault.db")
    if not usual:
        raise BackendUnavailable("vault: no home directory to keep it in", hint=NO_HOME)
    if sys.platform == "darwin" and not os.path.exists(usual):
        ancestor = expanded("~/Library/Application Support/envref/vault.db")
        if os.path.exists(ancestor):
            warnings.append(f"using the vault of an older envref: {shown(ancestor)}")
            return ancestor
    return usual


def create(path: str) -> None:
    """An empty file that only its owner can read. FileExistsError when anything is there.

    SQLite alone would create it readable by everyone; its journal gets the mode of the file.
    """
    _make_folder(path)
    open_new(path).close()


def _make_folder(path: str) -> None:
    """The folder of a file that is to be made, its owner's only."""
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    except FileExistsError:
        os.lstat(path)  # where a file stands for a folder, this says so
        raise


def check(path: str, *, in_project: bool) -> None:
    """Refuses what others could read or replace. FileNotFoundError when there is nothing.

    Never opens the file: closing a descriptor drops every lock this process holds on it, SQLite's included.
    """
    check_status(path, os.lstat(path), in_project=in_project)


def check_status(path: str, status: os.stat_result, *, in_project: bool) -> None:
    """The same for a file of that status. In a project no mode is the cure: the vault may have come with it."""
    if not stat.S_ISREG(status.st_mode):
        raise BackendDenied(
            f"vault: {shown(path)} is not a regular file", hint="set path of the backend to another file"
        )
    if status.st_uid != os.geteuid():
        raise BackendDenied(
            f"vault: {shown(path)} belongs to another user", hint="set path of the backend to another file"
        )
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        told = f"vault: {shown(path)} is accessible by others (mode {mode:04o})"
        if in_project:
            raise BackendDenied(told, hint="a project is no place for a vault: leave path out, and copy what is yours")
        raise BackendDenied(told, run=("chmod", "600", Home(shown(path))))


def exposures(path: str) -> list[BackendError]:
    """Faults of the file's directory: they let others replace the file although they can't read it."""
    directory = os.path.dirname(os.path.abspath(path))
    try:
        status = os.stat(directory)
    except OSError:
        return []  # `check` reports this
    if not status.st_mode & 0o022 or status.st_mode & stat.S_ISVTX:
        return []
    mode = stat.S_IMODE(status.st_mode)
    told = f"vault: {shown(directory)} is writable by others (mode {mode:04o}), who could replace the vault in it"
    return [BackendDenied(told, run=("chmod", "go-w", Home(shown(directory))))]


class Opened(Protocol):
    """An open vault. What is not committed when it is closed was never done."""

    connection: sqlite3.Connection

    def snapshot(self) -> None:
        """What is read from now on is of one moment."""

    def begin(self, deadline: float) -> None:
        """Takes the right to write, waiting for it until `deadline`."""

    def commit(self) -> None:
        """Ends the transaction; afterwards it is on the disk."""

    def compact(self, deadline: float) -> None:
        """Rewrites the file without its free pages."""

    def close(self) -> None:
        """Gives everything back."""


class Disk:
    """An open vault of the user's own: SQLite has the file, and waits for others at most 20 seconds."""

    def __init__(self, path: str, deadline: float) -> None:
        location = f"file:{_quoted(os.path.abspath(path))}?mode=rw"
        self.connection = connect(location, uri=True, timeout=_wait(deadline), isolation_level=None)
        prepare(self.connection)

    def snapshot(self) -> None:
        self.connection.execute("BEGIN")

    def begin(self, deadline: float) -> None:
        """Takes the right to write, waiting for it until `deadline`.

        The journal is gone after each write. No write-ahead log: a copy of the one file at rest is then always whole.
        """
        self.connection.execute(f"PRAGMA busy_timeout = {round(_wait(deadline) * 1000)}")
        self.connection.execute("PRAGMA journal_mode = DELETE")
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def compact(self, deadline: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {round(_wait(deadline) * 1000)}")
        self.connection.execute("VACUUM")

    def close(self) -> None:
        self.connection.close()


def _quoted(path: str) -> str:
    """The path in a URI of SQLite's, in which these three have a meaning (sqlite.org/uri.html)."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def prepare(connection: sqlite3.Connection) -> None:
    """What every connection gets."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def create_tables(connection: sqlite3.Connection) -> None:
    """The empty tables of format 2 in place of any others, within the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 2")
    for statement in _CREATION.strip().split(";\n"):
        connection.execute(statement)


def copy(source: sqlite3.Connection, target: str) -> None:
    """A consistent copy that only its owner can read. FileExistsError rather than overwriting."""
    _make_folder(target)
    with open_new(target) as file:
        try:
            # As bytes: what lies beside the new file would steer SQLite.
            file.write(source.serialize())
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.unlink(target)
            raise


def explained(error: sqlite3.Error, path: str, started: float, deadline: float) -> BackendError:
    """The error that a failure of SQLite means to the user, in a call from `started` to `deadline`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}:
        return no_answer("vault", started, deadline)
    kind, text = _EXPLAINED.get(code, (BackendUnavailable, f"{{path}}: {error}"))
    return kind("vault: " + text.format(path=shown(path)))


def _wait(deadline: float) -> float:
    """Seconds to wait for another process's transaction."""
    return min(_LONGEST_WAIT, max(0.0, deadline - time.monotonic()))


def git_work_tree(path: str) -> str | None:
    """The root of the git work tree that holds `path`."""
    return folder_above(path, ".git")


def folder_above(path: str, *names: str) -> str | None:
    """The nearest folder above the real place of `path` that has an entry of one of these names."""
    directory = os.path.dirname(os.path.realpath(path))
    while not any(os.path.lexists(os.path.join(directory, name)) for name in names):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return directory
