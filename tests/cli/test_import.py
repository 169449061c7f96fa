"""`envref import` at a terminal: it shows what it takes, and asks."""

from __future__ import annotations

import os

import pytest

from tests.cli.terminal import Terminal
from tests.requirements import first_python

pytestmark = first_python


@pytest.fixture
def shop(project, monkeypatch):
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: vault\n    config: {path: s.db}\n")
    project.write(".env", "PORT=3000\nDB_PASSWORD=hunter2\n")
    assert project.envref("vault", "init", "-q").returncode == 0
    return project


@pytest.mark.parametrize(
    ("answer", "line"), [("y", "DB_PASSWORD=ref://secrets/db_password"), ("", "DB_PASSWORD=hunter2")]
)
def test_it_asks(shop, answer, line):
    """What would be stored and what not is on the screen before the question; Enter alone is a no."""
    terminal = Terminal(shop.path, "import", ".env")
    terminal.await_text("Take these 1 from .env? [y/N]")
    assert "would store DB_PASSWORD as db_password" in terminal.output
    assert "no secret, as it seems: PORT" in terminal.output
    terminal.type(f"{answer}\r")
    assert terminal.end() == 0
    assert shop.read(".env") == f"PORT=3000\n{line}\n"


def test_yes_asks_nothing(shop):
    """For people who know, and scripts on a terminal."""
    terminal = Terminal(shop.path, "import", ".env", "--yes")
    assert terminal.end() == 0
    assert "?" not in terminal.output
    assert shop.read(".env") == "PORT=3000\nDB_PASSWORD=ref://secrets/db_password\n"


def test_a_file_without_a_secret_is_left(shop):
    """And said to be none."""
    shop.write(".env", "PORT=3000\n")
    done = shop.envref("import", ".env")
    assert done.returncode == 0
    assert done.stderr.startswith("nothing to store in .env\n")


def test_what_chooses_names_goes_one_way(shop):
    """Either the ones to take or the ones to leave."""
    done = shop.envref("import", ".env", "--only", "A", "--except", "B")
    assert done.returncode == 2
    assert "[only except] were all set" in done.stderr


@pytest.mark.parametrize("file", ["-", "/dev/stdin", "fifo"])
def test_a_pipe_is_no_file_to_write_references_into(project, file):
    """Said before anything is read or stored."""
    project.write(".envref.yaml", "project: app\n")
    os.mkfifo(project.path / "fifo")
    done = project.envref("import", file, stdin="DB_PASSWORD=hunter2\n")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {file}: not a regular file, and references are written back into what is imported\n"
        "  hint: save it as a file of the project, and import that\n"
    )


def test_a_script_of_direnv_is_no_env_file(project):
    """Its first line that is none has its place, and there is a way."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".envrc", "use flake\nexport A=1\n")
    done = project.envref("import", ".envrc")
    assert (done.returncode, done.stderr.splitlines()[:2]) == (
        1,
        [
            ".envrc is a script: move its lines export NAME=value into .env, and import that",
            "error: .envrc:1:1: expected NAME=VALUE",
        ],
    )


def test_a_file_of_which_nothing_is_taken_is_not_written(shelf):
    """Not even as it was: an editor or a watcher would take it for changed."""
    shelf.values["one"]["app/token"] = "old-7f3a9c"
    before = shelf.write(".env", "TOKEN=new-7f3a9c\n").stat()
    assert shelf.said("import", ".env").returncode == 1
    assert (shelf.path / ".env").stat() == before


def test_a_link_out_of_the_project_is_not_written_through(shelf, tmp_path):
    """A repository could lead to any file; one that the user names elsewhere may be a link."""
    outside = tmp_path / "outside.env"
    outside.write_text("TOKEN=new-7f3a9c\n")
    (shelf.path / "old.env").symlink_to(outside)
    done = shelf.said("import", "old.env")
    assert (done.returncode, done.stderr.partition(":")[0], shelf.values["one"]) == (1, "error", {})
    assert outside.read_text() == "TOKEN=new-7f3a9c\n"
