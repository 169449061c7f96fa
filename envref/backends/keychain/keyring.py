"""The keychains that python keyring speaks to: macOS, Windows, KWallet.

envref names the backend class itself. Left to choose (PYTHON_KEYRING_BACKEND, keyringrc.cfg, whatever is installed),
python keyring may take a plain-text file, or a store that forgets (security.md 5.9).
"""

from __future__ import annotations

import base64
import importlib
import re
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from keyring.errors import KeyringLocked

from envref.backends.answer import excerpt, no_answer
from envref.backends.command import run
from envref.backends.keychain.entry import LABEL, OWN, USE_A_VAULT, Attributes, locked
from envref.errors import printable
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envref.backends.keychain.entry import KeychainEntry, Sought

_Result = TypeVar("_Result")


class Library(NamedTuple):
    """A backend class of python keyring, what to set on it, and how the accounts of a service are listed."""

    module: str
    name: str
    accounts: Callable[[Any, str, float], Iterable[str]]
    attributes: dict[str, str] = {}  # noqa: RUF012  # never changed


class KeyringLibrary:
    """The entries of one keychain, through python keyring. A call that hangs is left behind in its thread."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._opened: Any = None

    def read_many(self, entries: Sequence[Sought], deadline: float) -> dict[Sought, bytes | BackendError]:
        return _within(deadline, lambda: self._read_many(entries))

    def modified(self, entries: Sequence[Sought], deadline: float) -> dict[Sought, int | BackendError]:
        """Python keyring tells no dates."""
        del deadline
        told = BackendInvalid("this keychain does not say when an entry was written", subject=LABEL)
        return dict.fromkeys(entries, told)

    def write(self, entry: KeychainEntry, value: bytes, deadline: float) -> None:
        _within(deadline, lambda: self._backend().set_password(entry.service, entry.account, value.decode("utf-8")))

    def remove(self, entry: KeychainEntry, deadline: float) -> bool:
        return _within(deadline, lambda: self._remove(entry))

    def accounts(self, service: str, deadline: float) -> Iterable[str]:
        return _within(deadline, lambda: list(self._library.accounts(self._backend(), service, deadline)))

    def _backend(self) -> Any:  # python keyring's own class
        if self._opened is None:
            found = getattr(importlib.import_module(self._library.module), self._library.name)
            chosen: Any = (
                type(found.__name__, (found,), self._library.attributes) if self._library.attributes else found
            )
            _ = chosen.priority  # raises RuntimeError where the class can't work
            self._opened = chosen()
        return self._opened

    def _read_many(self, entries: Sequence[Sought]) -> dict[Sought, bytes | BackendError]:
        answers: dict[Sought, bytes | BackendError] = {}
        for entry in entries:
            if isinstance(entry, Attributes):
                answers[entry] = _unnamed(entry)
                continue
            value = self._backend().get_password(entry.service, entry.account)
            if value is not None:
                answers[entry] = _decoded(entry, value)
        return answers

    def _remove(self, entry: KeychainEntry) -> bool:
        if self._backend().get_password(entry.service, entry.account) is None:
            return False
        self._backend().delete_password(entry.service, entry.account)
        return True


def _within(deadline: float, call: Callable[[], _Result]) -> _Result:
    """What the call returns or raises, as BackendError; BackendTimeout when it is not back by the deadline."""
    started = time.monotonic()
    outcome: list[_Result | BaseException] = []

    def work() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001  # raised below, in the thread that waits
            outcome.append(error)

    if started < deadline:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(deadline - started)
    if not outcome:
        raise no_answer(LABEL, started, deadline)
    if isinstance(outcome[0], BaseException):
        raise _classified(outcome[0]) from None
    return outcome[0]


def _classified(error: BaseException) -> BaseException:
    if isinstance(error, BackendError) or not isinstance(error, Exception):
        return error
    if isinstance(error, KeyringLocked):
        return locked()
    # each system's library raises its own exceptions, without a common class
    says = excerpt(str(error)) or type(error).__name__
    return BackendUnavailable(f"{LABEL}: {says}", run=USE_A_VAULT)


# envref 1 wrote to the macOS keychain through a Go library that marks how it encoded a value.
_GO_ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "go-keyring-base64:": partial(base64.b64decode, validate=True),
    "go-keyring-encoded:": bytes.fromhex,
}


def _unnamed(entry: Attributes) -> BackendInvalid:
    fact = f'this keychain has no attributes but service and account, not "{printable(str(entry))}"'
    return BackendInvalid(fact, subject=LABEL, advice="write SERVICE/ACCOUNT")


def _decoded(entry: KeychainEntry, value: str) -> bytes:
    mark = next((mark for mark in _GO_ENCODINGS if value.startswith(mark)), "")
    raw = value.encode("utf-8", "surrogatepass")
    if not mark or entry.service != OWN:
        return raw
    try:
        return _GO_ENCODINGS[mark](value.removeprefix(mark))
    except ValueError:  # the user's own value begins like that
        return raw


def _macos_accounts(_: object, service: str, deadline: float) -> Iterable[str]:
    # without -d: attributes only, no value is read and no dialog comes up
    finished = run(["/usr/bin/security", "dump-keychain"], deadline=deadline, label=LABEL)
    return accounts_in_dump(finished.stdout.decode("utf-8", "replace"), service)


def accounts_in_dump(dump: str, service: str) -> list[str]:
    """The accounts of a service's generic passwords in what `security dump-keychain` prints."""
    entries = [dict(_ATTRIBUTE.findall(entry)) for entry in re.split(r"^keychain: ", dump, flags=re.MULTILINE)]
    accounts = [_attribute(entry.get("acct", "")) for entry in entries if _attribute(entry.get("svce", "")) == service]
    return [account for account in accounts if account]


_ATTRIBUTE = re.compile(r'^ +"(acct|svce)"<blob>=(.*)$', re.MULTILINE)


def _attribute(shown: str) -> str:
    """One attribute of the dump. Text that is not plain ASCII is shown there as `0xHEX  "escaped"`."""
    if shown.startswith("0x"):
        return bytes.fromhex(shown[2:].split(maxsplit=1)[0]).decode("utf-8", "replace")
    return shown[1:-1] if shown.startswith('"') else ""


def _wallet_accounts(backend: Any, service: str, _: float) -> Iterable[str]:
    if not backend.connected(service):
        raise KeyringLocked
    return [str(account) for account in backend.iface.entryList(backend.handle, service, backend.appid)]


def _windows_accounts(_: object, service: str, __: float) -> Iterable[str]:
    credentials = importlib.import_module("keyring.backends.Windows").win32cred.CredEnumerate(None, 0)
    ours = (
        entry for entry in credentials if entry["TargetName"] == service or entry["TargetName"].endswith(f"@{service}")
    )
    return [entry["UserName"] for entry in ours]


PLATFORMS = {
    "darwin": Library("keyring.backends.macOS", "Keyring", _macos_accounts),
    "win32": Library("keyring.backends.Windows", "WinVaultKeyring", _windows_accounts),
}

# chosen by the name on the session bus
WALLETS = {
    f"org.kde.{daemon}": Library(
        "keyring.backends.kwallet",
        "DBusKeyring",
        _wallet_accounts,
        {"bus_name": f"org.kde.{daemon}", "object_path": f"/modules/{daemon}"},
    )
    for daemon in ("kwalletd6", "kwalletd5")
}
