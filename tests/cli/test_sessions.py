"""Sessions with what commands say when all is well, or nearly: sessions.txt has them, and every word that is printed.

A line `# TITLE` begins a session in a project of its own. In it `> FILE TEXT` writes a file, `> FILE -> TARGET` a
link, `+ STORE KEY=VALUE` a secret; `@ NAME=VALUE` sets a variable and `@ NAME` takes it away; `! vault` makes a vault
in v.db, and `! WORDS` runs a command and exports what it prints into the environment. `$ WORDS => STATUS` runs a
command, `$ WORDS << TEXT => STATUS` with that input; `? FILE`, `? stores` and `? log` look at what is there now.
Below each stands all that is printed: stdout behind `| `, then stderr. TEXT has `\\n` for a line end. PROJECT, HOME
and OUTSIDE are directories, PUBLIC-KEY is one, … is what no two runs have in common. A command that becomes another
program has no place here.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex

import pytest

from tests.backends.vaults import new_vault
from tests.requirements import first_python

pytestmark = first_python

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
TEXT = pathlib.Path(__file__).with_name("sessions.txt").read_text(encoding="utf-8")
SESSIONS = {title: lines.splitlines() for title, lines in re.findall(r"^# (.+)\n((?:(?!# ).*\n)*)", TEXT, re.MULTILINE)}
# What differs from run to run: numbers made of paths or by chance, times, lines as long as a path.
OTHER = re.compile(r"\b[0-9a-f]{8,}\b|(?<=app-)[0-9a-f]{6}\b|\b\d\.\d{3}(?= s)|\b20\d\d-\d\d-\d\d(?:T[\d:]+Z)?|-{30,}")


class Session:
    """A project, and what a line of a session does in it."""

    def __init__(self, shelf, home, monkeypatch):
        self.shelf = shelf
        self.monkeypatch = monkeypatch
        outside = str(shelf.path.parent)
        self.names = {"PROJECT": str(shelf.path), "OUTSIDE": outside, "HOME": str(home), "PUBLIC-KEY": KEY}

    def do(self, line):
        """What the line prints; None for one that is no step but expected output."""
        steps = {">": self._write, "+": self._fill, "@": self._set, "!": self._make, "$": self._run, "?": self._look}
        if line[1:2] != " " or line[0] not in steps:
            return None
        for name, text in self.names.items():
            line = line.replace(name, text)
        printed = steps[line[0]](line[2:])
        for name, text in self.names.items():
            printed = printed.replace(text, name)
        return OTHER.sub("…", printed).splitlines()

    def _write(self, line):
        name, _, text = line.partition(" ")
        path = self.shelf.path / os.path.expanduser(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_text(text.replace("\\n", "\n"))
        return ""

    def _fill(self, line):
        store, _, pair = line.partition(" ")
        key, _, value = pair.partition("=")
        self.shelf.values.setdefault(store, {})[key] = value
        return ""

    def _set(self, line):
        name, equals, value = line.partition("=")
        if equals:
            self.monkeypatch.setenv(name, value)
        else:
            self.monkeypatch.delenv(name)
        return ""

    def _make(self, line):
        if line == "vault":
            new_vault(self.shelf.path / "v.db", self.monkeypatch)
            return ""
        done = self.shelf.said(*shlex.split(line))
        for name, value in re.findall(r"^export (\w+)=(.*)$", done.stdout, re.MULTILINE):
            self.monkeypatch.setenv(name, "".join(shlex.split(value)))
        return done.stderr

    def _run(self, line):
        command, _, status = line.rpartition(" => ")
        words, _, given = command.partition(" << ")
        done = self.shelf.said(*shlex.split(words), stdin=given.replace("\\n", "\n"))
        other = "" if str(done.returncode) == status else f"=> {done.returncode}\n"
        return "".join(f"| {each}\n" for each in done.stdout.splitlines()) + done.stderr + other

    def _look(self, name):
        if name == "stores":
            return "".join(f"| {store} {values}\n" for store, values in self.shelf.values.items())
        if name == "log":
            return "".join(f"| {' '.join(each)}\n" for each in self.shelf.logged())
        path = self.shelf.path / os.path.expanduser(name)
        return "".join(f"| {each}\n" for each in path.read_text().splitlines()) if path.exists() else "| (nothing)\n"


@pytest.mark.parametrize("title", SESSIONS)
def test_a_session_says_what_is_written_there(shelf, home, monkeypatch, title):
    session, expected, printed = Session(shelf, home, monkeypatch), [], []
    for line in SESSIONS[title]:
        told = session.do(line)
        if told is None:
            expected.append(line)
            continue
        assert printed == expected
        expected, printed = [line], [line, *told]
    assert printed == expected
