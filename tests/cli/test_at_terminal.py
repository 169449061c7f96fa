"""Which of the three streams has to be a terminal for what a person gets and a program does not.

Their own process asks the system (tests/cli/test_people.py has real terminals); here it is told.
"""

from __future__ import annotations

import os
import sys

import pytest

from envref.cli import consent, prompt
from tests.requirements import first_python

pytestmark = first_python

STDIN, STDOUT, STDERR = range(3)
ESCAPE = "\x1b[2J"
EVAL = "warning: this output is meant for eval and shows secret values\n"


@pytest.fixture
def seen_by(shelf, monkeypatch):
    """`seen_by(stream, …)`: these are terminals, thirty columns wide; the others are not."""
    shelf.write(".env", f'A=ref://secrets/a\nWITH_ESCAPES="x{ESCAPE}y"\nLONG={"z" * 40}\n')
    shelf.values["one"]["app/a"] = f"v{ESCAPE}\nw"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")

    def seen_by(*terminals):
        monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor in terminals)
        return shelf.said

    return seen_by


@pytest.mark.parametrize(
    ("words", "differs"),
    [
        ("list", True),
        ("list --format json", False),
        ("list --format table", True),
        ("list --format shell", False),
        ("get WITH_ESCAPES", True),
        ("get WITH_ESCAPES --format json", False),
        ("get --resolve A", True),
        ("secret get a", True),
        ("secret get a --raw", False),
        ("secret get a --format json", False),
        ("resolve", True),
        ("resolve --format plain", True),
        ("resolve --format json", False),
        ("resolve --export", False),
        ("status", True),
        ("status --no-color", False),
        ("status --format json", False),
    ],
)
def test_only_a_terminal_as_stdout_changes_what_is_on_stdout(seen_by, words, differs):
    """Escapes in place of what could steer it, columns that fit, colours; for people, not in what programs read."""
    piped = seen_by()(*words.split()).stdout
    assert seen_by(STDIN, STDERR)(*words.split()).stdout == piped
    shown = seen_by(STDOUT)(*words.split()).stdout
    assert (shown != piped) == differs
    assert ESCAPE not in shown or "--raw" in words or not differs


def test_a_table_goes_on_below_itself(seen_by):
    """In its last column; that has ten characters at the least."""
    wide = seen_by()("list", "--format", "table").stdout.splitlines()
    narrow = seen_by(STDOUT)("list", "--format", "table").stdout.splitlines()
    assert wide[-1] == f"LONG          {'z' * 40}"
    assert narrow[-3:] == [f"LONG          {'z' * 16}", f"{' ' * 14}{'z' * 16}", f"{' ' * 14}{'z' * 8}"]
    assert narrow[1] == f"{'-' * 12}  {'-' * 16}"


def test_what_a_shell_should_evaluate_is_nothing_to_look_at(seen_by):
    """The warning is for who looks at it, on the stream that shows it."""
    assert seen_by(STDIN, STDERR)("resolve", "--export").stderr == ""
    assert seen_by(STDOUT)("resolve", "--export").stderr == EVAL
    assert seen_by(STDOUT)("resolve", "--format", "json").stderr == ""


@pytest.mark.parametrize(
    ("terminals", "options", "status"),
    [
        ((STDIN, STDERR), [], 0),
        ((STDOUT,), [], 1),
        ((STDOUT,), ["--force"], 0),
        ((STDOUT,), ["--to", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"], 0),
        ((STDOUT,), ["--file", "x.json"], 0),
    ],
)
def test_all_secrets_at_once_are_not_for_a_screen(seen_by, vaulted, terminals, options, status):
    """Unless somebody says so, or nobody could read them."""
    done = seen_by(*terminals)("vault", "export", *options)
    assert done.returncode == status
    refusal = "error: refusing to show all secrets on a terminal\n  hint: redirect it, or give --force\n"
    assert (done.stderr == refusal, done.stdout == "") == (status == 1, status == 1 or "--file" in options)


def test_an_import_does_not_wait_for_a_person_to_type_json(seen_by):
    """A usage error with the two ways; a pipe is read."""
    done = seen_by(STDIN)("vault", "import")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: reading import file: standard input is a terminal\n  hint: use < FILE or --file FILE\n"
    )
    assert "standard input is a terminal" not in seen_by(STDOUT, STDERR)("vault", "import").stderr


def test_messages_are_coloured_where_stderr_is_a_terminal(seen_by):
    """Whatever stdout is."""
    assert seen_by(STDERR)("get", "NOPE").stderr == '\x1b[1;31merror:\x1b[0m key "NOPE" not found\n'
    assert seen_by(STDIN, STDOUT)("get", "NOPE").stderr == 'error: key "NOPE" not found\n'
    assert seen_by(STDERR)("get", "NOPE", "--no-color").stderr == 'error: key "NOPE" not found\n'


@pytest.mark.parametrize(
    ("stdin", "stderr", "typed", "asked"),
    [(True, True, True, True), (True, False, True, False), (False, True, False, False), (None, True, False, False)],
)
def test_a_person_is_asked_where_question_and_answer_are_theirs(monkeypatch, stdin, stderr, typed, asked):
    """A value can be typed where stdin is a terminal; for consent the question has to be on one too."""

    class Stdin:
        def isatty(self):
            return stdin

    monkeypatch.setattr(sys, "stdin", None if stdin is None else Stdin())
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor == STDERR and stderr)
    assert (prompt.at_terminal(), consent.at_terminal()) == (typed, asked)


@pytest.mark.parametrize(("answer", "status", "told"), [(True, 0, "is trusted"), (False, 1, "is not trusted")])
def test_an_answer_to_trust_is_said_and_kept(shelf, monkeypatch, answer, status, told):
    """A no as well as a yes."""
    monkeypatch.setattr(consent, "at_terminal", lambda: True)
    monkeypatch.setattr(consent, "is_yes", lambda question: answer)
    done = shelf.said("trust")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (status, f"{shelf.path} {told}")
    assert shelf.said("trust", "--list").stdout.endswith("\n" if answer else "  (denied)\n")
    assert ("(denied)" in shelf.said("trust", "--list").stdout) != answer
