"""How a process becomes the agent: what it refuses to start without, and whom its socket lets in."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import stat
import sys

import pytest

from envref import client, libc, memory
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
        with pytest.raises(OSError, match=r"^\[Errno 0\] this process can be read by others$"):
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


class _Ended(BaseException):
    """In the place of the end of this process."""


@pytest.fixture
def becoming(folder, monkeypatch):
    """Serves in the folder; what the fork says is its argument. What was done is noted, ends with their status."""
    os.mkdir(folder, 0o700)
    done = []

    def end(status):
        done.append(("ends", status))
        raise _Ended

    class Server:
        def __init__(self, listening, place):
            done.append(("listens", listening.getsockname(), place))

        def run(self):
            with open(os.path.join(folder, "lock"), encoding="ascii") as lock:
                done.append(("runs", int(lock.read())))
            raise ValueError

    monkeypatch.setattr(process, "protect", lambda: done.append(("protects",)))
    monkeypatch.setattr(process, "AgentServer", Server)
    monkeypatch.setattr(os, "chdir", lambda place: done.append(("goes to", place)))
    monkeypatch.setattr(os, "_exit", end)

    made = []

    def listening(path):
        made.append(real(path))
        return made[-1]

    def serve(forked):
        monkeypatch.setattr(os, "fork", lambda: done.append(("forks",)) or forked)
        process.serve(folder)

    real = process._listening
    monkeypatch.setattr(process, "_listening", listening)
    serve.done = done
    yield serve
    for each in made:
        each.close()


def test_who_started_it_goes_on_once_it_listens(folder, becoming):
    """And not before."""
    with pytest.raises(_Ended):
        becoming(77)
    assert becoming.done == [("protects",), ("forks",), ("ends", 0)]
    assert stat.S_ISSOCK(os.stat(client.socket_path(folder)).st_mode)


def test_it_ends_without_a_trace(folder, becoming):
    """Whatever ends it: a trace might hold a value. It keeps no directory busy, and its lock names it."""
    with pytest.raises(_Ended):
        becoming(0)
    listens = ("listens", client.socket_path(folder), folder)
    served = [("goes to", "/"), listens, ("runs", os.getpid()), ("ends", 0)]
    assert becoming.done == [("protects",), ("forks",), *served]


def test_there_is_one_in_a_folder(folder, becoming):
    """A second one leaves the first one's socket alone."""
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        becoming(77)
    assert becoming.done == [("protects",)]
    assert os.listdir(folder) == ["lock"]


def test_there_is_none_in_a_folder_of_others(folder, becoming):
    """Nothing is written there."""
    os.chmod(folder, 0o750)
    with pytest.raises(client.Untrustworthy):
        becoming(77)
    assert (becoming.done, os.listdir(folder)) == ([("protects",)], [])


@pytest.mark.parametrize("error", [None, OSError(0, "this process can be read by others")])
def test_what_it_is_before_it_serves(monkeypatch, limits, error):
    """Its room, no descriptor of its starter's, no signal of a terminal's; SIGTERM ends it as `stop` does."""
    made, closed = {}, []

    def serve(place):
        closed.append(place)
        if error:
            raise error

    monkeypatch.setattr(process, "serve", serve)
    monkeypatch.setattr(sys, "argv", ["-c", "/place"])
    monkeypatch.setattr(os, "closerange", lambda first, end: closed.append((first, end)))
    monkeypatch.setattr(os, "setsid", lambda: closed.append("a session of its own"))
    monkeypatch.setattr(process.signal, "signal", lambda number, how: made.update({number: how}))
    if error:
        with pytest.raises(OSError, match="can be read"):
            process.main()
    else:
        process.main()
    assert list(limits) == [resource.RLIMIT_NOFILE]
    (first, end), *rest = closed
    assert (first, rest) == (3, ["a session of its own", "/place"])
    assert end >= 1 << 16
    with pytest.raises(SystemExit) as ended:
        made.pop(signal.SIGTERM)()
    assert ended.value.code == 0
    terminal = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
    assert made == dict.fromkeys((signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, *terminal), signal.SIG_IGN)
