"""Whose shells a hook's exports reach, by the processes above it."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from envref.flox import reached
from tests.requirements import need

GIVEN = 4  # the process that was started with a FLOX_SHELL, if any is


@pytest.fixture
def above(monkeypatch):
    """`above(names, shell)`: the programs above this one, the nearest first; `shell` is what Flox was started with."""

    def above(names, shell=""):
        table = {number: (number - 1, name) for number, name in zip(range(GIVEN + 1, 0, -1), names, strict=False)}
        asked = []

        def process(number):
            asked.append(number)
            if number not in table:
                raise ProcessLookupError
            return table[number]

        monkeypatch.setattr(os, "getppid", lambda: GIVEN + 1)
        monkeypatch.setattr(reached, "_process", process)
        monkeypatch.setattr(reached, "_given_to", lambda number: shell if number == GIVEN else "")
        return asked

    return above


@pytest.mark.parametrize(
    ("names", "shell", "own", "found"),
    [
        ([], "/bin/fish", "/bin/zsh", ["zsh"]),
        (["bash", "sshd"], "/bin/fish", "/bin/zsh", []),
        (["bash", "flox-activatio", "fish", "sshd"], "", "/bin/zsh", ["zsh", "fish"]),
        (["bash", "flox-activatio", "fish", "sshd"], "/bin/tcsh", "/bin/zsh", ["tcsh"]),
        (["bash", ".flox-activatio", "flox", ".fish-wrapped"], "", "/bin/-fish", ["fish"]),
        (["bash", "flox-activatio", "flox", "flox-activatio", "-tcsh"], "", "zsh", ["zsh", "tcsh"]),
        (["bash", "flox-activatio"], "", "/bin/zsh", ["zsh", ""]),
    ],
)
def test_the_shells_that_flox_may_write_to(above, names, shell, own, found):
    """FLOX_SHELL alone where it was given, else SHELL and the program that called Flox."""
    above(names, shell)
    assert reached.shells({"SHELL": own}) == found


def test_without_shell_the_parent_counts(above):
    """And nobody else."""
    above(["bash", "flox-activatio", "fish"])
    assert reached.shells({}) == ["", "fish"]


def test_the_way_up_ends(above, monkeypatch):
    """At the first process of the system, which counts; at one that is not shown; and after 64 of them."""
    asked = above(["a", "b", "c", "d", "e"])
    assert list(reached._ancestors()) == [(5, "a"), (4, "b"), (3, "c"), (2, "d"), (1, "e")]
    assert asked == [5, 4, 3, 2, 1]
    above(["a", "b"])
    assert list(reached._ancestors()) == [(5, "a"), (4, "b")]
    monkeypatch.setattr(reached, "_process", lambda number: (number + 1, "x"))
    assert len(list(reached._ancestors())) == 64


@contextlib.contextmanager
def running(environment):
    """The number of a `cat` that was started with this environment and has answered: before, it may be another yet."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([need("cat")], env=environment, bufsize=0, **pipes) as other:
        other.stdin.write(b"x")
        assert other.stdout.read(1) == b"x"
        yield other.pid


def test_what_the_system_says_of_a_process():
    """Its parent and program, and the FLOX_SHELL that it was given; none where it has none, or is not shown."""
    given = {"FLOX_SHELL": "/bin/zsh\udcff", "OTHER_FLOX_SHELL": "x", "FLOX_SHELLS": "y"}
    with running(given) as number:
        assert reached._process(number) == (os.getpid(), "cat")
        assert reached._given_to(number) == "/bin/zsh\udcff"
    with running({}) as number:
        assert reached._given_to(number) == ""
    assert reached._given_to(0) == ""
