"""A warm activation: what the agent has is given without the store, its class or the table of classes."""

from __future__ import annotations

import pytest

from envref.secret import Secret
from tests.agent.commands import run
from tests.cli.test_hot_path import WARM, libraries, loaded, own
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted", "real_starts")]

KINDS = {
    "vault": "type: vault",
    "aws-ssm": "type: aws-ssm",
    "plugin": "type: plugin, config: {command: store}",
}


@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
@pytest.mark.usefixtures("runtime")
def test_what_the_agent_has_loads_no_store(project, request, monkeypatch, entry):
    """The list is exact, libraries included, and the same for every type of store."""
    project.write(".envref.yaml", f"project: app\nbackends:\n  - {{name: store, {entry}}}\n")
    project.write(".env", "A=ref://secrets/a\n")
    request.getfixturevalue("own")("agent: true\n")
    monkeypatch.setattr(
        "envref.resolve.store.Store.told", lambda _, asked, until: {each: Secret("v") for each in asked}
    )
    assert run(project, "trust").returncode == 0
    assert "export A=v\n" in run(project, "resolve", "--export").stdout
    modules = loaded(project, "resolve", "--export")
    assert own(modules) == WARM
    assert libraries(modules) == {"_ctypes", "_socket", "resource"}
