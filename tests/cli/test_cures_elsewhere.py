"""Cures of a command that is about a project elsewhere, by `-C` or by a shim: pasted as they are, they reach it."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.conftest import VAULT_ENTRY, config
from tests.requirements import first_python

pytestmark = first_python


@pytest.fixture
def elsewhere(vaulted, tmp_path, monkeypatch):
    """A project with a path that has to be quoted, seen from a directory without one."""
    place = tmp_path / "it's $x" / "project"
    place.mkdir(parents=True)
    (place / ".envref.yaml").write_text(config({**VAULT_ENTRY, "config": {"path": str(vaulted.path / "v.db")}}))
    (place / ".env").write_text("A=ref://secrets/missing\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    monkeypatch.setenv("ENVREF_TRUST", "all")
    return vaulted, place, outside


def cure(done):
    """The words of the one command that the message has."""
    [line] = [line for line in done.stderr.splitlines() if "run: " in line or "review, then: " in line]
    command = line.partition("run: ")[2] or line.partition("review, then: ")[2].partition("   ")[0]
    return shlex.split(command)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["resolve"], ["secret", "set", "missing"]),
        (["run", "--", "true"], ["secret", "set", "missing"]),
        (["secret", "get", "missing"], ["secret", "set", "missing"]),
        (["resolve", "--locked"], ["lock"]),
        (["profile", "use", "x"], ["profile", "create", "x"]),
    ],
    ids=" ".join,
)
def test_a_cure_names_the_project(elsewhere, words, wanted):
    """Typed where the command was typed, it was about another project, or none."""
    project, place, outside = elsewhere
    done = project.envref("-C", str(place), *words, cwd=outside)
    assert cure(done) == ["envref", "-C", str(place), *wanted]
    assert cure(project.envref(*words, cwd=place)) == ["envref", *wanted]
    (place / "sub").mkdir()
    assert cure(project.envref("-C", "..", *words, cwd=place / "sub")) == ["envref", *wanted]


def test_so_does_the_way_to_trust(elsewhere, monkeypatch):
    """The hot door and click's; the cure cures."""
    project, place, outside = elsewhere
    monkeypatch.delenv("ENVREF_TRUST")
    (place / ".env").write_text("PATH=x\nA=ref://secrets/missing?default=1\n")
    for words in (["resolve", "--export"], ["lock"]):
        done = project.envref("-C", str(place), *words, cwd=outside)
        assert cure(done) == ["envref", "-C", str(place), "trust"]
    assert project.envref(*cure(done)[1:], cwd=outside).returncode == 0
    assert project.envref("-C", str(place), "resolve", "--export", cwd=outside).returncode == 0


def test_an_example_is_copied_where_it_is(elsewhere):
    """Below the root, and from elsewhere."""
    project, place, outside = elsewhere
    (place / ".env").rename(place / ".env.example")
    (place / "sub").mkdir()
    assert cure(project.envref("resolve", cwd=place / "sub")) == ["cp", "../.env.example", "../.env"]
    named = cure(project.envref("-C", str(place), "resolve", cwd=outside))
    assert [str((outside / word).resolve()) for word in named[1:]] == [str(place / ".env.example"), str(place / ".env")]
