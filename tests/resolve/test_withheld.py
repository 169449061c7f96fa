"""Withheld: what `tools:` keeps for a program is in no shell, nor what any line with a part in it is made of."""

from __future__ import annotations

import pytest

from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.config.model import Config
from envref.project.project import Project
from envref.resolve.withheld import for_shells, withheld

TOOLS = {"gh": {"variables": ["KEPT"]}, "git": {"credential github.com": ["TOKEN"]}}


def split(*texts, keeping=()):
    """The names that are withheld, and those that every program may see."""
    files = [EnvFile.parse(text, name) for text, name in zip(texts, (".env", ".env.local"), strict=False)]
    project = Project("/", Config(project="app", tools=TOOLS), None, files=files, warnings=())
    environment = Environment(files)
    free = [variable.name for variable in for_shells(project, environment, keeping)]
    kept = withheld(project, environment.variables, keeping)
    assert sorted(kept + free) == sorted(environment.variables)
    return kept, free


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("FREE=1\nKEPT=2\nTOKEN=3\n", ["KEPT", "TOKEN"]),
        ("KEPT=2\nMADE=x$KEPT\nAGAIN=${MADE}y\n", ["KEPT", "MADE", "AGAIN"]),
        ("KEPT=2\nMADE='x$KEPT'\nESCAPED=x\\$KEPT\n", ["KEPT"]),
        ("A=1\nKEPT=2\nMADE=${A:-${KEPT}}\nOTHER=${A:-x}\n", ["KEPT", "MADE"]),
        ("FREE=1\nMADE=${KEPT:-x}\nOTHER=$FREE\n", ["MADE"]),
        ("FREE=1\n", []),
    ],
)
def test_what_is_kept_takes_along_what_is_made_of_it(text, kept):
    """Also in an alternative that is not taken, and where no file sets it; quoted and escaped dollars are text."""
    assert split(text)[0] == kept


def test_a_line_below_counts_while_the_one_above_is_made_of_it():
    """An overridden line has no part in the value."""
    assert split("KEPT=1\nA=$KEPT\n", "A=$A:2\n") == (["KEPT", "A"], [])
    assert split("KEPT=1\nA=$KEPT\n", "A=2\n") == (["KEPT"], ["A"])
    assert split("KEPT=1\nA=$KEPT\nA=x\nA=$A:2\n") == (["KEPT"], ["A"])


def test_a_line_that_does_not_count_makes_nothing():
    """Where the environment has a value that stays."""
    assert split("KEPT=1\nA=$KEPT\n", keeping=("A",)) == (["KEPT"], ["A"])
