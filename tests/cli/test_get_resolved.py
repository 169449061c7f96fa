"""`envref get --resolve`: what a program gets, of one variable."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def filled(shop):
    shop.fill(k="it's\nso")
    shop.write(
        ".env", 'PLAIN=1\nA=ref://secrets/k\nB="x ${A}"\nGONE=ref://secrets/no\nMAYBE=ref://secrets/no?optional\n'
    )
    return shop


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["A"], "it's\nso\n"),
        (["B"], "x it's\nso\n"),
        (["PLAIN"], "1\n"),
        (["A", "--format", "json"], json.dumps({"key": "A", "value": "it's\nso"}, indent=2) + "\n"),
        (["A", "--format", "shell"], "export A='it'\\''s\nso'\n"),
    ],
)
def test_it_prints_the_value(filled, words, printed):
    """To the byte, in the formats of `get`; without the option the reference stays."""
    done = filled.envref("get", "--resolve", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")
    assert "it's" not in filled.envref("get", *words).stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GONE", "run: envref secret set no"),
        ("MAYBE", "error: MAYBE has no value: its secret may be absent"),
        ("NONE", 'key "NONE" not found'),
    ],
)
def test_nothing_is_printed_where_there_is_no_value(filled, name, said):
    """Status 1, and the reason."""
    done = filled.envref("get", "--resolve", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_a_project_that_nobody_agreed_to_asks_no_store(filled, nobody_agreed):
    """As `run`: consent first."""
    done = filled.envref("get", "--resolve", "A", env={"ENVREF_TRUST": ""})
    assert (done.returncode, done.stdout) == (4, "")
