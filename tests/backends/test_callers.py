"""The programs above a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from envref import processes
from envref.backends import callers
from envref.processes import Process
from tests.requirements import need


@pytest.fixture
def table(monkeypatch):
    """Process -> its parent and program: all that the system shows. And the list of those that were asked for."""
    shown, asked = {}, []

    def find(number):
        asked.append(number)
        if number not in shown:
            return None
        parent, name = shown[number]
        return Process(b"%d (%b) S %d" % (number, name.encode(), parent) + b" 0" * 20)

    monkeypatch.setattr(processes, "are_shown", lambda: True)
    monkeypatch.setattr(processes, "find", find)
    return shown, asked


def test_the_way_up_ends_at_the_first_process_of_the_system(table):
    """Which counts; nobody is asked for what is above it."""
    shown, asked = table
    shown.update({5: (4, "a"), 4: (1, "b"), 1: (0, "init")})
    assert list(callers.upward(5)) == [(5, "a"), (4, "b"), (1, "init")]
    assert asked == [5, 4, 1]


def test_the_way_up_ends_at_a_process_that_is_not_shown(table):
    """As another user's may be."""
    shown, _ = table
    shown.update({5: (4, "a"), 4: (3, "b")})
    assert list(callers.upward(5)) == [(5, "a"), (4, "b")]
    assert list(callers.upward(9)) == []


def test_the_way_up_ends_after_64(table):
    """Numbers that were given again meanwhile could lead in a circle."""
    shown, _ = table
    shown.update({5: (4, "a"), 4: (5, "b")})
    assert len(list(callers.upward(5))) == 64


def test_ps_says_the_same_as_proc(monkeypatch):
    """As on macOS, which has no /proc; the name is without its directory, and no PATH is needed."""
    need("ps")
    monkeypatch.setenv("PATH", "")
    by_proc = list(callers.upward(os.getpid()))
    monkeypatch.setattr(processes, "are_shown", lambda: False)
    by_ps = list(callers.upward(os.getpid()))
    assert [number for number, _ in by_ps] == [number for number, _ in by_proc]
    assert by_ps[0] == by_proc[0]


@pytest.mark.parametrize("ps", ["/no/where", "/bin/false", "/bin/echo"])
def test_a_ps_that_says_nothing(monkeypatch, ps):
    """It is not there, it fails, or says what is no process."""
    monkeypatch.setattr(processes, "are_shown", lambda: False)
    monkeypatch.setattr(callers, "_PS", ps)
    assert list(callers.upward(os.getpid())) == []


@pytest.mark.parametrize("shown", [True, False])
def test_a_process_that_is_gone_has_no_name(monkeypatch, shown):
    """Neither /proc nor `ps` says anything of it."""
    need("ps")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(processes, "are_shown", lambda: shown)
    assert list(callers.upward(ended.pid)) == []
