"""A token in a file that git tracks is a warning where a person looks, and git is not asked before trust."""

from __future__ import annotations

import subprocess

import pytest

from envref.project.project import configured
from envref.project.tokens import committed_tokens
from tests.cli.conftest import config
from tests.requirements import need

WARNING = "token is in a file that git tracks"
OWN = {"name": "s", "type": "hashicorp-vault", "config": {"addr": "http://127.0.0.1:9", "token": "hvs.very-private"}}
COMMANDS = [("config", "show"), ("config", "show", "--format", "json"), ("backend", "list"), ("doctor",)]


@pytest.fixture
def committed(project):
    """A project whose config with a token is in git's index."""
    project.write(".envref.yaml", config(OWN))
    project.write(".env", "A=1\n")
    subprocess.run([need("git"), "init", "-q", project.path], check=True)
    subprocess.run([need("git"), "-C", project.path, "add", ".envref.yaml"], check=True)
    return project


@pytest.mark.parametrize("words", COMMANDS)
def test_what_a_person_types_says_it(committed, words):
    """Without the token itself; and no longer once git does not track the file."""
    said = committed.envref(*words)
    assert WARNING in said.stdout + said.stderr
    assert "very-private" not in said.stdout + said.stderr
    subprocess.run([need("git"), "-C", committed.path, "rm", "-q", "--cached", ".envref.yaml"], check=True)
    said = committed.envref(*words)
    assert WARNING not in said.stdout + said.stderr


@pytest.mark.parametrize("words", [*COMMANDS, ("resolve", "--export"), ("list",), ("get", "A"), ("status",)])
def test_git_is_not_asked_before_trust(committed, words, monkeypatch):
    """A project that wants a program of its own gets nothing run, git included."""
    chosen = {"name": "p", "type": "plugin", "config": {"command": "./kv"}}
    committed.write(".envref.yaml", config(OWN, chosen))
    committed.path.parent.joinpath("bin").mkdir()
    git = committed.write("../bin/git", f"#!/bin/sh\ntouch {committed.path}/ran\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=":")
    committed.envref(*words)
    assert not (committed.path / "ran").exists()
    if words in COMMANDS:
        committed.envref(*words, env={"ENVREF_TRUST": "all"})
        assert (committed.path / "ran").exists()


@pytest.mark.parametrize("words", COMMANDS)
def test_git_is_not_asked_before_somebody_agreed(committed, words, nobody_agreed):
    """Also where nothing asks by meaning: git reads the repository's own settings."""
    said = committed.envref(*words)
    assert WARNING not in said.stdout + said.stderr
    assert committed.envref("trust").returncode == 0
    said = committed.envref(*words)
    assert WARNING in said.stdout + said.stderr


def test_what_holds_no_token_asks_nobody(project, nobody_agreed, monkeypatch):
    """Nor does one before somebody agreed; git is not asked either way."""
    monkeypatch.setattr("envref.project.git.tracks", None)
    for text in ("project: app\n", config(OWN)):
        project.write(".envref.yaml", text)
        assert committed_tokens(configured(str(project.path))) == ()
    monkeypatch.setenv("CI", "1")
    monkeypatch.setattr("envref.project.git.tracks", lambda *_: False)
    assert committed_tokens(configured(str(project.path))) == ()
    monkeypatch.setattr("envref.project.git.tracks", lambda *words: words == (str(project.path), ".envref.yaml"))
    [warning] = committed_tokens(configured(str(project.path)))
    assert WARNING in warning
