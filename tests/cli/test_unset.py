"""`envref unset`, and where `set` says it wrote."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A=1\nB=2\nC=3\n", "A=1\nC=3\n"),
        ("# x\n\nexport B='a\nb' # why\nC=3", "# x\n\nC=3"),
        ("B=1\r\nA=$B\r\nB=2\r\n", "A=$B\r\n"),
        ("A=1\nB=2", "A=1\n"),
        ("B=2", ""),
    ],
)
def test_every_line_that_sets_it_goes_and_nothing_else(project, before, after):
    """All bytes of the other lines stay, also where several lines set the name."""
    path = project.path / ".env"
    path.write_bytes(before.encode())
    done = project.envref("unset", "B")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "unset B in .env\n")
    assert path.read_bytes() == after.encode()


def test_a_file_that_does_not_set_it_names_the_one_that_does(project):
    """The command for that file can be pasted, also from a folder below."""
    project.write(".envref.yaml", "project: shop\nprofiles: {staging: }\n")
    project.write(".env", "A=1\n")
    project.write(".env.staging", "B=1\n")
    (project.path / "web").mkdir()
    done = project.envref("unset", "B", "--profile", "staging", "--local", cwd=project.path / "web")
    assert done.returncode == 2
    done = project.envref("unset", "A", "--profile", "staging", cwd=project.path / "web")
    assert (done.returncode, done.stderr) == (
        1,
        "error: ../.env.staging does not set A\n  run: envref unset A -f ../.env\n",
    )
    assert project.envref("unset", "A", "-f", "../.env", cwd=project.path / "web").stderr == "unset A in ../.env\n"
    assert project.read(".env") == ""


def test_nothing_sets_it(project):
    """One line; a name is shown without what could steer a terminal."""
    project.write(".env", "A=1\n")
    done = project.envref("unset", "B\x1b[31m")
    assert (done.returncode, done.stderr) == (1, "error: .env does not set B\\x1b[31m\n")
    assert project.read(".env") == "A=1\n"


def test_set_and_unset_name_the_file_from_where_the_user_is(project):
    """In a folder below, `.env` would be taken for that folder's own."""
    project.write(".envref.yaml", "project: shop\n")
    project.write(".env", "A=1\n")
    below = project.path / "web" / "api"
    below.mkdir(parents=True)
    assert project.envref("set", "B=2", cwd=below).stderr == "set B in ../../.env\n"
    assert project.envref("unset", "B", cwd=below).stderr == "unset B in ../../.env\n"
    assert project.envref("set", "C=2", "--local").stderr == "set C in .env.local\n"
