"""How an agent is started: when, by whom, and what of the starter goes along. No process is made here."""

from __future__ import annotations

import fcntl
import os
import sys
import types

import pytest

from envref import client
from envref.agent import start
from tests.agent.conftest import need_root
from tests.processes import tidy_descriptors


@pytest.fixture
def clock(monkeypatch):
    """Its time, which passes while it rests."""
    found = types.SimpleNamespace(now=1000.0, rests=0)

    def sleep(seconds):
        found.now += seconds
        found.rests += 1

    monkeypatch.setattr(start, "time", types.SimpleNamespace(monotonic=lambda: found.now, sleep=sleep))
    return found


@pytest.fixture
def spawned(monkeypatch, clock):
    """What would be started, with the time until which it is waited for."""
    made = []
    monkeypatch.setattr(start, "_PATIENCE", 2)
    monkeypatch.setattr(start, "spawn", lambda *words: made.append(words))
    return made


@pytest.mark.parametrize(("patience", "until"), [(0, 1002), (7, 1007)])
def test_one_is_started_where_none_listens(folder, spawned, patience, until):
    """The folder is made for nobody else; nothing is left open."""
    before = tidy_descriptors()
    start.start(folder, patience)
    assert spawned == [("envref.agent.process", folder, until)]
    assert (os.stat(folder).st_mode & 0o777, os.listdir(folder)) == (0o700, ["start"])
    start.start(folder)
    assert len(spawned) == 2
    assert len(os.listdir("/dev/fd")) == before


def test_none_is_started_beside_one_that_listens(folder, spawned, monkeypatch):
    """Whoever waited for another starter finds his."""
    closed = []
    with monkeypatch.context() as patched:
        patched.setattr(client, "connect", lambda _: types.SimpleNamespace(close=lambda: closed.append(1)))
        start.start(folder)
    assert (spawned, closed) == ([], [1])


def test_while_another_starts_one_nobody_else_does(folder, spawned, clock):
    """He is waited for, not longer than the patience."""
    os.mkdir(folder, 0o700)
    with open(os.path.join(folder, "start"), "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        start.start(folder)
        assert spawned == []
        assert 1002 <= clock.now < 1002.1
        assert clock.rests > 100
    start.start(folder)
    assert len(spawned) == 1


def test_a_lock_is_looked_at_until_the_time(folder, clock, tmp_path):
    """Once more at the very time; not after it."""
    with open(tmp_path / "lock", "w") as first, open(tmp_path / "lock") as second:
        assert start.locked(first.fileno(), 0)
        assert not start.locked(second.fileno(), 999.9)
        assert clock.rests == 0
        assert not start.locked(second.fileno(), 1000)
        assert clock.rests == 1
        fcntl.flock(first, fcntl.LOCK_UN)
        assert start.locked(second.fileno(), 0)


@pytest.mark.parametrize("fault", ["a path that is too long", "a folder above for all", "open to others", "a file"])
def test_where_none_can_be_had_none_is_started(folder, spawned, fault):
    """Nothing is made there either; connecting says why."""
    place = folder
    if fault == "a path that is too long":
        place = folder + "d" * 108
    elif fault == "a folder above for all":
        os.chmod(os.path.dirname(folder), 0o777)
    elif fault == "open to others":
        os.mkdir(folder)
        os.chmod(folder, 0o755)
    else:
        open(folder, "w").close()
    before = sorted(os.walk(os.path.dirname(folder)))
    start.start(place)
    assert (spawned, sorted(os.walk(os.path.dirname(folder)))) == ([], before)


def test_none_is_started_in_another_user_s_place(folder, spawned):
    """`sudo envref` that keeps XDG_RUNTIME_DIR."""
    need_root()
    os.chown(os.path.dirname(folder), 65534, 65534)
    start.start(folder)
    assert (spawned, os.path.lexists(folder)) == ([], False)


class Children:
    """What the system says of the process that was started: each answer once, the last one for ever."""

    def __init__(self, monkeypatch, *answers):
        self.answers = list(answers)
        self.started = []
        monkeypatch.setattr(os, "posix_spawn", self.spawn)
        monkeypatch.setattr(os, "waitpid", self.wait)

    def spawn(self, program, argv, environment, *, file_actions):
        self.started.append((program, argv, environment, file_actions))
        if self.answers == ["refused"]:
            raise FileNotFoundError(2, "none")
        return 77

    def wait(self, process, options):
        assert (process, options) == (77, os.WNOHANG)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise ChildProcessError(10, "No child processes")
        return answer


@pytest.mark.parametrize(
    ("answers", "got_there", "rests"),
    [
        ([(77, 0)], True, 0),
        ([(0, 0), (0, 0), (77, 0)], True, 2),
        ([(77, 1 << 8)], False, 0),
        ([(77, 9)], False, 0),
        ([None], False, 0),
        (["refused"], False, 0),
        ([(0, 0)], False, 5),
    ],
    ids=["at once", "later", "ended badly", "killed", "somebody else waited", "no such program", "never"],
)
def test_whether_it_got_to_the_background(monkeypatch, clock, answers, got_there, rests):
    """The process that was started ends then, with 0; it is not waited for after the time."""
    Children(monkeypatch, *answers)
    assert start.spawn("envref.agent.process", "/place", 1000 + 4.5 * start._STEP) is got_there
    assert clock.rests == rests
    Children(monkeypatch, *answers)
    assert not start.spawn("envref.agent.process", "/place", clock.now)


def test_nothing_of_the_starter_goes_along(monkeypatch, clock):
    """No environment, no streams; Python takes its own modules, and envref's from where this one is."""
    children = Children(monkeypatch, (77, 0))
    start.spawn("envref.agent.process", "/place", 1001)
    [(program, argv, environment, actions)] = children.started
    assert (program, environment) == (sys.executable, {})
    assert argv[:4] == [sys.executable, "-I", "-S", "-c"]
    assert "from envref.agent.process import main; main()" in argv[4]
    assert argv[5:] == [os.path.dirname(os.path.dirname(client.__file__)), "/place"]
    assert actions == [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
