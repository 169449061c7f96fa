"""Each refusal of each command, as refusals.txt has it: its status, what it says and how that is cured, and no trace.

There `$ WORDS => STATUS` is a command line, and below it stands all that it prints: stdout behind `| `, then stderr.
PUBLIC-KEY is one, PROJECT the directory.
"""

from __future__ import annotations

import itertools
import pathlib
import shlex

import pytest

from tests.requirements import first_python

pytestmark = first_python

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
LINES = (
    pathlib.Path(__file__).with_name("refusals.txt").read_text(encoding="utf-8").replace("PUBLIC-KEY", KEY).splitlines()
)
STARTS = [number for number, line in enumerate(LINES) if line.startswith("$ ")]
ROWS = [LINES[start:end] for start, end in itertools.pairwise([*STARTS, len(LINES)])]
COMMANDS = {name: [*rows] for name, rows in itertools.groupby(ROWS, key=lambda row: row[0].split()[1])}
FILES = {
    ".env": "A=ref://secrets/a\nB=1\n",
    ".env.staging": "",
    ".envrc": "if\n",
    "broken.env": "no equals\n",
    "old.env": "TOKEN=of-another-kind\n",
    "two.pub": f"{KEY}\n{KEY}\n",
}


@pytest.fixture
def refusing(shelf, home):
    """A project that has a little of everything, in which nothing may change."""
    team = [{"name": "bob", "public_key": KEY}]
    shelf.configure(profiles={"staging": None, "qa": {"env_file": ".env.q"}}, team=team)
    for name, text in FILES.items():
        shelf.write(name, text)
    shelf.values["one"]["app/a"] = "v"
    shelf.home = home
    return shelf


def state(shelf):
    """What a refusal must not change: the stores, the project, and the user's own config."""
    kept = {place: dict(values) for place, values in shelf.values.items()}
    found = [path for top in (shelf.path, shelf.home / ".config") for path in top.rglob("*")]
    return kept, {str(path): hash(path.read_bytes()) for path in found if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_refusal_says_what_and_why_and_changes_nothing(refusing, command):
    before = state(refusing)
    for heading, *printed in COMMANDS[command]:
        words, _, status = heading.removeprefix("$ ").rpartition(" => ")
        done = refusing.said(*shlex.split(words))
        out = [f"| {line}" for line in done.stdout.splitlines()]
        told = [*out, *done.stderr.replace(str(refusing.path), "PROJECT").splitlines()]
        assert (words, done.returncode, told) == (words, int(status), printed)
        assert state(refusing) == before, words
