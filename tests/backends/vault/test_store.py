"""The vault as a store: the contract, its errors, its file, and what tampering meets."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import types

import pytest

from envref import atomic
from envref.backends.vault import ancestor, contents, conversion, database, lifecycle, passphrase
from envref.backends.vault.store import Vault
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)
from tests.backends.asking import answer_of, soon
from tests.backends.contract import BackendContract
from tests.backends.vaults import PASSPHRASE, address, fill, new_vault, read, unlocked_vault
from tests.backends.words import declared
from tests.conftest import ROOT
from tests.lateness import Stopwatch
from tests.requirements import first_python

VALUES = {"one": "1", "two": "zwei", "three": "drei\n"}


@pytest.fixture(params=["own", "project"])
def path(tmp_path, request):
    """The file of the user's own vault, which SQLite has, or of one in a project, which is read from its bytes."""
    if request.param == "project":
        (tmp_path / ".envref.yaml").write_text("project: app\n")
    return tmp_path / "vault" / "vault.db"


@pytest.fixture
def vault(path, monkeypatch):
    """A vault with three values."""
    return unlocked_vault(path, monkeypatch, VALUES)


def reopened(vault):
    """The same vault as another process sees it."""
    return Vault(vault.name, path=vault.file.path)


@contextlib.contextmanager
def held(vault):
    """Another's write under way, as each kind of vault is kept apart."""
    if vault.file._in_project:
        with atomic.lock(vault.file.path):
            yield
        return
    other = sqlite3.connect(vault.file.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.close()


def statement(path, sql, *arguments):
    """One statement behind envref's back."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(sql, arguments).fetchall()
    connection.close()
    return rows


class TestContract(BackendContract):
    throttles = False

    @pytest.fixture
    def store(self, path, monkeypatch):
        return unlocked_vault(path, monkeypatch)


class TestErrors:
    def test_no_file_is_not_initialized(self, path):
        """Without a file the vault is unavailable, and the cure is `envref vault init`."""
        with pytest.raises(BackendUnavailable) as caught:
            read(Vault("vault", path=str(path)), "one")
        assert caught.value.lines() == ["error: vault: not initialized", "  run: envref vault init"]
        assert not path.parent.exists()

    def test_an_empty_file_is_not_initialized(self, path):
        """What an interrupted `vault init` leaves is no vault that accepts any passphrase."""
        path.parent.mkdir()
        path.touch(mode=0o600)
        with pytest.raises(BackendUnavailable, match="vault: not initialized"):
            fill(Vault("vault", path=str(path)), VALUES)

    def test_a_wrong_passphrase_is_denied(self, vault, monkeypatch):
        """Another passphrase opens nothing, for reading or for writing."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another one")
        with pytest.raises(BackendDenied) as caught:
            read(reopened(vault), "one")
        assert caught.value.lines() == ["error: vault: wrong passphrase"]
        with pytest.raises(BackendDenied, match="vault: wrong passphrase"):
            fill(reopened(vault), {"four": "4"})

    def test_without_a_passphrase_and_a_terminal_it_stays_locked(self, vault, monkeypatch):
        """Nobody is asked where nobody can answer."""
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        with pytest.raises(BackendLocked) as caught:
            read(reopened(vault), "one")
        expected = "vault passphrase required: set ENVREF_VAULT_PASSPHRASE or use an interactive terminal"
        assert caught.value.message == expected

    def test_revisions_need_no_passphrase_and_no_unlocked_vault(self, vault, monkeypatch):
        """Who is locked out can still be told what changed; nothing is decrypted."""
        names = [*map(address, VALUES)]
        before = {key: each.revision for key, each in vault.get_many(names, soon()).items()}
        with vault.file.writing(soon()) as contents:
            contents.lock()
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        assert reopened(vault).revisions([*names, address("absent")], soon()) == before

    def test_a_foreign_name_is_refused(self, vault):
        """The vault has no names but its own; the other addresses are still answered."""
        foreign = Address("", "", foreign="x")
        answers = vault.get_many([foreign, address("one")], soon())
        assert answers[address("one")] == Secret("1")
        assert isinstance(answers[foreign], BackendInvalid)
        assert answers[foreign].message == 'backend "vault" has no foreign names'

    def test_another_programs_database_is_refused(self, path):
        """A SQLite file with other tables is left alone."""
        path.parent.mkdir()
        statement(path, "CREATE TABLE bookmarks(url TEXT)")
        path.chmod(0o600)
        with pytest.raises(BackendInvalid, match="another program's database"):
            read(Vault("vault", path=str(path)), "one")

    def test_a_file_that_is_no_database_is_refused(self, path):
        """Other bytes are named, not overwritten."""
        path.parent.mkdir()
        path.write_bytes(b"not a database" * 100)
        path.chmod(0o600)
        with pytest.raises(BackendInvalid, match="is not a vault"):
            read(Vault("vault", path=str(path)), "one")

    def test_a_newer_format_is_refused(self, vault):
        """A vault of a later envref is not guessed at."""
        statement(vault.file.path, "UPDATE metadata SET value = '3' WHERE key = 'format'")
        with pytest.raises(BackendInvalid, match='format "3" is not known'):
            read(vault, "one")

    def test_a_held_lock_ends_in_a_timeout(self, vault):
        """Another process's transaction is waited for until the deadline, no longer."""
        with held(vault):
            watch = Stopwatch()
            with pytest.raises(BackendTimeout, match=r"vault: no answer within 0\.\d s"):
                vault.set(address("one"), Secret("2"), watch.started + 0.5)
        assert watch.seconds() < 1.5

    def test_a_transaction_of_others_is_waited_for(self, vault):
        """A lock that is released in time is no failure."""
        lock = held(vault)
        lock.__enter__()
        release = threading.Timer(0.3, lambda: lock.__exit__(None, None, None))
        release.start()
        vault.set(address("one"), Secret("2"), soon())
        assert not release.is_alive()
        release.join()
        assert read(vault, "one") == {"one": "2"}


class TestChange:
    def test_all_changes_or_none(self, vault):
        """A value that can't be stored undoes the changes before it."""
        with pytest.raises(BackendInvalid):
            vault.change({address("one"): Secret("new"), address("two"): Secret("\0")}, soon())
        assert read(reopened(vault), *VALUES) == VALUES

    def test_a_change_sets_and_deletes(self, vault):
        """`None` deletes, and deleting what is not there changes nothing else."""
        vault.change({address("one"): None, address("none"): None, address("two"): Secret("2")}, soon())
        assert read(reopened(vault), *VALUES) == {"two": "2", "three": "drei\n"}


class TestFile:
    def test_only_the_owner_can_read_it(self, path, monkeypatch):
        """The file is 0600 in a directory of 0700, whatever the umask."""
        before = os.umask(0)
        new_vault(path, monkeypatch)
        os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_one_file_at_rest(self, vault, path):
        """No journal or log stays beside it, so that copying one file copies the vault."""
        assert [entry.name for entry in path.parent.iterdir()] == ["vault.db"]

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
    def test_a_file_open_to_others_is_refused(self, vault, path, mode):
        """The refusal holds the command that cures it."""
        path.chmod(mode)
        with pytest.raises(BackendDenied) as caught:
            read(vault, "one")
        cure = () if vault.file._in_project else ("chmod", "600", str(path))
        assert caught.value.run == cure, "a mode is no cure for what may have come with a repository"
        assert f"mode {mode:04o}" in caught.value.message

    def test_a_symlink_is_refused(self, vault, path):
        """A link could be turned to another file between two commands."""
        link = path.parent / "link.db"
        link.symlink_to(path)
        with pytest.raises(BackendDenied, match="is not a regular file"):
            read(Vault("vault", path=str(link)), "one")

    def test_a_dangling_symlink_is_not_written_through(self, path, monkeypatch):
        """`vault init` creates nothing where a link points."""
        path.parent.mkdir()
        path.symlink_to(path.parent / "elsewhere.db")
        with pytest.raises(BackendDenied, match="is not a regular file"):
            new_vault(path, monkeypatch)
        assert not (path.parent / "elsewhere.db").exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_anothers_file_is_refused(self, vault, path):
        """A vault that belongs to another user is not read."""
        os.chown(path, 12345, -1)
        with pytest.raises(BackendDenied, match="belongs to another user"):
            read(vault, "one")

    @pytest.mark.parametrize("name", ["a?mode=memory.db", "a#b.db", "a%20b.db", "a b;c.db"])
    def test_a_path_is_a_path(self, tmp_path, monkeypatch, name):
        """Characters with a meaning in SQLite's locations are part of the name."""
        fill(new_vault(tmp_path / name, monkeypatch), VALUES)
        assert [entry.name for entry in tmp_path.iterdir()] == [name]

    def test_a_vault_in_a_git_work_tree_warns(self, tmp_path, monkeypatch):
        """Whoever writes to a vault that could be committed hears of it."""
        (tmp_path / ".git").mkdir()
        vault = new_vault(tmp_path / "sub" / "vault.db", monkeypatch)
        assert vault.warnings == [
            f"the vault {tmp_path}/sub/vault.db lies in the git work tree {tmp_path}; keep it out of commits"
        ]

    def test_default_path(self, home, monkeypatch):
        """ENVREF_CONFIG_DIR, else XDG_CONFIG_HOME, else ~/.config (commands.md 3.1)."""
        places = [Vault("vault").file.path]
        monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg")
        places.append(Vault("vault").file.path)
        monkeypatch.setenv("ENVREF_CONFIG_DIR", "/own")
        places.append(Vault("vault").file.path)
        assert places == [f"{home}/.config/envref/vault.db", "/xdg/envref/vault.db", "/own/vault.db"]

    def test_an_ancestors_place_on_macos(self, home, monkeypatch):
        """On macOS the ancestor's vault is used, with a note, as long as there is none at the usual place."""
        monkeypatch.setattr(sys, "platform", "darwin")
        ancestor = home / "Library" / "Application Support" / "envref" / "vault.db"
        ancestor.parent.mkdir(parents=True)
        ancestor.touch()
        vault = Vault("vault")
        assert vault.file.path == str(ancestor)
        assert vault.warnings == [f"using the vault of an older envref: ~/{ancestor.relative_to(home)}"]
        usual = home / ".config" / "envref" / "vault.db"
        usual.parent.mkdir(parents=True)
        usual.touch()
        assert Vault("vault").file.path == str(usual)

    def test_nothing_readable_is_left_of_a_value(self, vault, path):
        """Neither the database nor a journal holds a value, before or after it is replaced and deleted."""
        marker = "marker-5d1f0c" * 40
        fill(vault, {"secret": marker})
        sealed = statement(path, "SELECT value FROM secrets WHERE key = 'app/secret'")[0][0]
        assert not traces(path, marker)
        assert traces(path, sealed.splitlines()[2])
        fill(vault, {"secret": "another"})
        vault.delete(address("secret"), soon())
        assert not traces(path, marker)
        assert not traces(path, sealed.splitlines()[2]), "not even the ciphertext stays in a free page"

    def test_the_work_factor_is_in_the_header(self, path):
        """An offline guess costs what the vault was made with."""
        lifecycle.initialize(Vault("vault", path=str(path)).file, Secret(PASSPHRASE), 16)
        wrapped = statement(path, "SELECT value FROM metadata WHERE key = 'identity'")[0][0]
        assert read_header(wrapped).splitlines()[1].split()[3] == "16"


def traces(path, text):
    """The files of the vault that hold the text in any of its parts."""
    return [entry.name for entry in path.parent.iterdir() if text.encode()[:40] in entry.read_bytes()]


def read_header(armored):
    import base64

    return base64.b64decode("".join(armored.splitlines()[1:-1])).partition(b"\n---")[0].decode()


def swapped(path, key, other):
    """Puts the whole row of `other` under `key`."""
    value, mac = statement(path, "SELECT value, mac FROM secrets WHERE key = ?", other)[0]
    statement(path, "UPDATE secrets SET value = ?, mac = ? WHERE key = ?", value, mac, key)


def rolled_back(path, key, old):
    statement(path, "UPDATE secrets SET value = ?, mac = ? WHERE key = ?", *old, key)


TAMPERING = {
    "swap": lambda path, key, other, old: swapped(path, key, other),
    "value swap": lambda path, key, other, old: statement(
        path, "UPDATE secrets SET value = (SELECT value FROM secrets WHERE key = ?) WHERE key = ?", other, key
    ),
    "forgery": lambda path, key, other, old: statement(
        path, "UPDATE secrets SET value = replace(value, 'A', 'B') WHERE key = ?", key
    ),
    "deletion": lambda path, key, other, old: statement(path, "DELETE FROM secrets WHERE key = ?", key),
    "renaming": lambda path, key, other, old: statement(
        path, "UPDATE secrets SET key = 'app/other' WHERE key = ?", key
    ),
    "addition": lambda path, key, other, old: statement(
        path, "INSERT INTO secrets SELECT 'app/copy', value, mac FROM secrets WHERE key = ?", key
    ),
    "bytes": lambda path, key, other, old: statement(
        path, "UPDATE secrets SET value = x'ff00', mac = x'ff' WHERE key = ?", key
    ),
    "rollback of the value alone": lambda path, key, other, old: statement(
        path, "UPDATE secrets SET value = ? WHERE key = ?", old[0], key
    ),
    "rollback": lambda path, key, other, old: rolled_back(path, key, old),
}


@pytest.mark.parametrize("key", VALUES)
@pytest.mark.parametrize("kind", TAMPERING)
def test_a_tampered_row_is_detected(vault, path, kind, key):
    """Whatever is done to any one row, its value is never given out, and nothing is written over it."""
    full, other = f"app/{key}", "app/one" if key != "one" else "app/two"
    old = statement(path, "SELECT value, mac FROM secrets WHERE key = ?", full)[0]
    fill(vault, {key: f"new {key}"})
    TAMPERING[kind](path, full, other, old)
    with pytest.raises((BackendInvalid, BackendUnavailable), match=r"changed by something other|decode to UTF-8"):
        raise answer_of(vault, address(key))


@pytest.mark.parametrize("row", ["format", "vault_id", "identity", "generation", "locked"])
def test_tampered_metadata_is_detected(vault, path, row):
    """No row about the vault itself can be changed or removed: the lock, least of all."""
    edits = {"format": "02", "vault_id": "00" * 16, "generation": "1", "locked": "no"}
    before = statement(path, "SELECT value FROM metadata WHERE key = ?", row)[0][0]
    edit = edits.get(row, before.replace("A", "B"))
    statement(path, "UPDATE metadata SET value = ? WHERE key = ?", edit, row)
    with pytest.raises((BackendInvalid, BackendLocked, BackendDenied)):
        raise answer_of(reopened(vault), address("one"))
    statement(path, "DELETE FROM metadata WHERE key = ?", row)
    with pytest.raises((BackendInvalid, BackendLocked, BackendUnavailable)):
        raise answer_of(reopened(vault), address("one"))


def test_an_added_metadata_row_is_detected(vault, path):
    """A row that a later version might obey can't be slipped in."""
    statement(path, "INSERT INTO metadata VALUES ('hook', 'x')")
    with pytest.raises(BackendInvalid, match="changed by something other than envref"):
        read(vault, "one")


def test_one_damaged_value_leaves_the_others_readable(vault, path):
    """Where only a value was changed, its own reference fails and no other."""
    statement(path, "UPDATE secrets SET value = replace(value, 'A', 'B') WHERE key = 'app/two'")
    answers = read(vault, "one", "two", "three")
    assert isinstance(answers.pop("two"), BackendInvalid)
    assert answers == {"one": "1", "three": "drei\n"}


def test_only_the_asked_rows_are_decrypted(vault, monkeypatch):
    """A read of two keys opens two rows, whatever else the vault holds."""
    from envref.backends.vault.format import Keys

    opened, original = [], Keys.open
    monkeypatch.setattr(Keys, "open", lambda self, key, row: opened.append(key) or original(self, key, row))
    read(vault, "one", "three", "none")
    assert opened == ["app/one", "app/three"]


def test_one_key_derivation_a_process(vault, monkeypatch):
    """However often the vault is asked or written, the passphrase is stretched once."""
    from envref.backends.vault import age

    derived, original = [], age.unwrap
    monkeypatch.setattr(age, "unwrap", lambda *arguments: derived.append(1) or original(*arguments))
    fresh = reopened(vault)
    read(fresh, "one")
    fill(fresh, {"four": "4"})
    read(fresh, "one", "two", "four")
    fresh.delete(address("four"), soon())
    assert derived == [1]


def test_a_person_at_the_prompt_holds_nobody_up(vault, monkeypatch):
    """While the passphrase is typed other processes write; what they wrote is then read."""
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")

    def type_slowly(**_):
        fill(vault, {"one": "written meanwhile"})
        return Secret(PASSPHRASE)

    monkeypatch.setattr(passphrase, "asked", lambda **_: Secret(PASSPHRASE))
    read(vault, "one")
    monkeypatch.setattr(passphrase, "asked", type_slowly)
    assert read(reopened(vault), "one") == {"one": "written meanwhile"}


PEAK = """
import sys, time
from tests.backends import peak
from envref.refs.address import Address
from envref.backends.vault.store import Vault
vault = Vault("vault", path=sys.argv[1])
vault.get_many([Address("app", "one")], time.monotonic() + 20)
print(peak.kibibytes())
"""


def test_memory_stays_near_what_scrypt_needs(vault):
    """At work factor 15 scrypt takes 32 MiB; the process as a whole stays below 120."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ENVREF_VAULT_PASSPHRASE": PASSPHRASE}
    script = [sys.executable, "-c", PEAK, vault.file.path]
    result = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert int(result.stdout) < 120 * 1024


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(True, "false", BackendInvalid), (True, "no", BackendLocked), (False, "true", BackendLocked)],
)
def test_the_lock_is_signed(vault, path, before, after, expected):
    """Its row can't be changed: a lock that was taken away is noticed, and any other word for one is a lock."""
    if before:
        lifecycle.lock(vault.file)
    statement(path, "UPDATE metadata SET value = ? WHERE key = 'locked'", after)
    with pytest.raises(expected):
        raise answer_of(reopened(vault), address("one"))


def test_how_sqlite_is_opened(path, vault):
    """The pragmas of security.md 4.3, as the connection that is used has them."""
    connection = database.Disk(str(path), soon()).connection
    names = ("synchronous", "secure_delete", "trusted_schema", "cell_size_check", "temp_store")
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    connection.close()
    extra, memory = 3, 2
    assert found == {
        "synchronous": extra,
        "secure_delete": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "temp_store": memory,
    }


@pytest.mark.parametrize(
    ("pragma", "before", "after"),
    [("secure_delete", 0, 1), ("synchronous", 0, 3), ("trusted_schema", 1, 0), ("temp_store", 1, 2)],
)
def test_every_connection_is_set_up_whatever_the_library_s_defaults_are(pragma, before, after):
    """Debian's SQLite overwrites what is deleted by itself, others don't: a look at the file would tell only there."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA {pragma} = {before}")
    database.prepare(connection)
    assert connection.execute(f"PRAGMA {pragma}").fetchone() == (after,)
    connection.close()


@pytest.mark.parametrize("name", ["v?mode=memory", "v#x", "v%41", "é ü", "v&a=b;c", "v\nw"])
def test_a_path_means_itself_whatever_it_has(tmp_path, name):
    """SQLite is given it as a URI, in which `?`, `#` and `%` have a meaning."""
    path = tmp_path / name
    database.create(str(path))
    opened = database.Disk(str(path), soon())
    opened.begin(soon())
    database.create_tables(opened.connection)
    opened.commit()
    opened.close()
    assert [(each.name, each.stat().st_size > 0) for each in tmp_path.iterdir()] == [(name, True)]


def test_a_vault_in_a_folder_that_is_not_there_is_not_initialized(tmp_path):
    """Nobody could replace what is in no folder; doctor says the one thing that is wrong."""
    [fault] = Vault("vault", path=str(tmp_path / "none" / "v.db")).file.examine(soon())
    assert "not initialized" in fault.message


def fault(code, text="words"):
    """An error of SQLite's with this code."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (sqlite3.SQLITE_NOTADB, BackendInvalid, "vault: /v.db is not a vault"),
        (sqlite3.SQLITE_CORRUPT, BackendInvalid, "vault: /v.db is damaged"),
        (sqlite3.SQLITE_CORRUPT_INDEX, BackendInvalid, "vault: /v.db is damaged"),
        (sqlite3.SQLITE_FULL, BackendUnavailable, "vault: the disk is full"),
        (sqlite3.SQLITE_READONLY, BackendUnavailable, "vault: /v.db can't be written"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, BackendUnavailable, "vault: /v.db can't be written"),
        (sqlite3.SQLITE_CANTOPEN, BackendUnavailable, "vault: /v.db can't be opened"),
        (sqlite3.SQLITE_PERM, BackendDenied, "vault: /v.db can't be opened"),
        (sqlite3.SQLITE_IOERR, BackendUnavailable, "vault: /v.db: words"),
        (sqlite3.SQLITE_BUSY, BackendTimeout, "vault: no answer within 20 s; raise --timeout or the backend's timeout"),
        (sqlite3.SQLITE_LOCKED, BackendTimeout, None),
        (sqlite3.SQLITE_INTERRUPT, BackendTimeout, None),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, BackendTimeout, None),
    ],
)
def test_what_sqlite_says_has_a_meaning(code, kind, message):
    """By its primary code, the lowest byte."""
    error = database.explained(fault(code), "/v.db", 100.0, 120.0)
    assert type(error) is kind
    assert message in (None, error.message)


def test_an_error_without_a_code_says_what_it_says():
    """As the library's own errors have none."""
    error = database.explained(sqlite3.ProgrammingError("closed"), "/v.db", 100.0, 120.0)
    assert (type(error), error.message) == (BackendUnavailable, "vault: /v.db: closed")


@pytest.mark.parametrize(("left", "wait"), [(-1.0, 0.0), (0.0, 0.0), (3.0, 3.0), (20.0, 20.0), (21.0, 20.0)])
def test_others_are_waited_for_to_the_deadline(monkeypatch, left, wait):
    """And twenty seconds at the most."""
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    assert database._wait(100.0 + left) == wait


def test_a_path_without_a_folder_is_here(tmp_path, monkeypatch, vault):
    """For a new vault, and for a copy."""
    monkeypatch.chdir(tmp_path)
    database.create("new.db")
    lifecycle.backup(vault.file, "copy.db")
    assert {"new.db", "copy.db"} <= set(os.listdir())
    assert stat.S_IMODE(os.stat("new.db").st_mode) == stat.S_IMODE(os.stat("copy.db").st_mode) == 0o600
    with pytest.raises(FileExistsError):
        database.create("new.db")
    database.create("below/new.db")
    assert stat.S_IMODE(os.stat("below").st_mode) == 0o700


def test_a_copy_is_on_the_disk_or_not_there(vault, tmp_path, monkeypatch):
    """What fails in the middle leaves nothing."""
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    lifecycle.backup(vault.file, str(tmp_path / "one.db"))
    assert len(synced) == 1

    def fail(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.backup(vault.file, str(tmp_path / "two.db"))
    assert not (tmp_path / "two.db").exists()


def test_without_a_home_there_is_no_usual_place(monkeypatch):
    """The cure names one."""
    monkeypatch.setattr(database, "configuration_path", lambda _: "")
    with pytest.raises(BackendUnavailable) as caught:
        database.default_path([])
    assert caught.value.lines() == ["error: vault: no home directory to keep it in", f"  hint: {database.NO_HOME}"]


def test_the_nearest_folder_that_has_such_an_entry(tmp_path):
    """Of the file's real place; the file's own folder counts, the file itself does not."""
    place = tmp_path / "a/b"
    place.mkdir(parents=True)
    (tmp_path / "a/.one").symlink_to("nowhere")
    (tmp_path / "link").symlink_to(place)
    assert database.folder_above(f"{place}/v.db", ".none", ".one") == str(tmp_path / "a")
    assert database.folder_above(f"{tmp_path}/link/v.db", ".one") == str(tmp_path / "a")
    assert database.folder_above(f"{tmp_path}/a/v.db", ".one") == str(tmp_path / "a")
    assert database.folder_above(f"{place}/v.db", "there is no such name") is None


def test_a_git_work_tree_is_named_once(tmp_path, monkeypatch):
    """However often the vault is written."""
    (tmp_path / ".git").mkdir()
    vault = unlocked_vault(tmp_path / "v.db", monkeypatch)
    fill(vault, {"a": "1"})
    fill(vault, {"a": "2"})
    assert [line.partition(" lies in ")[0] for line in vault.warnings] == [f"the vault {tmp_path}/v.db"]


def test_names_of_another_project_are_not_listed(vault):
    """Nor those that only begin alike."""
    for project in ("apple", "other"):
        vault.set(Address(project, "x"), Secret("x"), soon())
    assert sorted(vault.list("app", soon())) == sorted(VALUES)


def test_deleting_what_is_not_there(vault):
    """An error alone; within a change, none."""
    with pytest.raises(SecretNotFound) as caught:
        vault.delete(address("none"), soon())
    assert caught.value.message == 'vault: secret not found: "app/none"'
    vault.change({address("none"): None, address("one"): None}, soon())
    assert sorted(vault.list("app", soon())) == ["three", "two"]


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    assert declared("vault") == {"asks_beside_data", "keeps_revisions", "carries_project", "transactional"}


def test_sqlite_is_told_all_that_matters(vault, monkeypatch):
    """A location, which some builds take for a file's name unless they are told; no transactions of its own."""
    told, connect = [], database.connect

    def connected(*words, **named):
        told.append((words, named))
        return connect(*words, **named)

    monkeypatch.setattr(database, "connect", connected)
    vault.file.is_locked(soon())
    [(words, named)] = told
    if vault.file._in_project:
        assert (words, named) == ((":memory:",), {"isolation_level": None})
    else:
        assert words == (f"file:{vault.file.path}?mode=rw",)
        assert (named["uri"], named["isolation_level"]) == (True, None)


def test_every_connection_is_set_up(vault, monkeypatch):
    """Also one to a copy in memory; a write of that may be longer than the file, up to its largest size."""
    prepared, limits = [], []
    prepare = database.prepare
    monkeypatch.setattr(database, "prepare", lambda connection: prepared.append(connection) or prepare(connection))
    with vault.file.writing(soon()) as contents:
        limits.append(contents._connection.getlimit(database.LONGEST))
    assert len(prepared) == 1
    if vault.file._in_project:
        assert limits == [256 * 1024 * 1024]


def test_a_revision_is_the_beginning_of_the_signature(vault):
    """Twelve digits, new at each write, with the value and without."""
    before = vault.file.revisions(soon())
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in before.values())
    assert vault.get_many([address("one")], soon())[address("one")].revision == before["app/one"]
    fill(vault, {"one": "1"})
    after = vault.file.revisions(soon())
    assert after["app/one"] != before["app/one"]
    assert after["app/two"] == before["app/two"]


class Rows:
    """A database of one page of so many bytes, whose every other question has these rows."""

    def __init__(self, *rows, size=10):
        self._rows, self._size = rows, size

    def execute(self, query, *_):
        if "PRAGMA page_count" in query:
            return types.SimpleNamespace(fetchone=lambda: (1,))
        if "PRAGMA page_size" in query:
            return types.SimpleNamespace(fetchone=lambda: (self._size,))
        return iter(self._rows)


@pytest.mark.parametrize(
    ("rows", "is_damaged"), [([("abc", "de"), ("f", "ghij")], False), ([("abc", "de"), ("f", "ghijk")], True)]
)
def test_rows_are_no_longer_than_their_file(rows, is_damaged):
    """Crafted pages share their text, and would fill the memory."""
    if is_damaged:
        with pytest.raises(BackendInvalid) as caught:
            list(contents._bounded(Rows(*rows), "SELECT"))
        assert caught.value.lines() == [
            "error: vault: the file is damaged: its rows are longer than the file",
            "  hint: restore a copy of it",
        ]
    else:
        assert list(contents._bounded(Rows(*rows), "SELECT")) == rows


def test_nothing_is_read_before_it_is_opened():
    """By the keys or the passphrase: that would be a fault of envref's own."""
    for sealed in (contents.Contents(Rows(), {}), ancestor.Ancestor(sqlite3.connect(":memory:"), {})):
        if isinstance(sealed, ancestor.Ancestor):
            sealed._connection.execute("CREATE TABLE secrets(key, value)")
            sealed._connection.execute("INSERT INTO secrets VALUES ('k', 'v')")
        with pytest.raises(RuntimeError, match="used before open_with"):
            assert sealed.keys if isinstance(sealed, contents.Contents) else sealed.value("k")


@pytest.mark.parametrize(
    ("locked", "is_locked"),
    [({"locked": "false"}, False), ({"locked": "true"}, True), ({}, True), ({"locked": "x"}, True)],
)
def test_what_is_not_surely_open_is_locked(locked, is_locked):
    """A row that somebody took away does not open it."""
    sealed = contents.Contents(Rows(), locked)
    assert (sealed.locked, sealed.vault_id, sealed.wrapped) == (is_locked, "", "")


@pytest.mark.parametrize("tables", [("metadata",), ("secrets",), ("other",)])
def test_half_of_the_tables_are_another_program_s(tables):
    """None at all is a vault that was not made yet."""
    with pytest.raises(BackendInvalid, match="another program's database"):
        contents.metadata_of(Rows(*((name,) for name in tables)))
    with pytest.raises(BackendUnavailable) as caught:
        contents.metadata_of(Rows())
    assert caught.value.lines() == ["error: vault: not initialized", "  run: envref vault init"]


@first_python
class TestConversion:
    def test_the_old_vault_is_kept_beside_it(self, tmp_path, monkeypatch):
        """Under a name that nothing has."""
        monkeypatch.setattr("time.gmtime", lambda: time.struct_time((2026, 1, 2, 3, 4, 5, 4, 2, 0)))
        copied, path = [], str(tmp_path / "v.db")
        names = [conversion.keep(path, lambda kept, _: copied.append(kept) or os.mkdir(kept)) for _ in range(3)]
        stamp = f"{path}.v1-20260102T030405Z"
        assert names == copied == [stamp, f"{stamp}-2", f"{stamp}-3"]

    def test_a_copy_that_can_t_be_made(self, tmp_path):
        """Ends the conversion, with the system's reason."""

        def fail(*_):
            raise OSError(28, "No space left on device")

        with pytest.raises(BackendUnavailable, match="No space left on device"):
            conversion.keep(str(tmp_path / "v.db"), fail)

    def test_what_does_not_read_back_changes_nothing(self, monkeypatch):
        """The way out is the older envref."""
        monkeypatch.setattr(conversion.age, "DEFAULT_WORK_FACTOR", 10)
        connection = sqlite3.connect(":memory:")
        made = conversion.converted(connection, {"app/a": b"1"}, Secret(PASSPHRASE))
        assert (made.value("app/a"), made.locked) == (b"1", False)
        monkeypatch.setattr(contents.Contents, "value", lambda *_: b"2")
        with pytest.raises(BackendInvalid) as caught:
            conversion.converted(connection, {"app/a": b"1"}, Secret(PASSPHRASE))
        assert caught.value.lines() == [
            "error: vault: the converted values differ from the old ones; nothing was changed",
            "  hint: envref vault export of the older envref still works; please report this",
        ]
