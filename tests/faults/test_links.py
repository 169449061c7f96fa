"""P16: no command of envref writes through a symlink that leads out of the project, or to what is no file."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.cli.conftest import PLUGIN_ENTRY, config, install_plugin
from tests.cli.subcommands import leaves

BOB = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
# Each command that writes into a project, and the file that it writes.
WRITERS = {
    "set": (["set", "A=2"], ".env"),
    "set --local": (["set", "A=2", "--local"], ".env.local"),
    "set -P": (["set", "A=2", "-P", "staging"], ".env.staging"),
    "set of a file in a linked directory": (["set", "A=2", "-P", "odd"], "linked/odd.env"),
    "unset": (["unset", "A"], ".env"),
    "secret set --env": (["secret", "set", "k", "--env", "A"], ".env"),
    "secret generate --env": (["secret", "generate", "k", "--env", "A", "-P", "staging"], ".env.staging"),
    "init": (["init", "--force"], ".envref.yaml"),
    "init of the base": (["init", "--force"], ".env"),
    "init of the local file": (["init", "--force"], ".env.local"),
    "init --direnv": (["init", "--force", "--direnv"], ".envrc"),
    "init of .gitignore": (["init", "--force"], ".gitignore"),
    "import": (["import", ".env"], ".env"),
    "edit": (["edit"], ".env"),
    "profile create": (["profile", "create", "qa", "--force"], ".env.qa"),
    "profile create --register": (["profile", "create", "qa", "--register"], ".envref.yaml"),
    "team add": (["team", "add", "bob", BOB], ".envref.yaml"),
    "team remove": (["team", "remove", "ann"], ".envref.yaml"),
    "lock": (["lock"], "envref.lock"),
    "flox-hook": (["flox-hook", "--write"], ".flox/env/manifest.toml"),
}
# Those that write nothing into a project, and those that write where they are told.
READERS = {
    *("agent", "audit", "audit-log", "backend", "bare", "completion", "config", "credential", "doctor"),
    *("get", "list", "onboard", "profile"),
    *("refresh", "resolve", "run", "secret", "shim", "stale", "status", "trust", "validate", "version"),
}
ELSEWHERE = ("vault", "sync")  # a vault and a file to share: made new, by O_EXCL, or replaced where they really lie
# These read the file before they write it.
READ = {"import": "error: .env: no such file or directory"}
WRITTEN = "A=precious\nAPI_TOKEN=tk-50f1a7c39be2\n"
PLACED = [name for name, (_, file) in WRITERS.items() if "/" not in file]  # whose file is a link, not its folder


@pytest.fixture
def app(project, tmp_path, trusted, monkeypatch):
    """A project that the user trusts: even so nothing is written through it."""
    install_plugin(project)
    profiles = {"staging": None, "odd": {"env_file": "linked/odd.env"}}
    team = [{"name": "ann", "public_key": BOB}]
    project.write(".envref.yaml", config(PLUGIN_ENTRY, profiles=profiles, team=team))
    project.write(".env", "A=1\n")
    project.write(".flox/env/manifest.toml", "version = 1\n")
    monkeypatch.setenv("EDITOR", "touch")
    (tmp_path / "outside").mkdir()
    return project


def linked(app, name, target):
    path = app.path / name
    if "/" in name:
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.symlink_to(target.parent)
        target.rename(target.parent / path.name)
        return target.parent / path.name
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return target


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_written_through_a_link(app, tmp_path, writer):
    """The target keeps every byte, and no file appears beside it."""
    arguments, name = WRITERS[writer]
    target = tmp_path / "outside" / "target"
    # A config that is a link is read all the same, so it has to be one.
    target.write_text(app.read(name) if name in (".envref.yaml", ".flox/env/manifest.toml") else WRITTEN)
    before = target.read_text()
    target = linked(app, name, target)
    done = app.envref(*arguments, stdin="v")
    assert target.read_text() == before
    assert os.listdir(target.parent) == [target.name]
    assert "refusing to" in done.stderr
    assert "is a symlink" in done.stderr


def test_every_command_is_in_one_of_the_lists():
    """A command that is added is put where it belongs."""
    known = {arguments[0] for arguments, _ in WRITERS.values()} | READERS | {*ELSEWHERE}
    assert {leaf.split()[0] for leaf in leaves()} - known == set()


@pytest.mark.parametrize("writer", PLACED)
def test_nothing_appears_through_a_dangling_link(app, tmp_path, writer):
    """The link's target is not made, and the command says that it is the link which keeps it from working."""
    arguments, name = WRITERS[writer]
    if name == ".envref.yaml":
        pytest.skip("without a config there is no project")
    linked(app, name, tmp_path / "outside" / "target")
    done = app.envref(*arguments, stdin="v")
    assert os.listdir(tmp_path / "outside") == []
    assert "is a symlink" in done.stderr or (done.returncode, READ.get(writer, "?") in done.stderr) == (1, True), (
        done.stderr
    )


@pytest.mark.parametrize("writer", PLACED)
def test_a_pipe_is_neither_waited_for_nor_replaced(app, writer):
    """It ends, and the pipe is still there."""
    arguments, name = WRITERS[writer]
    if name == ".envref.yaml":
        pytest.skip("a pipe is no config")
    (app.path / name).unlink(missing_ok=True)
    os.mkfifo(app.path / name)
    done = app.envref(*arguments, stdin="v")
    assert "not a regular file" in done.stderr
    assert (app.path / name).is_fifo()


def test_a_refused_line_in_an_env_file_stores_no_secret(app, tmp_path):
    """The line is checked before the store is written."""
    linked(app, ".env", tmp_path / "outside" / "target").write_text(WRITTEN)
    assert app.envref("secret", "set", "k", "--env", "A", stdin="v").returncode == 1
    assert not (app.path / "store.json").exists()
