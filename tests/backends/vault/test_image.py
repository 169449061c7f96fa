"""A vault in a project: read from its bytes, whatever lies beside it or was put into it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from envref.backends.vault import age, lifecycle
from envref.backends.vault.image import Image
from envref.backends.vault.store import Vault
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, BackendTimeout
from tests.backends.asking import soon
from tests.backends.vaults import PASSPHRASE, address, fill, new_ancestor, read, unlocked_vault
from tests.conftest import ROOT
from tests.faults.repositories import crafted_journal
from tests.lateness import Stopwatch
from tests.requirements import others_at_night


@pytest.fixture
def path(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path / "sub" / "vault.db"


@pytest.fixture
def vault(path, monkeypatch):
    return unlocked_vault(path, monkeypatch, {"key": "value"})


def reopened(path):
    return Vault("vault", path=str(path))


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_what_lies_beside_it_is_refused_by_name(vault, path, tmp_path, suffix):
    """And nothing is done to it, nor to the file that it names."""
    victim = tmp_path / "precious"
    victim.write_text("precious")
    beside = path.with_name(path.name + suffix)
    beside.write_bytes(crafted_journal(path.read_bytes(), victim))
    beside.chmod(0o600)
    for use in (lambda: read(reopened(path), "key"), lambda: fill(reopened(path), {"key": "new"})):
        with pytest.raises(BackendInvalid, match=f"vault.db{suffix} lies beside the vault"):
            use()
    assert victim.exists()
    assert beside.exists()


@pytest.mark.usefixtures("vault")
def test_a_write_that_was_given_up_keeps_nobody_waiting(path):
    """Though somebody still has the image of it, as a traceback may."""
    given_up, next_one = Image(str(path), soon()), Image(str(path), soon())
    given_up.begin(soon())
    with pytest.raises(BackendTimeout):
        next_one.begin(soon(0.1))
    given_up.close()
    next_one.begin(soon())
    next_one.close()


def test_the_crafted_journal_works(vault, path, tmp_path):
    """SQLite on the file does delete what it names, or the test above would show nothing."""
    victim = tmp_path / "precious"
    victim.write_text("precious")
    path.with_name(f"{path.name}-journal").write_bytes(crafted_journal(path.read_bytes(), victim))
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM sqlite_schema")
    connection.close()
    assert not victim.exists()


def test_a_write_leaves_nothing_but_the_file(vault, path):
    """No journal, no log, no lock, and the file stays its owner's."""
    fill(reopened(path), {"other": "2"})
    assert os.listdir(path.parent) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(reopened(path), "key", "other") == {"key": "value", "other": "2"}


def test_what_does_not_end_in_a_commit_changes_nothing(vault, path):
    """The file is the very same one."""
    before = path.stat()
    with pytest.raises(BackendInvalid):
        reopened(path).change({address("key"): Secret("new"), address("other"): Secret("\0")}, soon())
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_second_init_touches_nothing(vault, path):
    """There is a vault already."""
    before = path.stat()
    assert not lifecycle.initialize(reopened(path).file, Secret("another passphrase"), 15)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_ancestor_s_vault_is_read_and_converted(path, monkeypatch):
    """Its header asks for a write-ahead log, which no copy in memory has."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    path.parent.mkdir()
    new_ancestor(path, {"key": "value"})
    assert read(reopened(path), "key") == {"key": "value"}
    fill(reopened(path), {"new": "1"})
    assert read(reopened(path), "key", "new") == {"key": "value", "new": "1"}


FOREIGN = {
    "generated": "ALTER TABLE secrets ADD COLUMN more TEXT GENERATED ALWAYS AS (hex(zeroblob(300000000)))",
    "view": "CREATE VIEW more AS SELECT hex(zeroblob(300000000)) AS key",
    "trigger": "CREATE TRIGGER more AFTER INSERT ON secrets BEGIN DELETE FROM secrets; END",
    "index": "CREATE INDEX more ON secrets(hex(value))",
    "table": "CREATE TABLE more(a)",
    "virtual": "CREATE VIRTUAL TABLE more USING fts5(a)",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_sqlite_would_compute_is_refused(vault, path, kind):
    """Before any row is read, and so before any passphrase."""
    connection = sqlite3.connect(path)
    connection.execute(FOREIGN[kind])
    connection.commit()
    connection.close()
    with pytest.raises(BackendInvalid, match="another program's database"):
        read(reopened(path), "key")


def test_a_generated_mac_is_refused(vault, path):
    """300 MB for each row of a small file."""
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE secrets; CREATE TABLE secrets(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL,"
        " mac TEXT GENERATED ALWAYS AS (hex(zeroblob(300000000)))); INSERT INTO secrets(key, value) VALUES ('a', 'b')"
    )
    connection.close()
    with pytest.raises(BackendInvalid, match="another program's database"):
        read(reopened(path), "key")


def test_a_costly_vault_is_refused_before_any_derivation(vault, path, monkeypatch):
    """A factor that no command of envref writes; the user's own vault may have it."""
    monkeypatch.setattr(age, "_scrypt", lambda *_arguments: pytest.fail("derived"))
    connection = sqlite3.connect(path)
    [wrapped] = connection.execute("SELECT value FROM metadata WHERE key = 'identity'").fetchone()
    costly = age._armored(age._unarmored(wrapped).replace(b" 10\n", b" 21\n", 1))
    connection.execute("UPDATE metadata SET value = ? WHERE key = 'identity'", (costly,))
    connection.commit()
    connection.close()
    with pytest.raises(BackendInvalid, match="its work factor 21 is above 20"):
        read(reopened(path), "key")


def test_no_mode_is_the_cure(vault, path):
    """`chmod 600` would make SQLite's own files of a repository acceptable."""
    path.chmod(0o644)
    with pytest.raises(BackendDenied) as caught:
        read(reopened(path), "key")
    assert not caught.value.run
    assert "leave path out" in caught.value.hint


def test_a_vault_in_a_project_has_a_largest_size(vault, path, monkeypatch):
    """It is read whole; what has just that size is read."""
    fill(vault, {"key": "v"})
    monkeypatch.setattr("envref.backends.vault.image._LARGEST", path.stat().st_size)
    assert read(reopened(path), "key") == {"key": "v"}
    monkeypatch.setattr("envref.backends.vault.image._LARGEST", path.stat().st_size - 1)
    with pytest.raises(BackendInvalid, match="that a vault in a project may have"):
        read(reopened(path), "key")


SLOW = 19  # half a gigabyte, more than a second


@pytest.fixture
def slow(path, monkeypatch):
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    vault = reopened(path)
    lifecycle.initialize(vault.file, Secret(PASSPHRASE), SLOW)
    return reopened(path)


def test_a_derivation_ends_with_the_deadline(slow):
    """scrypt is one call of a C library, which nothing can leave: it is left behind."""
    watch = Stopwatch()
    with pytest.raises(BackendTimeout, match=r"no answer within 0\.[12] s"):
        slow.get_many([address("key")], time.monotonic() + 0.2)
    assert watch.seconds() < 1.2


INTERRUPTED = """
import sys, time
from envref.backends.vault.store import Vault
from envref.refs.address import Address
print("begins", flush=True)
Vault("vault", path=sys.argv[1]).get_many([Address("app", "key")], time.monotonic() + 60)
"""


@others_at_night
def test_a_derivation_can_be_interrupted(slow):
    """An interrupt ends the process while scrypt is at work."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = [sys.executable, "-c", INTERRUPTED, slow.file.path]
    with subprocess.Popen(script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.5)
        watch = Stopwatch()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert watch.seconds() < 1
    assert b"KeyboardInterrupt" in errors


def test_the_queue_is_not_the_vault_s_time(vault, path, monkeypatch):
    """Who waits for others' derivations longer than the store's time limit still gets an answer."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(age, "_scrypt", _slowed(age._scrypt, 0.4))
    answers = []

    def ask():
        answers.append(reopened(path).get_many([address("key")], time.monotonic() + 0.8))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer[address("key")].reveal() for answer in answers] == ["value"] * 4


def _slowed(derive, seconds):
    def slowed(*arguments):
        time.sleep(seconds)
        return derive(*arguments)

    return slowed


def test_a_store_whose_time_is_up_says_so(vault):
    """ "no answer within 0 s" would be no reason."""
    with pytest.raises(BackendTimeout, match="its time was used up before"):
        vault.get_many([address("key")], time.monotonic() - 1)
