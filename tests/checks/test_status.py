"""status: where each variable goes that no shell gets. tests/cli has the whole report."""

from __future__ import annotations

import json

import pytest

from envref.backends import table
from envref.checks.status import _kept, status
from envref.cli.activate import resolve
from envref.cli.request import Request
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.config.model import Config
from envref.project.project import Project
from envref.store_errors import BackendLocked
from tests.backends.doubles.memory import Memory


def kept(text, tools):
    files = [EnvFile.parse(text, ".env")]
    project = Project("/", Config(project="app", tools=tools), None, files=files, warnings=())
    return _kept(project, Environment(files).variables.values())


def test_without_tools_there_is_nothing_to_say():
    assert kept("A=1\n", {}) == {}


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ({"gh": {"variables": ["A"]}}, {"tools": {"gh": ["A"]}, "made_of_them": ["MADE"], "unset": []}),
        (
            {"git": {"credential a": ["Z"], "variables": ["A", "Y"]}, "gh": {"variables": ["B"]}},
            {"tools": {"git": ["Z", "A", "Y"], "gh": ["B"]}, "made_of_them": ["MADE"], "unset": ["Y", "Z"]},
        ),
        ({"gh": {"variables": ["B"]}}, {"tools": {"gh": ["B"]}, "made_of_them": [], "unset": []}),
    ],
)
def test_each_tool_what_is_made_of_it_and_what_nothing_sets(tools, told):
    """A name that no file sets is probably mistyped."""
    assert kept("A=1\nMADE=x$A\nB=2\n", tools) == {"tools": told}


def test_each_secret_without_a_value_has_a_hint(project, monkeypatch):
    """The command that sets it, or what it has, or what is wrong with the store; once for each."""
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    contents = {
        "open": {"app/login": '{"user": "u"}'},
        "shut": BackendLocked("memory: locked", hint="open it"),
        "away": BackendLocked("memory: nobody is signed in", run=("memory", "login")),
    }
    monkeypatch.setattr(Memory, "contents", contents)
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setenv("ENVREF_TRUST", "all")
    stores = [{"name": name, "type": "memory", "optional": "always" if name == "away" else False} for name in contents]
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": stores}))
    keys = ("open/gone", "open/gone", "open/login#none", "shut/x", "away/x")
    project.write(".env", "".join(f"K{number}=ref://{key}\n" for number, key in enumerate(keys)))
    monkeypatch.chdir(project.path)
    resolution = resolve(Request())
    assert status(resolution.project, resolution.chosen, resolution)["hints"] == [
        "Set missing secret: envref secret set gone --backend open",
        'ref://open/login#none: backend "open": field "none": "login" has no such field; its fields: user',
        'backend "shut": memory: locked; hint: open it',
        'backend "away": memory: nobody is signed in; run: memory login',
    ]
