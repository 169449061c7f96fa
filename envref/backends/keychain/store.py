"""The operating system's own keychain, chosen by platform and never by configuration (security.md 5.9)."""

from __future__ import annotations

import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from envref.backends.answer import answered, as_bytes, as_secret, no_answer, not_found, there
from envref.backends.base import Backend, Package
from envref.backends.keychain.entry import LABEL, OWN, Held, KeychainEntry, NoService, Provider, no_desktop
from envref.backends.keychain.name import likeliest, meant
from envref.backends.revision import revision
from envref.errors import printable
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.backends.keychain.entry import Sought
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address
    from envref.secret import Secret

_INDEX = "__envref_key_index__"  # where envref 1 kept the names of its entries, as a JSON array


_Result = TypeVar("_Result")

# The system's keychain allows one dialog at a time, and some of its libraries only one call.
_turn = threading.Lock()


class Keychain(Backend):
    """The operating system's keychain: macOS Keychain, Secret Service, KWallet or Windows Credential Manager"""

    type = "keychain"
    others = ("ref+keychain://",)
    tools = ("keychain", "keyring")
    packages = (Package("libsecret", systems=("x86_64-linux", "aarch64-linux")),)  # macOS comes with /usr/bin/security
    read_variables = "DBUS_* XDG_* DISPLAY WAYLAND_DISPLAY"
    keeps_revisions = True
    yields_elsewhere = True
    asks_person = "answer the keychain's dialog"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._provider: Provider | None = None

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """Service and account. A foreign name without an account means the login name of whoever asks."""
        if address.foreign is None:
            return OWN, address.full_key
        self._wanted(address)
        return likeliest(address.foreign)

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `service`, `prefix`, `value`; SecretSpec: `item`, `field`; words of `security` and `secret-tool`."""
        words = said.get("command", "").split("\0")
        if words[:2] == ["security", "find-generic-password"]:
            options = dict(pairwise(words[2:]))
            account = options.get("-a", "")
            return (f"{options.get('-s', '')}/{account}" if account[:1] not in ("", "$") else options.get("-s", "")), {}
        if words[:2] == ["secret-tool", "lookup"]:
            pairs = dict(zip(words[2::2], words[3::2], strict=False))
            return ",".join(f"{name}={value}" for name, value in pairs.items() if value[:1] != "$"), {}
        if said.get("value"):
            return f"{said.get('service', '')}/{said.get('prefix', '')}{said['value']}", {}
        return "/".join(filter(None, [said.get("item"), said.get("field")])), {}

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        service, account = map(wanted.word, wanted.location)
        if not wanted.location[1]:
            account = '"${USER:-}"'
        attribute = "account" if wanted.is_foreign else "username"
        guard = wanted.guard(*wanted.location)
        return wanted.by(
            f"secret-tool lookup {guard}service {service} {attribute} {account}",
            macos=f"/usr/bin/security find-generic-password -a {account} -s {service} -w",
        )

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        wanted = {address: answered(self._wanted, address) for address in addresses}
        asked = {each: None for entries in wanted.values() if not isinstance(entries, BackendError) for each in entries}
        found = self._ask(lambda provider: provider.read_many(list(asked), deadline), deadline) if asked else {}
        return there({address: answered(_value, address, entries, found) for address, entries in wanted.items()})

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """When each item was written, to the second: the Secret Service tells that of a locked keyring too."""
        wanted = {address: answered(self._wanted, address) for address in addresses}
        asked = {each: None for entries in wanted.values() if not isinstance(entries, BackendError) for each in entries}
        found = self._ask(lambda provider: provider.modified(list(asked), deadline), deadline) if asked else {}
        return there({address: _revision(entries, found) for address, entries in wanted.items()})

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        entry, raw = _entry(address), as_bytes(LABEL, value)

        def write(provider: Provider) -> Mapping[Sought, bytes | BackendError]:
            provider.write(entry, raw, deadline)
            return provider.read_many([entry], deadline)

        if self._ask(write, deadline).get(entry) != raw:
            raise BackendUnavailable(
                f'{LABEL}: "{printable(str(address))}" does not read back as it was set',
                hint="try again; a very long value needs another store",
            )

    def delete(self, address: Address, deadline: float) -> None:
        if not self._ask(lambda provider: provider.remove(_entry(address), deadline), deadline):
            raise self.absent(address)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        accounts = self._ask(lambda provider: _all_accounts(provider, deadline), deadline)
        prefix = f"{project}/"
        return [account.removeprefix(prefix) for account in accounts if account.startswith(prefix)]

    def _wanted(self, address: Address) -> Sequence[Sought]:
        """The items that an address may mean. BackendInvalid for one of envref's own by another way."""
        if address.foreign is None:
            return [_entry(address)]
        found = meant(address.foreign)
        if any(each.of_service(OWN) for each in found):
            raise self._own_service()
        return found

    def _own_service(self) -> BackendInvalid:
        return BackendInvalid(f'{LABEL}: service "{OWN}" is envref\'s own; use ref://{self.name}/KEY')

    def _ask(self, question: Callable[[Provider], _Result], deadline: float) -> _Result:
        """Asks this system's keychain, one caller at a time."""
        started = time.monotonic()
        if not _turn.acquire(timeout=max(0.0, deadline - started)):
            raise no_answer(LABEL, started, deadline)
        try:
            return self._ask_in_turn(question, deadline)
        finally:
            _turn.release()

    def _ask_in_turn(self, question: Callable[[Provider], _Result], deadline: float) -> _Result:
        if self._provider is None:
            self._provider = _standard_provider()
        try:
            return question(self._provider)
        except NoService:
            self._provider = _wallet(deadline)
        return question(self._provider)


def _standard_provider() -> Provider:
    if sys.platform in ("darwin", "win32"):
        from envref.backends.keychain.keyring import PLATFORMS, KeyringLibrary

        return KeyringLibrary(PLATFORMS[sys.platform])
    from envref.backends.keychain.secret_service import SecretService

    return SecretService()


def _wallet(deadline: float) -> Provider:
    """KWallet, for desktops that have nothing else. NoService where KWallet is missing."""
    from envref.backends.keychain.keyring import WALLETS, KeyringLibrary
    from envref.backends.keychain.secret_service import first_name

    name = first_name(list(WALLETS), deadline)
    if not name:
        raise no_desktop()
    return KeyringLibrary(WALLETS[name])


def _entry(address: Address) -> KeychainEntry:
    """The entry of envref's own that is written. BackendInvalid for a name that is not."""
    if address.foreign is not None:
        raise BackendInvalid(f'{LABEL}: "{printable(address.foreign)}" is a foreign name, which is only read')
    return KeychainEntry(OWN, address.full_key)


def _value(
    address: Address,
    entries: Sequence[Sought] | BackendError,
    found: Mapping[Sought, bytes | BackendError],
) -> Secret | None:
    """The one value that is there; None where none is. Raises BackendError."""
    if isinstance(entries, BackendError):
        raise entries
    held = {entry: found[entry] for entry in entries if entry in found}
    values = {entry: value for entry, value in held.items() if not isinstance(value, BackendError)}
    if len(values) > 1:
        ways = " or ".join(map(str, values))
        raise BackendInvalid(
            f'{LABEL}: "{printable(str(address))}" may mean several items', hint=f"write {printable(ways)}"
        )
    for error in held.values():
        if isinstance(error, BackendError) and not values:
            raise error
    return next((as_secret(LABEL, value, _since(value)) for value in values.values()), None)


def _since(value: bytes) -> str:
    return revision(written=value.modified) if isinstance(value, Held) and value.modified else ""


def _revision(
    entries: Sequence[Sought] | BackendError, found: Mapping[Sought, int | BackendError]
) -> str | BackendError | None:
    if isinstance(entries, BackendError):
        return entries
    held = [found[entry] for entry in entries if entry in found]
    dates = [date for date in held if not isinstance(date, BackendError)]
    if dates:
        return revision(written=max(dates))
    return next((error for error in held if isinstance(error, BackendError)), None)


def _all_accounts(provider: Provider, deadline: float) -> Iterable[str]:
    """The accounts that the keychain lists, and those in envref 1's index that it has but doesn't list."""
    listed = dict.fromkeys(provider.accounts(OWN, deadline))
    if _INDEX not in listed:
        return listed
    index = KeychainEntry(OWN, _INDEX)
    names = _names(provider.read_many([index], deadline).get(index))
    unlisted = [KeychainEntry(OWN, name) for name in names if name not in listed]
    held = provider.read_many(unlisted, deadline) if unlisted else {}
    return [name for name in (*listed, *(entry.account for entry in unlisted if entry in held)) if name != _INDEX]


def _names(index: bytes | BackendError | None) -> list[str]:
    """The names in envref 1's index; none when it can't be read, because it only adds to what the keychain lists."""
    import json

    if not isinstance(index, bytes):
        return []
    try:
        names = json.loads(index)
    except ValueError:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
