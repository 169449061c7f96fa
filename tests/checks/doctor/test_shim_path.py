"""doctor and the shims: whether this shell finds them, and finds them first."""

from __future__ import annotations

import os

import pytest

from envref.checks.doctor.case import Case
from envref.checks.doctor.shim_path import hidden_shims
from envref.project.project import configured


@pytest.fixture
def found(project, monkeypatch):
    """What is found with these folders on PATH."""

    def found(*folders, tools="{gh: [TOKEN]}"):
        project.write(".envref.yaml", f"project: app\ntools: {tools}\n")
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
        case = Case(configured(str(project.path)), [], start=str(project.path))
        return [(each.subject, each.message, each.is_note) for each in hidden_shims(case)]

    return found


def test_a_shell_without_shims_is_a_note(found, tmp_path):
    """Nobody has to have them, and nobody misses them without tools. A tool that is there has no shim before it."""
    (tmp_path / "gh").touch(0o755)
    assert found(tmp_path) == [(".envref.yaml", "no shim is on PATH, so no variable reaches gh here", True)]
    assert found(tmp_path, tools="{}") == []
