"""A signal that ends envref ends the programs of its stores, however many are asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from envref.backends import children
from tests.conftest import ROOT
from tests.processes import left_of
from tests.requirements import first_python

STORE = "#!/bin/sh\necho $$ > {}.pid\nsleep 300 &\nexec sleep 300\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_a_signal_ends_the_programs_of_stores(project, number, names):
    """One is asked by the main thread, two by threads; the caller sees the signal."""
    stores = ", ".join(f"{{name: {name}, type: plugin, config: {{command: ./{name}.sh}}}}" for name in names)
    project.write(".envref.yaml", f"project: app\nbackends: [{stores}]\n")
    project.write(".env", "".join(f"{name}=ref://{name}/a\n" for name in names))
    for name in names:
        project.write(f"{name}.sh", STORE.format(name)).chmod(0o755)
    started = subprocess.Popen(
        [sys.executable, "-m", "envref", "resolve"],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ENVREF_TRUST": "all", "MARK": str(project.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for name in names:
        _when_there(project.path / f"{name}.pid")
    started.send_signal(number)
    assert started.wait(10) == -number
    assert [name for name in names if _is_known(int((project.path / f"{name}.pid").read_text()))] == []
    assert left_of(f"MARK={project.path}") == []


def _is_known(process):
    """Whether the system still has it, dead or alive: init may take its time to look at those whose parent is gone."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _when_there(path):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if path.exists() and path.read_text().strip():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path.name} never came")


@first_python
class TestEnd:
    """What a signal does, in the tests' own process: nothing is killed here, `told` has what would be."""

    @pytest.fixture(autouse=True)
    def told(self, monkeypatch):
        told = []
        for name in ("_groups", "_starts", "_late"):
            monkeypatch.setattr(children, name, type(getattr(children, name))())
        monkeypatch.setattr(children, "kill", lambda group: told.append(("killed", group)))
        monkeypatch.setattr(children, "_reap", lambda groups: told.append(("reaped", [*groups])))
        monkeypatch.setattr(children.os, "kill", lambda process, number: told.append((process, number)))
        monkeypatch.setattr(children.signal, "signal", lambda number, action: told.append((number, action)))
        return told

    def test_programs_end_before_envref(self, told):
        """Each that was started and has not ended, and then envref by the same signal."""
        for group in (7, 8):
            with children.starting() as known:
                known(group)
        children.ended(7)
        children.ended(9)
        children._end(15, None)
        own = os.getpid()
        assert told == [("killed", 8), ("reaped", [8]), (15, signal.SIG_DFL), (own, 15)]

    def test_a_signal_within_a_start_waits_for_it(self, told):
        """The new program is known then, and ends too."""
        with children.starting() as known:
            children._end(1, None)
            children._end(15, None)
            assert told == []
            known(7)
        assert told == [("killed", 7), ("reaped", [7]), (1, signal.SIG_DFL), (os.getpid(), 1)]

    def test_another_thread_leaves_it_to_the_main_one(self, told):
        """Only that one may say what a signal does."""
        children._late.append(15)

        def start():
            with children.starting() as known:
                known(7)

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert told == []
        with children.starting():
            pass
        assert told[0] == ("killed", 7)

    @pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN, lambda *_: None])
    def test_only_what_would_end_envref_is_caught(self, told, monkeypatch, before):
        """What is ignored, e.g. by nohup, or has another handler, stays so."""
        monkeypatch.setattr(children.signal, "getsignal", lambda _: before)
        children.watch()
        caught = [(number, children._end) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)]
        assert told == (caught if before is signal.SIG_DFL else [])
        told.clear()
        thread = threading.Thread(target=children.watch)
        thread.start()
        thread.join()
        assert told == []


@pytest.mark.parametrize("fault", [None, ProcessLookupError, PermissionError])
def test_a_whole_group_is_killed(monkeypatch, fault):
    """One that is gone, or holds only zombies, needs nothing."""
    told = []

    def killpg(group, number):
        told.append((group, number))
        if fault:
            raise fault

    monkeypatch.setattr(children.os, "killpg", killpg)
    children.kill(7)
    assert told == [(7, signal.SIGKILL)]


def test_statuses_are_taken_for_a_moment(monkeypatch):
    """Until it is gone, somebody else has taken it, or the time is up."""
    answers = {7: [(0, 0), (7, 9)], 8: [], 9: [(0, 0)] * 1000}
    asked, clock = [], iter(range(1000))

    def waitpid(group, how):
        asked.append((group, how))
        if not answers[group]:
            raise ChildProcessError
        return answers[group].pop(0)

    monkeypatch.setattr(children.os, "waitpid", waitpid)
    monkeypatch.setattr(children.time, "sleep", lambda _: None)
    monkeypatch.setattr(children.time, "monotonic", lambda: next(clock) / 10)
    children._reap([7, 8, 9, 7])
    assert asked[:3] == [(7, os.WNOHANG), (7, os.WNOHANG), (8, os.WNOHANG)]
    assert 1 <= len([group for group, _ in asked if group == 9]) < 4
