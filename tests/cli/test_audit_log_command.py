"""`envref audit-log`: what it shows of a log that other hands have touched too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envref.paths import shown
from envref.project import log
from envref.resolve import reads
from envref.secrets import audit_log


def line(**members):
    entry = {"timestamp": "2026-01-02T03:04:05Z", "user": "me", "operation": "set", "key": "k", "backend": "vault"}
    return json.dumps({**entry, "project": "app", **members}, separators=(",", ":"))


@pytest.fixture
def logged(project):
    """Writes the log of a project, whose config is broken: the log is shown nevertheless."""
    project.write(".envref.yaml", "project: [")

    def write(*lines):
        path = log_of(project)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{each}\n" for each in lines))
        path.chmod(0o600)
        return project

    return write


def log_of(project, kind=audit_log.CHANGES):
    return Path(log.place(str(project.path), kind))


def test_the_columns(logged):
    """Time, operation, user, key, backend, scope, detail; padded, two blanks between."""
    project = logged(line(), line(operation="generate", key="longer", profile="qa", detail="from x/y"))
    done = project.envref("audit-log")
    assert done.returncode == 0
    assert done.stdout == (
        "2026-01-02T03:04:05Z  set       me  k       [vault] app\n"
        "2026-01-02T03:04:05Z  generate  me  longer  [vault] app/qa  from x/y\n"
    )
    assert done.stderr == "2 entries\n"
    assert project.envref("audit-log", "-q").stderr == ""


def test_the_last_ones_of_a_key(logged):
    """The key is chosen first; 0 and too large a number mean all."""
    project = logged(*(line(key=key, user=str(number)) for number, key in enumerate("abab")))

    def users(*options):
        shown = project.envref("audit-log", "--json", *options).stdout
        return [json.loads(each)["user"] for each in shown.splitlines()]

    assert users("-k", "a", "-n", "1") == ["2"]
    assert users("--key=b") == ["1", "3"]
    assert users("--last", "0") == users("-n99") == ["0", "1", "2", "3"]


def test_raw_lines_are_the_log_s_own(logged):
    """Byte for byte, members that this version does not know included."""
    odd = '{ "timestamp":"t", "key":"k" , "more":"ü" }'
    assert logged(odd).envref("audit-log", "--json").stdout == odd + "\n"


@pytest.mark.parametrize("wrong", ["garbage", "[]", '{"key": 1}', '"text"', '{"key":"k"', "\udcff"])
def test_a_line_that_is_no_entry_is_named_and_skipped(logged, wrong):
    """The others are shown."""
    project = logged(line())
    with log_of(project).open("ab") as opened:
        opened.write(wrong.encode("utf-8", "surrogateescape") + b"\n\n" + line(key="z").encode() + b"\n")
    done = project.envref("audit-log")
    assert done.returncode == 0
    assert [each.split()[3] for each in done.stdout.splitlines()] == ["k", "z"]
    name = shown(str(log_of(project)))
    assert done.stderr == f"warning: {name}:2:1: not a line of the audit log; skipped\n2 entries\n"


def test_an_entry_can_t_steer_the_terminal(logged):
    """What a key is called may come from anywhere."""
    shown = logged(line(user="\x1b[31mme", detail="a\nb")).envref("audit-log").stdout
    assert shown == "2026-01-02T03:04:05Z  set  \\x1b[31mme  k  [vault] app  a\\nb\n"


def test_there_may_be_nothing(logged):
    """No log, an empty one, none of that key: said on stderr, exit 0."""
    project = logged()
    for arguments, text in (((), "no audit log entries found\n"), (("-k", "x"), "no audit log entries found\n")):
        done = project.envref("audit-log", *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", text)
    logged(line())
    assert project.envref("audit-log", "-k", "x").stderr == "no matching audit log entries found\n"


def test_a_log_that_can_t_be_read_is_an_error(logged):
    """Not the same as no log."""
    project = logged()
    log_of(project).unlink()
    log_of(project).mkdir()
    done = project.envref("audit-log")
    assert (done.returncode, done.stderr) == (1, f"error: reading {shown(str(log_of(project)))}: Is a directory\n")


def test_a_log_that_others_could_have_written_is_an_error(logged):
    """Who may write there could have anybody's name stand in it."""
    project = logged(line())
    log_of(project).chmod(0o622)
    done = project.envref("audit-log")
    assert (done.returncode, done.stdout) == (1, "")
    assert "others could have written it" in done.stderr


def test_where_the_log_is(logged):
    """For a script that keeps or searches it: the path alone."""
    project = logged()
    assert project.envref("audit-log", "--path").stdout == f"{log_of(project)}\n"
    assert project.envref("audit-log", "--reads", "--path").stdout == f"{log_of(project, reads.KIND)}\n"


def test_the_former_log_of_the_project_is_still_shown(logged):
    """NEW-14: entries of before are there, in the order of time; the file itself stays as it is, whoever writes."""
    project = logged(line(user="new", timestamp="2026-03-01T00:00:00Z"))
    former = line(user="old") + "\ngarbage\n" + line(user="pulled", timestamp="2026-04-01T00:00:00Z") + "\n"
    project.write(audit_log.FORMER, former)
    done = project.envref("audit-log")
    assert [each.split()[2] for each in done.stdout.splitlines()] == ["old", "new", "pulled"]
    assert done.stderr == "warning: .envref.audit.log:2:1: not a line of the audit log; skipped\n3 entries\n"
    audit_log.record(str(project.path), audit_log.Event("set", "k", "vault", "app"))
    assert project.read(audit_log.FORMER) == former
    assert len(list(audit_log.entries(str(project.path)))) == 4
