"""Watch: which files decide, and what counts as a change of one."""

from __future__ import annotations

import os

import pytest

from envref.project import watch


@pytest.fixture
def files(project, home):
    """Those of a project whose `.env` holds A=1, and one more."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    return watch.Files(str(project.path), None, ["also"])


def names(files, project):
    return [os.path.relpath(path, project.path) for path in files.paths() if path.startswith(f"{project.path}/")]


def test_the_files_that_decide(files, project, home):
    """There or not, each once; the user's own config and choice of profile too."""
    assert names(files, project) == [".envref.yaml", ".env", ".env.local", "also"]
    assert watch.counted(files) == 2
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("")
    assert str(own) in files.paths()
    assert any(path.startswith(str(home / ".local/state/envref/profile/")) for path in files.paths())
    assert watch.counted(files) == 3


def test_a_profile_has_its_files(files, project):
    """And what the config names."""
    project.write(".envref.yaml", "project: app\nenv_file: base\nprofiles: {dev: {env_file: envs/dev}}\n")
    dev = watch.Files(str(project.path), "dev")
    assert names(dev, project) == [".envref.yaml", "base", "envs/dev", ".env.local", ".env.dev.local"]


def test_a_broken_config_leaves_the_files_that_the_last_good_one_named(files, project):
    """To edit one of them may be the cure."""
    project.write(".envref.yaml", "project: app\nenv_file: base\n")
    assert "base" in names(files, project)
    project.write(".envref.yaml", "project: [\n")
    assert names(files, project) == [".envref.yaml", "base", ".env.local", "also"]


def _replaced(path):
    status, new = path.stat(), path.with_name("new")
    new.write_text("A=2\n")
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.rename(path)


CHANGES = {
    "other bytes": lambda path: path.write_text("A=22\n"),
    "a new time": lambda path: os.utime(path, ns=(1, 1)),
    "a new file of the same time": _replaced,
    "nothing there": os.unlink,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_a_change(files, project, change):
    """A second look without one shows none."""
    before = watch._state(files)
    assert watch._state(files) == before
    CHANGES[change](project.path / ".env")
    assert watch._state(files) != before


def test_to_read_a_pipe_is_no_change(files, project):
    """Its times change each time."""
    (project.path / ".env").unlink()
    os.mkfifo(project.path / ".env")
    before = watch._state(files)
    os.utime(project.path / ".env", ns=(1, 1))
    assert watch._state(files) == before
    assert watch.counted(files) == 2


def test_a_config_that_is_broken_from_the_beginning_is_watched(project):
    """With the usual files: to edit one of them may be the cure."""
    project.write(".envref.yaml", "project: [\n")
    assert names(watch.Files(str(project.path), None), project) == [".envref.yaml", ".env", ".env.local"]


def test_the_nearest_config_is_the_last_good_one(project):
    """Also one that came later, and broke then."""
    project.write(".envref.yaml", "project: app\n")
    (project.path / "sub").mkdir()
    files = watch.Files(str(project.path / "sub"), None)
    assert names(files, project)[0] == ".envref.yaml"
    project.write("sub/.envref.yaml", "project: sub\nenv_file: base\n")
    assert names(files, project) == ["sub/.envref.yaml", "sub/base", "sub/.env.local"]
    project.write("sub/.envref.yaml", "project: [\n")
    assert names(files, project) == ["sub/.envref.yaml", "sub/base", "sub/.env.local"]


class Watcher:
    """`watchfiles.watch`, by its documentation: it yields a set of changes, or after a time-out an empty one if that is
    wanted. This one reports no change, as some network file systems don't.
    """

    def __init__(self, steps):
        self.steps = iter(steps)
        self.watched = []

    def __call__(self, *folders, yield_on_timeout, recursive, **_):
        self.watched.append(folders)
        assert not recursive
        assert yield_on_timeout
        for step in self.steps:
            step()
            yield set()


def test_a_change_is_found_where_nothing_reports_it(files, project, monkeypatch):
    """One round for a change, none without one."""
    passed = []
    env = project.path / ".env"
    steps = [lambda: passed.append(1), lambda: env.write_text("A=22\n"), lambda: passed.append(2), env.unlink]
    monkeypatch.setattr(watch, "watch", Watcher(steps))
    rounds = watch.rounds(files)
    next(rounds)
    assert passed == []
    next(rounds)
    assert passed == [1]
    next(rounds)
    assert passed == [1, 2]


def test_the_folders_are_those_of_the_files_as_they_are_now(files, project, monkeypatch):
    """That of a link's target too; only they show a file that does not exist yet."""
    (project.path / "there").mkdir()
    (project.path / "far").mkdir()
    project.write("far/env", "A=1\n")
    (project.path / "link").symlink_to("far/env")

    def name_another():
        project.write(".envref.yaml", "project: app\nenv_file: there/new\nlocal_file: link\n")

    watcher = Watcher([name_another, lambda: project.write("there/new", "A=1\n")])
    monkeypatch.setattr(watch, "watch", watcher)
    rounds = watch.rounds(files)
    for _ in range(3):
        next(rounds)
    at_first, then = ({os.path.relpath(place, project.path) for place in each} for each in watcher.watched)
    assert "." in at_first
    assert {".", "there", "far"} <= then
    assert not {"there", "far"} & at_first
