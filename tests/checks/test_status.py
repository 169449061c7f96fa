"""status: where each variable goes that no shell gets. tests/cli has the whole report."""

from __future__ import annotations

import json

import pytest

from envref.backends import table
from envref.checks.status import _kept, status, without_base
from envref.cli.activate import resolve
from envref.cli.request import Request
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.config.model import Config
from envref.project.project import Project, configured, load
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


@pytest.fixture
def report(project, monkeypatch):
    """The report on the project as it is, with what its two stores gave if they were asked."""
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setattr(Memory, "contents", {"open": {"app/a": "1", "app/b": "2"}, "other": {}})
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setenv("ENVREF_TRUST", "all")
    monkeypatch.chdir(project.path)
    stores = [{"name": "open", "type": "memory"}, {"name": "other", "type": "memory", "optional": "always"}]
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": stores}))

    def report(*, is_asked=True):
        if is_asked:
            resolution = resolve(Request())
            return status(resolution.project, resolution.chosen, resolution)
        found = load(str(project.path))
        return status(found, list(Environment(found.files).variables.values()))

    return report


def test_the_whole_report(project, report):
    """What is there, how much of it is secret, what the stores gave, and what does not fit example or schema."""
    project.write(".env", "P=1\nQ=x\nA=ref://open/a\nB=ref://open/b\nC=ref://secrets/c\n")
    project.write(".env.example", "P=\nMISSING=\nGONE=\n")
    project.write(".env.schema.json", '{"Q": {"type": "number"}, "P": {"type": "number"}, "R": {"required": true}}')
    secrets = {"total": 3, "resolved": 2, "missing": ["C"], "backends": ["open", "other"], "forgiven": ["other"]}
    secrets["revisions"] = []  # of which these stores know nothing
    files = {".env": True, ".env.local": False, ".env.example": True}
    assert report() == {
        "project": "app",
        "profile": None,
        "files": [{"name": name, "present": is_there} for name, is_there in files.items()],
        "keys": 5,
        "config": 2,
        "secrets": secrets,
        "example": {"file": ".env.example", "missing": ["MISSING", "GONE"], "extra": ["Q", "A", "B", "C"]},
        "schema": {"file": ".env.schema.json", "broken": ["Q", "R"]},
        "hints": [
            "Set missing secret: envref secret set c",
            "Set missing key: envref set MISSING=…",
            "Set missing key: envref set GONE=…",
            "See the type errors: envref validate",
        ],
        "issues": 5,
    }


def test_a_report_without_asking_knows_what_is_there(project, report):
    """Not what the stores have; a file that nobody usually has is named where it is."""
    project.write(".env", "P=1\nA=ref://open/a\n")
    found = report(is_asked=False)
    assert (found["secrets"]["total"], found["secrets"]["resolved"], found["secrets"]["revisions"]) == (1, None, [])
    assert (found["keys"], found["config"], found["issues"]) == (2, 1, 0)
    assert (found["example"], found["schema"], found["hints"]) == (None, None, [])


def test_advice_is_an_issue_each(project, report):
    """What looks like a secret, and what looks like a reference."""
    project.write(".env", "DB_PASSWORD=hunter2\nX='a ref://secrets/a'\n")
    found = report()
    assert found["hints"][0] == ".env: 1 value looks like a secret: DB_PASSWORD; run: envref import .env"
    assert found["hints"][1].startswith("X holds a text like ref://: ")
    assert (len(found["hints"]), found["issues"]) == (2, 2)


def test_without_a_base_file_it_is_the_first_thing_to_make(project, report):
    """Of its example where there is one; neither that nor the schema is compared with nothing."""
    project.write(".env.schema.json", '{"R": {"required": true}}')
    found = without_base(configured(str(project.path)))
    assert (found["hints"], found["issues"], found["schema"]) == (["Create .env: envref init"], 1, None)
    project.write(".env.example", "P=\n")
    found = without_base(configured(str(project.path)))
    assert (found["hints"], found["issues"], found["example"]) == (["Create .env: cp .env.example .env"], 1, None)


def test_what_the_team_sent_may_have_what_is_missing(project, report):
    """Said only where something is missing."""
    project.write(".envref.secrets.age", "x")
    project.write(".env", "A=ref://open/a\n")
    assert report()["hints"] == []
    project.write(".env", "A=ref://open/gone\n")
    waits = ".envref.secrets.age waits, and may have what is missing; run: envref onboard"
    assert report()["hints"] == [waits, "Set missing secret: envref secret set gone --backend open"]
