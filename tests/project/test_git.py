"""git, as envref asks it: no program of the repository's choice runs, whatever the question."""

from __future__ import annotations

import subprocess

import pytest

from envref.backends.programs import repository_around
from envref.errors import EnvrefError
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
    assert git.staged(str(repository.path)) == {}
    subprocess.run([need("git"), "-c", "core.fsmonitor=false", "add", "a"], cwd=repository.path, check=True)
    assert git.tracks(str(repository.path), "a")
    [(name, identity)] = git.staged(str(repository.path)).items()
    assert (name, git.content(str(repository.path), identity)) == ("a", b"content\n")
    assert not (repository.path / "ran").exists()


def test_a_git_of_the_project_s_own_is_not_run(repository, monkeypatch):
    """To find out about a project nothing of it is started."""
    repository.write("bin/git", "#!/bin/sh\necho config\n").chmod(0o755)
    monkeypatch.setenv("PATH", str(repository.path / "bin"), prepend=":")
    assert git.ask(str(repository.path), "config", "core.fsmonitor") is None


def test_a_git_of_the_enclosing_repository_is_not_run(repository, monkeypatch):
    """A project below its repository's root has the same author as the programs beside it."""
    repository.write("bin/git", "#!/bin/sh\necho config\n").chmod(0o755)
    repository.write("sub/.envref.yaml", "project: app\n")
    monkeypatch.setenv("PATH", str(repository.path / "bin"), prepend=":")
    assert git.ask(str(repository.path / "sub"), "config", "core.fsmonitor") is None


def test_a_home_that_is_a_repository_has_programs(tmp_path, monkeypatch):
    """Who keeps all of HOME in git may keep git below it: what is asked about is a project in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".git", "src/project/.git", "src/project/sub", "src/plain"):
        (tmp_path / name).mkdir(parents=True)
    assert repository_around(str(tmp_path / "src/project/sub")) == str(tmp_path / "src/project")
    assert repository_around(str(tmp_path / "src/plain")) == str(tmp_path / "src/plain")


def test_the_outermost_repository_counts(tmp_path):
    """A submodule's author may be another, and what holds it was cloned with it."""
    for name in ("all/.git", "all/module/sub"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "all/module/.git").write_text("gitdir: ../.git/modules/module\n")
    assert repository_around(str(tmp_path / "all/module/sub")) == str(tmp_path / "all")


@pytest.fixture
def partial(repository):
    """A partial clone that lacks a staged file's content, and names the program that would fetch it."""
    run = [need("git"), "-c", "core.fsmonitor=false", "-C", repository.path]
    repository.write("a", "content\n")
    subprocess.run([*run, "add", "a"], check=True)
    identity = subprocess.run([*run, "rev-parse", ":a"], check=True, capture_output=True, text=True).stdout.strip()
    (repository.path / ".git/objects" / identity[:2] / identity[2:]).unlink()
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": "ssh://nowhere.invalid/x",
        "remote.origin.promisor": "true",
        "core.sshCommand": str(repository.path / "program"),
    }
    for name, value in settings.items():
        subprocess.run([*run, "config", name, value], check=True)
    return repository


def test_nothing_is_fetched(partial):
    """git fetches what a partial clone lacks, by a program that its config names."""
    with pytest.raises(EnvrefError, match="git can't be asked"):
        git.content(str(partial.path), git.staged(str(partial.path))["a"])
    assert not (partial.path / "ran").exists()


def test_the_trap_of_the_partial_clone_works(partial):
    """Plain git runs the program, or the test above would show nothing."""
    subprocess.run(["git", "-C", partial.path, "cat-file", "blob", ":a"], check=False, capture_output=True)
    assert (partial.path / "ran").exists()


def test_a_buried_bare_repository_says_nothing(project):
    """A folder of files that make a bare repository is not asked, whatever its config says."""
    bare = project.path / "app"
    subprocess.run([need("git"), "init", "-q", "--bare", bare], check=True)
    assert "safe.bareRepository" in git.ask(str(bare), "rev-parse", "--git-dir").stderr


def test_a_name_is_not_a_pattern(repository):
    """`*` in a file's name is itself."""
    repository.write("a", "content\n")
    subprocess.run([need("git"), "-c", "core.fsmonitor=false", "add", "a"], cwd=repository.path, check=True)
    assert not git.tracks(str(repository.path), "*")


def test_what_is_staged_is_named_from_where_one_stands(repository):
    """Files of the whole work tree, also beside and above; links and submodules are no files."""
    for name in (".env", "apps/api/.env", "apps/web/.env with blanks"):
        repository.write(name, "A=1\n")
    (repository.path / "link").symlink_to(".env")
    subprocess.run([need("git"), "-c", "core.fsmonitor=false", "add", "-A"], cwd=repository.path, check=True)
    found = git.staged(str(repository.path / "apps/api"))
    assert sorted(found) == ["../../.env", "../../program", "../web/.env with blanks", ".env"]


@pytest.fixture
def git_says(repository, tmp_path, monkeypatch):
    """Makes a git, not the repository's, that does this."""

    def make(script):
        program = tmp_path / "bin/git"
        program.parent.mkdir()
        program.write_text(script)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    return make


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho 'fatal: bad index' >&2; echo more >&2; exit 128\n", "bad index"),
        ("#!/bin/sh\nexit 3\n", "exit status 3"),
        ("#!/nowhere/sh\n", ""),
    ],
    ids=["its own words", "no words", "not started"],
)
def test_why_git_can_t_answer(repository, git_says, script, reason):
    """By the first line that it says, or its status; who may do without an answer has none."""
    git_says(script)
    with pytest.raises(EnvrefError, match=f"^git can't be asked: {reason}{'$' if reason else '.'}") as refused:
        git.staged(str(repository.path))
    assert refused.value.hint == "git status in this directory says more"
    if not reason:
        assert git.ask(str(repository.path), "status") is None


def test_a_git_that_does_not_end_is_not_waited_for(repository, git_says, monkeypatch):
    git_says("#!/bin/sh\nexec sleep 100\n")
    monkeypatch.setattr(git, "_PATIENCE", 0.01)
    assert git.ask(str(repository.path), "status") is None


@pytest.mark.parametrize("broken", ["index", "none", "outside"])
def test_what_git_can_t_answer_is_an_error(repository, monkeypatch, tmp_path, broken):
    """Never "not staged": whoever asks would take it for "nothing wrong"."""
    if broken == "index":
        repository.write(".git/index", "rubbish")
    if broken == "none":
        monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    place = str(tmp_path) if broken == "outside" else str(repository.path)
    with pytest.raises(EnvrefError, match="git can't be asked: "):
        git.staged(place)
