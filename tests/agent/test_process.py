"""How a process becomes the agent: what it refuses to start without, and whom its socket lets in."""

from __future__ import annotations

import errno
import os
import resource
import stat
import sys

import pytest

from envref import libc, memory
from envref.agent import process
from envref.agent.owners import MOST
from envref.agent.server import MOST_GUESTS
from tests.requirements import first_python

pytestmark = first_python


@pytest.fixture
def limits(monkeypatch):
    """What would be set of this process's limits."""
    made = {}
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: made.update({kind: pair}))
    monkeypatch.setattr(memory, "protect", lambda: None)
    return made


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
@pytest.mark.parametrize("dumpable", [0, 1, -1])
def test_who_can_be_read_is_no_agent(limits, monkeypatch, dumpable):
    """The kernel is asked whether it took that; no core is written either."""
    asked = []
    monkeypatch.setattr(libc, "call", lambda *words: asked.append(words) or dumpable)
    if dumpable:
        with pytest.raises(OSError, match="this process can be read by others"):
            process.protect()
    else:
        process.protect()
    pr_get_dumpable = 3  # <linux/prctl.h>
    assert asked == [("prctl", pr_get_dumpable, 0, 0, 0, 0)]
    assert limits == {resource.RLIMIT_CORE: (0, 0)}


@pytest.mark.parametrize("most", [64, 1 << 20, resource.RLIM_INFINITY])
def test_there_is_a_descriptor_for_each_guest_and_owner(limits, most):
    """As far as the system lets it."""
    process._make_room(most)
    soft, hard = limits[resource.RLIMIT_NOFILE]
    assert hard == most
    assert soft == 64 if most == 64 else MOST_GUESTS + MOST < soft < 1024


def test_its_socket_is_for_nobody_else(tmp_path):
    """Whatever the umask, which is as before; one that a killed agent left is replaced."""
    path = tmp_path / "s"
    path.write_text("stale")
    before = os.umask(0o002)
    try:
        listening = process._listening(str(path))
        assert os.umask(0o002) == 0o002
    finally:
        os.umask(before)
    status = path.stat()
    assert (stat.S_ISSOCK(status.st_mode), stat.S_IMODE(status.st_mode)) == (True, 0o600)
    assert listening.gettimeout() == 0
    listening.close()


def test_its_lock_says_who_it_is(tmp_path, monkeypatch):
    """In the place of its predecessor; a full disk is no reason to end."""
    path = tmp_path / "lock"
    path.write_text("123456789\n")
    with path.open("r+b") as lock:
        process._sign(lock.fileno())
        assert path.read_text() == f"{os.getpid()}\n"

        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        process._sign(lock.fileno())
