"""The command line's own voice: global options, usage errors, help (commands.md 1)."""

from __future__ import annotations

import pytest

from envref import __version__
from envref.cli.commands import COMMANDS
from envref.cli.grammar import _MEANT


@pytest.mark.parametrize(
    ("arguments", "message", "path"),
    [
        (["vers"], 'unknown command "vers" for "envref". Did you mean "version"?', "envref"),
        (["zzz"], 'unknown command "zzz" for "envref"', "envref"),
        (["secret", "gte"], 'unknown command "gte" for "envref secret". Did you mean "get"?', "envref secret"),
        (["version", "--nope"], "unknown flag: --nope", "envref version"),
        (["version", "--vers"], 'unknown flag: --vers. Did you mean "--verbose"?', "envref version"),
        (["resolve", "--exprot"], 'unknown flag: --exprot. Did you mean "--export"?', "envref resolve"),
        (["export"], 'unknown command "export" for "envref". Did you mean "resolve --export"?', "envref"),
        (["exec", "--", "x"], 'unknown command "exec" for "envref". Did you mean "run"?', "envref"),
        (["help"], 'unknown command "help" for "envref". Did you mean "--help"?', "envref"),
        (["secret", "exec"], 'unknown command "exec" for "envref secret"', "envref secret"),
        (["--nope", "version"], "unknown flag: --nope", "envref"),
        (["version", "-x"], "unknown shorthand flag: 'x' in -x", "envref version"),
        (["version", "-qx"], "unknown shorthand flag: 'x' in -qx", "envref version"),
        (["version", "--format"], "flag needs an argument: --format", "envref version"),
        (["version", "extra"], "accepts 0 arg(s), received 1", "envref version"),
        (["get"], "accepts 1 arg(s), received 0: KEY is missing", "envref get"),
        (["import"], "accepts 1 arg(s), received 0: FILE is missing", "envref import"),
        (["team", "add", "a"], "accepts 2 arg(s), received 1: KEY is missing", "envref team add"),
        (["get", "a", "b"], "accepts 1 arg(s), received 2", "envref get"),
        (["run"], "requires at least 1 arg(s), only received 0: COMMAND is missing", "envref run"),
        (["secret", "copy", "k"], 'required flag(s) "from" not set', "envref secret copy"),
    ],
)
def test_a_usage_error_is_one_line_and_where_to_look(project, arguments, message, path):
    """Status 2, stdout empty."""
    done = project.envref(*arguments)
    assert done.stderr == f"error: {message}\nRun '{path} --help' for usage.\n"
    assert (done.returncode, done.stdout) == (2, "")


def test_what_another_tool_calls_it_leads_to_a_command(project):
    """Each word of the table is no command itself, and what it leads to is one."""
    for word, meant in _MEANT.items():
        assert word not in COMMANDS
        assert project.envref(*meant.split(), "--help").returncode == 0, meant


def test_a_group_s_help_cuts_no_summary(project):
    """In a terminal of any width."""
    done = project.envref("secret", "--help", env={"COLUMNS": "60"})
    said = " ".join(done.stdout.partition("Commands:")[2].split())
    assert "share Print a secret as age ciphertext that only the recipients can read." in said
    assert "..." not in said


def test_levels_exclude_each_other(project):
    """-q, -v and --debug, wherever they stand."""
    done = project.envref("-q", "version", "-v")
    assert done.returncode == 2
    assert done.stderr == (
        "error: if any flags in the group [quiet verbose debug] are set none of the others can be; "
        "[quiet verbose] were all set\n"
    )


@pytest.mark.parametrize("words", [["--version"], ["version"], ["-q", "version"], ["version", "--no-color"]])
def test_the_version_is_data(project, words):
    """On stdout, alone."""
    done = project.envref(*words)
    assert (done.stdout, done.stderr, done.returncode) == (f"envref {__version__}\n", "", 0)


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["-h"], ["secret"], ["vault"], ["get", "-h"], ["secret", "set", "--help"]]
)
def test_help_is_data_and_no_error(project, words):
    """A group alone prints its help too."""
    done = project.envref(*words)
    assert done.stdout.startswith("Usage: envref")
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_directory_is_taken_before_and_after_the_command(project):
    """`-C DIR`, `--project DIR`, `--project=DIR`."""
    project.write("app/.envref.yaml", "project: app\n")
    project.write("app/.env", "A=1\n")
    for words in (["-C", "app", "get", "A"], ["get", "A", "--project", "app"], ["get", "--project=app", "A"]):
        assert project.envref(*words).stdout == "1\n"


def test_quiet_leaves_errors(project):
    """No warnings, no informational lines."""
    project.write(".env", "A=1\nA=2\n")
    assert project.envref("get", "A").stderr.startswith("warning: .env:2:1: duplicate key")
    assert project.envref("get", "A", "-q").stderr == ""
    assert project.envref("set", "B=1", "-q").stderr == ""
    assert project.envref("get", "NONE", "-q").stderr == 'error: key "NONE" not found\n'


def test_a_bug_is_one_line_without_a_value(project, monkeypatch):
    """And with --debug a trace that holds neither the exception's text nor local variables."""
    code = (
        "import sys; from envref.__main__ import _guarded\n"
        "def broken():\n    secret = 's3cr3t-value'\n    raise KeyError(secret)\n"
        "sys.exit(_guarded(broken))"
    )
    import subprocess
    import sys

    from tests.conftest import ROOT

    for debug in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-"],
            input=code,
            env={"PYTHONPATH": str(ROOT), "ENVREF_DEBUG": debug},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 1
        assert "error: internal error: KeyError at <stdin>:4" in done.stderr
        assert "s3cr3t-value" not in done.stderr
        assert ("debug: " in done.stderr) is bool(debug)
