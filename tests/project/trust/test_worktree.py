"""Whether two directories are one git repository, asked of real ones."""

from __future__ import annotations

import io
import os
import subprocess

import pytest

from envref.project.trust import worktree
from envref.project.trust.worktree import is_same_repository
from tests.requirements import need


@pytest.fixture
def places(tmp_path):
    """A repository, a work tree of it, a folder of each, another repository, and no repository at all."""
    git = [need("git"), "-c", "user.name=n", "-c", "user.email=e", "-C"]
    main, tree, other, none = (tmp_path / name for name in ("main", "tree", "other", "none"))
    for repository in (main, other):
        subprocess.run([git[0], "init", "-q", repository], check=True)
        subprocess.run([*git, repository, "commit", "-q", "--allow-empty", "-m", "m"], check=True)
    subprocess.run([*git, main, "worktree", "add", "-q", tree], check=True)
    found = {"main": main, "tree": tree, "below": main / "a" / "b", "other": other, "none": none}
    for path in found.values():
        path.mkdir(parents=True, exist_ok=True)
        (path / ".envref.yaml").write_text("project: app\n")
    subprocess.run([*git, main, "add", "a/b/.envref.yaml"], check=True)
    return {name: str(path) for name, path in found.items()}


ONE = ["main", "tree", "below"]


@pytest.mark.parametrize("known", ONE)
@pytest.mark.parametrize("directory", ONE)
def test_one_repository_is_one_place(places, directory, known):
    """With its work trees and folders, whichever of them was there first."""
    assert is_same_repository(places[directory], places[known])


@pytest.mark.parametrize(("directory", "known"), [(a, b) for a in ONE for b in ("other", "none")])
def test_another_one_is_another_place(places, directory, known):
    """So is what is in no repository, in both directions."""
    assert not is_same_repository(places[directory], places[known])
    assert not is_same_repository(places[known], places[directory])
    assert not is_same_repository(places["none"], places["none"])


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_a_folder_of_the_repository_counts_once_git_tracks_its_config(places, version):
    """`node_modules/x` is somebody else's (SEC-D8). Of an index that shares beginnings of names nothing is known."""
    git = [need("git"), "-C", places["main"]]
    vendored, tracked = (f"{places['main']}/{name}" for name in ("node_modules/a/b", "apps/web"))
    for path in (vendored, tracked):
        os.makedirs(path)
        with open(f"{path}/.envref.yaml", "w") as file:
            file.write("project: app\n")
    subprocess.run([*git, "add", "apps"], check=True)
    subprocess.run([*git, "update-index", "--index-version", version], check=True)
    if version == "3":
        subprocess.run([*git, "add", "--intent-to-add", "node_modules/a/b/.envref.yaml"], check=True)
        assert is_same_repository(vendored, places["main"])
        subprocess.run([*git, "reset", "-q"], check=True)
    assert not is_same_repository(vendored, places["main"])
    assert is_same_repository(tracked, places["main"]) == (version == "2")


def test_in_no_repository_nothing_is_one(places, monkeypatch):
    """Not by a work tree that is half gone, nor by a file of git's in the directory of the caller."""
    os.mkdir(f"{places['main']}/.git/worktrees/gone")
    monkeypatch.chdir(places["none"])
    with open("commondir", "w") as file:
        file.write(f"{places['main']}/.git\n")
    assert is_same_repository(places["none"], places["main"]) is False
    assert is_same_repository(places["main"], places["none"]) is False


def test_without_its_index_a_repository_tracks_nothing(places):
    """The top is the repository itself."""
    assert is_same_repository(places["below"], places["main"]) is True
    os.unlink(f"{places['main']}/.git/index")
    assert is_same_repository(places["below"], places["main"]) is False
    assert is_same_repository(places["main"], places["below"]) is True


def test_the_length_before_a_name_tells_it_from_the_end_of_another(places):
    """With the flags beside it, of which git sets some."""
    inner = f"{places['main']}/b"
    os.mkdir(inner)
    with open(f"{inner}/.envref.yaml", "w") as file:
        file.write("project: app\n")
    assert is_same_repository(inner, places["main"]) is False  # `a/b/.envref.yaml` ends like it
    git = [need("git"), "-C", places["main"]]
    subprocess.run([*git, "add", "b"], check=True)
    subprocess.run([*git, "update-index", "--assume-unchanged", "b/.envref.yaml"], check=True)
    assert is_same_repository(inner, places["main"]) is True


def test_the_largest_index_that_is_read(places, monkeypatch):
    """256 MiB: a million files have a tenth of it."""
    asked = []

    class File(io.BytesIO):
        def read(self, size):
            asked.append(size)
            return b""

    monkeypatch.setattr(worktree, "open_file", lambda _path: File())
    assert is_same_repository(places["below"], places["main"]) is False
    assert asked == [256 * 1024 * 1024]
