"""Which programs a project may choose by their path without being asked about."""

from __future__ import annotations

import os

import pytest

from envref.project.trust.usual import is_usual

PROGRAMS = ("op", "envref-backend-*")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project below its repository's root, whose author also wrote `tools`, and a user with a `bin`."""
    for name in ("repository/.git", "repository/sub", "repository/tools", "bin", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    for place in ("repository/tools", "bin", "elsewhere"):
        program = tmp_path / place / "op"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path / "repository/sub")
    return tmp_path / "repository/sub"


def test_what_path_finds_is_usual(root, tmp_path):
    """By name, by the path that PATH finds, and by another spelling of it."""
    (tmp_path / "linked").symlink_to(tmp_path / "bin")
    for command in ("op", f"{tmp_path}/bin/op", f"{tmp_path}/linked/op", f"{tmp_path}/bin/../bin/op"):
        assert is_usual(command, PROGRAMS, str(root)), command


def test_another_file_of_that_name_is_not(root, tmp_path):
    """A path that the project's author guessed: a clone has the same one on many machines."""
    tmp_path.chmod(0o777)
    assert not is_usual(f"{tmp_path}/elsewhere/op", PROGRAMS, str(root))
    assert not is_usual(f"{tmp_path}/elsewhere/sh", PROGRAMS, str(root))


@pytest.mark.parametrize("path", ["tools/op", "sub/up/tools/op"])
def test_what_the_repository_holds_is_not(root, path):
    """Beside the project, also through a link of its own, and when PATH leads there."""
    (root / "up").symlink_to("..")
    command = f"{root.parent}/{path}"
    assert not is_usual(command, PROGRAMS, str(root))
    os.environ["PATH"] = f"{root.parent}/tools:{os.environ['PATH']}"
    assert not is_usual(command, PROGRAMS, str(root))


@pytest.mark.parametrize(
    "place", ["/proc/self/cwd/op", "/proc/self/cwd/up/tools/op", "/dev/fd/3/op", "//proc/self/cwd/op"]
)
def test_what_depends_on_who_looks_is_not(root, place):
    """It leads into the project of whoever runs it, and elsewhere when it is looked at from elsewhere."""
    (root / "up").symlink_to("..")
    assert not is_usual(place, PROGRAMS, str(root))


@pytest.mark.parametrize("command", ["./op", "tools/op", "../tools/op"])
def test_a_relative_path_is_not(root, command):
    """The project decides where it begins."""
    assert not is_usual(command, PROGRAMS, str(root))


def test_what_only_root_can_write_is_usual(root):
    """Whether it is there or not: nobody else can put it there."""
    assert is_usual("/usr/bin/op", PROGRAMS, str(root))
    assert is_usual("/usr/envref-nowhere/envref-backend-kv", PROGRAMS, str(root))


def test_what_others_can_write_is_not(root):
    """A folder for everybody, like /tmp, is nobody's."""
    assert not is_usual("/tmp/op", PROGRAMS, str(root))
    assert not is_usual("/tmp/envref-nowhere/op", PROGRAMS, str(root))
