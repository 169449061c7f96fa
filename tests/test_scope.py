"""How much each Python runs (setup/scope.py), and that no scope is without a word for what it leaves out."""

from __future__ import annotations

import pytest

from setup.interpreters import Interpreter
from setup.scope import scope_of
from tests.requirements import LEFT_OUT


def pythons(*minors):
    return [Interpreter((3, minor, 0), f"python3.{minor}") for minor in minors]


@pytest.mark.parametrize(
    ("minors", "scopes"),
    [
        ([11], ["everything"]),
        ([11, 12], ["everything", "envref"]),
        ([11, 12, 13], ["everything", "inside", "envref"]),
        ([12, 11, 13, 14], ["everything", "envref", "inside", "envref"]),
        ([14, 11, 12, 13], ["everything", "envref", "inside", "inside"]),
    ],
)
def test_the_first_runs_everything_and_the_ends_run_envref(minors, scopes):
    """Whichever Python comes first: the oldest and the newest run envref as a process, those between don't."""
    tested = pythons(*minors)
    assert [scope_of(each, tested) for each in tested] == scopes
    assert set(scopes) <= set(LEFT_OUT)
