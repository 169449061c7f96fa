"""The Secret Service of a Linux desktop (GNOME Keyring, KWallet, KeePassXC): one connection, any number of keys.

Python keyring opens a connection and makes a key exchange for every key, and can't list. envref writes entries so that
python keyring, `secret-tool` and envref find and replace each other's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from jeepney import DBusErrorResponse  # type: ignore[import-untyped]
from secretstorage.exceptions import PromptDismissedException, SecretStorageException

from envref.backends.answer import excerpt, no_answer
from envref.backends.keychain.conversation import Conversation, Vanished
from envref.backends.keychain.entry import LABEL, locked, no_desktop
from envref.backends.keychain.session_bus import GONE, NoBus, connect
from envref.store_errors import BackendDenied, BackendError, BackendLocked, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envref.backends.keychain.entry import KeychainEntry, Sought

_Result = TypeVar("_Result")

_NO_SERVICE = {
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.Disconnected",
}
_PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds before one more try

_ERRORS: dict[str, type[BackendError]] = {
    **dict.fromkeys(GONE, Vanished),
    "org.freedesktop.Secret.Error.IsLocked": BackendLocked,
    "org.freedesktop.DBus.Error.AccessDenied": BackendDenied,
}


class SecretService:
    """Entries of the Secret Service. Reads all collections, writes to the default one."""

    def read_many(self, entries: Sequence[Sought], deadline: float) -> dict[Sought, bytes | BackendError]:
        """The value of each entry, or why it can't be read; an entry left out is not there."""
        return _converse(lambda talk: talk.read_many(entries), deadline)

    def modified(self, entries: Sequence[Sought], deadline: float) -> dict[Sought, int | BackendError]:
        """When each entry was written; works while the keyring is locked, where that lists its items."""
        return _converse(lambda talk: talk.modified(entries), deadline)

    def write(self, entry: KeychainEntry, value: bytes, deadline: float) -> None:
        """Creates the entry, or changes every item that has its attributes."""
        _converse(lambda talk: talk.write(entry, value), deadline)

    def remove(self, entry: KeychainEntry, deadline: float) -> bool:
        """Deletes every item of the entry; returns whether there was one."""
        return _converse(lambda talk: talk.remove(entry), deadline)

    def accounts(self, service: str, deadline: float) -> list[str]:
        """The accounts of a service's entries. Works while the keyring is locked."""
        return _converse(lambda talk: talk.accounts(service), deadline)


def _converse(say: Callable[[Conversation], _Result], deadline: float) -> _Result:
    """Holds one conversation in a connection, and repeats it if the keyring was being reread."""
    for pause in _PAUSES:
        try:
            return _said(say, deadline)
        except Vanished:
            time.sleep(pause)
    return _said(say, deadline)


def _said(say: Callable[[Conversation], _Result], deadline: float) -> _Result:
    """Holds the conversation once; turns whatever goes wrong into a BackendError."""
    started = time.monotonic()
    try:
        with connect(deadline) as bus:
            return say(Conversation(bus))
    except TimeoutError:
        raise no_answer(LABEL, started, deadline) from None
    except DBusErrorResponse as error:
        raise _classified(error) from None
    except PromptDismissedException:
        raise locked() from None
    except (NoBus, SecretStorageException, OSError):
        raise no_desktop() from None


def _classified(error: DBusErrorResponse) -> BackendError:
    if error.name in _NO_SERVICE or str(error.name).startswith("org.freedesktop.DBus.Error.Spawn."):
        return no_desktop()
    kind = _ERRORS.get(error.name, BackendUnavailable)
    if kind is BackendLocked:
        return locked()
    data = error.data if isinstance(error.data, tuple) else (error.data,)
    return kind(f"{LABEL}: {excerpt(str(data[0] if data else error.name))}")


def first_name(names: Sequence[str], deadline: float) -> str:
    """The first of the names that is on the session bus, or that the bus can start; else nothing."""
    return _converse(lambda talk: talk.first_name(names), deadline)
