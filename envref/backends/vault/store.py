"""The local vault: a SQLite file whose values are encrypted with age. For machines without a keychain."""

from __future__ import annotations

import time

from envref.backends.answer import answered, as_bytes, as_secret, not_found, there
from envref.backends.base import Backend
from envref.store_errors import BackendInvalid, SecretNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from envref.backends.vault.ancestor import Ancestor
    from envref.backends.vault.contents import Contents
    from envref.backends.vault.file import VaultFile
    from envref.client import Agent
    from envref.refs.address import Address
    from envref.secret import Secret
    from envref.store_errors import BackendError


class Vault(Backend):
    """A local file encrypted with age behind one passphrase; for servers, containers and CI.

    `path` is its file, by default `vault.db` in the configuration directory. The caller prints `warnings`.
    """

    type = "vault"
    foreign_names = False
    keeps_revisions = True
    transactional = True
    path_options = ("path",)
    data_options = ("path",)
    read_variables = "ENVREF_VAULT_* ENVREF_CONFIG_DIR XDG_*"

    def __init__(self, name: str, *, path: str = "") -> None:
        super().__init__(name)
        self.warnings: list[str] = []
        self._path = path
        self._file: VaultFile | None = None
        self._agent: Agent | None = None

    def keep_credentials(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def file(self) -> VaultFile:
        """The file itself, for `envref vault`. What it needs is imported only when the vault is really asked."""
        if self._file is None:
            from envref.backends.vault.file import VaultFile

            self._file = VaultFile(self._path, self.warnings, asks_beside_data=self.asks_beside_data)
            self._file.agent = self._agent
        return self._file

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """One key derivation and one snapshot for all; only the rows asked for are decrypted."""
        answers: dict[Address, Secret | BackendError | None] = {
            address: self._foreign() for address in addresses if address.foreign is not None
        }
        own = [address for address in addresses if address.foreign is None]
        if own:
            with self._reading(deadline) as contents:
                # One damaged value is an error of its own: the others can still be read.
                answers |= {address: answered(self._value, contents, address.full_key) for address in own}
        return there(answers)

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """The rows' signatures, which are over the encrypted values: no passphrase, and a locked vault has them too."""
        answers: dict[Address, str | BackendError | None] = {
            address: self._foreign() for address in addresses if address.foreign is not None
        }
        own = [address for address in addresses if address.foreign is None]
        if own:
            known = self.file.revisions(deadline)
            answers |= {address: known.get(address.full_key) for address in own}
        return there(answers)

    def absent(self, address: Address) -> SecretNotFound:
        return not_found("vault", str(address))

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Creates or replaces one value."""
        self.change({address: value}, deadline)

    def delete(self, address: Address, deadline: float) -> None:
        """Raises SecretNotFound when there is nothing to delete."""
        with self.file.writing(deadline) as contents:
            if not contents.remove(self._key(address)):
                raise self.absent(address)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Names of the project's secrets, relative to it."""
        prefix = f"{project}/"
        with self._reading(deadline) as contents:
            return [key.removeprefix(prefix) for key in contents.names() if key.startswith(prefix)]

    def change(self, changes: Mapping[Address, Secret | None], deadline: float) -> None:
        """Makes all changes or none. Deleting what is not there is not an error here."""
        with self.file.writing(deadline) as contents:
            for address, value in changes.items():
                self._apply(contents, self._key(address), value)

    def examine(self, deadline: float) -> Iterable[BackendError]:
        """Who may read or replace the file, whether it is locked, and whether a passphrase opens it."""
        return self.file.examine(deadline)

    def _reading(self, deadline: float) -> AbstractContextManager[Contents | Ancestor]:
        """The vault. Loading its libraries is no time of its own: where sixty shells start at once it takes seconds."""
        begun = time.monotonic()
        file = self.file
        return file.reading(deadline + time.monotonic() - begun)

    def _value(self, contents: Contents | Ancestor, key: str) -> Secret | None:
        raw = contents.value(key)
        return None if raw is None else as_secret("vault", raw, contents.revision(key))

    def _apply(self, contents: Contents, key: str, value: Secret | None) -> None:
        if value is None:
            contents.remove(key)
        else:
            contents.put(key, as_bytes("vault", value))

    def _key(self, address: Address) -> str:
        if address.foreign is not None:
            raise self._foreign()
        return address.full_key

    def _foreign(self) -> BackendInvalid:
        return self._refused("has no foreign names", f"use a key: ref://{self.name}/KEY")
