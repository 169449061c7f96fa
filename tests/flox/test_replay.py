"""Replay: what Flox's quoting breaks. tests/flox/test_activation_values.py holds the rule against the shells."""

from __future__ import annotations

import pytest

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
    ],
)
def test_what_breaks_where(value, shells):
    """A backslash before what fish unescapes; any newline in tcsh."""
    assert [shell for shell, breaks in BREAKS.items() if breaks(value)] == shells


def test_a_warning_names_the_variable_and_the_cure_and_never_the_value():
    """A line each, in order; plain variables are replayed as secrets are."""
    variables = [("PEM", Secret("-----BEGIN\nkey")), ("OK", Secret("fine")), ("PLAIN", "a\nb")]
    cure = "run: envref flox-hook --write --placement profile"
    assert warnings("tcsh", variables) == [
        f"PEM: Flox cannot replay this value into tcsh; {cure}",
        f"PLAIN: Flox cannot replay this value into tcsh; {cure}",
    ]
    assert warnings("fish", variables) == []
