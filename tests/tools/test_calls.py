"""What is kept of the processes that shims became: of those that run, for the tool, by number and start."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from envref.paths import state_path
from envref.tools import calls
from tests.requirements import need

ME = os.getpid()
MARK = f"gh=1={ME}=/bin/gh"


@pytest.fixture
def place(home):
    if not os.path.isdir("/proc/self"):
        pytest.skip("processes are known by /proc")
    return state_path("calls")


def test_a_process_and_what_is_below_it_have_its_mark(place):
    """For that tool alone; a newer mark replaces it."""
    calls.note("gh", ME, "older")
    calls.note("gh", ME, MARK)
    with subprocess.Popen([need("cat")], stdin=subprocess.PIPE) as child:
        assert (calls.recalled("gh", child.pid), calls.recalled("psql", child.pid)) == (MARK, "")
    assert calls.recalled("gh", ME) == MARK
    assert os.listdir(place) == [f"{ME}-gh"]


@pytest.mark.parametrize("text", ["", "1\nother", "nonsense", "\n"])
def test_what_an_earlier_process_of_the_number_left_counts_for_nothing(place, text):
    os.makedirs(place, 0o700)
    with open(f"{place}/{ME}-gh", "w", encoding="utf-8") as file:
        file.write(text)
    assert calls.recalled("gh", ME) == ""


def test_what_others_could_have_written_counts_for_nothing(place):
    calls.note("gh", ME, MARK)
    os.chmod(f"{place}/{ME}-gh", 0o666)
    assert calls.recalled("gh", ME) == ""


def test_what_is_kept_of_a_process_that_has_ended_goes(place):
    """Whoever else removes it meanwhile; what is not envref's stays, and hinders nobody."""
    with subprocess.Popen([need("true")]) as child:
        child.wait()
    os.makedirs(place, 0o700)
    for name in (f"{child.pid}-gh", f"{child.pid}-psql", "notes", "-gh"):
        with open(f"{place}/{name}", "w", encoding="utf-8"):
            pass
    threads = [threading.Thread(target=calls.note, args=("gh", ME, MARK)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(os.listdir(place)) == sorted([f"{ME}-gh", f"{child.pid}-psql", "notes", "-gh"])


def test_where_nothing_can_be_kept_nothing_is_recalled(home, monkeypatch):
    monkeypatch.setenv("HOME", "")
    calls.note("gh", ME, MARK)
    assert calls.recalled("gh", ME) == ""
