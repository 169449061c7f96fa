"""What a person at a terminal sees that a program does not: colours, tables that fit, and what is waited for."""

from __future__ import annotations

import json
import os
import re
import sys
import termios
import time

import pytest

from envref import streams
from tests.backends.stores.pass_store import GnuPg, Passwords
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

pytestmark = first_python

SGR = re.compile(r"\x1b\[[0-9;]*m")


def screen(directory, *arguments):
    """All that `envref ARGUMENTS` shows on a terminal."""
    terminal = Terminal(directory, *arguments)
    terminal.end()
    return terminal.output


@pytest.fixture
def app(project, trusted):
    """One variable resolves, one does not; the store is a plugin whose speed a test may change."""
    entry = {"name": "store", "type": "plugin", "config": {"command": "./plugin"}}
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": [entry]}))
    answer(project)
    project.write(".env", "A=ref://secrets/a\nB=ref://secrets/nope\n")
    return project


def answer(project, after=0):
    """The plugin answers `after` this many seconds."""
    text = f"""#!/bin/sh
sleep {after}
case $(cat) in
  *nope*) echo '{{"error": "not found"}}' ;;
  *) echo '{{"value": "s3cret"}}' ;;
esac
"""
    project.write("plugin", text).chmod(0o755)


def test_the_first_word_of_a_message_is_coloured_on_a_terminal(app):
    """Red for errors, through both doors; without the codes the text is what a pipe gets."""
    for arguments in (("resolve", "--export"), ("resolve",)):
        shown = screen(app.path, *arguments)
        assert "\x1b[1;31merror:\x1b[0m B: failed to resolve" in shown
        piped = app.envref(*arguments).stderr
        assert piped.splitlines()[0] in SGR.sub("", shown)
        assert "\x1b" not in piped


@pytest.mark.parametrize("variables", [{"NO_COLOR": ""}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_environment_turns_colours_off(app, variables):
    """NO_COLOR counts when it is there at all, even empty (no-color.org); a dumb terminal has none."""
    words = [f"{name}={value}" for name, value in variables.items()]
    terminal = Terminal(app.path, *words, sys.executable, "-m", "envref", "status", program=("/usr/bin/env",))
    terminal.end()
    assert "Status: 1 issue(s) found" in terminal.output
    assert "\x1b" not in terminal.output


def test_an_option_turns_colours_off(app):
    """On every stream."""
    assert "\x1b[" in screen(app.path, "status")
    assert "\x1b[" not in screen(app.path, "status", "--no-color")
    assert "\x1b[" not in screen(app.path, "resolve", "--no-color")


def test_a_machine_format_is_never_coloured(app):
    """JSON on a terminal is JSON."""
    report = screen(app.path, "status", "--format", "json")
    assert json.loads(report)["issues"] == 1


def test_a_table_fits_the_terminal(app):
    """A long value goes on below itself, whole; in a pipe the line stays one."""
    app.write(".env", f"SHORT=1\nLONG={'x' * 200}\n")
    columns = max(len(line) for line in screen(app.path, "list", "--format", "table").splitlines())
    assert columns <= 80
    assert screen(app.path, "list", "--format", "table").count("x") == 200
    assert f"LONG   {'x' * 200}" in app.envref("list", "--format", "table").stdout


def test_a_store_that_takes_long_is_named_and_the_line_is_taken_away(app):
    """After a second somebody wonders; when the answer is there, the line is gone."""
    answer(app, after=2)
    shown = screen(app.path, "resolve", "--only", "A")
    assert "waiting for store…" in shown
    assert shown.index("waiting for store…") < shown.index("\r\x1b[K") < shown.index("A=s3cret")


@pytest.mark.parametrize(
    ("variables", "line"),
    [({}, "waiting for op: unlock 1Password"), ({"OP_SERVICE_ACCOUNT_TOKEN": "ops_x"}, "waiting for op…")],
)
def test_what_a_store_may_wait_for_is_said(app, monkeypatch, variables, line):
    """A person who has to approve something reads what; with a service account nobody has to (ST-F2)."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    app.write(".envref.yaml", "project: app\nbackends: [{name: op, type: 1password, config: {command: ./op}}]\n")
    item = {"id": "g", "title": "GitHub", "fields": [{"id": "password", "label": "password", "value": "s3cret"}]}
    app.write("op", f"#!/bin/sh\ncat >/dev/null; sleep 2; echo '{json.dumps(item)}'\n").chmod(0o755)
    app.write(".env", "A=ref://op//GitHub\n")
    shown = screen(app.path, "resolve")
    assert shown.index(line) < shown.index("\r\x1b[K") < shown.index("A=s3cret")


def test_a_program_that_owns_the_screen_is_not_written_over(monkeypatch):
    """While a pinentry reads without echo, nothing is written there."""
    screen_, keyboard = os.openpty()
    monkeypatch.setattr(streams, "_STDERR", keyboard)
    modes = termios.tcgetattr(keyboard)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSANOW, modes)
    streams.passing.show("waiting for pass: unlock the GnuPG key")
    assert not streams.passing.shown
    modes[3] |= termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSANOW, modes)
    streams.passing.show("waiting for pass: unlock the GnuPG key")
    assert streams.passing.shown
    streams.passing.clear()
    os.close(screen_)
    os.close(keyboard)


def test_a_passphrase_that_gpg_asks_for_is_typed_and_counts(app, home, tmp_path, monkeypatch):
    """The real pinentry comes up on the caller's terminal, whose name nobody set, and is left alone until it ends."""
    monkeypatch.delenv("GPG_TTY", raising=False)
    with GnuPg(passphrase="of the tests") as gpg:
        for name, value in gpg.environment.items():
            monkeypatch.setenv(name, value)
        Passwords(home / ".password-store").put("db", b"s3cret\n")
        gpg.configure("gpg-agent.conf", f"pinentry-program {need('pinentry-curses')}\n")
        gpg.forget_passphrases()
        app.write(".envref.yaml", "project: app\nbackends: [{name: pass}]\n")
        app.write(".env", "A=ref://pass//db\n")
        terminal = Terminal(app.path, "resolve")
        terminal.await_text("Passphrase")
        time.sleep(1.5)
        terminal.type("of the tests\r")
        assert terminal.end() == 0
    _, _, after = terminal.output.partition("Passphrase")
    assert "A=s3cret" in after
    assert "waiting" not in after


def test_a_quick_store_is_not_named(app):
    """Nothing flickers."""
    assert "waiting" not in screen(app.path, "resolve", "--only", "A")


def test_nobody_who_reads_a_pipe_is_told_to_wait(app):
    """A log is no place for a passing line; nor is the terminal of somebody who asked for quiet."""
    answer(app, after=2)
    assert "waiting" not in app.envref("resolve", "--only", "A").stderr
    assert "waiting" not in screen(app.path, "-q", "resolve", "--only", "A")
