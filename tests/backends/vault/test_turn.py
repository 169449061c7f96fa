"""Turns at scrypt: nobody's time is used up by those before them (SEC-C2)."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time

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
