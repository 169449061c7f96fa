"""How much each Python runs (setup/scope.py), and that no scope is without a word for what it leaves out."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from setup.interpreters import Interpreter
from setup.scope import scope_of
from tests.conftest import ROOT
from tests.requirements import LEFT_OUT, first_python


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


PROGRAM = "import subprocess, sys\nstart = lambda: subprocess.run([sys.executable, '-c', ''], check=True)\n"
FILES = {
    "test_starts.py": f"{PROGRAM}def test_itself(): start()\n",
    "test_in_a_thread.py": (
        f"{PROGRAM}from threading import Thread\n"
        "def test_beside():\n    ended = []\n    thread = Thread(target=lambda: (start(), ended.append(1)))\n"
        "    thread.start()\n    thread.join()\n    assert ended\n"
    ),
    "test_in_a_fixture.py": (
        f"{PROGRAM}import pytest\n@pytest.fixture\ndef started(): start()\ndef test_with(started): pass\n"
    ),
    "test_stays.py": "def test_stays(): pass\ndef test_fails(): assert False\n",
    "test_outside.py": (
        "import os\nfrom tests.requirements import first_python\n"
        "assert os.environ['ENVREF_TESTS_SCOPE'] == 'everything', 'it is not even imported elsewhere'\n"
        "pytestmark = [first_python]\ndef test_shell(): assert False\n"
    ),
    "test_double.py": (
        "from tests.requirements import others_at_night\npytestmark = others_at_night\ndef test_asked(): pass\n"
    ),
    "test_search.py": (
        "from tests.requirements import oldest_and_newest\npytestmark = oldest_and_newest\ndef test_chance(): pass\n"
    ),
}


@first_python
@pytest.mark.parametrize(
    ("scope", "outcomes"),
    [
        ("everything", "2 failed, 6 passed"),
        ("doubles", "1 failed, 6 passed, 1 skipped"),
        ("envref", "1 failed, 5 passed, 2 skipped"),
        ("inside", "1 failed, 1 passed, 6 skipped"),
    ],
)
def test_what_starts_a_program_is_left_out_inside(tmp_path, scope, outcomes):
    """Whether the test does, a thread of its, or a fixture; and a file that says so is skipped as one."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "ENVREF_TESTS_SCOPE": scope},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1].startswith(f"{outcomes}"), done.stdout
