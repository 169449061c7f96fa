"""The agent and envref.lock: a version that is pinned and the latest one are never taken for each other."""

from __future__ import annotations

import pytest

from tests.agent.conftest import led, own, patient, runtime  # noqa: F401  # fixtures
from tests.agent.test_activation import folder, run  # noqa: F401  # fixtures
from tests.cli.conftest import config
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]
HAD_IT = 'agent: it had 1 of 1 key(s) of backend "store"'


def told(project, *words):
    """The variable that is printed, and whether the agent had it."""
    done = run(project, "-v", "resolve", *words)
    return done.stdout, HAD_IT in done.stderr


def test_versions_are_not_mixed(project, parameters, own, folder):  # noqa: F811
    """Each is kept by itself; a pin that was moved, or whose version was made again, is not served from memory."""
    own("agent: true\n")
    project.write(".envref.yaml", config(parameters.entry))
    project.write(".env", "A=ref://secrets/a\n")
    parameters.put("a", "first")
    run(project, "lock")
    parameters.put("a", "second")
    assert told(project) == ("A=second\n", False)
    assert told(project, "--locked") == ("A=first\n", False)
    assert told(project) == ("A=second\n", True)
    assert told(project, "--locked") == ("A=first\n", True)
    parameters.put("a", "third")
    run(project, "lock", "--update")
    assert told(project, "--locked") == ("A=third\n", False)

    parameters.drop("a")
    run(project, "lock", "--update")
    assert told(project, "--locked") == ("A=made again\n", True)  # it had another version 1, which does not count
