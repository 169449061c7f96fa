"""What the system says of a process: a line of /proc/PID/stat, its words, its variables."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from envref import processes
from tests.requirements import need

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")

# A line as proc(5) has it, up to the 22nd field.
LINE = b"77 (%b) %b 12 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0"


@pytest.mark.parametrize(
    ("name", "told"), [(b"cat", "cat"), (b"a b", "a b"), (b"x) S 1 (y", "x) S 1 (y"), (b"", ""), (b"\xff", "\ufffd")]
)
def test_a_name_may_be_anything(name, told):
    """Brackets and spaces of a name do not shift the fields behind it."""
    process = processes.Process(LINE % (name, b"S"))
    assert (process.name, process.parent, process.ticks, process.has_ended) == (told, 12, 4711, False)


@pytest.mark.parametrize(("state", "ended"), [(b"R", False), (b"D", False), (b"T", False), (b"Z", True), (b"X", True)])
def test_a_zombie_has_ended(state, ended):
    """Its number is not given again yet, but nothing runs any more."""
    assert processes.Process(LINE % (b"cat", state)).has_ended == ended


@contextlib.contextmanager
def running(environment):
    """The number of a `cat` that was started with this environment and has answered: before, it may be another yet."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([need("cat"), "-"], env=environment, bufsize=0, **pipes) as other:
        other.stdin.write(b"x")
        assert other.stdout.read(1) == b"x"
        yield other.pid


@on_linux
def test_a_process_that_runs():
    """Its parent, program, words and variables, and when it began."""
    before = time.time()
    with running({"NAME": "v\udcff"}) as number:
        found = processes.find(number)
        assert (found.parent, found.name, found.has_ended) == (os.getpid(), "cat", False)
        assert processes.start_of(number) == str(found.ticks)
        assert processes.words_of(number)[1:] == [b"-", b""]
        assert processes.environment_of(number) == [b"NAME=v\xff", b""]
        # The kernel rounds the second in which it was started, and the time since then to a tick.
        assert before - 2 <= processes.began_at(number) <= time.time() + 2


@on_linux
def test_a_process_that_ended():
    """As long as nobody asked for its status it is a zombie; then it is not there."""
    with running({}) as number:
        os.kill(number, signal.SIGKILL)
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
        assert processes.find(number).has_ended
        assert processes.start_of(number) == ""
    assert_unknown(number)


@pytest.mark.parametrize("number", [0, -1, 2**40])
def test_a_number_of_no_process(number):
    """Nothing is known, and nothing is raised."""
    assert_unknown(number)


def assert_unknown(number):
    assert processes.find(number) is None
    assert (processes.start_of(number), processes.began_at(number)) == ("", None)
    assert (processes.words_of(number), processes.environment_of(number)) == ([], [])


@on_linux
@pytest.mark.parametrize("content", [None, b"cpu 1 2 3\n", b"btimes 3\n"])
def test_a_system_that_does_not_say_when_it_was_started(monkeypatch, tmp_path, content):
    """As in a container that hides /proc/stat, or shows another one."""
    stat = tmp_path / "stat"
    if content is not None:
        stat.write_bytes(content)

    def opened(path, how):
        return open(stat if path == "/proc/stat" else path, how)

    monkeypatch.setattr(processes, "open", opened, raising=False)
    assert processes.began_at(os.getpid()) is None
    assert processes.start_of(os.getpid())
    stat.write_bytes(b"cpu 1\nbtime 1700000000\nx\n")
    ticks = processes.find(os.getpid()).ticks
    assert processes.began_at(os.getpid()) == 1_700_000_000 + ticks / os.sysconf("SC_CLK_TCK")


def test_the_system_tells_or_does_not():
    """Linux does, unless /proc is not mounted."""
    assert processes.are_shown() == os.path.exists("/proc/self/stat")
