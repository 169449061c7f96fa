"""Secret: never text by accident."""

from __future__ import annotations

import json
import pickle

import pytest

from envref import memory
from envref.secret import Secret, Unread, redact

VALUE = "s3cr3t-value"


@pytest.mark.parametrize(
    "leak",
    [str, "{}".format, lambda secret: f"{secret}", lambda secret: "%s" % secret, pickle.dumps, json.dumps, "".join],
)
def test_a_secret_refuses_to_become_text(leak):
    """Every accidental way to text is a TypeError, and the error does not hold the value."""
    with pytest.raises(TypeError) as caught:
        leak(Secret(VALUE))
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("leak", [str, format, "{}".format, "{:>9}".format])
def test_the_refusal_says_whom_to_ask(leak):
    """Not what Python makes of a method that returns nothing."""
    with pytest.raises(TypeError, match=r"^a Secret is not text; writers call reveal\(\)$"):
        leak(Secret(VALUE))


def test_repr_shows_a_placeholder():
    """Debuggers and tracebacks show that there is a secret, not which."""
    assert repr([Secret(VALUE)]) == "[<Secret>]"


def test_reveal_is_the_way_out():
    """The exact value comes back."""
    assert Secret("a\nb ").reveal() == "a\nb "


def test_secrets_compare_and_do_not_hash():
    """Read-back needs equality; a set of secrets would leak it."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        {Secret("a")}


def test_known_values_are_redacted():
    """Text for people never holds a value that this process has seen; the longest match goes first."""
    Secret("hunter22")
    Secret("hunter22-long")
    assert redact("x hunter22-long y hunter22 z") == "x *** y *** z"


def test_short_values_stay():
    """A value of three characters occurs in ordinary words; four are hidden."""
    Secret("not")
    Secret("four")
    assert redact("not found four") == "not found ***"


def test_a_revision_goes_with_its_secret():
    """Of one that was not read there is nothing else."""
    assert (Secret("a", "7").revision, Secret("a").revision, Unread("7").revision) == ("7", "", "7")
    assert redact(Unread("7").reveal() * 4) == "****"


def test_the_first_value_closes_the_memory(monkeypatch):
    """Once; a revision alone does not."""
    closed = []
    monkeypatch.setattr(memory, "protect", lambda: closed.append(1))
    monkeypatch.setattr("envref.secret._known", set())
    Unread("7")
    assert closed == []
    for value in "ab":
        Secret(value)
        assert closed == [1]
