"""Whose shells a hook's exports reach, by the processes above it."""

from __future__ import annotations

import pytest

from envref import processes
from envref.flox import reached

GIVEN = 4  # the process that was started with a FLOX_SHELL, if any is


@pytest.fixture
def above(monkeypatch):
    """`above(names, shell)`: the programs above this one, the nearest first; `shell` is what Flox was started with."""

    def above(names, shell=""):
        table = list(zip(range(GIVEN + 1, 0, -1), names, strict=False))
        monkeypatch.setattr(reached, "upward", lambda _: table)
        monkeypatch.setattr(reached, "_given_to", lambda number: shell if number == GIVEN else "")

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
        (["make", "bash", "flox-activatio", "-tcsh"], "", "/bin/zsh", ["zsh", "tcsh"]),
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


@pytest.mark.parametrize(
    ("variables", "shell"),
    [
        ([b"FLOX_SHELL=/bin/zsh\xff", b"OTHER_FLOX_SHELL=x", b"FLOX_SHELLS=y", b""], "/bin/zsh\udcff"),
        ([b"SHELL=/bin/fish", b""], ""),
        ([], ""),
    ],
)
def test_the_shell_that_flox_was_given(monkeypatch, variables, shell):
    """Of its process's own variables; none where it has none, or nobody shows them."""
    monkeypatch.setattr(processes, "environment_of", {7: variables}.get)
    assert reached._given_to(7) == shell
