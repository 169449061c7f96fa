"""conftest: what every test of the suite finds, whoever started it."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_an_ignored_interrupt_is_not_inherited():
    """As `make test &` in a script starts it: a test's child can be interrupted all the same."""
    program = (
        "import signal, subprocess, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); import tests.conftest\n"
        "child = 'import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)'\n"
        "subprocess.run([sys.executable, '-c', child], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
