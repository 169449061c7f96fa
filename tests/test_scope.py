"""How much each Python runs (setup/scope.py), and that no scope is without a word for what it leaves out."""

from __future__ import annotations

import re

import pytest

from setup.interpreters import Interpreter
from setup.scope import scope_of
from tests.conftest import ROOT
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


def test_the_page_lists_what_is_left_to_the_night():
    """Each file that tries less with every change is in its table, and no other."""
    page = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    table = page.partition("## What is left to the night")[2].partition("\n## ")[0]
    asks = re.compile(r"^from tests\.nightly import", re.MULTILINE)
    files = [path for path in (ROOT / "tests").rglob("*.py") if asks.search(path.read_text(encoding="utf-8"))]
    listed = set(re.findall(r"`([a-z_/]+\.py)`", table)) - {"setup/scope.py", "tests/nightly.py"}
    assert listed == {path.relative_to(ROOT / "tests").as_posix() for path in files}
