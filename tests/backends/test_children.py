"""A signal that ends envref ends the programs of its stores, however many are asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.processes import left_of

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
