"""`envref resolve --from-flox-plugin`: the table of a Flox plugin in the place of the env files."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.arguments import PYTHONPATH

PLAIN = "hunter2-is-a-secret"


@pytest.fixture
def app(vaulted):
    """A project with two secrets in a vault and an env file."""
    vaulted.write(".env", "PLAIN=a\nOTHER=ref://secrets/other\n")
    for key in ("a", "b"):
        assert vaulted.envref("secret", "set", key, stdin=f"value of {key}").returncode == 0
    return vaulted


def resolve(project, table, *arguments, **options):
    text = table if isinstance(table, str) else json.dumps(table)
    return project.envref("resolve", "--from-flox-plugin", "-", *arguments, stdin=text, **options)


TABLE = {"B": "ref://secrets/b", "A": "ref://vault/a"}


def test_the_table_takes_the_place_of_the_env_files(app):
    """In its order, in every format; no other variable."""
    done = resolve(app, TABLE, "--export")
    assert (done.stdout, done.stderr, done.returncode) == ("export B='value of b'\nexport A='value of a'\n", "", 0)
    assert resolve(app, TABLE).stdout == "B=value of b\nA=value of a\n"
    assert resolve(app, TABLE, "--only", "A", "--format", "dotenv").stdout == "A='value of a'\n"
    assert resolve(app, TABLE, "--unset").stdout == "unset B\nunset A\n"


def test_a_file_works_as_stdin_does(app):
    """Its path is relative to the current directory, with -C too; a pipe is fine; a missing one is named."""
    elsewhere = app.path.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "table.json").write_text(json.dumps(TABLE))
    arguments = ["resolve", "--export", "--from-flox-plugin", "table.json", "-C", str(app.path)]
    assert app.envref(*arguments, cwd=elsewhere).stdout.startswith("export B=")
    missing = app.envref(*arguments, cwd="/")
    assert (missing.stdout, missing.stderr) == ("false\n", "error: table.json: no such file or directory\n")
    assert app.envref("resolve", "--from-flox-plugin", "/dev/stdin", stdin="{}").returncode == 0
    assert 'error: "": no such file or directory' in app.envref("resolve", "--from-flox-plugin=", "--export").stderr
    assert "error: /: is a directory" in app.envref("resolve", "--from-flox-plugin", "/").stderr


def test_the_config_is_that_of_the_activated_project(app):
    """FLOX_ENV_PROJECT, unless -C says otherwise; without the option the variable means nothing."""
    env = {"FLOX_ENV_PROJECT": str(app.path)}
    assert resolve(app, TABLE, "--export", cwd="/", env=env).returncode == 0
    assert resolve(app, TABLE, "--format", "json", cwd="/", env=env).returncode == 0
    assert "no .envref.yaml found" in resolve(app, TABLE, "--export", "-C", "/", env=env).stderr
    assert "no .envref.yaml found" in app.envref("resolve", "--export", cwd="/", env=env).stderr
    assert resolve(app, TABLE, "--export", env={"FLOX_ENV_PROJECT": ""}).returncode == 0


def test_a_wrong_table_is_fatal_before_a_store_is_asked(app):
    """`false` for the shell, the entry and its place for people, the value for nobody."""
    done = resolve(app, {**TABLE, "WRONG": PLAIN}, "--export")
    assert (done.stdout, done.returncode) == ("false\n", 1)
    assert done.stderr.startswith("error: standard input:1:48: WRONG: not a reference; ")
    assert PLAIN not in done.stderr


def test_a_missing_or_malformed_reference_leaves_out_its_variable(app):
    """Status 3, and with --strict nothing."""
    table = {**TABLE, "GONE": "ref://secrets/gone", "BAD": "ref://secrets"}
    done = resolve(app, table, "--export")
    assert (done.returncode, done.stdout.count("export ")) == (3, 2)
    assert "error: GONE: failed to resolve" in done.stderr
    assert "error: BAD: failed to resolve" in done.stderr
    assert (resolve(app, table, "--export", "--strict").stdout) == "false\n"


def test_explain_names_the_table(app):
    """File and line are those of the table."""
    done = resolve(app, TABLE, "--explain")
    assert done.stdout.splitlines()[0].split("  ")[:2] == ["B", "standard input:1"]


def test_a_profile_has_its_own_secrets(app):
    """`ENVREF_PROFILE` reaches the plugin form."""
    app.write(".env.staging", "")
    assert app.envref("secret", "set", "a", "-P", "staging", stdin="of staging").returncode == 0
    done = resolve(app, TABLE, "--export", env={"ENVREF_PROFILE": "staging"})
    assert "export A='of staging'" in done.stdout


def test_an_empty_and_a_closed_stdin_are_errors_and_no_trace(app):
    """As when `flox_plugin_data` failed before the pipe."""
    empty = resolve(app, "", "--export")
    assert (empty.stdout, empty.returncode) == ("false\n", 1)
    assert "standard input: empty; expected a JSON object" in empty.stderr
    command = [sys.executable, "-m", "envref", "resolve", "--export", "--from-flox-plugin", "-"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command],
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.stdout, done.stderr) == ("false\n", "error: standard input: bad file descriptor\n")
