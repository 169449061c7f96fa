"""conftest: what every test of the suite finds, whoever started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM", "SIGTSTP", "SIGCHLD", "SIGUSR1"])
def test_an_ignored_signal_is_not_inherited(name):
    """As `make test &` in a script, or nohup, starts it: a signal does to a test's child what it usually does."""
    program = (
        f"import signal, subprocess, sys; signal.signal(signal.{name}, signal.SIG_IGN); import tests.conftest\n"
        f"child = 'import signal; print(signal.getsignal(signal.{name}) is signal.SIG_IGN)'\n"
        "subprocess.run([sys.executable, '-c', child], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_no_stopwatch_outlives_its_test(tmp_path):
    """Of a test that fails before it asks: its thread would work on beside the next ones."""
    (tmp_path / "test_it.py").write_text(
        "import threading\nfrom tests.lateness import Stopwatch\nBEFORE = threading.active_count()\n"
        "def test_first():\n    Stopwatch()\n    assert threading.active_count() == BEFORE + 1\n"
        "def test_second(): assert threading.active_count() == BEFORE\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout


SOMETIMES = """\
import pathlib
import pytest

@pytest.mark.parametrize("number", range(6))
def test_sometimes(number):
    seen = pathlib.Path(__file__).with_name(str(number))
    was_there = seen.exists()
    seen.touch()
    assert was_there
"""


def test_all_workers_together_try_so_many_tests_again(tmp_path):
    """They ask each other only when one fails (ADR 31)."""
    pytest.importorskip("pytest_rerunfailures")
    (tmp_path / "test_sometimes.py").write_text(SOMETIMES)
    again = ["--reruns", "1", "--max-suite-reruns", "3"]
    workers = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-n", "2", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *workers, *again, str(tmp_path / "test_sometimes.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 failed, 3 passed, 3 rerun" in done.stdout
