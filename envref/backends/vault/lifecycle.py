"""What `envref vault` does to a vault as a whole (commands.md 2.8). Nothing here prints."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.answer import as_bytes, as_secret
from envref.backends.vault import age, session
from envref.backends.vault.contents import new_contents
from envref.backends.vault.file import allow_locked
from envref.errors import EnvrefError
from envref.paths import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.backends.vault.ancestor import Ancestor
    from envref.backends.vault.contents import Contents
    from envref.backends.vault.file import VaultFile
    from envref.client import Agent
    from envref.secret import Secret

_PATIENCE = 20.0  # seconds for another process's transaction
_NO_AGENT = "neither the agent nor the kernel keeps an unlock session here; set ENVREF_VAULT_PASSPHRASE_FILE"
_NO_SESSION = (
    "this system keeps no unlock session (containers often deny the kernel's keyring); "
    "write agent: true into your own config, or set ENVREF_VAULT_PASSPHRASE_FILE"
)


class ImportPlan(NamedTuple):
    """What an import adds and changes: full keys."""

    new: list[str]
    changed: list[str]


def exists(vault: VaultFile) -> bool:
    """Whether there is an initialized vault."""
    return vault.exists(_soon())


def prove_passphrase(vault: VaultFile) -> None:
    """Raises BackendDenied if the passphrase is wrong."""
    vault.prove_passphrase(_soon())


def initialize(vault: VaultFile, passphrase: Secret, work_factor: int = age.DEFAULT_WORK_FACTOR) -> bool:
    """Makes an empty vault. False if there is one already; then nothing changes."""
    with vault.creating(_soon()) as connection:
        if connection is None:
            return False
        new_contents(connection, os.urandom(16).hex(), passphrase, work_factor).sign()
    vault.know(passphrase)
    return True


def lock(vault: VaultFile) -> None:
    """Closes the vault to every process until `unlock`. Its unlock session is enough for that, and ends in any case."""
    vault_id = vault.identifier(_soon())
    try:
        with vault.writing(_soon(), allow_locked) as contents:
            if contents.locked:
                raise EnvrefError("vault is already locked")
            contents.lock()
    finally:
        session.forget(vault_id)


def unlock(vault: VaultFile, seconds: int = 0, agent: Agent | None = None) -> None:
    """Opens a locked vault, and keeps it usable without its passphrase for `seconds`; `agent` if that may keep it.

    EnvrefError when there is nothing to do: before the passphrase is asked for.
    """
    if not seconds and not vault.is_locked(_soon()):
        raise EnvrefError("vault is not locked", run=("envref", "vault", "unlock", "--ttl", "8h"))
    vault.prove_passphrase(_soon())
    with vault.writing(_soon(), allow_locked) as contents:
        contents.unlock()
    if not seconds:
        return
    identity = contents.keys.identity_line
    if not session.remember(contents.vault_id, identity, seconds, agent, shown(vault.path)):
        vault.warnings.append(_NO_AGENT if agent else _NO_SESSION)


def change_passphrase(vault: VaultFile, new: Secret) -> None:
    """Encrypts the identity with `new` at the same cost; the values stay as they are."""
    vault.prove_passphrase(_soon())
    with vault.writing(_soon(), allow_locked) as contents:
        contents.wrap(new, _work_factor(contents))


def rekey(vault: VaultFile) -> int:
    """Makes a new identity and seals every value to it again; returns the number of values."""
    passphrase = vault.prove_passphrase(_soon())
    with vault.writing(_soon()) as contents:
        contents.replace_identity(passphrase, _work_factor(contents))
    session.forget(contents.vault_id)
    vault.compact(_soon())
    return len(list(contents.names()))


def upgrade(vault: VaultFile) -> bool:
    """Converts an ancestor's vault; False when it is not one."""
    if not vault.is_ancestor(_soon()):
        return False
    with vault.writing(_soon(), allow_locked):
        return True


def backup(vault: VaultFile, target: str) -> None:
    """A consistent copy of the database; never overwrites."""
    try:
        vault.copy(target, _soon())
    except FileExistsError:
        raise EnvrefError(f'refusing to overwrite "{os.path.basename(target)}"', hint="name another file") from None
    except OSError as error:
        raise EnvrefError(f"writing {os.path.basename(target)}: {error.strerror}") from None


def export(vault: VaultFile) -> dict[str, Secret]:
    """Every value by its full key."""
    with vault.reading(_soon()) as contents:
        values = {key: contents.value(key) for key in sorted(contents.names())}
    return {key: as_secret("vault", value) for key, value in values.items() if value is not None}


def import_all(vault: VaultFile, secrets: Mapping[str, Secret]) -> ImportPlan:
    """Creates or replaces values by full key, in one transaction."""
    with vault.writing(_soon()) as contents:
        difference = _difference(contents, secrets)
        _put(contents, secrets, [*difference.new, *difference.changed])
    return difference


def import_new(vault: VaultFile, secrets: Mapping[str, Secret]) -> ImportPlan:
    """Creates values by full key, in one transaction, and leaves existing ones alone."""
    with vault.writing(_soon()) as contents:
        difference = ImportPlan(_difference(contents, secrets).new, [])
        _put(contents, secrets, difference.new)
    return difference


def compare(vault: VaultFile, secrets: Mapping[str, Secret]) -> ImportPlan:
    """What `import_all` would add and change."""
    with vault.reading(_soon()) as contents:
        return _difference(contents, secrets)


def _difference(contents: Contents | Ancestor, secrets: Mapping[str, Secret]) -> ImportPlan:
    known = set(contents.names())
    new = [key for key in secrets if key not in known]
    changed = [key for key in secrets if key in known and contents.value(key) != as_bytes("vault", secrets[key])]
    return ImportPlan(new, changed)


def _put(contents: Contents, secrets: Mapping[str, Secret], keys: list[str]) -> None:
    for key in keys:
        contents.put(key, as_bytes("vault", secrets[key]))


def _work_factor(contents: Contents) -> int:
    """The vault's work factor, within the limits of what envref writes."""
    found = age.work_factor_of(contents.wrapped)
    return min(max(found, age.WORK_FACTORS[0]), age.WORK_FACTORS[-1])


def _soon() -> float:
    return time.monotonic() + _PATIENCE
