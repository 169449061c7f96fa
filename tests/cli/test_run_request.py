"""Run: both doors of `envref run` ask for the same, and the hot one leaves alone what it does not know."""

from __future__ import annotations

import pytest

from envref.cli import commands
from envref.cli.run_request import parse


def meant(wanted):
    """All that is asked for, as plain data."""
    of_request = {name: getattr(wanted.request, name) for name in type(wanted.request).__slots__}
    return {**of_request, "words": wanted.command, "lenient": wanted.lenient, "pristine": wanted.pristine}


@pytest.fixture
def clicked(monkeypatch):
    """What the click door would start with these words."""
    caught = []
    monkeypatch.setattr("envref.cli.child.run", lambda wanted: caught.append(wanted) or 0)

    def clicked(words):
        assert commands.run(["run", *words]) == 0
        return caught.pop()

    return clicked


@pytest.mark.parametrize(
    "words",
    [
        ["true"],
        ["--timeout", "3", "true"],
        ["--timeout", "0.5", "--", "true", "-x"],
        ["-P", "staging", "true"],
        ["--only", "A,B", "--only", "C", "true"],
        ["--all", "true"],
        ["--strict", "true"],
        ["--partial", "true"],
        ["--pristine", "sh", "-c", "true"],
        ["-C", ".", "true"],
    ],
)
@pytest.mark.parametrize("environment", [{}, {"ENVREF_STRICT": "0"}, {"ENVREF_STRICT": "1"}, {"ENVREF_TIMEOUT": "7"}])
def test_both_doors_ask_for_the_same(clicked, monkeypatch, words, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert meant(clicked(words)) == meant(parse(words, environment))


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--timeout", "3"], "timeout", 3.0),
        (["--timeout", "0.5"], "timeout", 0.5),
        (["--only", "A,B", "--only", "C"], "only", ["A", "B", "C"]),
        (["-P", "staging"], "profile", "staging"),
        (["--all"], "everything", True),
        (["--pristine"], "pristine", True),
        (["--partial"], "lenient", True),
        (["--strict"], "lenient", False),
    ],
)
def test_what_an_option_says_is_asked_for(words, name, value):
    """Whatever the environment says of it."""
    environment = {"ENVREF_TIMEOUT": "7", "ENVREF_STRICT": "0"}
    assert meant(parse([*words, "--", "x"], environment))[name] == value


@pytest.mark.parametrize(
    "words",
    [[], ["--"], ["--strict", "--partial", "x"], ["--all", "--only", "A", "x"], ["--only", "A,,B", "x"],
     ["--timeout", "soon", "x"], ["--timeout", "601", "x"], ["-P", "", "x"], ["--mask", "x"], ["-f", "a", "x"]],
)  # fmt: skip
def test_anything_else_is_for_the_other_door(words):
    """Wrong or merely unusual."""
    assert parse(words, {}) is None


def test_a_wrong_timeout_in_the_environment_is_for_the_other_door():
    assert parse(["x"], {"ENVREF_TIMEOUT": "soon"}) is None
