"""The audit log: what a line holds, that none is lost, and that it never stops a command."""

from __future__ import annotations

import json
import os
import pwd
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from envref.project import log
from envref.secrets import audit_log
from envref.secrets.audit_log import Event
from tests.cli.conftest import PluginProject
from tests.conftest import ROOT

MEMBERS = ["timestamp", "user", "operation", "key", "backend", "project", "profile", "detail"]
WRITER = """
import sys
from envref.secrets.audit_log import Event, record
for number in range(25):
    record(sys.argv[1], Event("set", f"{sys.argv[2]}-{number}", "store", "app", detail="x" * 3000))
"""


@pytest.fixture
def shop(project, trusted):
    return PluginProject(project)


def log_of(root, kind=audit_log.CHANGES):
    return Path(log.place(str(root), kind))


def made(root):
    """The path of the project's log, its folder made."""
    audit_log.record(str(root), Event("set", "k", "store", "app"))
    log_of(root).unlink()
    return log_of(root)


def test_a_line_is_compact_json_with_its_members_in_order(tmp_path):
    """commands.md 3.6; a member without a value is left out."""
    audit_log.record(str(tmp_path), Event("copy", "k", "store", "app", "staging", "from shop"))
    audit_log.record(str(tmp_path), Event("set", "schlüssel\n", "store", "app"))
    full, short = log_of(tmp_path).read_text().splitlines()
    assert list(json.loads(full)) == MEMBERS
    assert list(json.loads(short)) == MEMBERS[:6]
    assert ", " not in full
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", json.loads(full)["timestamp"])
    assert json.loads(short)["key"] == "schlüssel\n"


def test_only_its_owner_reads_it(tmp_path):
    """Mode 0600, also where the file was there with another one."""
    path = made(tmp_path)
    path.write_text("")
    path.chmod(0o644)
    audit_log.record(str(tmp_path), Event("set", "k", "store", "app"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_git_never_sees_it(shop):
    """NEW-14: a change of a secret changes no file of the work tree, so no pull stops for it."""
    before = sorted(shop.path.rglob("*"))
    shop.envref("secret", "set", "k", stdin="v")
    assert {path.name for path in {*shop.path.rglob("*")} - {*before}} == {"store.json"}
    assert [each["key"] for each in shop.logged()] == ["k"]


def test_writers_at_the_same_time_lose_no_line(tmp_path):
    """8 processes, 25 lines of 3 KB each: 200 whole lines."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(number)], cwd=ROOT) for number in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert len({entry["key"] for entry in audit_log.entries(str(tmp_path))}) == 200


def test_what_keeps_it_from_being_written_is_a_warning(shop):
    """The secret is stored all the same, the status is 0."""
    made(shop.path).mkdir()
    done = shop.envref("secret", "set", "k", stdin="v")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: audit log: ")
    assert shop.values == {"app/k": "v"}


def test_a_link_is_not_followed(shop, tmp_path):
    """Nothing but the log itself is written."""
    other = tmp_path / "other"
    other.write_text("mine\n")
    made(shop.path).symlink_to(other)
    done = shop.envref("secret", "set", "k", stdin="v")
    assert re.search(r"refusing to write \S+\.log: it is a symlink", done.stderr)
    assert other.read_text() == "mine\n"


def test_lines_that_are_no_entry_are_left_out(tmp_path):
    """Reading takes what is whole; a torn or foreign line harms nobody."""
    made(tmp_path).write_bytes(b'{"key": "a", "profile": "qa"}\n{"key": \n[1]\n{"key": 5}\n\xff\n{"key": "b"}\n')
    assert [entry["key"] for entry in audit_log.entries(str(tmp_path))] == ["a", "b"]
    assert audit_log.profiles(str(tmp_path)) == {"qa"}
    assert list(audit_log.entries(str(tmp_path / "nowhere"))) == []


def test_every_command_that_changes_or_passes_on_a_secret_is_logged(shop):
    """Operation, key, backend, scope and detail of each; no value in any line."""
    shop.write("store.json", '{"values": {"other/MARKER": "v"}, "writes": 0, "log": []}')
    shop.envref("secret", "set", "a", stdin="MARKER-value")
    shop.envref("secret", "generate", "b", "-P", "staging")
    shop.envref("secret", "rotate", "a", "--value-stdin", stdin="MARKER-value 2")
    shop.envref("secret", "copy", "MARKER", "--from", "other", "--to-key", "c")
    recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    shop.envref("secret", "share", "a", "--to", recipient)
    shop.envref("secret", "delete", "c", "--force")
    shop.envref("secret", "get", "a")
    shop.envref("secret", "list")
    lines = shop.logged()
    assert [(line["operation"], line["key"], line.get("profile"), line.get("detail")) for line in lines] == [
        ("set", "a", None, None),
        ("generate", "b", "staging", None),
        ("rotate", "a", None, None),
        ("copy", "c", None, "from other/MARKER"),
        ("share", "a", None, f"to {recipient[:20]}"),
        ("delete", "c", None, None),
    ]
    assert {(line["backend"], line["project"]) for line in lines} == {("store", "app")}
    assert "MARKER-value" not in log_of(shop.path).read_text()


@pytest.mark.parametrize("where", ["ours", "former"])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_log_that_is_no_file_has_no_entries(tmp_path, kind, where):
    """A repository's link is not followed when the log is read either, and its pipe is not waited for."""
    path = made(tmp_path) if where == "ours" else tmp_path / audit_log.FORMER
    (tmp_path / "other").write_text('{"profile": "from elsewhere"}\n')
    make = {
        "link": lambda: path.symlink_to(tmp_path / "other"),
        "pipe": lambda: os.mkfifo(path),
        "directory": path.mkdir,
    }
    make[kind]()
    assert list(audit_log.entries(str(tmp_path))) == []


def test_the_user_is_who_the_system_says(project, monkeypatch):
    """LOGNAME and USER are for anybody to set, an env file too."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    audit_log.record(str(project.path), audit_log.Event("set", "k", "vault", "app"))
    [entry] = audit_log.entries(str(project.path))
    assert entry["user"] == pwd.getpwuid(os.geteuid()).pw_name
