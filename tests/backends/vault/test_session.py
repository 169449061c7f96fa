"""Unlock sessions in the kernel's keyring: kept, restricted, ended."""

from __future__ import annotations

import os
import time

import pytest

from envref.backends.vault import lifecycle, session
from envref.backends.vault.store import Vault
from envref.client import VALUE, Late
from envref.libc import BUFFER
from envref.secret import Secret
from envref.store_errors import BackendLocked
from tests.backends.vaults import fill, read, unlocked_vault
from tests.lateness import Stopwatch


@pytest.fixture(scope="module", autouse=True)
def keyring():
    """A kernel that keeps keys; most containers deny it."""
    if session.remember("probe", "probe", 5):
        session.forget("probe")
        return
    reason = "the kernel's keyring is denied here"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """A vault with a session of a minute, and no passphrase in the environment."""
    vault = unlocked_vault(tmp_path / "vault.db", monkeypatch, {"key": "value"})
    lifecycle.unlock(vault.file, 60)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    yield vault
    with vault.file._connected(time.monotonic() + 20) as opened:
        identifier = opened.connection.execute("SELECT value FROM metadata WHERE key = 'vault_id'").fetchone()[0]
    session.forget(identifier)


def reopened(vault):
    return Vault("vault", path=vault.file.path)


def test_a_session_needs_no_passphrase(vault):
    """Another process reads and writes while the session lasts."""
    assert read(reopened(vault), "key") == {"key": "value"}
    fill(reopened(vault), {"key": "new"})
    assert read(reopened(vault), "key") == {"key": "new"}


def test_a_session_ends_by_itself():
    """The kernel forgets the identity when its seconds are over, and not before; it counts whole ones."""
    watch = Stopwatch()
    assert session.remember("expiring", "AGE-SECRET-KEY-X", 2)
    found = session.recall("expiring")
    assert found == "AGE-SECRET-KEY-X" or time.monotonic() > watch.started + 1
    while session.recall("expiring") is not None:
        assert time.monotonic() < watch.started + 60
        time.sleep(0.02)
    assert time.monotonic() > watch.started + 0.9
    assert watch.seconds() < 3.5


def test_only_the_owner_has_rights():
    """The key in the kernel gives nothing to the group or to others."""
    assert session.remember("restricted", "AGE-SECRET-KEY-X", 5)
    key = session._find("restricted")
    with open("/proc/keys", encoding="ascii") as keys:
        [line] = [line for line in keys if line.startswith(f"{key:08x} ")]
    session.forget("restricted")
    assert line.split()[4] == "3f3f0000"


def test_what_the_kernel_holds_is_read_whole_or_not_at_all():
    """As far as the room for it goes, which is more than an identity takes."""
    for size, found in ((1, "A"), (BUFFER, "A" * BUFFER), (BUFFER + 1, None)):
        assert session.remember("sized", "A" * size, 5)
        assert session.recall("sized") == found
        session.forget("sized")
    assert session.recall("sized") is None
    assert session.is_possible()


def test_what_could_not_be_restricted_is_not_kept(monkeypatch):
    """A key that others may read, or that never ends, is taken back at once."""
    control = session._control
    for operation in (session._SET_PERMISSION, session._SET_TIMEOUT):
        monkeypatch.setattr(session, "_control", lambda *words, at=operation: -1 if words[0] == at else control(*words))
        assert session.remember("unrestricted", "AGE-SECRET-KEY-X", 5) is False
        monkeypatch.setattr(session, "_control", control)
        assert session.recall("unrestricted") is None


class FakeAgent:
    """An agent of the test's own, which keeps one identity or none; `told` has what it was asked."""

    place = ""

    def __init__(self, *, keeps=True, late=False):
        self.keeps, self.late, self.held, self.told = keeps, late, {}, []

    def turn(self, head, addresses, until):
        self.told.append((*head, *addresses))
        assert until > time.monotonic()
        if self.late:
            raise Late
        return self

    def put(self, answers):
        self.held = {b"identity": answers[b"identity"].removeprefix(VALUE)} if self.keeps else {}

    def end(self):
        self.told.append("end")

    @property
    def given(self):
        return self.held


def test_the_agent_has_the_session_where_it_keeps_it():
    """Under the vault's kind and name, for the seconds of the session; the kernel then has none."""
    agent = FakeAgent()
    session.remember("by-agent", "earlier", 5)
    assert session.remember("by-agent", "AGE-SECRET-KEY-X", 7, agent, "~/v.db") is True
    kind = b"session by-agent"
    assert agent.told == [(kind, kind, b"~/v.db", b"7", b"identity"), (kind, kind, b"", b"2592000", b"identity"), "end"]
    assert session._recall("by-agent") is None
    assert session.recall("by-agent", agent) == "AGE-SECRET-KEY-X"
    assert session.recall("by-agent", FakeAgent()) is None


@pytest.mark.parametrize("agent", [FakeAgent(keeps=False), FakeAgent(late=True)], ids=["keeps nothing", "late"])
def test_the_kernel_has_it_where_the_agent_does_not(agent):
    """One that keeps nothing, or does not answer in time."""
    assert session.remember("by-kernel", "AGE-SECRET-KEY-X", 5, agent) is True
    assert session._recall("by-kernel") == "AGE-SECRET-KEY-X"
    session.forget("by-kernel")
    assert session.recall("by-kernel", agent) is None


def test_lock_ends_the_session(vault, monkeypatch):
    """After lock and unlock the passphrase is needed again."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    lifecycle.lock(vault.file)
    lifecycle.unlock(vault.file)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    with pytest.raises(BackendLocked, match="vault passphrase required"):
        read(reopened(vault), "key")


def test_a_session_outlives_a_new_passphrase_but_not_a_new_identity(vault, monkeypatch):
    """`passwd` keeps the identity, `rekey` does not."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    lifecycle.change_passphrase(vault.file, Secret("another passphrase"))
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    assert read(reopened(vault), "key") == {"key": "value"}
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "another passphrase")
    lifecycle.rekey(vault.file)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    with pytest.raises(BackendLocked, match="vault passphrase required"):
        read(reopened(vault), "key")


def test_a_stale_session_is_ignored(vault, monkeypatch):
    """An identity that did not sign the vault counts for nothing: the passphrase is asked for."""
    contents = vault.file
    with contents.reading(time.monotonic() + 20) as opened:
        session.remember(
            opened.vault_id, "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU", 60
        )
    with pytest.raises(BackendLocked, match="vault passphrase required"):
        read(reopened(vault), "key")


def test_where_there_is_no_keyring_unlock_says_so(tmp_path, monkeypatch):
    """The unlocking itself succeeds; one line tells what to do instead."""
    vault = unlocked_vault(tmp_path / "vault.db", monkeypatch)
    monkeypatch.setattr(session, "_calls", lambda: None)
    lifecycle.unlock(vault.file, 60)
    assert [warning for warning in vault.warnings if "or set ENVREF_VAULT_PASSPHRASE_FILE" in warning]
