"""errors: what people read on stderr."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from envref import errors
from envref.errors import EnvrefError, Home, MalformedFile, Operator, Problem, pasted, printable
from envref.secret import Secret
from envref.store_errors import BackendLocked, HoldsBytes
from tests.requirements import need


def test_the_cure_is_one_indented_line():
    """A command to paste, or a sentence."""
    assert EnvrefError("vault: locked", run=("envref", "vault", "unlock")).lines() == [
        "error: vault: locked",
        "  run: envref vault unlock",
    ]
    assert EnvrefError("x", hint="ask").lines() == ["error: x", "  hint: ask"]
    assert EnvrefError("x").lines() == ["error: x"]


def test_a_problem_points_at_the_character():
    """File, line and column, then the line with a caret below the column."""
    error = MalformedFile([Problem(".env", 1, 8, "unexpected text after the closing quote", 'FOO="p"q')])
    assert error.lines() == [
        "error: .env:1:8: unexpected text after the closing quote",
        '  FOO="p"q',
        "         ^",
    ]


def test_a_problem_without_its_line_is_told_in_one():
    """Where the line may not be shown, or there is none; what is before it is said of each."""
    error = MalformedFile([Problem("a", 1, 2, "one"), Problem("b", 3, 4, "two")], prefix="lock: ")
    assert error.lines() == ["error: lock: a:1:2: one", "error: lock: b:3:4: two"]
    assert str(error) == "a:1:2: one; b:3:4: two"


def test_a_long_line_is_shown_around_the_column():
    """The caret stays below the character it is about."""
    shown, caret = Problem(".env", 1, 500, "text", "a" * 499 + "!" + "b" * 500).excerpt()
    assert shown[caret.index("^")] == "!"
    assert (len(shown), caret.index("^")) == (102, 51)


@pytest.mark.parametrize(("column", "caret"), [(1, "  ^"), (50, "  " + " " * 49 + "^"), (51, "  " + " " * 49 + "^")])
def test_a_line_is_shown_from_its_beginning_where_it_can_be(column, caret):
    """A tab is as wide as a blank there, so that the caret is right."""
    shown, below = Problem(".env", 1, column, "text", "\ta" * 60).excerpt()
    assert (shown, below) == ("  " + (" a" * 60)[max(0, column - 50) :][:100], caret)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("héllo €", "héllo €"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("\udcff", "\\udcff"),
        ("\0", "\\x00"),
        ("\xa0\xad", "\xa0\\xad"),
        ("\U000e0041\U0001f600", "\\U000e0041\U0001f600"),
    ],
)
def test_nothing_steers_the_terminal(text, shown):
    """Control, C1 and bidirectional characters are shown, not sent."""
    assert printable(text) == shown


HOSTILE = [
    "x;id",
    "$(id)",
    "`id`",
    "with space",
    "a'b",
    'a"b',
    "",
    "=ls",
    "~root",
    "*",
    "a\\b",
    "é €",
    "-rf",
    "a&&b",
    ">>",
]
STEERING = ["a\nb", "a\r", "\x1b[2J", "\x9b", "\u202eabc", "'\n'", "\udcff", "\\n\n", "\t7"]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_command_is_read_back_as_its_words(word):
    """What a repository, a path or a store chose is one word, whatever is in it."""
    run = ("envref", "secret", "set", word)
    assert shlex.split(pasted(run)) == list(run)
    assert EnvrefError("x", run=run).lines()[1].startswith("  run: envref secret set ")


@pytest.mark.parametrize("word", HOSTILE + STEERING)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_agree_and_nothing_leaves_the_line(shell, word):
    """A line end, or what steers a terminal, is written so that the line stays one and the word stays itself."""
    line = pasted(("printf", "%s|", word, Home("~/" + word)))
    assert line.isprintable()
    path = need(shell)
    done = subprocess.run(
        [path, "-c", line], capture_output=True, env={"HOME": "/home/me", "LC_ALL": "C.UTF-8"}, check=True
    )
    assert done.stdout == f"{word}|/home/me/{word}|".encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(("path", "shown"), [("~", "~"), ("~/a b", "~/'a b'"), ("~other/a", "'~other/a'")])
def test_a_path_below_home_keeps_its_tilde(path, shown):
    """A shell puts home in its place; any other tilde is text."""
    assert pasted((Home(path),)) == shown


def test_an_operator_is_never_what_somebody_chose():
    """Only `>>` and `&&`, and only where envref wrote them."""
    assert pasted(("echo", ">>", Operator(">>"), Operator("; id"))) == "echo '>>' >> '; id'"


def test_what_follows_a_command_is_in_its_line():
    """The words of commands.md 13, row 8."""
    run = ("flox", "install", "_1password-cli")
    assert EnvrefError("x", run=run, hint="op signin").cure() == ["run: flox install _1password-cli, then op signin"]


def test_a_message_is_composed_once():
    """Subject, fact and advice make the sentence; a report with a heading of its own takes the fact."""
    error = BackendLocked("locked", subject="keychain", advice="unlock your login keyring").signed("work")
    assert error.message == str(error) == 'keychain: locked; unlock your login keyring (backend "work")'
    assert error.signed("other") is error
    assert (error.advice, type(error)) == ("unlock your login keyring", BackendLocked)
    assert EnvrefError("not a regular file", subject=".env").fact == "not a regular file"


def test_an_error_is_its_message():
    """Also for whoever prints it as any other exception."""
    error = HoldsBytes.about("op", "k\x1b", Secret("v"))
    assert str(error) == error.message == 'op: "k\\x1b" holds bytes, not text'
    assert (error.encoded.reveal(), error.cure()) == ("v", ["hint: add ?encoding=base64"])


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Two projects, of which the first has a folder, and a place that is in none. The first is the current one."""
    for name in ("one/sub", "two", "none"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / name / "mark").touch()
    monkeypatch.chdir(tmp_path / "one")
    return tmp_path


@pytest.mark.parametrize(
    ("here", "directory", "named"),
    [
        ("one", ".", ""),
        ("one", "", ""),
        ("one", "../one", ""),
        ("one", "sub", ""),
        ("one/sub", "..", ""),
        ("one", "../two", "two"),
        ("one/sub", "../../two", "two"),
        ("none", "../one", "one"),
        ("none", "../one/sub", "one/sub"),
        ("none", ".", ""),
        ("one", "../none", "none"),
    ],
)
def test_a_cure_of_another_project_names_it(places, monkeypatch, here, directory, named):
    """Whether it is named decides the project that is found from here, not how it was called."""
    monkeypatch.chdir(places / here)
    errors.about(directory, "mark")
    elsewhere = ["-C", str(places / named)] if named else []
    assert shlex.split(pasted(("envref", "get", "X"))) == ["envref", *elsewhere, "get", "X"]


def test_a_cure_names_the_project_wherever_envref_is_called(places):
    """At the start, and behind an operator; not where `envref` is somebody's word, nor where a place is named."""
    errors.about("../two", "mark")
    here = f"-C {places / 'two'}"
    both = ("envref", "lock", Operator("&&"), "envref", "resolve", "--locked")
    assert pasted(both) == f"envref {here} lock && envref {here} resolve --locked"
    assert pasted(("cd", "x", Operator("&&"), "envref", "trust")) == f"cd x && envref {here} trust"
    for words in (("flox", "install", "envref"), ("envref", "-C", "x", "lock"), ("git", "add", "x")):
        assert pasted(words) == " ".join(words)
    errors.about(".", "mark")
    assert pasted(("envref", "lock")) == "envref lock"


def test_a_cure_names_the_project_where_the_current_directory_is_gone(places, monkeypatch):
    """Nothing is found from there."""
    errors.about(str(places / "one"), "mark")

    def gone():
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert pasted(("envref", "lock")) == f"envref -C {places / 'one'} lock"


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [("stauts", ["list", "status", "start"], "status"), ("x", ["status"], ""), ("status", [], "")],
)
def test_what_was_meant(name, known, meant):
    """The most similar name, if one is similar at all."""
    assert errors.meant(name, iter(known)) == meant
