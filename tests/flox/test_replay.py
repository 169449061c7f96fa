"""Replay: what Flox's quoting breaks. tests/flox/test_activation_values.py holds the rule against the shells."""

from __future__ import annotations

import pytest

from envref.flox import reached
from envref.flox.replay import BREAKS, warnings
from envref.secret import Secret


@pytest.mark.parametrize(
    ("value", "shells"),
    [
        ("plain", []),
        ("", []),
        ('it\'s "quoted" $x `id` !bang é\t', []),
        ("C:\\dir\\file", []),
        ("\\n", []),
        ("ends\\", ["fish"]),
        ("a\\'b", ["fish"]),
        ("a\\!b", ["fish"]),
        ("a\\\\b", ["fish"]),
        ("two\nlines", ["tcsh"]),
        ("one line\n", ["tcsh"]),
        ("both\\\\\n", ["fish", "tcsh"]),
        ("=2", ["tcsh", "zsh"]),
        ("=-", ["tcsh", "zsh"]),
        ("=ls", ["zsh"]),
        ("=a b", []),
        ("=", []),
        ("a=2", []),
    ],
)
def test_what_breaks_where(value, shells):
    """A backslash before what fish unescapes; any newline in tcsh."""
    assert [shell for shell, breaks in BREAKS.items() if breaks(value)] == shells


def test_a_warning_names_the_variable_and_the_cure_and_never_the_value(monkeypatch):
    """A line each, in order; plain variables are replayed as secrets are."""
    monkeypatch.setattr(reached, "shells", lambda environment: [environment["SHELL"]])
    variables = [("PEM", Secret("-----BEGIN\nkey")), ("OK", Secret("fine")), ("PLAIN", "a\nb")]
    cure = "run: envref flox-hook --write --placement profile"
    assert warnings(variables, {"SHELL": "tcsh"}) == [
        f"PEM: Flox cannot replay this value into tcsh; {cure}",
        f"PLAIN: Flox cannot replay this value into tcsh; {cure}",
    ]
    assert warnings(variables, {"SHELL": "fish"}) == []
    assert warnings(variables, {"SHELL": "bash"}) == []
