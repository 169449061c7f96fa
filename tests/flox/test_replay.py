"""Replay: what Flox's quoting breaks. tests/flox/test_activation_values.py holds the rule against the shells."""

from __future__ import annotations

import pytest

from envref.flox import reached
from envref.flox.replay import BREAKS, warnings
from envref.secret import Secret
from tests.requirements import need


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


ABOVE = {
    "a shell of its own or in place": (["bash", "flox-activatio", "fish", "sshd"], ["zsh", "fish"]),
    "wrapped by Nix": (["bash", "bash", ".flox-activatio", "flox", ".zsh-wrapped"], ["zsh"]),
    "through other programs": (["make", "bash", "flox-activatio", "-tcsh"], ["zsh", "tcsh"]),
    "not in a hook": (["bash", "fish", "sshd"], []),
    "nobody says": ([], ["zsh"]),
}


@pytest.mark.parametrize("case", ABOVE)
def test_the_shells_that_flox_may_choose(monkeypatch, case):
    """SHELL, and the shell in which Flox was called."""
    names, found = ABOVE[case]
    monkeypatch.setattr(reached, "_ancestors", lambda: [(2**22 + place, name) for place, name in enumerate(names)])
    assert reached.shells({"SHELL": "/bin/zsh"}) == found


def test_ps_says_the_same_as_proc(monkeypatch):
    """Where there is no /proc."""
    need("ps")
    by_proc = list(reached._ancestors())
    monkeypatch.setattr(reached.sys, "platform", "darwin")
    assert [number for number, _ in reached._ancestors()] == [number for number, _ in by_proc]
    assert by_proc
