"""Activations with an agent: what they ask the store, what they get, and what starts an agent at all."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.agent.commands import begin, rows, run
from tests.agent.conftest import gone, process_of, told, wait_for
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]

CONFIG = "project: app\nbackends:\n  - {name: store, type: plugin, config: {command: ./store, batch: true}}\n"
# Notes each call; has `here` from the file `value`, and is locked while there is a file `locked`.
STORE = """\
#!/bin/sh
request=$(cat)
echo call >> calls
while [ -e held ]; do sleep 0.02; done
[ -e locked ] && { echo '{"error": "locked", "code": "locked"}'; exit; }
case $request in
  *'"set"'*) printf changed > value; echo '{}'; exit ;;
esac
value=$(cat value)
echo '{"values": {"app/here": "'"$value"'", "app/other": "o"}, "errors": {"app/none": "not found"}}'
"""


@pytest.fixture
def folder(runtime):
    """Where the agent of these activations is."""
    return runtime


@pytest.fixture
def app(project, folder):
    project.write(".envref.yaml", CONFIG)
    project.write("store", STORE).chmod(0o755)
    project.write("value", "one")
    project.write(".env", "A=ref://secrets/here\nB=ref://secrets/none?default=d\n")
    return project


def calls(app):
    """How often the store was asked since the last look."""
    path = app.path / "calls"
    if not path.exists():
        return 0
    count = len(path.read_text(encoding="utf-8").split())
    path.unlink()
    return count


def exported(app, **more):
    done = run(app, "resolve", "--export", **more)
    assert done.stderr == ""
    return done.stdout


def test_without_a_word_of_the_user_no_agent_is_started(app, folder):
    """Nor where the project's file asks for it: that is an error."""
    exported(app)
    exported(app)
    assert (calls(app), os.path.exists(folder)) == (2, False)
    app.write(".envref.yaml", CONFIG + "agent: true\n")
    done = run(app, "resolve", "--export")
    assert "agent: a project's file may only say false" in done.stderr
    assert not os.path.exists(folder)


def test_the_second_activation_asks_no_store(app, own):
    """Value and absence are kept; both give the same."""
    own("agent: true\n")
    first = exported(app)
    assert "export A=one\nexport B=d\n" in first
    assert exported(app) == first
    assert calls(app) == 1


def test_what_is_new_is_asked_for_alone(app, own):
    own("agent: {ttl: 8h}\n")
    exported(app)
    app.write(".env", "A=ref://secrets/here\nC=ref://secrets/other\n")
    done = run(app, "-v", "resolve", "--export")
    assert "export C=o\n" in done.stdout
    assert 'agent: it had 1 of 2 key(s) of backend "store"' in done.stderr


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("agent: false\n", "agent: true\n"),
        (None, "agent: true\n"),
        ("", "agent: false\n"),
    ],
)
def test_a_no_is_a_no(app, own, folder, theirs, mine):
    """Of the project, of one of its stores, of the user."""
    own(mine)
    text = CONFIG.replace("type: plugin", "type: plugin, agent: false") if theirs is None else CONFIG + theirs
    app.write(".envref.yaml", text)
    exported(app)
    exported(app)
    assert (calls(app), os.path.exists(folder)) == (2, False)


@pytest.mark.parametrize(
    "text", ["agent: 5\n", "agent: {ttl: 0s}\n", "agent: {ttl: 25h}\n", "agent: {ttl: soon}\n", "agent: {}\n"]
)
def test_a_wrong_wish_is_an_error_with_its_place(app, own, text):
    own(text)
    done = run(app, "resolve", "--export")
    assert (done.returncode, done.stdout) == (1, "false\n")
    assert "/config.yaml:1:" in done.stderr
    assert ": agent" in done.stderr


def test_an_entry_of_the_user_s_own_config_has_its_own(app, own):
    """The others are asked each time."""
    app.write(".envref.yaml", "project: app\n")
    command = app.path / "store"
    own(
        "backends:\n"
        f"  - {{name: store, type: plugin, agent: {{ttl: 5m}}, config: {{command: {command}, batch: true}}}}\n"
    )
    exported(app)
    exported(app)
    assert calls(app) == 1
    assert "agent: 300s" in run(app, "config", "show").stdout


def test_writing_goes_to_the_store_and_corrects_the_agent(app, own):
    own("agent: true\n")
    exported(app)
    assert run(app, "secret", "set", "here", stdin="changed").returncode == 0
    calls(app)
    assert "export A=changed\n" in exported(app)
    assert calls(app) == 1


def test_another_variable_of_its_program_is_another_store(app, own):
    """And another terminal is not."""
    own("agent: true\n")
    exported(app, env={"STORE_ACCOUNT": "a"})
    exported(app, env={"STORE_ACCOUNT": "a", "WINDOWID": "5", "SHLVL": "9"})
    assert calls(app) == 1
    exported(app, env={"STORE_ACCOUNT": "b"})
    assert calls(app) == 1


def test_other_options_are_another_store(app, own):
    own("agent: true\n")
    exported(app)
    app.write(".envref.yaml", CONFIG.replace("batch: true", "batch: true, account: x"))
    exported(app)
    assert calls(app) == 2


def test_an_error_is_never_kept(app, own):
    own("agent: true\n")
    app.write("locked", "")
    assert run(app, "resolve", "--export").returncode == 3
    (app.path / "locked").unlink()
    assert "export A=one\n" in exported(app)


def test_a_project_that_waits_for_trust_gets_nothing(app, own, monkeypatch, nobody_agreed):
    """Although the agent has the value, for the same store."""
    own("agent: true\n")
    exported(app, env={"ENVREF_TRUST": "all"})
    done = run(app, "resolve", "--export")
    assert "one" not in done.stdout
    assert done.returncode != 0


def test_the_user_forgets_and_stops(app, own, folder):
    own("agent: true\n")
    exported(app)
    status = run(app, "agent", "status")
    assert status.returncode == 0
    assert "store  plugin  1       1       1       0 " in status.stdout
    assert "one" not in status.stdout
    assert run(app, "agent", "forget").stderr == "the agent forgot everything\n"
    exported(app)
    assert calls(app) == 2
    process = process_of(folder)
    assert run(app, "agent", "stop").stderr == "agent stopped\n"
    gone(process)
    done = run(app, "agent", "status")
    assert (done.returncode, done.stderr) == (1, "no agent is running\n")


def test_it_can_be_started_by_hand(app, folder):
    """It keeps nothing of a project whose user did not ask for it."""
    assert run(app, "agent", "start").returncode == 0
    exported(app)
    exported(app)
    assert calls(app) == 2
    assert told(folder)[4] == []


def test_ten_at_once_ask_the_store_once(app, own):
    """With twenty references; nine wait for the one that asks."""
    own("agent: true\n")
    app.write(".env", "".join(f"N{number}=ref://secrets/here?default={number}\n" for number in range(20)))
    running = [begin(app, "resolve", "--export") for _ in range(10)]
    given = {done().stdout.partition("export ENVREF_SEEN=")[0] for done in running}
    assert given == {"".join(f"export N{number}=one\n" for number in range(20))}
    assert calls(app) == 1


@pytest.mark.parametrize(("has_terminal", "number"), [(True, 1), (False, 3)])
def test_a_refusal_is_for_all_who_wait(app, own, folder, monkeypatch, has_terminal, number):
    """Where a person could have answered the prompt; without a terminal, each that waits may have one."""
    monkeypatch.setattr("envref.streams.has_terminal", lambda: has_terminal)
    own("agent: true\n")
    for name in ("locked", "held"):
        app.write(name, "")
    running = [begin(app, "resolve", "--export") for _ in range(3)]
    wait_for(lambda: rows(folder) and rows(folder)[0][5] == "2")
    (app.path / "held").unlink()
    errors = {done().stderr for done in running}
    assert len(errors) == 1
    assert "locked" in errors.pop()
    assert calls(app) == number


def test_an_agent_that_does_not_answer_is_named(app, own, folder, monkeypatch):
    """The activation does without, and says so with -v; the commands name the cure."""
    own("agent: true\n")
    exported(app)
    process = process_of(folder)
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr("envref.client.PATIENCE", 0.1)
    try:
        done = run(app, "-v", "resolve", "--export")
        assert "export A=one\n" in done.stdout
        assert "agent: no answer\n" in done.stderr
        stopped = run(app, "agent", "stop")
        assert stopped.returncode == 1
        assert stopped.stderr.endswith(f"the agent does not answer\n  run: kill -9 {process}\n")
        written = run(app, "secret", "set", "here", stdin="changed")
        assert "warning: the agent may still have the old value; run: envref agent forget\n" in written.stderr
    finally:
        os.kill(process, signal.SIGCONT)
    gone(process)  # it read what it was told meanwhile


def test_its_time_is_up(app, own):
    """By the seconds of whoever wants it."""
    own("agent: {ttl: 1s}\n")
    exported(app)
    time.sleep(1.1)
    exported(app)
    assert calls(app) == 2


def test_locking_the_vault_takes_its_values_out(project, own, folder, monkeypatch):
    """What it gave before is not given any more."""
    own("agent: true\n")
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: vault\n")
    project.write(".env", "A=ref://secrets/a\n")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    assert run(project, "vault", "init", "--work-factor", "15").returncode == 0
    assert run(project, "secret", "set", "a", stdin="value").returncode == 0
    exported(project)
    assert len(told(folder)[4]) == 1
    assert run(project, "vault", "lock").returncode == 0
    assert rows(folder) == []
    done = run(project, "resolve", "--export")
    assert "value" not in done.stdout
    assert "locked" in done.stderr
