"""Which directories have a project's name (security.md 5.1)."""

from __future__ import annotations

import pytest

from envref.project.project import configured
from envref.project.trust.names import Name
from tests.conftest import Directory


@pytest.fixture
def other(tmp_path):
    """A second directory with the name of the first."""
    path = tmp_path / "other"
    path.mkdir()
    return Directory(path)


def name_of(directory):
    directory.write(".envref.yaml", "project: app\n")
    return Name(configured(str(directory.path)))


def test_the_first_directory_has_the_name(project, other):
    """Another one is told of, until it has it too; both are known to both."""
    first = name_of(project)
    assert (first.known, first.others()) == ([], [])
    first.give()
    assert name_of(project).known == [str(project.path)]
    second = name_of(other)
    assert second.others() == [str(project.path)]
    second.give()
    assert name_of(other).others() == []
    assert name_of(project).known == [str(project.path), str(other.path)]


def test_a_name_is_given_once_and_can_be_taken(project, other):
    """Only the directory's own."""
    for directory in (project, other, project):
        name_of(directory).give()
    name_of(project).take()
    assert name_of(project).known == [str(other.path)]
    name_of(project).take()
    assert name_of(other).known == [str(other.path)]


def test_a_directory_that_is_a_project_no_longer_is_no_other(project, other):
    """Its config is gone."""
    name_of(project).give()
    (project.path / ".envref.yaml").unlink()
    assert name_of(other).others() == []


def test_a_file_about_another_name_says_nothing(project, home):
    """A file system may take two spellings for one."""
    name_of(project).give()
    (path,) = (home / ".local/state/envref/projects").iterdir()
    path.write_text(path.read_text().replace("app\n", "APP\n", 1))
    assert name_of(project).known == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_name_of_the_users_own_is_nobodys(project, home):
    """It is meant to be shared."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("project: app\n")
    project.write(".envref.yaml", "backends: []\n")
    name = Name(configured(str(project.path)))
    name.give()
    assert (name.known, name.others()) == ([], [])
    assert not (home / ".local/state/envref/projects").exists()


def test_a_name_is_given_once_to_each(project, other):
    """What this process gave is known to it at once."""
    first, second = name_of(project), name_of(other)
    first.give()
    assert (first.known, first.others()) == ([str(project.path)], [])
    first.give()
    name_of(project).give()
    assert name_of(other).known == [str(project.path)]
    second.take()
    assert name_of(project).known == [str(project.path)]
    first.take()
    assert (first.known, name_of(project).known) == ([], [])


def test_a_directory_with_a_line_end_in_its_name_has_none(tmp_path):
    """It would be two lines of the file."""
    path = tmp_path / "a\nb"
    path.mkdir()
    name = name_of(Directory(path))
    name.give()
    assert (name.known, name.others(), name_of(Directory(path)).known) == ([], [], [])


def test_of_a_file_of_names_one_mebibyte_is_read(project, home):
    """What a program wrote there by mistake holds nobody up."""
    name_of(project).give()
    (path,) = (home / ".local/state/envref/projects").iterdir()
    path.write_text("app\n\n" + "/a" * ((1 << 19) - 5) + "bcde\n" + "/beyond\n")
    assert path.stat().st_size == (1 << 20) + len("/beyond\n")
    (known,) = name_of(project).known
    assert known.endswith("/abcde")


def test_state_that_can_not_be_written_is_no_reason_to_stop(project, home):
    """The name is this process's own, and nobody's after it."""
    (home / ".local").write_text("")
    name = name_of(project)
    name.give()
    assert (name.known, name_of(project).known) == ([str(project.path)], [])
