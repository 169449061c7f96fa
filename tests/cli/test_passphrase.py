"""A passphrase that is typed: once a command, again after a mistake, and how to type it less often."""

from __future__ import annotations

import sys

import pytest

from envref.backends.vault import session
from tests.backends.vaults import PASSPHRASE, unlocked_vault
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

PROMPT, AGAIN = "Enter vault passphrase: ", "Wrong passphrase; enter it again: "
QUESTION = "Keep secrets in envref's own vault, in each project that lists no stores? [y/N] "
HINT = "to be asked only once in 8 hours: envref vault unlock --ttl 8h"
pytestmark = first_python


@pytest.fixture
def app(project, trusted, home, monkeypatch):
    """A project whose vault holds none of its three secrets, and an environment without the passphrase."""
    unlocked_vault(home / ".config" / "envref" / "vault.db", monkeypatch, {"other": "value"})
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\nC=ref://secrets/c\n")
    return project


def stored(app, monkeypatch):
    """What the project resolves to, with the passphrase in the environment."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    return app.envref("resolve").stdout


def onboarded(app, *questions):
    """What an `onboard` showed that got yes or the passphrase at each of these questions, and then three values."""
    terminal = Terminal(app.path, "onboard")
    for question in questions:
        terminal.await_text(question)
        terminal.type("y\r" if question == QUESTION else f"{PASSPHRASE}\r")
    for count in (1, 2, 3):
        terminal.await_text("Enter value", count)
        terminal.type(f"value {count}\r")
    assert terminal.end() == 0, terminal.output
    return terminal.output


def test_onboard_asks_once(app, monkeypatch):
    """It looks, then stores three values: one passphrase."""
    assert onboarded(app, PROMPT).count(PROMPT) == 1
    assert stored(app, monkeypatch) == "A=value 1\nB=value 2\nC=value 3\n"


def test_onboard_makes_the_vault_that_nobody_made_yet(app, home, monkeypatch):
    """A clone on a new machine needs one command; who has just chosen the passphrase does not type it again."""
    (home / ".config" / "envref" / "vault.db").unlink()
    shown = onboarded(app, PROMPT, "Confirm vault passphrase: ")
    assert shown.count(PROMPT) == 1
    assert "vault initialized at ~/.config/envref/vault.db" in shown
    assert "not initialized" not in shown
    assert stored(app, monkeypatch) == "A=value 1\nB=value 2\nC=value 3\n"


def test_onboard_makes_no_vault_of_a_project_s_own(app, home):
    """One with a path is somebody's; its absence is an error with its cure."""
    app.write(".envref.yaml", "project: app\nbackends: [{name: vault, config: {path: team.db}}]\n")
    terminal = Terminal(app.path, "onboard")
    assert terminal.end() == 1
    assert "vault: not initialized" in terminal.output
    assert not (app.path / "team.db").exists()


@pytest.fixture
def unlisted(app):
    """The same where nobody lists a store, and there is no keychain."""
    app.write(".envref.yaml", "project: app\n")
    return app


def test_without_a_keychain_and_a_list_one_command_makes_the_vault(unlisted, home, monkeypatch):
    """It asks first. The user's own config lists it; the project's, which others use too, stays as it is."""
    (home / ".config" / "envref" / "vault.db").unlink()
    terminal = Terminal(unlisted.path, "secret", "set", "a")
    terminal.await_text(QUESTION)
    terminal.type("y\r")
    for question in (PROMPT, "Confirm vault passphrase: "):
        terminal.await_text(question)
        terminal.type(f"{PASSPHRASE}\r")
    terminal.await_text("Enter secret value: ")
    terminal.type("kept value\r")
    assert terminal.end() == 0, terminal.output
    assert unlisted.read(".envref.yaml") == "project: app\n"
    own = home / ".config" / "envref" / "config.yaml"
    assert (own.read_text(), own.stat().st_mode & 0o77) == ("backends:\n  - name: vault\n    type: vault\n", 0)
    assert stored(unlisted, monkeypatch).startswith("A=kept value\n")


def test_onboard_without_a_keychain_and_a_list(unlisted, monkeypatch):
    """A vault that is there already serves this project too."""
    onboarded(unlisted, QUESTION, PROMPT)
    assert stored(unlisted, monkeypatch) == "A=value 1\nB=value 2\nC=value 3\n"


def test_who_wants_no_vault_gets_the_keychain_s_error(unlisted, home):
    """Nothing is made, and nothing imported."""
    unlisted.write(".env", "API_TOKEN=tr0ub4dor-and-3\n")
    terminal = Terminal(unlisted.path, "import", "--yes", ".env")
    terminal.await_text("[y/N] ")
    terminal.type("n\r")
    assert terminal.end() == 1
    assert "run:\x1b[0m envref vault init && envref backend add vault --first" in terminal.output
    assert unlisted.read(".env") == "API_TOKEN=tr0ub4dor-and-3\n"
    assert not (home / ".config" / "envref" / "config.yaml").exists()


def test_a_wrong_one_is_typed_again_before_the_value(app, monkeypatch):
    """None of what was typed shows."""
    terminal = Terminal(app.path, "secret", "set", "a")
    terminal.await_text(PROMPT)
    terminal.type("\r")
    terminal.await_text(AGAIN)
    assert not terminal.echoes()
    terminal.type("mistyped\r")
    terminal.await_text(AGAIN, 2)
    terminal.type(f"{PASSPHRASE}\r")
    terminal.await_text("Enter secret value: ")
    terminal.type("kept value\r")
    assert terminal.end() == 0, terminal.output
    assert not [each for each in ("kept value", "mistyped", PASSPHRASE) if each in terminal.output]
    assert stored(app, monkeypatch).startswith("A=kept value\n")


def test_the_third_wrong_one_is_the_last(app):
    """As at sudo."""
    terminal = Terminal(app.path, "secret", "get", "other")
    for count, question in ((1, PROMPT), (1, AGAIN), (2, AGAIN)):
        terminal.await_text(question, count)
        terminal.type("mistyped\r")
    assert terminal.end() == 1
    assert "retrieving secret: vault: wrong passphrase" in terminal.output


@pytest.mark.parametrize("command", ["get", "lock"])
def test_who_types_it_is_told_of_sessions(app, command):
    """But not by a command that is about them."""
    if not session.is_possible():
        pytest.skip("the kernel's keyring is denied here")
    terminal = Terminal(app.path, *(("secret", "get", "other") if command == "get" else ("vault", "lock")))
    terminal.await_text(PROMPT)
    terminal.type(f"{PASSPHRASE}\r")
    assert terminal.end() == 0, terminal.output
    assert terminal.output.count(HINT) == (command == "get")


def test_unlock_names_the_session_before_it_asks(app):
    """An unlocked vault has nothing to unlock, and that needs no passphrase."""
    done = app.envref("vault", "unlock")
    assert (done.returncode, done.stderr) == (1, "error: vault is not locked\n  run: envref vault unlock --ttl 8h\n")


def test_a_dry_run_reassures_nobody_whose_store_gives_no_answer(app):
    """Nothing was looked at, so nothing is fine."""
    done = app.envref("onboard", "--dry-run")
    assert (done.returncode, done.stdout) == (1, "")
    assert "vault passphrase required" in done.stderr


SUSPENDED = {
    "a value": ("secret set a", "Enter secret value: "),
    "a passphrase": ("get A --resolve", PROMPT),
    "a passphrase, in a thread": ("resolve", PROMPT),
}


@pytest.mark.parametrize("question", SUSPENDED)
def test_who_suspends_the_question_and_comes_back_types_without_echo(app, monkeypatch, question):
    """The shell turned it on meanwhile; the question is asked again."""
    command, prompt = SUSPENDED[question]
    if question == "a value":
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    if "thread" in question:
        app.write("slow", "#!/bin/sh\nsleep 60\n").chmod(0o755)
        slow = "{name: slow, type: plugin, config: {command: ./slow}}"
        app.write(".envref.yaml", f"project: app\nbackends: [{{name: vault}}, {slow}]\n")
        app.write(".env", "A=ref://vault/a\nB=ref://slow/b\n")
    terminal = Terminal(app.path, "--norc", "-i", program=(need("bash"),))
    terminal.type(f"{sys.executable} -m envref {command}\r")
    terminal.await_text(prompt)
    terminal.type("\x1a")
    terminal.await_text("Stopped")
    terminal.type("fg\r")
    terminal.await_text(prompt, 2)
    assert not terminal.echoes()
    terminal.type("not to be seen\x03")
    terminal.await_text("interrupted")
    terminal.type("exit\r")
    terminal.end()
    assert "not to be seen" not in terminal.output
