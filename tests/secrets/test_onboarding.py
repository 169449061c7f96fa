"""Onboarding: what a new member of a team still has to provide."""

from __future__ import annotations

import pytest

from envref.backends import table
from envref.cli.activate import resolve
from envref.cli.request import Request
from envref.secrets import onboarding
from envref.store_errors import BackendLocked
from tests.backends.doubles.memory import Memory


@pytest.fixture
def resolution(project, monkeypatch):
    """What becomes of a project of which one store has some secrets, and another is locked."""
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    contents = {"open": {"app/there": "1", "app/login": '{"user": "u"}'}, "shut": BackendLocked("memory: locked")}
    monkeypatch.setattr(Memory, "contents", contents)
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setenv("ENVREF_TRUST", "all")
    project.write(".envref.yaml", "project: app\nbackends: [{name: open, type: memory}, {name: shut, type: memory}]\n")

    def resolution(text):
        project.write(".env", text)
        request = Request()
        request.directory = str(project.path)
        return resolve(request)

    return resolution


def test_every_absent_secret_is_wanted_once(resolution):
    """By the first variable that needs it. Not what a locked store may have, an optional one, nor a field that a secret
    lacks.
    """
    found = resolution(
        "A=ref://open/gone\nB=x${ref://open/gone#f}\nC=ref://open//gone\nD=ref://shut/gone\n"
        "E=ref://open/there\nF=ref://open/away?optional\nG=ref://open/login#none\nH=ref://open\nI=ref://open/last\n"
    )
    wanted = [(each.name, each.reference.uri) for each in onboarding.wanted(found)]
    assert wanted == [("A", "ref://open/gone"), ("I", "ref://open/last")]


def test_names_of_the_example_that_no_file_sets(resolution, project):
    """None without an example."""
    assert onboarding.missing_keys(resolution("A=1\n")) == []
    project.write(".env.example", "A=\nC=\nB=\n")
    assert onboarding.missing_keys(resolution("A=1\n")) == ["C", "B"]
