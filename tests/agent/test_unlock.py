"""A vault's unlock session in the agent: where the user has agreed to one, on a system whose kernel keeps none."""

from __future__ import annotations

import os
import signal
import time

import pytest

from envref import client
from envref.backends.vault import session
from tests.agent.commands import noting_each, rows, run
from tests.agent.conftest import process_of, wait_for
from tests.backends.vaults import PASSPHRASE, unlocked_vault
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]

PROJECT = "project: app\nbackends:\n  - {name: vault, config: {path: v.db}}\n"
ASKS = "vault passphrase required"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """As macOS and most containers are."""
    monkeypatch.setattr(session, "_calls", lambda: None)


@pytest.fixture
def app(project, runtime, monkeypatch):
    """A vault with one value, and nobody's passphrase in the environment."""
    unlocked_vault(project.path / "v.db", monkeypatch, {"a": "value"})
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    project.write(".envref.yaml", PROJECT)
    project.write(".env", "A=ref://secrets/a\n")
    return project


def unlock(app, *arguments, passphrase=PASSPHRASE):
    return run(app, "vault", "unlock", *(arguments or ("--ttl", "1h")), env={"ENVREF_VAULT_PASSPHRASE": passphrase})


def get(app):
    """What a command says that is not served by the agent itself: it opens the vault."""
    done = run(app, "secret", "get", "a")
    return done.stdout or done.stderr


def test_a_session_needs_no_passphrase(app, own, runtime):
    """Other processes read and write; the status has it, and never the identity."""
    own("agent: true\n")
    assert ASKS in get(app)
    assert unlock(app).stderr == "vault unlocked at v.db\n".replace("v.db", str(app.path / "v.db"))
    assert get(app) == "value\n"
    assert run(app, "secret", "set", "a", stdin="new").returncode == 0
    assert get(app) == "new\n"
    status = run(app, "agent", "status").stdout
    assert "  session  1       0       1 " in status
    assert "AGE-SECRET" not in status


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("", PROJECT), ("agent: true\n", PROJECT + "agent: false\n"), ("agent: false\n", PROJECT)],
)
def test_without_the_users_word_no_agent_keeps_it(app, own, runtime, mine, theirs):
    """Then a line says that nothing does, and what to do."""
    own(mine)
    app.write(".envref.yaml", theirs)
    done = unlock(app)
    assert (done.returncode, os.path.exists(runtime)) == (0, False)
    assert "write agent: true into your own config, or set ENVREF_VAULT_PASSPHRASE_FILE\n" in done.stderr
    assert ASKS in get(app)


def test_outside_a_project_the_users_own_config_counts(app, own, runtime):
    own("agent: true\n")
    (app.path / ".envref.yaml").unlink()
    assert unlock(app, "--ttl", "1h", "--path", "v.db").returncode == 0
    app.write(".envref.yaml", PROJECT)
    assert get(app) == "value\n"


@pytest.mark.parametrize("arguments", [("vault", "lock"), ("vault", "rekey"), ("agent", "forget"), ("agent", "stop")])
def test_what_ends_a_session(app, own, runtime, arguments):
    """Without anything of the vault in the agent any more, an activation has to have the passphrase again."""
    own("agent: true\n")
    unlock(app)
    assert "export A=value\n" in run(app, "resolve", "--export").stdout
    assert run(app, *arguments, env={"ENVREF_VAULT_PASSPHRASE": PASSPHRASE}).returncode == 0
    assert rows(runtime) == []
    if arguments == ("vault", "lock"):
        assert unlock(app, "--backend", "vault").returncode == 0
    done = run(app, "resolve", "--export")
    assert "value" not in done.stdout
    assert ASKS in done.stderr


def test_a_session_is_enough_to_end_it(app, own):
    own("agent: true\n")
    unlock(app)
    assert run(app, "vault", "lock").returncode == 0
    assert "locked" in get(app)


def test_a_new_time_replaces_the_old_one(app, own):
    """Also a shorter one."""
    own("agent: true\n")
    unlock(app, "--ttl", "30d")
    unlock(app, "--ttl", "1s")
    wait_for(lambda: ASKS in get(app))


def test_it_ends_with_the_last_shell_that_used_it(app, own, runtime, shells):
    """The one that opened the vault may have ended before."""
    own("agent: true\n")
    opener, reader = shells(), shells()
    assert opener(unlock, app).returncode == 0
    assert reader(get, app) == "value\n"
    agent = process_of(runtime)
    opener.kill()
    time.sleep(0.1)  # nothing tells when an agent has seen it
    assert reader(get, app) == "value\n"
    assert process_of(runtime) == agent
    reader.kill()
    wait_for(lambda: rows(runtime) == [])


def test_an_identity_that_did_not_sign_the_vault_counts_for_nothing(app, own):
    """Whoever could speak to the agent could have put it there."""
    own("agent: true\n")
    unlock(app)
    before = (app.path / "v.db").read_bytes()
    assert run(app, "vault", "rekey", env={"ENVREF_VAULT_PASSPHRASE": PASSPHRASE}).returncode == 0
    unlock(app)
    (app.path / "v.db").write_bytes(before)
    assert ASKS in get(app)


def test_an_agent_that_does_not_answer_is_waited_for_once(app, own, runtime, monkeypatch, tmp_path):
    """It is asked for the values, and not for the identity after that."""
    own("agent: true\n")
    unlock(app)
    process = process_of(runtime)
    os.kill(process, signal.SIGSTOP)
    try:
        monkeypatch.setattr(client, "PATIENCE", 0.1)
        monkeypatch.setattr(client.Wire, "hear", noting_each(client.Wire.hear, tmp_path / "heard"))
        assert ASKS in run(app, "resolve", "--export").stderr
    finally:
        os.kill(process, signal.SIGCONT)
    assert (tmp_path / "heard").read_text(encoding="ascii") == "."
