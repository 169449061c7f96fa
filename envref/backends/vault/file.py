"""One vault file in use: transactions on it, and the keys that open it, derived once a process."""

from __future__ import annotations

import os
import time

from envref import streams
from envref.backends.answer import no_answer
from envref.backends.vault import database, passphrase, session
from envref.backends.vault.ancestor import VERIFIER, Ancestor
from envref.backends.vault.contents import Contents, metadata_of, not_initialized
from envref.backends.vault.format import FORMAT, Keys
from envref.paths import shown
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendLocked, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeVar

    from envref.backends.vault.database import Opened
    from envref.client import Agent
    from envref.secret import Secret

    _Acceptance = Callable[[Contents | Ancestor], None]
    _Opening = TypeVar("_Opening")

_ENDLESS = float("inf")
_TRIES = 3  # as many as sudo gives
_ONCE = "hint: to be asked only once in 8 hours: envref vault unlock --ttl 8h"

# What a person typed in this process, by the vault's path: a command that opens a vault ten times asks once.
_typed: dict[str, Secret] = {}


def refuse_locked(contents: Contents | Ancestor) -> None:
    """Raises if the vault is locked: only `envref vault` itself works on a locked vault."""
    if contents.locked:
        raise BackendLocked("vault: locked", run=("envref", "vault", "unlock"))


def allow_locked(contents: Contents | Ancestor) -> None:
    """Accepts a locked vault, for the commands that work on one."""


class VaultFile:
    """A vault's file, at the usual place when `path` is empty. `warnings` collects what the caller should print.

    With `asks_beside_data` envref asks for the passphrase even if standard input is not a terminal.
    """

    def __init__(self, path: str, warnings: list[str], *, asks_beside_data: bool) -> None:
        self.path = path or database.default_path(warnings)
        self.warnings = warnings
        self._asks_beside_data = asks_beside_data
        self.agent: Agent | None = None  # the activation's, which it has found wanting by then, or not
        self._keys: Keys | None = None
        self._was_wrong = self._was_asked = False
        self._started = self._deadline = 0.0  # of the call that is under way
        # A vault that may have come with a repository is never given to SQLite as a file.
        self._in_project = database.folder_above(self.path, ".git", ".envref.yaml") is not None

    def reading(self, deadline: float) -> AbstractContextManager[Contents | Ancestor]:
        """A snapshot of the vault, unlocked. Raises BackendError; the lock counts before any passphrase is asked."""
        return _Snapshot(self, self._connected(deadline))

    def read(self, opened: Opened) -> Contents | Ancestor:
        """The snapshot of an open vault."""
        self._derive(opened.connection, refuse_locked)
        opened.snapshot()
        return self._opened(opened.connection, refuse_locked)

    def writing(self, deadline: float, accept: _Acceptance = refuse_locked) -> AbstractContextManager[Contents]:
        """One transaction on the vault, unlocked: committed with a new manifest at the end, or not at all.

        An ancestor's vault is converted first.
        """
        from contextlib import contextmanager

        return contextmanager(self._writing)(deadline, accept)

    def _writing(self, deadline: float, accept: _Acceptance) -> Iterator[Contents]:
        with self._connected(deadline) as opened:
            self._warn_of_git()
            self._derive(opened.connection, accept)
            opened.begin(self._deadline)
            contents = self._opened(opened.connection, accept)
            current = self._converted(opened.connection, contents) if isinstance(contents, Ancestor) else contents
            yield current
            current.sign()
            opened.commit()
            self._keys = current.keys

    def creating(self, deadline: float) -> AbstractContextManager[sqlite3.Connection | None]:
        """A transaction on a file without a vault, which it creates if needed; None if there is a vault already."""
        from contextlib import contextmanager

        return contextmanager(self._creating)(deadline)

    def _creating(self, deadline: float) -> Iterator[sqlite3.Connection | None]:
        try:
            database.create(self.path)
        except FileExistsError:
            pass
        except OSError as error:
            raise BackendUnavailable(f"vault: {shown(self.path)}: {error.strerror}") from None
        with self._connected(deadline) as opened:
            self._warn_of_git()
            opened.begin(self._deadline)
            yield None if _initialized(opened.connection) else opened.connection
            opened.commit()

    def exists(self, deadline: float) -> bool:
        """Whether there is an initialized vault."""
        if not os.path.lexists(self.path):
            return False
        with self._connected(deadline) as opened:
            return _initialized(opened.connection)

    def revisions(self, deadline: float) -> dict[str, str]:
        """The revision of every full key, locked or not; unsigned, as nobody opens the vault for it."""
        with self._connected(deadline) as opened:
            contents = _snapshot(opened.connection)
            return {key: contents.revision(key) for key in contents.names()}

    def examine(self, deadline: float) -> list[BackendError]:
        """What is wrong with the vault: who may replace it, its lock, its passphrase. Asks nobody to type one."""
        faults = database.exposures(self.path)
        try:
            with self._connected(deadline) as opened:
                contents = _snapshot(opened.connection)
                refuse_locked(contents)
                if passphrase.given() or self.path in _typed:
                    self._open(contents)
                elif isinstance(contents, Ancestor) or not self._session_keys(contents):
                    faults += [] if passphrase.can_be_asked() else [passphrase.unattended()]
        except BackendError as error:
            faults.append(error)
        return faults

    def passphrase(self) -> Secret:
        """The passphrase itself, where an unlock session is not enough; asks for it once at most."""
        known = passphrase.given(self._deadline) or _typed.get(self.path)
        if known is None:
            known = _typed[self.path] = self._asked()
        return known

    def know(self, chosen: Secret) -> None:
        """Takes the passphrase that a person has just chosen, and need not type again."""
        _typed[self.path] = chosen

    def _asked(self) -> Secret:
        """What a person types now. Their time is not the vault's."""
        begun = time.monotonic()
        known = passphrase.asked(beside_data=self._asks_beside_data, again=self._was_wrong)
        spent = time.monotonic() - begun
        self._started += spent
        self._deadline += spent
        self._was_asked = True
        return known

    def _tried(self, opening: Callable[[], _Opening]) -> _Opening:
        """What `opening` returns. Who mistypes the passphrase types it again, and keeps what they typed before."""
        tries = _TRIES
        while True:
            try:
                return opening()
            except BackendDenied:
                tries -= 1
                if _typed.pop(self.path, None) is None or not tries:
                    raise
                self._was_wrong = True

    def _offer_session(self) -> None:
        """Says how to type it less often, once, where that works."""
        if self._was_asked and session.is_possible():
            streams.inform(_ONCE)
        self._was_asked = False

    def prove_passphrase(self, deadline: float) -> Secret:
        """The passphrase, tried on the vault: BackendDenied when it is wrong. An unlock session is not enough."""
        with self._connected(deadline) as opened:
            contents = _snapshot(opened.connection)
        if isinstance(contents, Ancestor):
            self._open(contents)
        else:
            self._keys = self._tried(lambda: self._derived(contents, _ENDLESS))
            contents.open_with(self._keys)
        return self.passphrase()

    def identifier(self, deadline: float) -> str:
        """The name of the vault's unlock session, which nobody has proved; empty for format 1, which has none."""
        with self._connected(deadline) as opened:
            contents = _snapshot(opened.connection)
        return "" if isinstance(contents, Ancestor) else contents.vault_id

    def is_locked(self, deadline: float) -> bool:
        """Whether the file says that it is locked: nobody has proved it."""
        with self._connected(deadline) as opened:
            return _snapshot(opened.connection).locked

    def is_ancestor(self, deadline: float) -> bool:
        """Whether the vault is of format 1."""
        with self._connected(deadline) as opened:
            return isinstance(_contents(opened.connection), Ancestor)

    def copy(self, target: str, deadline: float) -> None:
        """A consistent copy, still encrypted. FileExistsError rather than overwriting."""
        with self._connected(deadline) as opened:
            _contents(opened.connection)
            database.copy(opened.connection, target)

    def compact(self, deadline: float) -> None:
        """Rewrites the file without its free pages."""
        with self._connected(deadline) as opened:
            opened.compact(self._deadline)

    def _derive(self, connection: sqlite3.Connection, accept: _Acceptance) -> None:
        """Derives the keys without holding a lock: that takes half a second, or as long as a person types."""
        contents = _snapshot(connection)
        accept(contents)
        self._open(contents)
        if accept is refuse_locked:  # those that manage the vault know of sessions
            self._offer_session()

    def _opened(self, connection: sqlite3.Connection, accept: _Acceptance) -> Contents | Ancestor:
        """The vault as the running transaction sees it, unlocked."""
        contents = _contents(connection)
        accept(contents)
        self._open(contents)
        return contents

    def _open(self, contents: Contents | Ancestor) -> None:
        self._tried(lambda: self._open_once(contents))

    def _open_once(self, contents: Contents | Ancestor) -> None:
        if isinstance(contents, Ancestor):
            contents.open_with(self._unwrap)
            return
        if self._keys is None or self._keys.wrapped != contents.wrapped:
            self._keys = self._session_keys(contents) or self._derived(contents, self._deadline)
        contents.open_with(self._keys)

    def _derived(self, contents: Contents, deadline: float) -> Keys:
        """The keys behind the passphrase. The time of others' derivations is not the vault's."""
        from envref.backends.vault.turn import Turn

        self._refuse_costly(contents.wrapped)
        known = self.passphrase()
        turn = Turn(self._started, max(deadline, self._deadline))
        keys = contents.unwrap(known, turn)
        self._deadline = max(self._deadline, turn.deadline)
        return keys

    def _unwrap(self, armored: str) -> bytes:
        """What a file of format 1 holds: each has a derivation of its own, within the limits of the others."""
        from envref.backends.vault import age
        from envref.backends.vault.turn import Turn

        self._refuse_costly(armored)
        known = self.passphrase().reveal().encode("utf-8")
        turn = Turn(self._started, self._deadline)
        content = turn.take(lambda: age.unwrap_long(armored, known))
        self._deadline = max(self._deadline, turn.deadline)
        return content

    def _refuse_costly(self, wrapped: str) -> None:
        """A vault that may have come with a repository costs no more than envref's own commands make it cost."""
        from envref.backends.vault import age

        largest, found = age.WORK_FACTORS[-1], age.work_factor_of(wrapped)
        if self._in_project and found > largest:
            raise BackendInvalid(
                f"vault: its work factor {found} is above {largest}, the largest that a vault in a project may have",
                hint="envref vault init makes one with less",
            )

    def _session_keys(self, contents: Contents) -> Keys | None:
        """The keys of an unlock session, unless the environment has a passphrase or the vault has new keys."""
        known = passphrase.given(self._deadline) or _typed.get(self.path)
        identity = None if known else session.recall(contents.vault_id, self.agent)
        if identity is None:
            return None
        keys = Keys(contents.vault_id, contents.wrapped, identity)
        return keys if contents.signed_by(keys) else None

    def _converted(self, connection: sqlite3.Connection, ancestor: Ancestor) -> Contents:
        """Format 2 in place of format 1, within the same transaction."""
        from envref.backends.vault import conversion

        self._deadline = _ENDLESS  # as many derivations as there are values
        values = conversion.values_of(ancestor)
        kept = conversion.keep(self.path, self.copy)
        contents = conversion.converted(connection, values, self.passphrase())
        if ancestor.locked:
            contents.lock()
        self.warnings.append(f"the vault was converted to format {FORMAT}; the old one is {shown(kept)}")
        return contents

    def _connected(self, deadline: float) -> _Connected:
        return _Connected(self, deadline)

    def begin(self, started: float, deadline: float) -> None:
        """Notes the times of a call. Raises BackendError for a file that must not be opened."""
        if started >= deadline:
            raise no_answer("vault", started, deadline)
        self._started, self._deadline = started, deadline
        self._check()

    def open(self, deadline: float) -> Opened:
        """The file as SQLite has it, after `begin`."""
        if not self._in_project:
            return database.Disk(self.path, deadline)
        from envref.backends.vault.image import Image

        return Image(self.path, deadline)

    def _check(self) -> None:
        try:
            database.check(self.path, in_project=self._in_project)
        except FileNotFoundError:
            raise not_initialized() from None
        except OSError as error:
            raise BackendUnavailable(f"vault: {shown(self.path)}: {error.strerror}") from None

    def _warn_of_git(self) -> None:
        root = database.git_work_tree(self.path)
        warning = f"the vault {shown(self.path)} lies in the git work tree {shown(root or '')}; keep it out of commits"
        if root and warning not in self.warnings:
            self.warnings.append(warning)


# Both as classes: `contextlib` would be 2 % of a reading.
class _Connected:
    """The open file; closing it undoes a transaction that was not committed. SQLite's errors become ours."""

    def __init__(self, file: VaultFile, deadline: float) -> None:
        self._file = file
        self._deadline = deadline

    def __enter__(self) -> Opened:
        self._started = time.monotonic()
        self._file.begin(self._started, self._deadline)
        try:
            self._opened = self._file.open(self._deadline)
        except database.Error as error:
            raise self._explained(error) from None
        return self._opened

    def __exit__(self, _kind: object, raised: BaseException | None, _trace: object) -> None:
        try:
            self._opened.close()
        except database.Error as error:
            raise self._explained(error) from None
        if isinstance(raised, database.Error):
            raise self._explained(raised) from None

    def _explained(self, error: sqlite3.Error) -> BackendError:
        return database.explained(error, self._file.path, self._started, self._deadline)


class _Snapshot:
    """An open vault's contents, as of one moment."""

    def __init__(self, file: VaultFile, connected: _Connected) -> None:
        self._file = file
        self._connected = connected

    def __enter__(self) -> Contents | Ancestor:
        opened = self._connected.__enter__()
        try:
            return self._file.read(opened)
        except BaseException as error:
            self._connected.__exit__(type(error), error, None)
            raise

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        self._connected.__exit__(kind, raised, trace)


def _snapshot(connection: sqlite3.Connection) -> Contents | Ancestor:
    """The vault at one moment; only its metadata and names can be used afterwards."""
    connection.execute("BEGIN")
    contents = _contents(connection)
    connection.execute("COMMIT")
    return contents


def _contents(connection: sqlite3.Connection) -> Contents | Ancestor:
    """The vault in a file, by its format."""
    metadata = metadata_of(connection)
    if "format" not in metadata:
        if VERIFIER not in metadata:
            raise not_initialized()
        return Ancestor(connection, metadata)
    if metadata["format"] != FORMAT:
        raise BackendInvalid(f'vault: format "{metadata["format"]}" is not known to this envref', hint="update envref")
    return Contents(connection, metadata)


def _initialized(connection: sqlite3.Connection) -> bool:
    """Whether the file holds a vault of any format; raises for another program's database."""
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        return False
    metadata = metadata_of(connection)
    return "format" in metadata or VERIFIER in metadata
