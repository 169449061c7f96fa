"""`envref audit-log`: what it shows of a log that other hands have touched too."""

from __future__ import annotations

import json

import pytest


def line(**members):
    entry = {"timestamp": "2026-01-02T03:04:05Z", "user": "me", "operation": "set", "key": "k", "backend": "vault"}
    return json.dumps({**entry, "project": "app", **members}, separators=(",", ":"))


@pytest.fixture
def logged(project):
    """Writes the log of a project, whose config is broken: the log is shown nevertheless."""
    project.write(".envref.yaml", "project: [")

    def write(*lines):
        project.write(".envref.audit.log", "".join(f"{each}\n" for each in lines))
        return project

    return write


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
    with (project.path / ".envref.audit.log").open("ab") as log:
        log.write(wrong.encode("utf-8", "surrogateescape") + b"\n\n" + line(key="z").encode() + b"\n")
    done = project.envref("audit-log")
    assert done.returncode == 0
    assert [each.split()[3] for each in done.stdout.splitlines()] == ["k", "z"]
    assert done.stderr == "warning: .envref.audit.log:2:1: not a line of the audit log; skipped\n2 entries\n"


def test_an_entry_can_t_steer_the_terminal(logged):
    """The log may be committed: its text is the repository's."""
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
    (project.path / ".envref.audit.log").unlink()
    (project.path / ".envref.audit.log").mkdir()
    done = project.envref("audit-log")
    assert (done.returncode, done.stderr) == (1, "error: reading .envref.audit.log: Is a directory\n")
