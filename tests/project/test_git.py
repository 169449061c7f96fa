"""git, as envref asks it: no program of the repository's choice runs, whatever the question."""

from __future__ import annotations

import subprocess

import pytest

from envref.project import git
from tests.requirements import need


@pytest.fixture
def repository(project):
    """One that names programs of its own wherever git takes one."""
    program = project.write("program", f"#!/bin/sh\ntouch {project.path}/ran\n")
    program.chmod(0o755)
    subprocess.run([need("git"), "init", "-q", project.path], check=True)
    for name in ("core.fsmonitor", "core.hooksPath"):
        subprocess.run([need("git"), "-C", project.path, "config", name, str(program)], check=True)
    return project


@pytest.mark.parametrize(("name", "value"), [("core.fsmonitor", "false"), ("core.hooksPath", "/dev/null")])
def test_what_names_a_program_is_switched_off(repository, name, value):
    """By git's own word for the setting that holds."""
    assert git.ask(str(repository.path), "config", name).stdout.decode().strip() == value


def test_what_git_tracks_and_what_is_staged(repository):
    """Asked of git itself, and without the program that watches the files."""
    repository.write("a", "content\n")
    assert not git.tracks(str(repository.path), "a")
    assert git.staged(str(repository.path), "a") is None
    subprocess.run([need("git"), "-c", "core.fsmonitor=false", "add", "a"], cwd=repository.path, check=True)
    assert git.tracks(str(repository.path), "a")
    assert git.staged(str(repository.path), "a") == b"content\n"
    assert not (repository.path / "ran").exists()


def test_a_git_of_the_project_s_own_is_not_run(repository, monkeypatch):
    """To find out about a project nothing of it is started."""
    repository.write("bin/git", "#!/bin/sh\necho config\n").chmod(0o755)
    monkeypatch.setenv("PATH", str(repository.path / "bin"), prepend=":")
    assert git.ask(str(repository.path), "config", "core.fsmonitor") is None
