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
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.asking import soon
from tests.backends.vaults import PASSPHRASE, WORK_FACTOR, address, fill, forget_typed, new_vault, read, unlocked_vault
from tests.requirements import first_python

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

    def test_a_new_identity_ends_the_session_and_rewrites_the_file(self, vault, monkeypatch):
        """What was deleted before is nowhere in it; a session of the old identity would open nothing."""
        ended, compacted = [], []
        monkeypatch.setattr("envref.backends.vault.session.forget", ended.append)
        compact = vault.file.compact
        monkeypatch.setattr(vault.file, "compact", lambda deadline: compacted.append(compact(deadline)))
        identifier = vault.file.identifier(soon())
        lifecycle.rekey(vault.file)
        assert (ended, compacted) == ([identifier], [None])

    def test_a_file_is_rewritten_without_its_free_pages(self, vault):
        """It becomes smaller."""
        vault.change({address(f"key{number}"): Secret("x" * 2000) for number in range(40)}, soon())
        vault.change({address(f"key{number}"): None for number in range(40)}, soon())
        before = os.path.getsize(vault.file.path)
        vault.file.compact(soon())
        assert os.path.getsize(vault.file.path) < before / 2
        assert read(vault, *VALUES) == VALUES


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

    def test_another_program_s_database_is_not_copied(self, tmp_path):
        """Nor one without a vault: a backup is one of a vault."""
        path = tmp_path / "other.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE notes(text)")
        connection.close()
        path.chmod(0o600)
        with pytest.raises(BackendInvalid, match="another program's database"):
            lifecycle.backup(Vault("vault", path=str(path)).file, str(tmp_path / "copy.db"))
        assert os.listdir(tmp_path) == ["other.db"]

    def test_what_the_system_refuses_is_said(self, vault, tmp_path):
        """By the file's name alone, and nothing half is left."""
        (tmp_path / "plain").write_text("")
        with pytest.raises(EnvrefError, match=r"^writing copy\.db: Not a directory$"):
            lifecycle.backup(vault.file, str(tmp_path / "plain/copy.db"))
        with pytest.raises(EnvrefError) as caught:
            lifecycle.backup(vault.file, str(tmp_path / "plain"))
        assert caught.value.lines() == ['error: refusing to overwrite "plain"', "  hint: name another file"]


@first_python
class TestTyped:
    """Who types the passphrase may mistype it."""

    @pytest.fixture
    def typing(self, vault, monkeypatch):
        """Has the person type these, one after the other; what they were asked."""
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        forget_typed(monkeypatch)
        monkeypatch.setattr("envref.backends.vault.session.recall", lambda *_: None)

        def typing(*texts):
            asked, waiting = [], iter(texts)

            def answer(*, beside_data, again):
                asked.append((beside_data, again))
                return Secret(next(waiting))

            monkeypatch.setattr("envref.backends.vault.passphrase.asked", answer)
            return asked

        return typing

    def test_three_times(self, vault, typing):
        """From the second time on the prompt says why; then the vault is open for all of the process."""
        asked = typing("wrong passphrase", "another wrong one", PASSPHRASE)
        other = reopened(vault)
        assert read(other, "one") == {"one": "1"}
        assert asked == [(True, False), (True, True), (True, True)]
        assert read(reopened(vault), "two") == {"two": "zwei\n"}
        assert len(asked) == 3

    def test_not_a_fourth_time(self, vault, typing):
        """Then it is denied."""
        asked = typing("wrong passphrase", "another wrong one", "a third wrong one", PASSPHRASE)
        with pytest.raises(BackendDenied):
            read(reopened(vault), "one")
        assert len(asked) == 3

    def test_nobody_is_asked_for_what_the_environment_has_wrong(self, vault, typing, monkeypatch):
        """The variable would be wrong again."""
        asked = typing(PASSPHRASE)
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "wrong passphrase")
        with pytest.raises(BackendDenied):
            read(reopened(vault), "one")
        assert asked == []

    @pytest.mark.parametrize(("asks", "is_possible", "told"), [(True, True, 1), (True, False, 0), (False, True, 0)])
    def test_who_typed_it_is_told_how_to_type_it_less_often(self, vault, typing, monkeypatch, asks, is_possible, told):
        """Once, where a session can be kept; not by the commands of the vault itself."""
        said = []
        monkeypatch.setattr("envref.streams.inform", said.append)
        monkeypatch.setattr("envref.backends.vault.session.is_possible", lambda: is_possible)
        typing(PASSPHRASE)
        if asks:
            read(reopened(vault), "one")
            read(vault, "two")
        else:
            lifecycle.lock(reopened(vault).file)
        assert said == ["hint: to be asked only once in 8 hours: envref vault unlock --ttl 8h"] * told


@first_python
class TestExamine:
    """What doctor says of a vault; nobody is asked to type."""

    def told(self, vault):
        return [fault.message for fault in reopened(vault).examine(soon())]

    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch):
        forget_typed(monkeypatch)
        monkeypatch.setattr("envref.backends.vault.session.recall", lambda *_: None)

    def test_a_vault_that_is_ready(self, vault):
        """Its passphrase is given and right."""
        assert self.told(vault) == []

    def test_a_wrong_passphrase(self, vault, monkeypatch):
        """It is tried."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "wrong passphrase")
        assert [type(fault) for fault in reopened(vault).examine(soon())] == [BackendDenied]

    def test_a_locked_one(self, vault):
        """Whatever the passphrase is."""
        lifecycle.lock(vault.file)
        assert self.told(vault) == ["vault: locked"]

    @pytest.mark.parametrize("can_be_asked", [True, False])
    def test_one_that_nobody_opens(self, vault, monkeypatch, can_be_asked):
        """Without a passphrase, a session and a terminal."""
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        monkeypatch.setattr("envref.backends.vault.passphrase.can_be_asked", lambda **_: can_be_asked)
        expected = [] if can_be_asked else ["vault: there is no terminal to type the passphrase at"]
        assert self.told(vault) == expected

    def test_a_session_is_enough(self, vault, monkeypatch):
        """Of this vault; another identity is none."""
        with vault.file.reading(soon()) as contents:
            identity = contents.keys.identity_line
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        monkeypatch.setattr("envref.backends.vault.passphrase.can_be_asked", lambda **_: False)
        monkeypatch.setattr("envref.backends.vault.session.recall", lambda *_: identity)
        assert self.told(vault) == []
        with monkeypatch.context() as patch:
            patch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
            lifecycle.rekey(vault.file)
        assert self.told(vault) == ["vault: there is no terminal to type the passphrase at"]

    def test_a_folder_that_others_may_write_to(self, vault, tmp_path):
        """They could replace the vault in it; a sticky one is as good as one's own."""
        for mode, told in ((0o720, "0720"), (0o702, "0702"), (0o755, ""), (0o1777, "")):
            tmp_path.chmod(mode)
            faults = [fault.lines() for fault in reopened(vault).examine(soon())]
            fact = f"is writable by others (mode {told}), who could replace the vault in it"
            assert faults == ([[f"error: vault: {tmp_path} {fact}", f"  run: chmod go-w {tmp_path}"]] if told else [])

    def test_a_vault_that_is_not_there(self, tmp_path):
        """And a folder that is not."""
        for path in (tmp_path / "none.db", tmp_path / "none/none.db"):
            [fault] = Vault("vault", path=str(path)).examine(soon())
            assert fault.message == "vault: not initialized"


def test_a_call_without_time_is_none(vault):
    """To the moment: what begins at its deadline is late."""
    for late in (5.0, 4.0):
        with pytest.raises(BackendTimeout, match="it was not asked"):
            vault.file.begin(5.0, late)
    vault.file.begin(5.0, 5.1)


def test_a_vault_that_can_t_be_made_says_why(tmp_path):
    """With the reason of the system."""
    (tmp_path / "plain").write_text("")
    path = tmp_path / "plain/vault.db"
    with pytest.raises(BackendUnavailable) as caught:
        lifecycle.initialize(Vault("vault", path=str(path)).file, Secret(PASSPHRASE), WORK_FACTOR)
    assert caught.value.message == f"vault: {path}: Not a directory"


def test_the_costs_of_a_new_passphrase_stay_within_limits(vault, monkeypatch):
    """Those of the vault, as far as envref itself would write them."""
    for found, kept in (
        (5, 15),
        (15, 15),
        (17, 17),
        (age.WORK_FACTORS[-1], age.WORK_FACTORS[-1]),
        (40, age.WORK_FACTORS[-1]),
    ):
        monkeypatch.setattr(age, "work_factor_of", lambda _, found=found: found)
        with vault.file.reading(soon()) as contents:
            assert lifecycle._work_factor(contents) == kept


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
