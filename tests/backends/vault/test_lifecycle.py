"""What `envref vault` does to a vault as a whole."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest

from envref.backends.vault import age, lifecycle
from envref.backends.vault.store import Vault
from envref.errors import EnvrefError
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendUnavailable
from tests.backends.asking import soon
from tests.backends.vaults import PASSPHRASE, WORK_FACTOR, address, fill, new_vault, read, unlocked_vault

VALUES = {"one": "1", "two": "zwei\n", "empty": ""}


@pytest.fixture
def vault(tmp_path, monkeypatch):
    return unlocked_vault(tmp_path / "vault.db", monkeypatch, VALUES)


def reopened(vault):
    return Vault("vault", path=vault.file.path)


def metadata(vault):
    connection = sqlite3.connect(vault.file.path)
    rows = dict(connection.execute("SELECT key, value FROM metadata"))
    connection.close()
    return rows


def secrets(values):
    return {f"app/{key}": Secret(value) for key, value in values.items()}


class TestInitialize:
    def test_a_second_time_changes_nothing(self, vault):
        """A vault that is there is never replaced, whatever the passphrase."""
        before = metadata(vault)
        assert not lifecycle.initialize(reopened(vault).file, Secret("another passphrase"), 15)
        assert metadata(vault) == before
        assert vault.file.exists(soon())

    def test_what_is_stored(self, vault):
        """The metadata rows of security.md 4.3 and no others; the file says what it is."""
        rows = metadata(vault)
        assert sorted(rows) == ["format", "generation", "identity", "locked", "manifest", "vault_id"]
        assert (rows["format"], rows["locked"], rows["generation"]) == ("2", "false", "2")
        connection = sqlite3.connect(vault.file.path)
        pragmas = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode")
        ]
        connection.close()
        assert pragmas == [0x656E7672, 2, "delete"]

    def test_who_made_it_is_not_asked_again(self, tmp_path, monkeypatch):
        """He has just given the passphrase."""
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE", raising=False)
        vault = Vault("vault", path=str(tmp_path / "new.db"))
        assert lifecycle.initialize(vault.file, Secret(PASSPHRASE), WORK_FACTOR)
        fill(vault, VALUES)
        assert read(vault, *VALUES) == VALUES

    def test_the_default_work_factor(self, tmp_path):
        """A vault costs 2^17 unless it is told otherwise."""
        vault = Vault("vault", path=str(tmp_path / "default.db"))
        lifecycle.initialize(vault.file, Secret(PASSPHRASE))
        assert age.work_factor_of(metadata(vault)["identity"]) == 17

    def test_what_a_kill_left_is_completed(self, tmp_path, monkeypatch):
        """An empty file of an interrupted init becomes a vault."""
        path = tmp_path / "vault.db"
        path.touch(mode=0o600)
        assert not Vault("vault", path=str(path)).file.exists(soon())
        fill(new_vault(path, monkeypatch), VALUES)


class TestLock:
    def test_locked_means_every_operation_fails(self, vault):
        """Reading, writing, listing, export and import, although the passphrase is known."""
        lifecycle.lock(vault.file)
        for operation in (
            lambda: read(reopened(vault), "one"),
            lambda: fill(vault, {"one": "2"}),
            lambda: vault.delete(address("one"), soon()),
            lambda: list(vault.list("app", soon())),
            lambda: lifecycle.export(vault.file),
            lambda: lifecycle.import_all(vault.file, secrets(VALUES)),
            lambda: lifecycle.rekey(vault.file),
        ):
            with pytest.raises(BackendLocked) as caught:
                operation()
            assert caught.value.lines() == ["error: vault: locked", "  run: envref vault unlock"]
        lifecycle.unlock(vault.file)
        assert read(reopened(vault), *VALUES) == VALUES

    def test_twice_is_an_error(self, vault):
        """`lock` on a locked and `unlock` on an open vault say so."""
        with pytest.raises(EnvrefError, match=r"^vault is not locked$"):
            lifecycle.unlock(vault.file)
        lifecycle.lock(vault.file)
        with pytest.raises(EnvrefError, match=r"^vault is already locked$"):
            lifecycle.lock(vault.file)

    def test_both_need_the_passphrase(self, vault, monkeypatch):
        """A wrong passphrase neither locks nor unlocks."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another passphrase")
        with pytest.raises(BackendDenied):
            lifecycle.lock(reopened(vault).file)
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        lifecycle.lock(vault.file)
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another passphrase")
        with pytest.raises(BackendDenied):
            lifecycle.unlock(reopened(vault).file)

    def test_a_flipped_lock_does_not_open(self, vault):
        """Editing the lock by hand is tampering."""
        lifecycle.lock(vault.file)
        with sqlite3.connect(vault.file.path) as connection:
            connection.execute("UPDATE metadata SET value = 'false' WHERE key = 'locked'")
        connection.close()
        with pytest.raises(BackendInvalid, match="changed by something other than envref"):
            read(reopened(vault), "one")


class TestKeys:
    def test_a_new_passphrase(self, tmp_path, monkeypatch):
        """The old one opens nothing any more; rows and work factor stay."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        vault = Vault("vault", path=str(tmp_path / "vault.db"))
        lifecycle.initialize(vault.file, Secret(PASSPHRASE), 16)
        fill(vault, VALUES)
        before = metadata(vault)["identity"]
        lifecycle.change_passphrase(vault.file, Secret("another passphrase"))
        with pytest.raises(BackendDenied):
            read(reopened(vault), "one")
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another passphrase")
        assert read(reopened(vault), *VALUES) == VALUES
        after = metadata(vault)["identity"]
        assert after != before
        assert age.work_factor_of(after) == 16

    def test_a_new_identity(self, vault):
        """`rekey` seals every value again; an identity that leaked opens none of them."""
        with vault.file.reading(soon()) as contents:
            old = contents.keys.identity_line
        assert lifecycle.rekey(vault.file) == 3
        with vault.file.reading(soon()) as contents:
            assert contents.keys.identity_line != old
        assert read(reopened(vault), *VALUES) == VALUES

    def test_another_process_follows_a_new_identity(self, vault):
        """Keys that were derived before a rekey of another process are derived again, not reported as tampering."""
        other = reopened(vault)
        assert read(other, "one") == {"one": "1"}
        lifecycle.rekey(vault.file)
        assert read(other, "one") == {"one": "1"}
        fill(other, {"one": "2"})
        assert read(vault, "one") == {"one": "2"}


class TestBackup:
    def test_a_copy_opens_with_the_same_passphrase(self, vault, tmp_path):
        """It is whole, its owner's only, and needs no passphrase to make."""
        target = tmp_path / "copies" / "copy.db"
        lifecycle.backup(vault.file, str(target))
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert read(Vault("vault", path=str(target)), *VALUES) == VALUES

    def test_nothing_is_overwritten(self, vault, tmp_path):
        """A file that is there stays as it is."""
        target = tmp_path / "copy.db"
        target.write_text("precious")
        with pytest.raises(EnvrefError, match="refusing to overwrite"):
            lifecycle.backup(vault.file, str(target))
        assert target.read_text() == "precious"

    def test_without_a_vault_there_is_no_copy(self, tmp_path):
        """No empty backup is left where there was nothing to copy."""
        target = tmp_path / "copy.db"
        with pytest.raises(BackendUnavailable, match="vault: not initialized"):
            lifecycle.backup(Vault("vault", path=str(tmp_path / "none.db")).file, str(target))
        assert os.listdir(tmp_path) == []


class TestImport:
    def test_export_and_import_are_inverse(self, vault, tmp_path, monkeypatch):
        """What one vault exports another imports, profile scopes and all."""
        vault.set(address("one", "staging"), Secret("staging"), soon())
        exported = lifecycle.export(vault.file)
        assert list(exported) == ["app/empty", "app/one", "app/staging/one", "app/two"]
        other = unlocked_vault(tmp_path / "other.db", monkeypatch)
        assert lifecycle.import_all(other.file, exported) == (list(exported), [])
        assert lifecycle.export(reopened(other).file) == exported

    def test_new_and_changed_are_told_apart(self, vault):
        """An equal value is neither; `import_new` leaves existing values alone; `compare` writes nothing."""
        incoming = secrets({"one": "1", "two": "2", "three": "3"})
        assert lifecycle.compare(vault.file, incoming) == (["app/three"], ["app/two"])
        assert lifecycle.import_new(vault.file, incoming) == (["app/three"], [])
        assert read(vault, "one", "two", "three") == {"one": "1", "two": "zwei\n", "three": "3"}
        assert lifecycle.import_all(vault.file, incoming) == ([], ["app/two"])
        assert read(vault, "two") == {"two": "2"}

    def test_one_transaction(self, vault):
        """A value that can't be stored undoes the whole import."""
        incoming = secrets({"new": "1"}) | {"app/bad": Secret("\0")}
        with pytest.raises(BackendInvalid):
            lifecycle.import_all(vault.file, incoming)
        assert read(reopened(vault), "new", *VALUES) == VALUES
