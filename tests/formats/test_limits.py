"""How much environment a system lets a program have, at the bound and just above it: the system itself is the judge."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from envref.errors import EnvrefError
from envref.formats import limits
from tests.requirements import need

LONGEST = 128 * 1024  # bytes of one variable: execve(2)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a single variable")


def starts(environment):
    """Whether the system starts a program with it."""
    try:
        return subprocess.run([need("true")], env=environment, check=True).returncode == 0
    except OSError:
        return False


def fits(environment, before=()):
    try:
        limits.check(list(environment.items()), dict(before))
    except EnvrefError:
        return False
    return True


@on_linux
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_variable(more):
    """With its name, the sign between and the NUL behind it."""
    environment = {"LONG": "x" * (LONGEST - len("LONG=") - 1 + more)}
    assert fits(environment) == starts(environment) == (more <= 0)


def test_all_of_them_together(monkeypatch):
    """Those that stay count as well, and what replaces one does not count twice."""
    monkeypatch.setattr(os, "sysconf", lambda _: 1000)
    size = len("A=") + 1 + 8  # its NUL, and the pointer to it
    assert fits({"A": "x" * (1000 - size)})
    assert not fits({"A": "x" * (1000 - size + 1)})
    assert fits({"A": "x" * (1000 - 2 * size)}, {b"B": b""})
    assert not fits({"A": "x" * (1000 - 2 * size + 1)}, {b"B": b""})
    assert fits({"A": "x" * (1000 - size)}, {b"A": b"y" * 900})
    assert fits({})


def test_the_largest_are_named():
    """Three, the largest first."""
    sizes = limits.sizes_of({b"A": b"1", b"B": b"1234", b"C": b"12", b"D": b"123"})
    assert sizes == {b"A": 12, b"B": 15, b"C": 13, b"D": 14}
    assert limits.too_large(sizes).hint.startswith("the largest variables are B, D, C; ")
