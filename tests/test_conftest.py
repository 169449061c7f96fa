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
