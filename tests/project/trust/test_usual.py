"""Which programs a project may choose by their path without being asked about."""

from __future__ import annotations

import os
import stat

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


@pytest.mark.parametrize(
    ("name", "usual"),
    [("op", True), ("envref-backend-", True), ("envref-backendkv", False), ("envref-backend", False), ("opx", False)],
)
def test_a_name_is_one_of_the_store_s_programs(root, name, usual):
    """Word for word, or what follows where the store lets a name follow."""
    assert is_usual(name, PROGRAMS, str(root)) is usual
    assert is_usual(f"/usr/envref-nowhere/{name}", PROGRAMS, str(root)) is usual


@pytest.fixture
def roots(monkeypatch):
    """Everything is root's alone, but for the owner and the bits of mode that a test says of a path."""
    said, lstat = {}, os.lstat

    def answer(path, **options):
        found = lstat(path, **options)
        owner, bits = said.get(os.fspath(path), (0, 0))
        mode = found.st_mode if stat.S_ISLNK(found.st_mode) else (found.st_mode & ~0o022) | bits
        return os.stat_result((mode, *found[1:4], owner, *found[5:10]))

    monkeypatch.setattr(os, "lstat", answer)
    return said


def test_every_place_on_the_way_has_to_be_root_s(root, tmp_path, roots):
    """To the path, and to where it leads; the mode of a link says nothing, its owner does."""
    (tmp_path / "linked").symlink_to("elsewhere")
    command = f"{tmp_path}/linked/op"
    assert is_usual(command, PROGRAMS, str(root)) is True
    way = ["/", str(tmp_path), str(tmp_path.parent), f"{tmp_path}/elsewhere", f"{tmp_path}/elsewhere/op"]
    for place in [*way, f"{tmp_path}/linked"]:
        roots[place] = (1, 0)
        assert is_usual(command, PROGRAMS, str(root)) is False, place
        del roots[place]
    for place in way:
        for bits in (0o020, 0o002):
            roots[place] = (0, bits)
            assert is_usual(command, PROGRAMS, str(root)) is False, place
        roots[place] = (0, 0o5)
        assert is_usual(command, PROGRAMS, str(root)) is True, place


def test_root_s_clone_of_a_repository_is_its_author_s(root, tmp_path, roots):
    """Whoever may write it."""
    (tmp_path / "clone/bin").mkdir(parents=True)
    assert is_usual(f"{tmp_path}/clone/bin/op", PROGRAMS, str(root)) is True
    (tmp_path / "clone/.git").mkdir()
    assert is_usual(f"{tmp_path}/clone/bin/op", PROGRAMS, str(root)) is False


def test_what_can_not_be_looked_at_is_not(root, tmp_path, roots):
    """Below a file nothing can be; nobody knows why the system doesn't say."""
    assert is_usual(f"{tmp_path}/elsewhere/op/op", PROGRAMS, str(root)) is False
