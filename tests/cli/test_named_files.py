"""`-f`: files that the user names, several of them as layers, also pipes; and who wins, files or environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("real_starts")


@pytest.fixture
def app(project):
    project.write(".envref.yaml", "project: app\nbackends: []\n")
    project.write(".env", "A=1\nB=1\n")
    project.write("one.env", "A=one\nC=one\n")
    project.write("two.env", 'A="$A-two"\n')
    return project


@pytest.mark.parametrize("command", [("resolve",), ("list",), ("run", "-f", "two.env", "--", "env")])
def test_several_files_are_layers_in_the_place_of_the_base(app, command):
    """The last one on top; what lies above the base stays there."""
    app.write(".env.local", "C=own\n")
    verb, *rest = command
    words = [verb, "-f", "one.env", *(rest or ["-f", "two.env"])]
    lines = app.envref(*words).stdout.splitlines()
    assert {"A=one-two", "C=own"} <= set(lines)
    assert "B=1" not in lines


@pytest.mark.parametrize("file", ["/dev/stdin", "-"])
@pytest.mark.parametrize("command", ["resolve", "list", "audit", "validate"])
def test_standard_input_is_a_file(app, command, file):
    """Read once, whatever the command reads twice."""
    app.write(".env.example", "A=\n")
    app.write(".envref.yaml", "project: app\nbackends: [{name: vault, config: {path: none.db}, optional: true}]\n")
    done = app.envref(command, "-f", file, stdin="A=ref://secrets/a?default=piped\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("A=piped\n", "A=ref://***\n") or done.stdout.startswith("OK")


def test_the_audit_reads_a_pipe_in_the_place_of_the_base_file(app):
    """As the other commands do."""
    (app.path / ".env").unlink()
    os.mkfifo(app.path / ".env")
    with subprocess.Popen(["sh", "-c", "echo DB_PASSWORD=hunter2 > .env"], cwd=app.path):
        done = app.envref("audit")
    assert done.returncode == 1
    assert "  line 1: DB_PASSWORD" in done.stderr


def test_the_cure_of_an_audit_can_be_pasted_where_it_was_typed(app):
    """The path begins there, also below the project's root; a pipe can't be imported."""
    app.write(".env", "DB_PASSWORD=hunter2\n")
    app.write("sub/.env", "DB_PASSWORD=hunter2\n")
    for words, cure in (
        (["audit"], "  run: envref import ../.env, or "),
        (["audit", "-f", ".env"], "  run: envref import .env, or "),
        (["audit", "-f", "-"], "  hint: end the line of what is none with: "),
    ):
        done = app.envref(*words, cwd=app.path / "sub", stdin="DB_PASSWORD=hunter2\n")
        assert done.stderr.splitlines()[-1].startswith(cure)


def test_a_process_substitution_is_a_file(app):
    """`<(…)` is a pipe that the shell opens."""
    script = f"{sys.executable} -m envref run -f <(echo A=piped) -- sh -c 'echo $A'"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == "piped\n"


def test_a_named_file_that_is_not_there_is_said_by_its_name(app):
    """It has to be there, unlike a layer of the project."""
    done = app.envref("resolve", "--export", "-f", "none.env")
    assert (done.returncode, done.stdout, done.stderr) == (1, "false\n", "error: none.env: no such file or directory\n")


def test_a_pipe_in_the_project_is_read_once(app):
    """By `run` too, which asks for trust between; a second reading would wait for a writer that has ended."""
    (app.path / ".env").unlink()
    os.mkfifo(app.path / ".env")
    writer = subprocess.Popen(["sh", "-c", "echo LD_PRELOAD= > .env"], cwd=app.path)
    done = app.envref("run", "--", "sh", "-c", "echo ${LD_PRELOAD+set}", env={"ENVREF_TRUST": "all"})
    assert (done.stdout, done.stderr) == ("set\n", "")
    assert writer.wait(10) == 0


@pytest.mark.usefixtures("nobody_agreed")
def test_a_risky_name_in_a_named_file_is_asked_about(app):
    """A file that the repository has is the repository's, whoever names it."""
    assert app.envref("trust").returncode == 0
    assert app.envref("resolve", "--export", "-f", "one.env").returncode == 0
    app.write("one.env", "LD_PRELOAD=/tmp/x.so\n")
    done = app.envref("resolve", "--export", "-f", "one.env")
    assert (done.returncode, done.stdout) == (4, "false\n")
    assert "LD_PRELOAD" in done.stderr


def test_a_file_below_with_the_name_of_a_layer_is_another_one(app):
    """Neither messages nor the meaning take it for the project's."""
    app.write("sub/.env", "=\n")
    done = app.envref("resolve", "-f", ".env", cwd=app.path / "sub")
    assert done.stderr.startswith("error: sub/.env:1:1: ")


def test_files_win_unless_somebody_says_otherwise(app):
    """`precedence: environment` in the config, `--keep-env` for one run; what is empty is set as well."""
    run = ("run", "--", "sh", "-c", "echo $A,$B,$C")
    app.write(".env", "A=1\nB=$A\nC=1\n")
    mine = {"A": "mine", "C": ""}
    assert app.envref(*run, env=mine).stdout == "1,1,1\n"
    assert app.envref("run", "--keep-env", *run[1:], env=mine).stdout == "mine,mine,\n"
    app.write(".envref.yaml", "project: app\nbackends: []\nprecedence: environment\n")
    assert app.envref(*run, env=mine).stdout == "mine,mine,\n"
    assert app.envref("resolve", env=mine).stdout == "A=mine\nB=mine\nC=\n"
    assert app.envref("list", env=mine).stdout == "A=1\nB=1\nC=1\n"


def test_what_the_environment_has_is_not_asked_of_a_store_and_is_masked(app):
    """It may be a secret of a CI job."""
    app.write(".envref.yaml", "project: app\nprecedence: environment\n")
    app.write(".env", "TOKEN=ref://nowhere/a\n")
    done = app.envref("resolve", "--format", "table", env={"TOKEN": "very-private"})
    assert done.returncode == 0, done.stderr
    assert "very-private" not in done.stdout


def test_precedence_is_one_of_two_words(app):
    """A slip is an error with its place."""
    app.write(".envref.yaml", "project: app\nprecedence: env\n")
    assert ".envref.yaml:2:13: precedence must be files or environment" in app.envref("resolve").stderr


def test_a_missing_base_names_its_example(app):
    """A fresh clone of a project that ignores .env."""
    (app.path / ".env").rename(app.path / ".env.example")
    done = app.envref("resolve")
    assert done.stderr.splitlines()[0] == "error: .env: no such file or directory"
    assert "cp .env.example .env" in done.stderr


@pytest.mark.parametrize("command", [("resolve",), ("list",), ("status",), ("config", "show"), ("init",)])
def test_a_directory_that_was_removed_is_no_bug(app, command):
    """Every command says so in one sentence."""
    (app.path / "gone").mkdir()
    script = f"cd gone; rmdir ../gone; {sys.executable} -m envref {' '.join(command)}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "the current directory no longer exists" in done.stderr
