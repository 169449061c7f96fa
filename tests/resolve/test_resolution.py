"""What became of a project's variables: values of those that have one, and nothing of what waits for trust."""

from __future__ import annotations

import re

import pytest

from envref import streams
from envref.backends import table
from envref.cli.activate import resolve
from envref.cli.request import Request
from envref.secret import Secret
from tests.backends.doubles.memory import Memory


@pytest.fixture
def resolved(project, monkeypatch):
    """A project of plain variables, of which a shell runs one."""
    monkeypatch.setenv("ENVREF_TRUST", "none")

    def resolved(text, *only, config="project: app\n"):
        project.write(".envref.yaml", config)
        project.write(".env", text)
        request = Request()
        request.directory, request.only = str(project.path), list(only)
        return resolve(request)

    return resolved


def test_names_that_code_could_be_run_with_are_kept_apart(resolved):
    """Until the project is trusted they have no value, and the others keep theirs, in merged order."""
    found = resolved("B=2\nBASH_ENV=x\nA=1\n")
    assert list(found.untrusted) == ["BASH_ENV"]
    assert found.values() == [("B", "2"), ("A", "1")]
    assert not found.failed


def test_only_chosen_variables_have_a_value(resolved):
    """Those that a chosen one needs are resolved with it, and not given out."""
    found = resolved("A=1\nB=x$A\nC=3\n", "B")
    assert found.values() == [("B", "x1")]
    assert [variable.name for variable in found.chosen] == ["B"]


def test_an_address_is_judged_by_where_it_leads(resolved):
    """One of this machine is no danger."""
    found = resolved("VAULT_ADDR=http://127.0.0.1:8200\nHTTPS_PROXY=http://evil.example\n")
    assert list(found.untrusted) == ["HTTPS_PROXY"]
    assert found.values() == [("VAULT_ADDR", "http://127.0.0.1:8200")]


def test_a_project_that_is_trusted_sets_every_name(resolved, monkeypatch):
    """Nothing is kept apart."""
    monkeypatch.setenv("ENVREF_TRUST", "all")
    found = resolved("BASH_ENV=x\nA=1\n")
    assert found.untrusted == []
    assert found.values() == [("BASH_ENV", "x"), ("A", "1")]


def test_what_the_environment_keeps_is_hidden_like_a_secret(resolved):
    """Nobody knows whether it is one; all else stays as it was."""
    found = resolved("A=1\nB=2\n")
    found.kept = ("B",)
    (_, first), (_, second) = found.values()
    assert first == "1"
    assert (isinstance(second, Secret), second.reveal()) == (True, "2")


def test_people_are_told_what_was_read_and_asked(resolved, monkeypatch, capfd):
    """With -v: the files, the names whose lines don't count, each store with what it took."""
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setenv("ENVREF_TRUST", "all")
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setattr(Memory, "contents", {"open": {"app/a": "1"}})
    monkeypatch.setattr(Memory, "way", "directly", raising=False)
    monkeypatch.setattr(streams, "level", streams.VERBOSE)
    found = resolved("A=ref://secrets/a\nB=$NONE\n", config="project: app\nbackends: [{name: open, type: memory}]\n")
    assert found.has_references
    said = capfd.readouterr().err
    assert "read .env\n" in said
    assert '"NONE" in the value of "B" is not set' in said
    assert re.search(r'^asked backend "open" for 1 key\(s\): \d+\.\d{3} s, directly$', said, re.MULTILINE)


def test_without_references_nothing_is_said_of_stores(resolved, capfd):
    """Nor is anything remembered for the shell."""
    found = resolved("A=1\n")
    assert (found.has_references, found.is_plain) == (False, True)
    assert capfd.readouterr().err == ""
