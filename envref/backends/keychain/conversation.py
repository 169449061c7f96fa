"""One conversation with the Secret Service, over one connection: its questions, and the dialogs that they lead to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jeepney import DBusAddress, Message, Properties, new_method_call  # type: ignore[import-untyped]
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from secretstorage.util import add_match_rules, exec_prompt, format_secret, open_session

from envref.backends.keychain.entry import LABEL, OWN, USE_A_VAULT, Attributes, Held, locked
from envref.errors import printable
from envref.store_errors import BackendError, BackendInvalid, BackendLocked, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from secretstorage.dhcrypto import Session

    from envref.backends.keychain.entry import KeychainEntry, Sought
    from envref.backends.keychain.session_bus import SessionBus

_BUS_NAME = "org.freedesktop.secrets"
_INTERFACE = "org.freedesktop.Secret."
_SERVICE = DBusAddress("/org/freedesktop/secrets", _BUS_NAME, f"{_INTERFACE}Service")
_DEFAULT = "/org/freedesktop/secrets/aliases/default"
_KEEPASSXC = "org.keepassxc.KeePassXC.MainWindow"
_EXPOSE = "open a database in KeePassXC, whose settings have Secret Service Integration"
_NOTHING = "/"  # the path that stands for no object and no prompt

# The application name that python keyring writes: so an entry that both wrote is one entry, not two.
_APPLICATION = "Python keyring library"
_SCHEMA = "org.freedesktop.Secret.Generic"
_CONTENT = "text/plain"
_REPLACE = True
_UNWATCHED = 5.0  # seconds for a dialog where no terminal shows why it came up: some services want none answered


class Vanished(BackendUnavailable):
    """An object was there a moment ago and is gone: gnome-keyring rereads a keyring that it has just written."""


class _Items(NamedTuple):
    """The items that match an entry, by path."""

    unlocked: list[str]
    locked: list[str]


class Conversation:
    """The questions to the Secret Service within one call."""

    def __init__(self, bus: SessionBus) -> None:
        self._bus = bus
        self._session: Session | None = None

    @property
    def _secured(self) -> Session:
        """The encrypted session, opened on first use."""
        if self._session is None:
            self._session = open_session(self._bus)
        return self._session

    def first_name(self, names: Sequence[str]) -> str:
        (borne,), (startable,) = self._bus.ask_all([message_bus.ListNames(), message_bus.ListActivatableNames()])
        return next((name for name in names if name in {*borne, *startable}), "")

    def read_many(self, entries: Sequence[Sought]) -> dict[Sought, bytes | BackendError]:
        found = self.search_unlocked(entries)
        several = self.only_one(found)
        newest = {entry: self.newest(items.unlocked) for entry, items in found.items() if items.unlocked}
        values = self.secrets(list(newest.values()))
        dates = self.dates(list(values))
        answers: dict[Sought, bytes | BackendError] = {
            entry: Held.since(values[path], dates[path]) for entry, path in newest.items() if path in values
        }
        unanswered = {entry: items for entry, items in found.items() if entry not in answers}
        return {**answers, **self.why_unanswered(unanswered), **several}

    def modified(self, entries: Sequence[Sought]) -> dict[Sought, int | BackendError]:
        found = self.search(entries)
        several = self.only_one(found)
        dates = self.dates([path for items in found.values() for path in (*items.unlocked, *items.locked)])
        # Of several items that other programs wrote, the one that was changed last counts, as for the value.
        told = {
            entry: max(dates[path] for path in (*items.unlocked, *items.locked))
            for entry, items in found.items()
            if items.unlocked or items.locked
        }
        unseen = [entry for entry in found if entry not in told]
        hidden = dict.fromkeys(unseen, locked()) if unseen and self._locked_default() else {}
        return {**told, **hidden, **several}

    def dates(self, items: Sequence[str]) -> dict[str, int]:
        """When each item was written, in seconds since 1970."""
        answers = self._bus.ask_all([Properties(_item(path)).get("Modified") for path in items])
        return {path: int(date) for path, ((_, date),) in zip(items, answers, strict=True)}

    def only_one(self, found: dict[Sought, _Items]) -> dict[Sought, BackendError]:
        """Leaves envref's own items out where attributes were asked for; the error of each that has several others."""
        several: dict[Sought, BackendError] = {}
        for sought, items in found.items():
            if not isinstance(sought, Attributes):
                continue
            for paths in items:
                paths[:] = [path for path in paths if self.attributes_of(path).get("service") != OWN]
            count = len(set(items.unlocked) | set(items.locked))
            if count > 1:
                says = f'{LABEL}: {count} items have "{printable(str(sought))}"'
                several[sought] = BackendInvalid(says, hint="name more of their attributes")
        return several

    def attributes_of(self, path: str) -> dict[str, str]:
        """The attributes of one item; none where it is gone."""
        answers = self._bus.ask_existing([Properties(_item(path)).get("Attributes")])
        return next((dict(value) for ((_, value),) in answers), {})

    def write(self, entry: KeychainEntry, value: bytes) -> None:
        items = self.search_writable(entry)
        if items:
            self.overwrite(items, value)
        else:
            self.create(entry, value)

    def remove(self, entry: KeychainEntry) -> bool:
        items = self.search_writable(entry)
        self.delete(items)
        return bool(items)

    def accounts(self, service: str) -> list[str]:
        return [item["username"] for item in self.attributes({"service": service}) if "username" in item]

    def search(self, entries: Iterable[Sought]) -> dict[Sought, _Items]:
        asked = [(entry, query) for entry in entries for query in _queries(entry)]
        answers = self._bus.ask_all([_search(query) for _, query in asked])
        found: dict[Sought, _Items] = {}
        for (entry, _), (unlocked, shut) in zip(asked, answers, strict=True):
            items = found.setdefault(entry, _Items([], []))
            items.unlocked.extend(unlocked)
            items.locked.extend(shut)
        return found

    def search_unlocked(self, entries: Sequence[Sought]) -> dict[Sought, _Items]:
        """The items of each entry. If some were locked, asks to unlock them and searches again."""
        found = self.search(entries)
        hidden = [items for items in found.values() if not items.unlocked]
        if not hidden:
            return found
        shut = [*(path for items in hidden for path in items.locked), *self._locked_default()]
        if shut and self._unlock(shut):
            return self.search(entries)
        # The keyring is there now, but may not have been there during the search.
        return {
            **found,
            **self.search([entry for entry, items in found.items() if not (items.unlocked or items.locked)]),
        }

    def search_writable(self, entry: KeychainEntry) -> list[str]:
        """The items of an entry that is about to change; unlocks all of them and the default collection."""
        items = self.search([entry])[entry]
        shut = [*items.locked, *self._locked_default()]
        if shut and not self._unlock(shut):
            raise locked()
        return [*items.unlocked, *items.locked]

    def why_unanswered(self, found: dict[Sought, _Items]) -> dict[Sought, BackendError]:
        """The errors of entries that have no value here and yet can't be called absent."""
        # a locked keyring may hide what it holds
        silent = bool(found and self._locked_default())
        return {entry: locked() for entry, items in found.items() if silent or items.locked or items.unlocked}

    def _locked_default(self) -> list[str]:
        """The default collection, if it is locked. Without a default collection, envref can't say what is there."""
        replies = self._bus.ask_existing([Properties(_collection(_DEFAULT)).get("Locked")])
        if not replies:
            raise self._without_keyring()
        (((_, is_locked),),) = replies
        return [_DEFAULT] if is_locked else []

    def _without_keyring(self) -> BackendError:
        says = f"{LABEL}: the Secret Service has no default keyring"
        if self.first_name([_KEEPASSXC]):
            return Vanished(says, hint=_EXPOSE)
        return Vanished(says, run=USE_A_VAULT)

    def _unlock(self, paths: Sequence[str]) -> bool:
        _, prompt = self._bus.ask(_SERVICE, "Unlock", "ao", paths)
        return self._answered(prompt)

    def _answered(self, prompt: str) -> bool:
        """Whether the service did what was asked, after a dialog if it wants one."""
        if prompt == _NOTHING:
            return True
        add_match_rules(self._bus)
        try:
            with self._bus.within(None if _is_watched() else _UNWATCHED):
                dismissed, _ = exec_prompt(self._bus, prompt)
        except TimeoutError:
            self._bus.say(new_method_call(DBusAddress(prompt, _BUS_NAME, f"{_INTERFACE}Prompt"), "Dismiss"))
            if _is_watched():
                raise
            raise _unanswered() from None
        return not dismissed

    def _finish(self, prompt: str) -> None:
        if not self._answered(prompt):
            raise locked()

    def attributes(self, query: dict[str, str]) -> list[dict[str, str]]:
        """The attributes of every item that matches, locked ones too."""
        ((unlocked, shut),) = self._bus.ask_all([_search(query)])
        wanted = [Properties(_item(path)).get("Attributes") for path in [*unlocked, *shut]]
        return [dict(value) for ((_, value),) in self._bus.ask_existing(wanted)]

    def newest(self, items: Sequence[str]) -> str:
        """The item that was changed last: programs that know other attributes may have written several."""
        if len(items) == 1:
            return items[0]
        dates = self.dates(items)
        return max(items, key=lambda path: (dates[path], path))

    def secrets(self, items: Sequence[str]) -> dict[str, bytes]:
        """The values of unlocked items, by path, in one answer."""
        if not items:
            return {}
        (values,) = self._bus.ask(_SERVICE, "GetSecrets", "aoo", items, self._secured.object_path)
        return {path: self._decrypted(secret) for path, secret in values.items()}

    def _decrypted(self, secret: tuple[str, bytes, bytes, str]) -> bytes:
        _, initial, encrypted, _ = secret
        if not self._secured.encrypted or self._secured.aes_key is None:
            return bytes(encrypted)
        decryptor = Cipher(algorithms.AES(self._secured.aes_key), modes.CBC(bytes(initial))).decryptor()
        padded = decryptor.update(bytes(encrypted)) + decryptor.finalize()
        return padded[: -padded[-1]]

    def overwrite(self, items: Sequence[str], value: bytes) -> None:
        secret = format_secret(self._secured, value, _CONTENT)
        self._bus.ask_all([new_method_call(_item(path), "SetSecret", "(oayays)", (secret,)) for path in items])

    def delete(self, items: Sequence[str]) -> None:
        for (prompt,) in self._bus.ask_existing([new_method_call(_item(path), "Delete") for path in items]):
            self._finish(prompt)

    def create(self, entry: KeychainEntry, value: bytes) -> None:
        attributes = {"service": entry.service, "username": entry.account, "application": _APPLICATION}
        properties = {
            f"{_INTERFACE}Item.Label": ("s", f"Password for '{entry.account}' on '{entry.service}'"),
            f"{_INTERFACE}Item.Attributes": ("a{ss}", {**attributes, "xdg:schema": _SCHEMA}),
        }
        secret = format_secret(self._secured, value, _CONTENT)
        # "replace" also covers an item with these attributes that another process created meanwhile
        arguments = (properties, secret, _REPLACE)
        _, prompt = self._bus.ask(_collection(_DEFAULT), "CreateItem", "a{sv}(oayays)b", *arguments)
        self._finish(prompt)


def _item(path: str) -> DBusAddress:
    return DBusAddress(path, _BUS_NAME, f"{_INTERFACE}Item")


def _collection(path: str) -> DBusAddress:
    return DBusAddress(path, _BUS_NAME, f"{_INTERFACE}Collection")


def _is_watched() -> bool:
    """Whether a person is there who would see a dialog and know why it came up."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(screen) and os.isatty(0) and os.isatty(2)


def _unanswered() -> BackendLocked:
    says = "nobody answered the keychain's dialog"
    return BackendLocked(says, subject=LABEL, advice="in a terminal envref waits longer")


def _search(attributes: dict[str, str]) -> Message:
    return new_method_call(_SERVICE, "SearchItems", "a{ss}", (attributes,))


def _queries(entry: Sought) -> list[dict[str, str]]:
    """The attributes that an item of this entry may have; other programs also write `account`."""
    if isinstance(entry, Attributes):
        return [dict(entry.pairs)]
    names = ("username",) if entry.service == OWN else ("username", "account")
    return [{"service": entry.service, name: entry.account} for name in names]
