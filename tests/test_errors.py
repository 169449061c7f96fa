"""errors: what people read on stderr."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError, MalformedFile, Problem, printable


def test_the_cure_is_one_indented_line():
    """A command to paste, or a sentence."""
    assert EnvrefError("vault: locked", run="envref vault unlock").lines() == [
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


def test_a_long_line_is_shown_around_the_column():
    """The caret stays below the character it is about."""
    shown, caret = Problem(".env", 1, 500, "text", "a" * 499 + "!" + "b" * 500).excerpt()
    assert shown[caret.index("^")] == "!"
    assert len(shown) <= 102


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
    ],
)
def test_nothing_steers_the_terminal(text, shown):
    """Control, C1 and bidirectional characters are shown, not sent."""
    assert printable(text) == shown
