"""Vaults for tests: cheap to open, and one of the Go ancestor's format by a writer of its own."""

from __future__ import annotations

import functools
import pathlib
import sqlite3
import tempfile

import pytest

from envref.backends.vault import age, lifecycle
from envref.backends.vault.store import Vault
from envref.refs.address import Address
from envref.secret import Secret
from tests.backends.asking import soon

PASSPHRASE = "correct horse battery"
WORK_FACTOR = 10  # the reader takes it, the commands write 15 at the least: 3 ms instead of 0.1 s


def new_vault(path, monkeypatch):
    """An empty vault made at `path`; the environment has its passphrase."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    vault = Vault("vault", path=str(path))
    lifecycle.initialize(vault.file, Secret(PASSPHRASE), WORK_FACTOR)
    return vault


def unlocked_vault(path, monkeypatch, values=None):
    """A copy of one and the same vault, already unlocked: a hundred tests then stretch a passphrase once."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    content, keys = _template()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    vault = Vault("vault", path=str(path))
    vault.file._keys = keys
    if values:
        fill(vault, values)
    return vault


@functools.cache
def _template():
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as monkeypatch:
        path = pathlib.Path(directory, "vault.db")
        vault = new_vault(path, monkeypatch)
        vault.file.prove_passphrase(soon())
        return path.read_bytes(), vault.file._keys


def forget_typed(monkeypatch):
    """Nobody has typed a passphrase in this process."""
    monkeypatch.setattr("envref.backends.vault.file._typed", {})


def address(key, profile=None):
    return Address("app", key, profile=profile)


def fill(vault, values):
    vault.change({address(key): Secret(value) for key, value in values.items()}, soon())


def read(vault, *keys):
    """The stored text of each key that is there, or its error."""
    answers = vault.get_many([address(key) for key in keys], soon())
    return {found.key: getattr(answer, "reveal", lambda answer=answer: answer)() for found, answer in answers.items()}


def new_ancestor(path, secrets, *, passphrase=PASSPHRASE, locked=False, mode=0o600):
    """A vault as the Go ancestor writes it: WAL journal, text tables, one scrypt for each value (2^15 there)."""

    def encrypted(text):
        return age.wrap(text.encode(), passphrase.encode(), WORK_FACTOR)

    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE secrets (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
    connection.execute("CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
    metadata = {"__envref_verify__": encrypted("envref-vault-ok")} | ({"__envref_locked__": "true"} if locked else {})
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
    rows = {f"app/{key}": encrypted(value) for key, value in secrets.items()}
    connection.executemany("INSERT INTO secrets VALUES (?, ?)", rows.items())
    connection.commit()
    connection.close()
    path.chmod(mode)
    return Vault("vault", path=str(path))
