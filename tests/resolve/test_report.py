"""What `resolve --explain` says of every variable: one row each, as a table and as data (commands.md 2.2)."""

from __future__ import annotations

import pytest

from envref.backends import table as backends
from envref.cli.activate import resolve
from envref.cli.request import Request
from envref.resolve import report
from envref.store_errors import BackendLocked
from tests.backends.doubles.memory import Memory

ENV = """\
PLAIN=1
OWN=ref://secrets/own
ALL=ref://secrets/all
GONE=ref://secrets/gone
MAYBE=ref://secrets/gone?optional
SHUT=ref://shut/key
BOTH=${OWN}-${ref://shut/key}
WAITS=${SHUT}${GONE}${SHUT}
"""
CONFIG = "project: app\nbackends: [{name: open, type: memory}, {name: shut, type: memory}]\n"


def resolved(project, profile=None):
    request = Request()
    request.directory, request.profile = str(project.path), profile
    return resolve(request)


@pytest.fixture
def app(project, monkeypatch):
    """A project with every kind of variable."""
    monkeypatch.setitem(backends.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    contents = {"open": {"app/staging/own": "1", "app/all": "2"}, "shut": {}}
    monkeypatch.setattr(Memory, "contents", contents)
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setenv("ENVREF_TRUST", "all")
    project.write(".envref.yaml", CONFIG)
    project.write(".env", ENV)
    project.write(".env.staging", "PLAIN=2\n")
    return project


@pytest.fixture
def resolution(app):
    """Every kind of outcome, under the profile `staging`."""
    return resolved(app, "staging")


def test_a_row_for_each_variable(resolution):
    """Where it is set, what it refers to, who answered and from where."""
    rows = {row.pop("key"): row for row in report.rows(resolution)}
    assert rows["PLAIN"] == {"file": ".env.staging", "line": 1, "outcome": "plain", "overrides": [".env:1"]}
    assert rows["OWN"] == {
        "file": ".env", "line": 2, "reference": "ref://secrets/own", "backend": "open", "type": "memory",
        "scope": 'profile "staging"', "outcome": "resolved",
    }  # fmt: skip
    assert rows["ALL"]["scope"] == "project"
    assert (rows["GONE"]["outcome"], "backend" in rows["GONE"]) == ("not_found", False)
    assert "gone" in rows["GONE"]["reason"]
    assert rows["MAYBE"]["outcome"] == "optional-missing"
    assert rows["WAITS"]["outcome"] == "depends"
    assert rows["WAITS"]["depends_on"] == ["SHUT", "GONE"]


def test_the_failure_of_a_composed_value_is_its_row(resolution):
    """Not the reference that was found."""
    row = next(row for row in report.rows(resolution) if row["key"] == "BOTH")
    assert (row["reference"], row["outcome"]) == ("ref://shut/key", "not_found")


def test_the_cells_of_the_table(resolution):
    """A row a variable: name, place, what it refers to, the store that decided, and the outcome."""
    cells = report.cells(report.rows(resolution))
    assert cells[:2] == [
        ("PLAIN", ".env.staging:1", "config", "-", "plain"),
        ("OWN", ".env:2", "ref://secrets/own", "open", 'resolved (profile "staging")'),
    ]
    assert len(cells) == 8


def test_complaints_count_references(resolution):
    """Variables that only wait for others are named and not counted."""
    lines = report.complaints(resolution.filled.values(), " (note)")
    assert lines[-1] == "3 reference(s) could not be resolved (note)"
    assert "error: WAITS: depends on SHUT, which could not be resolved" in lines
    assert len([line for line in lines if line.startswith("error: WAITS: ")]) == 2


def test_a_failure_has_its_cure_under_it(app, monkeypatch):
    """The store's own."""
    monkeypatch.setattr(Memory, "contents", {"open": {}, "shut": BackendLocked("memory: locked", run=("open", "it"))})
    app.write(".env", "SHUT=ref://shut/key\n")
    lines = report.complaints(resolved(app).filled.values())
    assert lines[0] == 'error: SHUT: failed to resolve ref://shut/key: backend "shut": memory: locked'
    assert lines[1:] == ["  run: open it", "1 reference(s) could not be resolved"]


def test_a_failing_store_is_one_error_with_what_it_cost(app, monkeypatch):
    """Ten references to a store that is down were twenty lines at every prompt (ST-F10)."""
    shut = BackendLocked("memory: locked", run=("open", "it"))
    monkeypatch.setattr(Memory, "contents", {"open": {"app/y": BackendLocked("memory: no")}, "shut": shut})
    app.write(".env", "A=ref://shut/a\nOTHER=ref://open/y\nB=ref://shut/b\nC=${ref://shut/a}${ref://shut/c}\n")
    assert report.complaints(resolved(app).filled.values()) == [
        'error: A, B, C: backend "shut": memory: locked',
        "  run: open it",
        'error: OTHER: failed to resolve ref://open/y: backend "open": memory: no',
        "5 reference(s) could not be resolved",
    ]


def test_an_absent_secret_has_the_command_that_sets_it(app, monkeypatch):
    """In the same line, where there is one store to set it in."""
    monkeypatch.chdir(app.path)
    app.write(".env", "GONE=ref://open/gone\n")
    lines = report.complaints(resolved(app).filled.values())
    assert lines[0].endswith("; run: envref secret set gone --backend open"), lines


def test_a_failure_that_cost_two_is_one(app, monkeypatch):
    """Of one that cost a single variable the reference is said."""
    monkeypatch.setattr(Memory, "contents", {"open": {}, "shut": BackendLocked("memory: locked")})
    app.write(".env", "A=ref://shut/a\nB=ref://shut/b\n")
    assert report.complaints(resolved(app).filled.values())[0] == 'error: A, B: backend "shut": memory: locked'
    app.write(".env", "A=ref://shut/a\n")
    assert "ref://shut/a" in report.complaints(resolved(app).filled.values())[0]
