"""KeychainEntry: where a keychain keeps a secret. Also Provider, which every system's keychain is, and their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from envref.errors import Operator
from envref.store_errors import BackendError, BackendLocked, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LABEL = "keychain"
OWN = "envref"  # the service of envref's own entries
_LIST_IT = ("envref", "backend", "add", "vault", "--first")
USE_A_VAULT = ("envref", "vault", "init", Operator("&&"), *_LIST_IT)  # what to do where there is no keychain


class KeychainEntry(NamedTuple):
    """Where a keychain keeps a secret."""

    service: str
    account: str

    def of_service(self, service: str) -> bool:
        return self.service == service

    def __str__(self) -> str:
        return f"service={self.service},account={self.account}"


class Attributes(NamedTuple):
    """The item that has these attributes, whatever others it has. Never one of envref's own service."""

    pairs: tuple[tuple[str, str], ...]

    def of_service(self, service: str) -> bool:
        return ("service", service) in self.pairs

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.pairs)


Sought = KeychainEntry | Attributes


class Held(bytes):
    """A value that a keychain holds, and since when: seconds since 1970, 0 where it does not say."""

    modified = 0

    @classmethod
    def since(cls, value: bytes, modified: int) -> Held:
        held = cls(value)
        held.modified = modified
        return held


class Provider(Protocol):
    """One system's keychain. Every call ends by its deadline, with BackendTimeout."""

    def read_many(self, entries: Sequence[Sought], deadline: float) -> Mapping[Sought, bytes | BackendError]:
        """The value of each entry, or why it can't be read; an entry left out is not there."""
        ...

    def modified(self, entries: Sequence[Sought], deadline: float) -> Mapping[Sought, int | BackendError]:
        """When each entry was written, as `Held` has it, without its value and without unlocking anything."""
        ...

    def write(self, entry: KeychainEntry, value: bytes, deadline: float) -> None: ...

    def remove(self, entry: KeychainEntry, deadline: float) -> bool:
        """Removes the entry; returns whether there was one."""
        ...

    def accounts(self, service: str, deadline: float) -> Iterable[str]:
        """The accounts of all entries of a service."""
        ...


class NoService(BackendUnavailable):
    """There is no keychain here: no session bus, or no keychain on it."""


def no_desktop() -> NoService:
    """The error of commands.md 13, row 2; scripts rely on how it begins."""
    return NoService(
        f"{LABEL}: exec: dbus-launch: not found; no desktop session is available",
        run=USE_A_VAULT,
    )


def locked() -> BackendLocked:
    """The error of commands.md 13, row 3."""
    return BackendLocked("locked", subject=LABEL, advice="unlock your login keyring")
