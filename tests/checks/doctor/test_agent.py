"""doctor and the agent: one of no use is said to a user who wants one."""

from __future__ import annotations

import os

import pytest

from envref import client
from envref.checks.doctor.agent import unusable_agent
from envref.checks.doctor.case import Case
from envref.project.project import configured


@pytest.fixture
def found(project, home, tmp_path, monkeypatch):
    """What is found where the user's own config says this of the agent, and its folder has this mode."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(0o700)

    def found(wish, mode):
        own = home / ".config/envref/config.yaml"
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(wish)
        if mode:
            os.makedirs(client.folder(), exist_ok=True)
            os.chmod(client.folder(), mode)
        case = Case(configured(str(project.path)), [], start=str(project.path))
        return [each.message for each in unusable_agent(case)]

    return found


def test_a_folder_that_others_can_enter(found):
    """It matters to who wants an agent, in any project."""
    [message] = found("agent: true\n", 0o770)
    assert message.endswith("is not a folder that only you can enter")
    assert found("agent: false\n", 0o770) == found("", 0o770) == []


def test_one_that_does_not_run_is_no_fault(found):
    assert found("agent: true\n", None) == []
    assert found("agent: true\n", 0o700) == []
