"""A linked work tree has the personal env file of the main one; nothing else can claim it. With a real git."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from envref.project import project as projects
from envref.project.linked import git_line, is_personal_file, personal_file
from tests.requirements import need_process

GIT = shutil.which("git") or ""


@pytest.fixture
def trees(project, tmp_path):
    """A repository and a work tree that was added to it."""
    need_process()
    if not GIT:
        pytest.skip("no git here")
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    project.write(".gitignore", ".env.local\n")
    author = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgSign=false")
    for command in (
        ("init", "-q"),
        ("add", "-A"),
        (*author, "commit", "-qm", "a"),
        ("worktree", "add", "-q", "../linked"),
    ):
        subprocess.run([GIT, "-C", str(project.path), *command], check=True)
    project.write(".env.local", "A=mine\n")
    return project, tmp_path / "linked"


def names(directory):
    return [file.name for file in projects.load(str(directory)).files]


def test_the_main_work_tree_s_file_is_used_and_said(trees):
    """In the place of the own one, without trust: all of it is the user's."""
    project, linked = trees
    assert names(linked) == [".env", "../project/.env.local"]
    done = project.envref("-v", "resolve", "--export", cwd=linked)
    assert (done.stdout, done.returncode) == ("export A=mine\n", 0)
    assert "read ../project/.env.local, which the main work tree has\n" in done.stderr


def test_its_own_file_wins(trees):
    """Then the main one is not read."""
    _, linked = trees
    (linked / ".env.local").write_text("A=own\n")
    assert names(linked) == [".env", ".env.local"]


def test_below_the_top_it_is_the_file_at_the_same_place(trees):
    """A project in a folder of the repository."""
    project, linked = trees
    for place in (project.path, linked):
        (place / "svc").mkdir()
        (place / "svc/.envref.yaml").write_text("project: svc\n")
        (place / "svc/.env").write_text("B=1\n")
    project.write("svc/.env.local", "B=2\n")
    assert names(linked / "svc") == [".env", "../../project/svc/.env.local"]


def test_a_copy_that_claims_to_be_a_work_tree_gets_nothing(trees, tmp_path):
    """The main one names another directory."""
    _, linked = trees
    shutil.copytree(linked, tmp_path / "copy")
    assert names(tmp_path / "copy") == [".env"]


def test_a_link_in_the_main_one_is_not_followed(trees, tmp_path):
    """It could lead anywhere."""
    project, linked = trees
    (project.path / ".env.local").rename(tmp_path / "moved")
    (project.path / ".env.local").symlink_to(tmp_path / "moved")
    assert names(linked) == [".env"]


def test_only_the_file_at_the_same_place_is_the_personal_one(trees):
    """No other one of that name is."""
    project, linked = trees
    assert is_personal_file(str(linked), str(project.path / ".env.local"))
    assert is_personal_file(str(linked), f"{linked}/../project/.env.local")
    for other in (project.write("svc/.env.local", ""), linked / ".env.local"):
        assert not is_personal_file(str(linked), str(other))
    assert not is_personal_file(str(project.path), str(project.path / ".env.local"))


def test_a_work_tree_whose_repository_is_gone_has_its_own_files(trees):
    """As after a move of the main one."""
    project, linked = trees
    shutil.rmtree(project.path / ".git")
    assert names(linked) == [".env"]


@pytest.fixture
def made(tmp_path):
    """The files that git keeps of two work trees, by gitrepository-layout(5), some of them changed; what is found."""

    def made(**changes):
        files = {
            "linked/.git": f"gitdir: {tmp_path}/main/.git/worktrees/w\n",
            "main/.git/worktrees/w/gitdir": f"{tmp_path}/linked/.git\n",
            "main/.git/worktrees/w/commondir": "../..\n",
            "main/.env.local": "A=mine\n",
            **changes,
        }
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
        linked = str(tmp_path / "linked")
        return personal_file(linked, linked, ".env.local")

    return made


def test_what_git_keeps_leads_to_the_personal_file(made):
    assert made() == "../main/.env.local"


@pytest.mark.parametrize("name", ["linked/.git", "main/.git/worktrees/w/gitdir", "main/.git/worktrees/w/commondir"])
@pytest.mark.parametrize("text", [None, "", "\n", "/nowhere\n", "../../..\n"])
def test_without_each_of_them_nothing_does(made, name, text):
    """It is gone, empty, or says something else."""
    assert made(**{name: text}) == ""


def test_a_personal_file_that_is_not_there_is_none(made, tmp_path):
    """Nor is a folder one."""
    assert made(**{"main/.env.local": None}) == ""
    (tmp_path / "main/.env.local").mkdir()
    assert made(**{"main/.env.local": None}) == ""


def test_a_folder_that_names_another_s_repository_gets_nothing(made, tmp_path):
    """What it says of itself it can write; that it is below the repository it can't."""
    assert (
        made(
            **{
                "linked/.git": f"gitdir: {tmp_path}/linked/fake\n",
                "linked/fake/gitdir": f"{tmp_path}/linked/.git\n",
                "linked/fake/commondir": f"{tmp_path}/main/.git\n",
            }
        )
        == ""
    )


def test_a_bare_repository_has_no_personal_file(made, tmp_path):
    """What lies beside it belongs to no work tree of it."""
    assert (
        made(
            **{
                "linked/.git": f"gitdir: {tmp_path}/main/bare/worktrees/w\n",
                "main/bare/worktrees/w/gitdir": f"{tmp_path}/linked/.git\n",
                "main/bare/worktrees/w/commondir": "../..\n",
            }
        )
        == ""
    )


def test_files_of_a_repository_s_own_lead_nowhere(tmp_path):
    """It has a `.git` that is a folder, and lies within another's: only a work tree that git added may say so much."""
    tree = tmp_path / "main/.git/tree"
    (tree / ".git").mkdir(parents=True)
    (tree / "gitdir").write_text(f"{tree}/.git\n")
    (tree / "commondir").write_text("..\n")
    (tmp_path / "main/.env.local").write_text("A=1\n")
    assert not is_personal_file(str(tree), str(tmp_path / "main/.env.local"))


def test_outside_every_work_tree_there_is_no_personal_file(tmp_path, monkeypatch):
    """Wherever one stands oneself."""
    monkeypatch.setattr("envref.project.linked.nearest", lambda *_: "")
    assert not is_personal_file(str(tmp_path), str(tmp_path / ".env.local"))


def test_a_line_of_git_s_may_be_any_path(tmp_path):
    """Bytes that are no text, blanks at its ends; what can't be read is empty."""
    (tmp_path / "file").write_bytes(b" a\xff \n")
    assert [git_line(str(tmp_path / name)) for name in ("file", ".", "none")] == [" a\udcff ", "", ""]
