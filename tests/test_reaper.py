"""Nothing of a run of the tests outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.processes import left_of
from tests.requirements import first_python

RUN = """
import os, subprocess, time
def test_it(monkeypatch):
    subprocess.Popen(["setsid", "sleep", "600"])
    open(os.environ["PYTEST_STARTED"], "w").close()
    {end}
"""
WAYS = {"killed": "time.sleep(600)", "passed": "pass", "failed": "assert False"}


@first_python
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("way", WAYS)
def test_a_run_leaves_no_process(tmp_path, way):
    """A program in a session of its own ends with the run that started it."""
    (tmp_path / "test_it.py").write_text(RUN.replace("{end}", WAYS[way]))
    started = tmp_path / "started"
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_STARTED": str(started)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while run.poll() is None and not started.exists():
            time.sleep(0.02)
        assert started.exists()
        if way == "killed":
            run.send_signal(signal.SIGKILL)
        run.wait()
        patience = time.monotonic() + 30
        while left_of(f"PYTEST_STARTED={started}") and time.monotonic() < patience:
            pass
        assert left_of(f"PYTEST_STARTED={started}") == []
    finally:
        run.kill()
        run.wait()
