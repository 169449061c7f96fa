"""doctor and the shims: whether this shell finds them, and finds them first."""

from __future__ import annotations

import os

import pytest

from envref.checks.doctor.case import Case
from envref.checks.doctor.shim_path import hidden_shims
from envref.project.project import configured
from envref.tools.lookup import HEAD


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


@pytest.fixture
def folder(tmp_path):
    """A folder of shims, as its path says, that nobody else can write."""
    place = tmp_path / "envref/shims/here"
    place.mkdir(parents=True, mode=0o755)
    return place


def test_a_folder_of_shims_that_others_can_write_is_a_finding(found, folder):
    """They could put a program there; also where the project has no tools. One that is gone is none."""
    assert found(folder, tools="{}") == []
    folder.chmod(0o777)
    [(subject, message, is_note)] = found(folder, tools="{}")
    assert (subject, is_note) == ("PATH", False)
    assert str(folder) in message
    folder.rmdir()
    assert found(folder, tools="{}") == []


def test_a_tool_that_stands_before_its_shim_is_a_finding(found, folder, tmp_path):
    """It gets nothing; behind the shims it does, and one that is nowhere needs nothing."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").touch(0o755)
    (folder / "gh").write_bytes(HEAD)
    (folder / "gh").chmod(0o755)
    assert found(folder, tmp_path / "bin") == []
    told = f"gh is {tmp_path}/bin/gh, the shim stands behind it"
    assert found(tmp_path / "bin", folder) == [("PATH", told, False)]
    assert found(folder, tools="{nowhere: [TOKEN]}") == []
