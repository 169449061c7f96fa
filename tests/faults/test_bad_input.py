"""Every malformed project ends each command in the documented way: a status, one or two lines, nothing half said."""

from __future__ import annotations

import os

import pytest

GOOD_CONFIG = "project: app\nbackends:\n  - name: vault\n"
GOOD_ENV = "A=1\n"

CONFIGS = {
    "empty": "",
    "no mapping": "- a\n- b\n",
    "no project": "env_file: .env\n",
    "syntax": "project: [\n",
    "tab": "project:\tapp\n\tx: 1\n",
    "binary": b"\x00\x01\x02\xff",
    "not utf-8": b"project: \xff\xfe\n",
    "two documents": "project: a\n---\nproject: b\n",
    "alias": "project: &a app\nenv_file: *a\n",
    "alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)),
    "tag": "project: !!python/object/apply:os.system [id]\n",
    "duplicate key": "project: a\nproject: b\n",
    "deep": "project: app\nx: " + "[" * 5000 + "]" * 5000 + "\n",
    "large": "project: app\n" + "# comment\n" * 40_000,
    "unknown type": "project: app\nbackends:\n  - {name: x, type: wat}\n",
    "way out": "project: app\nenv_file: ../../etc/passwd\n",
    "passphrase": "project: app\nbackends:\n  - name: vault\n    config: {passphrase: x}\n",
    "a directory": os.mkdir,
    "a named pipe": os.mkfifo,
}
ENVS = {
    "no assignment": "JUSTKEY\n",
    "empty name": "=v\n",
    "bad name": "foo bar=1\n",
    "shell code": "$(id)=1\nA;B=2\n",
    "text after quote": "A='x' y\n",
    "unterminated": 'A="x\n\n\n',
    "not utf-8": b"A=\xff\n",
    "nul": b"A=a\x00b\n",
    "bad substitution": "A=${!x}\n",
    "required": "A=${B:?set it}\n",
    "too deep": "A=" + "${A:-" * 50 + "}" * 50 + "\n",
    "reserved": "ENVREF_TRUST=all\n",
    "secret in a name": "A=ref://secrets/a\nB=ref://secrets/$A\n",
    "missing": None,
    "a directory": os.mkdir,
    "a named pipe": os.mkfifo,
}
EVALUATED = [["resolve", "--export"], ["resolve", "--direnv"], ["resolve", "--format", "shell"], ["resolve", "--unset"]]
OTHERS = [["resolve"], ["resolve", "--format", "json"], ["resolve", "--explain"], ["run", "--", "echo", "started"]]


def put(project, name, content):
    if content is None:
        return
    if callable(content):
        content(project.path / name)
    else:
        project.write(name, content)


def check(done, evaluated):
    """What every failure has in common."""
    lines = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert done.stdout == ("false\n" if evaluated else "")
    assert lines, "nothing was said"
    assert lines[0].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert len(lines) <= 60
    assert max(map(len, lines)) < 1000


@pytest.mark.parametrize("command", [EVALUATED[0], OTHERS[0], OTHERS[3]], ids=" ".join)
@pytest.mark.parametrize("content", CONFIGS.values(), ids=CONFIGS)
def test_a_malformed_config_is_told(project, content, command):
    """YAML's dangers, wrong keys, files that are none: at once, and never by hanging."""
    put(project, ".envref.yaml", content)
    project.write(".env", GOOD_ENV)
    check(project.envref(*command), command in EVALUATED)


@pytest.mark.parametrize("command", EVALUATED + OTHERS, ids=" ".join)
@pytest.mark.parametrize("content", ENVS.values(), ids=ENVS)
def test_a_malformed_env_file_is_told(project, content, command):
    """Fatal before any store is asked: there is no vault here, and nobody says so."""
    project.write(".envref.yaml", GOOD_CONFIG)
    put(project, ".env", content)
    done = project.envref(*command, env={"ENVREF_TIMEOUT": "0.5"})  # for which a pipe that nobody writes to is waited
    check(done, command in EVALUATED)
    assert "vault" not in done.stderr


def test_an_unreadable_file_is_told(project):
    """Even root can't read what is not there; others lack the permission."""
    project.write(".envref.yaml", GOOD_CONFIG)
    (project.path / ".env").symlink_to("nowhere")
    check(project.envref("resolve", "--export"), evaluated=True)


def test_every_problem_of_a_file_is_told_at_once(project):
    """Up to twenty, each with its place and its line."""
    project.write(".envref.yaml", GOOD_CONFIG)
    project.write(".env", "BAD\n" * 30)
    done = project.envref("resolve")
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: .env:{number}:1: expected NAME=VALUE" for number in range(1, 21)
    ]


def test_a_line_that_may_hold_a_secret_is_masked(project):
    """A password in a malformed line does not reach the terminal or a log."""
    project.write(".envref.yaml", GOOD_CONFIG)
    project.write(".env", "DB_PASSWORD='hunter2' oops\n")
    done = project.envref("resolve")
    assert "hunter2" not in done.stderr
    assert done.stderr.splitlines()[1].startswith("  DB_PASSWORD='*******'")
