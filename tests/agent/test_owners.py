"""Owners: who is looked after, with a pidfd and without, and how many."""

from __future__ import annotations

import os
import select
import signal
import sys

import pytest

from envref import processes
from envref.agent import owners
from tests.agent.conftest import wait_for
from tests.processes import tidy_descriptors
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


@pytest.fixture
def process():
    """One that waits; it is killed when told to, or afterwards."""
    number = os.fork()
    if number == 0:
        signal.pause()
        os._exit(0)
    yield number
    kill(number)


def kill(number):
    try:
        os.kill(number, signal.SIGKILL)
        wait_for(lambda: processes.start_of(number) == "")
        os.waitpid(number, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


@pytest.fixture(params=["pidfd", "an old kernel", "an old Python"])
def way(request, monkeypatch):
    """How an owner's end is seen; by its start time where there is no pidfd (ENOSYS: pidfd_open(2))."""
    if request.param == "an old kernel":
        monkeypatch.setattr(os, "pidfd_open", lambda _: os.close(-1))
    elif request.param == "an old Python":
        monkeypatch.delattr(os, "pidfd_open")
    return request.param


def test_an_owner_is_looked_after_until_it_ends(way, process):
    """Once, however often it is named; then it can be removed, and nothing of it is left."""
    poll, before = select.poll(), tidy_descriptors()
    found = owners.Owners(poll)
    assert [found.add(process), found.add(process)] == [True, True]
    assert (list(found), len(found), found.ended()) == ([process], 1, [])
    kill(process)
    told = [found.ended(descriptor) for descriptor, _ in poll.poll(0)]
    assert (told, found.ended()) == (([[process]], []) if way == "pidfd" else ([], [process]))
    found.remove(process)
    assert (list(found), len(found), found.ended(), poll.poll(0)) == ([], 0, [], [])
    assert len(os.listdir("/dev/fd")) == before


def test_who_has_ended_is_no_owner(way, process):
    """Nor is what is no process."""
    kill(process)
    found = owners.Owners(select.poll())
    assert [found.add(process), found.add(0), found.add(-1)] == [False, False, False]
    assert list(found) == []


def test_a_number_that_another_process_got_is_another_owner(monkeypatch, process):
    """Where nothing but the start time tells them apart."""
    monkeypatch.delattr(os, "pidfd_open")
    found = owners.Owners(select.poll())
    found.add(process)
    monkeypatch.setattr(owners, "start_of", lambda _: "7")
    assert found.ended() == [process]


def test_there_are_only_so_many(way, process, monkeypatch):
    """One that is among them stays."""
    monkeypatch.setattr(owners, "MOST", 1)
    found = owners.Owners(select.poll())
    assert [found.add(process), found.add(os.getpid()), found.add(process)] == [True, False, True]
    found.remove(process)
    assert found.add(os.getpid())
    found.remove(os.getpid())


def test_a_descriptor_of_somebody_else_is_no_owner_s(process):
    """As that of a guest who is gone."""
    found = owners.Owners(select.poll())
    found.add(process)
    assert found.ended(2) == []
    found.remove(process)


def test_the_first_process_may_lead_a_session(monkeypatch):
    """As a container's only program does; what is hidden is 0, which getsid(2) takes for the asking process."""
    monkeypatch.setattr(os, "getsid", lambda process: process or 4711)
    assert [owners.session_of(process) for process in (1, 2, 0, -1)] == [1, 2, 0, 0]


def test_the_session_of_a_process(process):
    """None of one that is hidden, or gone."""
    assert owners.session_of(process) == os.getsid(process)
    assert [owners.session_of(0), owners.session_of(-1)] == [0, 0]
    kill(process)
    assert owners.session_of(process) == 0
