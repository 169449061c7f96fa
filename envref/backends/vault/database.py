"""The vault's file: who may read it, how SQLite opens it, and what SQLite's errors mean (security.md 4.3)."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import time
from contextlib import closing
from urllib.parse import quote

from envref.backends.answer import no_answer
from envref.errors import BackendDenied, BackendError, BackendInvalid, BackendUnavailable, Home
from envref.paths import NO_HOME, configuration_path, expanded, open_new, shown

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
    os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    open_new(path).close()


def check(path: str) -> None:
    """Refuses a file that others could read or replace. FileNotFoundError if there is no file.

    Never opens the file: closing a descriptor drops every lock this process holds on it, SQLite's included.
    """
    status = os.lstat(path)
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
        raise BackendDenied(
            f"vault: {shown(path)} is accessible by others (mode {mode:04o})", run=("chmod", "600", Home(shown(path)))
        )


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


def connect(path: str, deadline: float) -> sqlite3.Connection:
    """A connection in autocommit mode that waits for others until `deadline`, at most 20 seconds."""
    location = f"file:{quote(os.path.abspath(path))}?mode=rw"
    connection = sqlite3.connect(location, uri=True, timeout=_wait(deadline), isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """The empty tables of format 2 in place of any others, within the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 2")
    for statement in _CREATION.strip().split(";\n"):
        connection.execute(statement)


def begin(connection: sqlite3.Connection, deadline: float) -> None:
    """Takes the right to write, waiting for it until `deadline`.

    The journal is gone after each write. There is no write-ahead log, so a copy of the one file at rest is always
    whole.
    """
    connection.execute(f"PRAGMA busy_timeout = {round(_wait(deadline) * 1000)}")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN IMMEDIATE")


def copy(source: sqlite3.Connection, target: str) -> None:
    """Makes a consistent copy that only its owner can read. FileExistsError rather than overwriting."""
    create(target)
    try:
        with closing(sqlite3.connect(target)) as copied:
            source.backup(copied)
    except BaseException:
        os.unlink(target)
        raise


def explained(error: sqlite3.Error, path: str, started: float, deadline: float) -> BackendError:
    """The error that a failure of SQLite means to the user, in a call from `started` to `deadline`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return no_answer("vault", started, deadline)
    kind, text = _EXPLAINED.get(code, (BackendUnavailable, f"{{path}}: {error}"))
    return kind("vault: " + text.format(path=shown(path)))


def _wait(deadline: float) -> float:
    """Seconds to wait for another process's transaction."""
    return min(_LONGEST_WAIT, max(0.0, deadline - time.monotonic()))


def git_work_tree(path: str) -> str | None:
    """The root of the git work tree that holds `path`."""
    directory = os.path.dirname(os.path.realpath(path))
    while not os.path.exists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return directory
