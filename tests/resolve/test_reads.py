"""The log of reads: which reads get a line, what it says, and that it says nothing where nobody asks for it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from envref.cli.commands import envref
from envref.project import log
from envref.project.project import configured
from envref.refs.address import Address
from envref.resolve import reads
from envref.secret import Secret, Unread
from envref.secrets import audit_log
from envref.store_errors import BackendLocked, HoldsBytes
from tests.arguments import PYTHONPATH
from tests.cli.conftest import PluginProject
from tests.requirements import first_python

ON = {"audit_log": {"reads": True}}


@pytest.fixture
def shop(project, trusted):
    return PluginProject(project)


@pytest.fixture
def logging(shop):
    """The shop, whose project asks for the log of reads, with two secrets."""
    ask(shop)
    shop.write(".env", "A=ref://secrets/a\nB=${A}/x\nC=ref://store/c?default=d\nPLAIN=1\n")
    shop.fill(a="MARKER-a", staging__a="MARKER-staging")
    return shop


def ask(project):
    project.write(".envref.yaml", json.dumps({**json.loads(project.read(".envref.yaml")), **ON}))


def said(project):
    return [line.entry for line in audit_log.read(str(project.path))]


def keys(project):
    return [entry["key"] for entry in said(project)]


def test_nothing_is_logged_unasked(shop):
    """Neither a line nor a file."""
    shop.fill(a="v")
    shop.write(".env", "A=ref://secrets/a\n")
    assert shop.envref("resolve").returncode == 0
    assert said(shop) == []
    assert not os.path.exists(log.place(str(shop.path), reads.KIND))


def test_a_read_says_what_and_by_whom(logging):
    """Time, user, operation, key, store, project, profile, command, parent: and of the value nothing."""
    assert "MARKER-staging" in logging.envref("resolve", "-P", "staging").stdout
    entry, second = said(logging)
    assert (second["key"], second.get("profile")) == ("a", None)  # the store was asked for both, and gave both
    assert list(entry)[:2] == ["timestamp", "user"]
    assert {name: entry[name] for name in list(entry)[2:7]} == {
        "operation": "read",
        "key": "a",
        "backend": "store",
        "project": "app",
        "profile": "staging",
    }
    assert list(entry)[7:] == ["command", "parent"]
    path = Path(log.place(str(logging.path), reads.KIND))
    assert "MARKER" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_what_was_read_has_a_line(logging):
    """A reference that is not there, a plain variable and a revision are no reads; one secret is read once."""
    assert logging.envref("resolve").returncode == 0
    assert keys(logging) == ["a"]
    logging.envref("resolve", "--only", "PLAIN")
    logging.envref("list")
    logging.envref("secret", "list")
    logging.envref("secret", "get", "nothing")
    assert keys(logging) == ["a"]


@pytest.mark.parametrize(
    "words",
    [
        ["secret", "get", "a"],
        ["get", "A", "--resolve"],
        ["run", "--only", "A", "--", "true"],
        ["secret", "copy", "a", "--from", "app", "--to-key", "b"],
        ["secret", "rotate", "a"],
        ["secret", "share", "a", "--to", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
        ["profile", "export", "staging", "--resolve"],
        ["validate", "--resolve"],
        ["audit", "--values", "."],
    ],
)
def test_every_command_that_gets_a_value_is_logged(logging, words):
    """Whatever it does with it."""
    logging.write(".env.example", "A=\n")
    subprocess.run(
        [sys.executable, "-m", "envref", *words],
        cwd=logging.path,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        check=False,
    )
    assert "a" in keys(logging)


@first_python
@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["-C", ".", "secret", "get", "a"], "secret get"),
        (["run", "--", "/bin/true", "--password", "MARKER"], "run true"),
        (["resolve", "--only", "A"], "resolve"),
    ],
)
def test_the_command_and_its_parent_are_named(logging, words, command):
    """By the process: which envref command, and the program that started it; no argument of either."""
    script = logging.path / "caller"
    script.write_text('#!/bin/sh\n"$@"\nexit 0\n')
    script.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    started = [script, sys.executable, "-m", "envref", *words]
    subprocess.run(started, cwd=logging.path, env=environment, check=True, capture_output=True)
    [entry] = said(logging)
    assert (entry["command"], entry["parent"]) == (command, "caller")
    shown = logging.envref("audit-log", "--reads").stdout
    assert shown.endswith(f"a  [store] app  {command}, called by caller\n")


WORDS = {
    "resolve": ["resolve", "--export"],
    "secret get": ["secret", "get", "k"],
    "set": ["set", "NAME=value"],
    "run psql": ["run", "-P", "x", "--", "/usr/bin/psql", "--password=v"],
    "run": ["run", "psql"],
    "vault": ["vault", "K=V"],
    "shim gh": ["shim", "--call", "gh", "-C", "/x", "--", "auth", "--token=v"],
    "": ["--version"],
}


@pytest.mark.parametrize("command", WORDS)
def test_of_the_words_only_the_command_is_taken(command):
    """What is no command may be a value."""
    assert reads.command(WORDS[command]) == command


def test_no_words_no_command():
    """Python's own `-m`, a test."""
    assert reads.command([]) == reads.command(["tests/x.py"]) == reads.command(["-C", "x"]) == ""


def test_the_groups_are_those_of_the_command_line():
    """Whose second word is a command."""
    context = click.Context(envref)
    found = {name: envref.get_command(context, name) for name in envref.list_commands(context)}
    assert {name for name, command in found.items() if isinstance(command, click.Group)} == reads.GROUPS


@first_python
def test_a_shell_s_own_caller_is_named_too(logging):
    """git, make and editors call by `sh -c`: which of them it was is what one wants to know."""
    script = logging.path / "caller"
    script.write_text(f"#!{sys.executable}\nimport os\nos.system({sys.executable!r} + ' -m envref secret get a; :')\n")
    script.chmod(0o755)
    subprocess.run([script], cwd=logging.path, env={**os.environ, "PYTHONPATH": PYTHONPATH}, check=True)
    assert said(logging)[0]["parent"] == "sh < caller"


def test_what_a_store_refuses_is_not_read(logging):
    """Bytes that a reference decodes are."""
    project = configured(str(logging.path))
    encoded = HoldsBytes.about("store", "b", Secret("dg=="))
    answers = {
        Address("app", "locked"): BackendLocked("no"),
        Address("app", "unread"): Unread("7"),
        Address("app", "bytes"): encoded,
        Address("", "", foreign="team/db", field="password"): Secret("v"),
    }
    reads.Reads(project).note("store", answers)
    assert [(entry["key"], entry["project"]) for entry in said(logging)] == [
        ("bytes", "app"),
        ("team/db#password", "app"),
    ]


def test_a_full_log_begins_anew(logging, monkeypatch):
    """The one before is kept and shown; two files are never more than twice the limit."""
    monkeypatch.setattr(reads, "LARGEST", 700)
    witness = reads.Reads(configured(str(logging.path)))
    for number in range(20):
        witness.note("store", {Address("app", f"k{number:02}"): Secret("v")})
    path = Path(log.place(str(logging.path), reads.KIND))
    sizes = [each.stat().st_size for each in (path, path.with_name(f"{path.name}.1"))]
    assert max(sizes) <= 700
    assert keys(logging) == [f"k{number:02}" for number in range(20)][-len(keys(logging)) :]
    assert len(keys(logging)) >= 4


def test_a_log_that_can_t_be_written_is_a_warning(logging):
    """Nobody is kept from work by it."""
    path = Path(log.place(str(logging.path), reads.KIND))
    path.parent.mkdir(parents=True)
    path.mkdir()
    done = logging.envref("resolve", "--only", "A")
    assert (done.returncode, done.stdout) == (0, "A=MARKER-a\n")
    assert done.stderr.startswith("warning: audit log: ")


CONFIGS = [
    ("audit_log: {reads: false}\n", ":2:1", "a project's file may only say true; your own config says false"),
    ("audit_log: true\n", ":2:12", "audit_log must be {reads: true}"),
    ("audit_log: {}\n", ":2:12", "audit_log must be {reads: true}"),
    ("audit_log: {reads: often}\n", ":2:20", "audit_log: reads must be true or false"),
]


@pytest.mark.parametrize(("text", "_place", "fault"), CONFIGS)
def test_a_project_may_only_say_yes(project, home, text, _place, fault):
    """The log is the user's: a clone must not switch it off, not by a mistake either."""
    project.write(".envref.yaml", f"project: app\n{text}")
    done = project.envref("resolve")
    assert done.returncode == 1
    assert fault in done.stderr
    assert ".envref.yaml:2:" in done.stderr


def test_the_user_s_own_config_asks_for_every_project(shop, home):
    """And a project that says nothing, or yes, changes nothing about it."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(json.dumps(ON))
    assert configured(str(shop.path)).config.logs_reads
    own.write_text("audit_log: {reads: false}\n")
    assert not configured(str(shop.path)).config.logs_reads
    ask(shop)
    assert configured(str(shop.path)).config.logs_reads


def test_a_part_of_a_monorepo_has_what_it_extends_asks_for(logging):
    """The parent's wish holds for its parts."""
    logging.write("part/.envref.yaml", "extends: ..\n")
    assert configured(str(logging.path / "part")).config.logs_reads
