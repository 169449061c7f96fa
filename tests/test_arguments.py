"""The rule that no secret is an argument of a program, and that the tests would see it if it were."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from envref.secret import Secret
from tests import arguments
from tests.backends.stores import shim
from tests.observer.sitecustomize import LOG

pytestmark = pytest.mark.usefixtures("real_starts")

MARKER = "marker-58c2-never-an-argument"
LEAK = """
import sys, time
from envref.backends import command
from envref.secret import Secret
value = Secret(sys.stdin.read())
command.run(["/bin/echo", "--value=" + value.reveal()], deadline=time.monotonic() + 20, label="echo")
"""


@contextmanager
def on_purpose(directory):
    """What is leaked in here does not fail the test: it has a log and known secrets of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOG, str(directory / "arguments.log"))
        patch.setattr("envref.secret._known", set())
        yield


def test_a_secret_given_to_a_program_is_seen(tmp_path):
    """A value of this process, in the arguments of a program that it starts, fails the test, and is not shown."""
    with on_purpose(tmp_path):
        Secret(MARKER)
        subprocess.run(["/bin/echo", "nothing"], capture_output=True, check=True)
        arguments.check()
        subprocess.run(["/bin/echo", "--value", f"is {MARKER}"], capture_output=True, check=True)
        with pytest.raises(AssertionError, match="a secret is argument 2 of echo") as caught:
            arguments.check()
        assert MARKER not in str(caught.value)


def test_a_secret_of_another_process_is_seen(tmp_path):
    """What only an envref process knows is looked for in the programs which that process starts."""
    with on_purpose(tmp_path):
        environment = {**os.environ, "PYTHONPATH": arguments.PYTHONPATH}
        subprocess.run([sys.executable, "-c", LEAK], input=MARKER, text=True, check=True, env=environment)
        with pytest.raises(AssertionError, match="a secret is argument 1 of echo"):
            arguments.check()


def test_a_secret_that_reached_a_shim_is_seen(tmp_path):
    """What a store's program really got is held against the secrets of the test."""
    with on_purpose(tmp_path):
        echo = shim.recorded(tmp_path, "/bin/echo", "echo")
        subprocess.run(["./echo", f"is {MARKER}"], cwd=tmp_path, capture_output=True, check=True)
        assert echo.argvs() == [[f"is {MARKER}"]]
        Secret(MARKER)
        echo.clear()
        with pytest.raises(AssertionError, match="a secret is argument 0 of echo"):
            arguments.check()


def test_every_envref_of_a_project_is_watched(project):
    """The programs that an envref process starts are in the log of the test."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: s, type: plugin, config: {command: ./plugin}}]\n")
    project.write("plugin", "#!/bin/sh\necho '{\"keys\": []}'\n").chmod(0o755)
    assert project.envref("secret", "list", env={"ENVREF_TRUST": "all"}).returncode == 0
    assert [record["program"] for record in arguments.started()][1:] == ["plugin"]


def test_a_short_word_is_no_finding(tmp_path):
    """Values like "staging" are words of ordinary argument lists."""
    with on_purpose(tmp_path):
        Secret("staging")
        subprocess.run(["/bin/echo", "staging"], capture_output=True, check=True)
        arguments.check()
