"""What a person at a terminal sees that a program does not: colours, tables that fit, and what is waited for."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.cli.terminal import Terminal

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


def test_a_quick_store_is_not_named(app):
    """Nothing flickers."""
    assert "waiting" not in screen(app.path, "resolve", "--only", "A")


def test_nobody_who_reads_a_pipe_is_told_to_wait(app):
    """A log is no place for a passing line; nor is the terminal of somebody who asked for quiet."""
    answer(app, after=2)
    assert "waiting" not in app.envref("resolve", "--only", "A").stderr
    assert "waiting" not in screen(app.path, "-q", "resolve", "--only", "A")
