"""Vaults of the Go ancestor: read as they are, converted by the first write."""

from __future__ import annotations

import sqlite3
import stat
import time

import pyrage
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from envref.backends.vault import age, lifecycle
from envref.backends.vault.store import Vault
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.asking import soon
from tests.backends.vaults import PASSPHRASE, address, fill, new_ancestor, read

VALUES = {"one": "1", "two": "zwei\n", "empty": "", "long": "x" * 60_000}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.db"


@pytest.fixture
def vault(path, monkeypatch):
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    return new_ancestor(path, VALUES)


def formats(path):
    """The rows about the vault, and the journal it uses."""
    connection = sqlite3.connect(path)
    metadata = dict(connection.execute("SELECT key, value FROM metadata"))
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return metadata, journal


def kept(path):
    return [entry for entry in path.parent.iterdir() if entry.name.startswith("vault.db.v1-")]


def test_it_is_read_with_its_passphrase(vault, path):
    """Reading and listing change nothing."""
    before = path.read_bytes()
    assert read(vault, "one", "two", "empty", "none") == {"one": "1", "two": "zwei\n", "empty": ""}
    assert sorted(vault.list("app", soon())) == sorted(VALUES)
    assert path.read_bytes() == before
    assert kept(path) == []


def test_one_that_holds_no_proof_of_its_passphrase_is_not_opened(vault, path):
    """What its passphrase opens has to be what the ancestor wrote there."""
    connection = sqlite3.connect(path)
    other = age.wrap(b"anything", PASSPHRASE.encode(), 10)
    connection.execute("UPDATE metadata SET value = ? WHERE key = '__envref_verify__'", (other,))
    connection.commit()
    connection.close()
    with pytest.raises(BackendDenied, match="wrong passphrase"):
        read(Vault("vault", path=str(path)), "one")


def test_a_value_of_any_length_is_read(path, monkeypatch):
    """As the ancestor's own library writes it: several chunks, each with its number."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    content = b"0123456789abcdef" * 5000 + b"end"
    vault = new_ancestor(path, {"empty": ""})
    change(path, "INSERT INTO secrets VALUES ('app/long', ?)", debians(content))
    assert read(vault, "long")["long"].encode() == content
    swapped = debians(b"x" * 200_000).splitlines()
    swapped[2000], swapped[2001] = swapped[2001], swapped[2000]
    change(path, "UPDATE secrets SET value = ? WHERE key = 'app/long'", "\n".join(swapped))
    assert isinstance(vault.get_many([address("long")], soon())[address("long")], BackendInvalid)


def debians(content):
    """The content as an age file of another implementation, at the least cost that it is read with."""
    file_key, salt, nonce = b"k" * 16, b"s" * 16, b"n" * 16
    body = ChaCha20Poly1305(age._scrypt(PASSPHRASE.encode(), salt, 10)).encrypt(bytes(12), file_key, None)
    header = f"{age._VERSION}\n-> scrypt {age._encode(salt)} 10\n{age._encode(body)}\n---".encode()
    mac = f" {age._encode(age._header_mac(file_key, header))}\n".encode()
    cipher = ChaCha20Poly1305(age._derive(file_key, nonce, b"payload"))
    chunks = [content[start : start + 65536] for start in range(0, len(content), 65536)]
    sealed = [
        cipher.encrypt(number.to_bytes(11, "big") + bytes([number == len(chunks) - 1]), chunk, None)
        for number, chunk in enumerate(chunks)
    ]
    text = age._armored(header + mac + nonce + b"".join(sealed))
    assert pyrage.passphrase.decrypt(text.encode(), PASSPHRASE) == content
    return text


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


VERIFIER = "UPDATE metadata SET value = ? WHERE key = '__envref_verify__'"
VALUE = "UPDATE secrets SET value = ? WHERE key = 'app/one'"


@pytest.mark.parametrize(("statement", "told"), [(VERIFIER, "its work factor 21 is above 20"), (VALUE, "decrypted")])
def test_in_a_project_no_file_of_it_may_cost_more_than_envref_writes(vault, path, statement, told):
    """SEC-C1: each of them names its own factor, and is refused before anything is derived."""
    (path.parent / ".envref.yaml").write_text("project: app\n")
    wrapped = age.wrap(b"envref-vault-ok", PASSPHRASE.encode(), 10)
    change(path, statement, age._armored(age._unarmored(wrapped).replace(b" 10\n", b" 21\n", 1)))
    begun = time.process_time()
    with pytest.raises(BackendInvalid, match=told):
        raise Vault("vault", path=str(path)).get_many([address("one")], soon())[address("one")]
    assert time.process_time() - begun < 0.5


def test_a_derivation_ends_with_the_deadline(vault, path):
    """A file of the ancestor's form is no way around it."""
    change(path, VERIFIER, age.wrap(b"envref-vault-ok", PASSPHRASE.encode(), 18))
    begun = time.monotonic()
    with pytest.raises(BackendTimeout, match="no answer within"):
        vault.get_many([address("one")], begun + 0.1)
    assert time.monotonic() - begun < 1


def test_a_wrong_passphrase_is_denied(vault, monkeypatch):
    """The verification token is tried before any value, so that absence is never claimed without the passphrase."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another one")
    with pytest.raises(BackendDenied, match="vault: wrong passphrase"):
        read(vault, "none")
    with pytest.raises(BackendDenied, match="vault: wrong passphrase"):
        fill(vault, {"one": "2"})


def test_its_lock_counts(path, monkeypatch):
    """A vault that the ancestor locked is locked, also while the passphrase is in the environment."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    vault = new_ancestor(path, VALUES, locked=True)
    with pytest.raises(BackendLocked, match="vault: locked"):
        read(vault, "one")
    with pytest.raises(BackendLocked, match="vault: locked"):
        fill(vault, {"one": "2"})
    lifecycle.unlock(vault.file)
    assert read(vault, *VALUES) == VALUES


def test_the_first_write_converts_it(vault, path):
    """Afterwards every value is there in format 2, with the new one; the old vault is kept, for its owner only."""
    fill(vault, {"new": "value"})
    metadata, journal = formats(path)
    assert (metadata["format"], journal) == ("2", "delete")
    assert "__envref_verify__" not in metadata
    assert read(Vault("vault", path=str(path)), *VALUES, "new") == VALUES | {"new": "value"}
    [old] = kept(path)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert read(Vault("vault", path=str(old)), *VALUES) == VALUES
    assert vault.warnings == [f"the vault was converted to format 2; the old one is {old}"]


def test_upgrade_converts_and_keeps_the_lock(path, monkeypatch):
    """`envref vault upgrade` is the same conversion; a locked vault stays locked."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    vault = new_ancestor(path, VALUES, locked=True)
    assert lifecycle.upgrade(vault.file)
    assert formats(path)[0]["locked"] == "true"
    assert not lifecycle.upgrade(vault.file), "the second time there is nothing to convert"
    assert len(kept(path)) == 1


def test_nothing_of_the_old_rows_is_left(vault, path):
    """The weakly stretched ciphertexts are gone from the new file's free pages."""
    connection = sqlite3.connect(path)
    old = connection.execute("SELECT value FROM secrets WHERE key = 'app/one'").fetchone()[0].splitlines()[2]
    connection.close()
    assert old.encode() in path.read_bytes()
    fill(vault, {"new": "value"})
    assert old.encode() not in path.read_bytes()


def test_an_unreadable_value_stops_the_conversion(vault, path):
    """Every value is decrypted before anything is written; one that can't be leaves the vault as it was."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE secrets SET value = 'damaged' WHERE key = 'app/two'")
    connection.close()
    with pytest.raises(BackendInvalid, match='the value of "app/two"'):
        fill(vault, {"new": "value"})
    assert "format" not in formats(path)[0]
    assert kept(path) == []
    assert read(vault, "one", "new") == {"one": "1"}


def test_a_vault_without_token_is_not_initialized(path):
    """The ancestor created the tables before `vault init`; such a file accepts no passphrase."""
    new_ancestor(path, {})
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM metadata")
    connection.close()
    vault = Vault("vault", path=str(path))
    with pytest.raises(BackendUnavailable, match="vault: not initialized"):
        fill(vault, {"one": "1"})
    assert lifecycle.initialize(vault.file, Secret(PASSPHRASE), 15)


def test_the_ancestors_mode_is_refused_with_the_cure(vault, path):
    """The ancestor left its vault readable by everyone."""
    path.chmod(0o644)
    with pytest.raises(BackendDenied) as caught:
        read(vault, "one")
    assert caught.value.run == ("chmod", "600", str(path))


def test_blanks_around_a_value_are_no_part_of_it(vault, path):
    """Its armor may have a line end more, or stand indented: what is in it counts."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE secrets SET value = char(10) || ' ' || value || ' ' || char(10) WHERE key = 'app/one'")
    connection.commit()
    connection.close()
    assert read(vault, "one", "two") == {"one": "1", "two": "zwei\n"}
