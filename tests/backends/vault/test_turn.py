"""Turns at scrypt: nobody's time is used up by those before them (SEC-C2)."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
import types

import pytest

from envref.backends.vault import lifecycle, turn
from envref.backends.vault.store import Vault
from envref.paths import state_path
from envref.secret import Secret
from envref.store_errors import BackendTimeout
from tests.arguments import PYTHONPATH
from tests.backends.asking import soon
from tests.backends.vaults import PASSPHRASE, address, fill, new_vault
from tests.nightly import at_night


@pytest.fixture
def busy(home):
    """Has every turn; call it to give them back."""
    folder = state_path("turns", environment={"HOME": str(home)})
    os.makedirs(folder, mode=0o700)
    slots = [os.open(f"{folder}/{number}", os.O_RDWR | os.O_CREAT, 0o600) for number in range(os.cpu_count() or 1)]
    for slot in slots:
        fcntl.flock(slot, fcntl.LOCK_EX)

    def release():
        while slots:
            os.close(slots.pop())

    yield release
    release()


def test_the_time_in_the_queue_is_not_the_vault_s(tmp_path, monkeypatch, busy):
    """A read with less time than the others take has its answer."""
    vault = new_vault(tmp_path / "v.db", monkeypatch)
    threading.Timer(1.2, busy).start()
    begun = time.monotonic()
    assert vault.get_many([address("none")], begun + 0.8) == {}
    assert time.monotonic() - begun > 1


def test_a_queue_that_does_not_move_ends(tmp_path, monkeypatch, busy):
    """With its own limit, and without a word about --timeout, which would not help."""
    monkeypatch.setattr(turn, "LONGEST_QUEUE", 0.2)
    monkeypatch.setattr(turn, "_PATIENCE", 0.1)
    vault = new_vault(tmp_path / "v.db", monkeypatch)
    with pytest.raises(BackendTimeout, match=r"no turn within 0\.2 s") as caught:
        vault.get_many([address("none")], soon())
    assert caught.value.hint == "try again"


def test_the_limit_that_is_told_is_that_of_the_call(home):
    """Not what was left of it when the derivation began, which may be nothing."""
    now = time.monotonic()
    with pytest.raises(BackendTimeout, match=r"no answer within 3\.5 s"):
        turn.Turn(now - 3.4, now + 0.05).take(lambda: time.sleep(0.5) or b"")


def test_loading_the_vault_s_libraries_takes_none_of_its_time(tmp_path, monkeypatch):
    """Sixty shells that start at once load them for seconds."""
    fill(new_vault(tmp_path / "v.db", monkeypatch), {"a": "1"})
    vault = Vault("vault", path=str(tmp_path / "v.db"))
    loaded = Vault.file.fget

    def slowly(self):
        if self._file is None:
            time.sleep(1.2)
        return loaded(self)

    monkeypatch.setattr(Vault, "file", property(slowly))
    assert vault.get_many([address("a")], time.monotonic() + 1)[address("a")] == Secret("1")


def test_who_gave_up_derives_nothing_any_more(home, busy, monkeypatch):
    """The thread that it leaves behind has its turn later, and only gives that back."""
    monkeypatch.setattr(turn, "LONGEST_QUEUE", 0.05)
    monkeypatch.setattr(turn, "_PATIENCE", 0.05)
    left, derived = turn.Turn(time.monotonic(), soon()), []
    with pytest.raises(BackendTimeout):
        left.take(lambda: derived.append("late") or b"")
    busy()
    assert left._ended.acquire(timeout=60)
    assert derived == []


@pytest.mark.parametrize("fault", [ValueError("damaged"), KeyboardInterrupt()])
def test_what_a_derivation_raises_is_raised(home, fault):
    """Where the keys are waited for, not in the thread."""

    def derive():
        raise fault

    with pytest.raises(type(fault)) as caught:
        turn.Turn(time.monotonic(), soon()).take(derive)
    assert caught.value is fault


def test_the_waiting_is_said_and_added_to_the_limit(home, busy, monkeypatch):
    """One line after a while; then the vault has all of its time."""
    shown = []
    show = types.SimpleNamespace(show=lambda text: (shown.append(text), busy()))
    monkeypatch.setattr(turn, "streams", types.SimpleNamespace(passing=show))
    monkeypatch.setattr(turn, "_PATIENCE", 0.1)
    begun = time.monotonic()
    taken = turn.Turn(begun, begun + 50)
    assert taken.take(lambda: b"key") == b"key"
    assert shown == ["vault: waiting for other processes that open theirs…"]
    assert taken.deadline >= begun + 50.1


def test_a_limit_without_end(home):
    """A deadline of infinity is no longer than a lock can wait."""
    assert turn.Turn(0.0, float("inf")).take(lambda: b"key") == b"key"
    assert [turn._bounded(seconds) for seconds in (-1.0, 0.0, 2.5)] == [0.0, 0.0, 2.5]
    assert turn._bounded(float("inf")) == threading.TIMEOUT_MAX


@pytest.mark.parametrize(
    ("processors", "process", "name"), [(64, 70, "6"), (64, 63, "63"), (1, 7, "0"), (None, 7, "0"), (2, 7, "1")]
)
def test_a_process_has_its_file_by_its_number(home, monkeypatch, processors, process, name):
    """As many files as processors; the lock is held meanwhile and given back."""
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setattr("os.getpid", lambda: process)
    folder = state_path("turns")

    def derive():
        assert os.listdir(folder) == [name]
        other = os.open(f"{folder}/{name}", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return str(other).encode()

    other = int(turn.Turn(time.monotonic(), soon()).take(derive))
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_without_a_place_there_is_no_queue(home, monkeypatch):
    """No home, a folder that others may write to, a file where the folder should be: it derives all the same."""
    folder = state_path("turns")
    os.makedirs(os.path.dirname(folder))
    with open(folder, "w", encoding="utf-8"):
        pass
    assert turn._slot() == -1
    os.unlink(folder)
    os.mkdir(folder, 0o777)
    os.symlink("elsewhere", f"{folder}/{os.getpid() % (os.cpu_count() or 1)}")
    assert turn._slot() == -1
    monkeypatch.setattr(turn, "state_path", lambda _: "")
    assert turn._slot() == -1
    assert turn.Turn(time.monotonic(), soon()).take(lambda: b"key") == b"key"


def test_the_first_descriptor_may_be_the_turn_s(monkeypatch):
    """As in a process that was started without a standard input: it is locked, and closed at the end."""
    used = []
    monkeypatch.setattr(turn, "_slot", lambda: 0)
    monkeypatch.setattr(turn, "fcntl", types.SimpleNamespace(LOCK_EX=2, flock=lambda *words: used.append(words)))
    monkeypatch.setattr(turn, "os", types.SimpleNamespace(close=used.append))
    assert turn.Turn(time.monotonic(), soon()).take(lambda: b"key") == b"key"
    assert used == [(0, 2), 0]


@at_night
def test_sixty_at_once(tmp_path, monkeypatch, home):
    """Each has its value, at the cost that a user's vault has."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    path = tmp_path / "v.db"
    vault = Vault("vault", path=str(path))
    lifecycle.initialize(vault.file, Secret(PASSPHRASE))
    fill(vault, {"a": "1"})
    (tmp_path / ".envref.yaml").write_text("project: app\nbackends: [{name: vault, config: {path: v.db}}]\n")
    (tmp_path / ".env").write_text("A=ref://secrets/a\n")
    words = [sys.executable, "-m", "envref", "resolve", "--export"]
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "ENVREF_TRUST": "all"}
    running = [
        subprocess.Popen(
            words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(60)
    ]
    assert {process.communicate() for process in running} == {("export A=1\n", "")}
