"""`envref status`: the report agrees with its schema, holds no value, and costs no more than `resolve`."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import threading

import jsonschema
import pytest

from tests.cli.conftest import PluginProject
from tests.requirements import first_python, need

SCHEMA = json.loads(
    (pathlib.Path(__file__).parents[2] / "envref" / "schemas" / "status.json").read_text(encoding="utf-8")
)
COUNTING = """\
#!/bin/sh
echo asked >> asked
request=$(cat)
case $request in
  *missing*) echo '{"error": "not found"}' ;;
  *) echo '{"value": "s3cret-marker"}' ;;
esac
"""


@pytest.fixture
def app(project, trusted):
    """A hundred references to a plugin that counts how often it is asked; one secret is missing."""
    entry = {"name": "store", "type": "plugin", "config": {"command": "./plugin"}}
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": [entry]}))
    project.write("plugin", COUNTING).chmod(0o755)
    lines = [f"S{number}=ref://secrets/key{number}" for number in range(99)]
    project.write(".env", "\n".join(["PLAIN=plain-marker", "M=ref://secrets/missing", *lines]) + "\n")
    return project


@pytest.mark.parametrize("options", [(), ("--offline",), ("-P", "staging")])
def test_the_report_is_what_its_schema_says_and_holds_no_value(app, options):
    """Names, counts and hints; neither a secret's value nor a plain one."""
    result = app.envref("status", "--format", "json", *options)
    jsonschema.validate(json.loads(result.stdout), SCHEMA)
    assert "marker" not in result.stdout + result.stderr
    assert result.returncode == 0


def test_no_project_is_null(project):
    """A program that reads JSON gets JSON, also where there is nothing to report."""
    result = project.envref("status", "--format", "json")
    assert json.loads(result.stdout) is None
    jsonschema.validate(None, SCHEMA)


def test_a_report_costs_no_more_store_calls_than_resolving(app):
    """The store is asked the same number of times by both."""
    counts = []
    for command in ("resolve", "status"):
        app.write("asked", "")
        app.envref(command)
        counts.append(app.read("asked").count("asked"))
    assert counts[0] == counts[1] > 0


def test_offline_asks_nobody(app):
    """No plugin is started."""
    app.write("asked", "")
    app.envref("status", "--offline")
    assert app.read("asked") == ""


def test_one_hint_a_store_that_gives_no_answer(app):
    """A hundred references to a broken store are one thing to mend."""
    app.write("plugin", '#!/bin/sh\necho \'{"error": "backend exploded"}\'\n')
    report = json.loads(app.envref("status", "--format", "json").stdout)
    assert len(report["hints"]) == 1
    assert "backend exploded" in report["hints"][0]
    assert (report["issues"], report["secrets"]["resolved"]) == (100, 0)


def test_a_broken_reference_is_told_with_its_text(app):
    """The cure is an edit of that reference."""
    app.write(".env", "A=ref://secrets\nB=ref://nowhere/x\n")
    hints = json.loads(app.envref("status", "--format", "json").stdout)["hints"]
    assert hints[0].startswith("ref://secrets: invalid ref:// URI: ref:// URI missing path")
    assert hints[1].startswith('ref://nowhere/x: unknown backend "nowhere" (configured: store')


def test_a_schema_is_looked_at(app):
    """The names of what breaks it, not the values; references are not judged; each counts as an issue."""
    app.write(".env.schema.json", '{"PLAIN": {"type": "port"}, "NONE": {"required": true}, "S1": {"type": "port"}}')
    result = app.envref("status", "--format", "json")
    report = json.loads(result.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["schema"] == {"file": ".env.schema.json", "broken": ["PLAIN", "NONE"]}
    assert report["issues"] == 3
    assert "See the type errors: envref validate" in report["hints"]
    assert "marker" not in result.stdout + result.stderr


def test_a_broken_file_is_an_error(app):
    """What `resolve` can't read, `status` can't count."""
    app.write(".env", "JUSTKEY\n")
    result = app.envref("status")
    assert (result.returncode, result.stdout) == (1, "")
    assert ".env:1:1: expected NAME=VALUE" in result.stderr


def test_a_store_is_written_and_read_by_its_own_name(project, trusted):
    """The plugin of the other tests serves here too: set, then all is well."""
    store = PluginProject(project)
    store.write(".env", "A=ref://store/a\n")
    assert json.loads(store.envref("status", "--format", "json").stdout)["hints"] == [
        "Set missing secret: envref secret set a --backend store"
    ]
    store.envref("secret", "set", "a", "--backend", "store", stdin="x")
    assert json.loads(store.envref("status", "--format", "json").stdout)["issues"] == 0


def test_a_store_that_may_always_be_missing_is_shown(project, monkeypatch):
    """By name and in JSON; a hint has the store's own words, not the command that sets a secret."""
    entry = "{name: vault, config: {path: v.db}, optional: always}"
    project.write(".envref.yaml", f"project: app\nbackends: [{entry}]\n")
    project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b?optional\n")
    with monkeypatch.context() as once:
        once.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse")
        assert project.envref("vault", "init").returncode == 0
    done = project.envref("status")
    assert "  Backends: vault (optional: always)\n" in done.stdout
    assert "  Missing:  A\n" in done.stdout
    assert '  - ref://secrets/a: backend "vault": vault passphrase required: ' in done.stdout
    assert 'warning: backend "vault" skipped: vault passphrase required: ' in done.stderr
    assert "secret set" not in done.stdout
    report = json.loads(project.envref("status", "--format", "json").stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["secrets"]["forgiven"] == ["vault"]
    assert project.envref("resolve").returncode == 3
    assert project.envref("doctor").returncode == 0


@first_python
def test_a_file_full_of_secrets_is_not_ok(project):
    """Secrets in it, a rule of git that keeps it from everybody, and a text that is nearly a reference."""
    subprocess.run([need("git"), "init", "--quiet", project.path], check=True)
    project.write(".envref.yaml", "project: app\n")
    project.write(".gitignore", ".env\n")
    project.write(".env", "DB_PASSWORD=hunter2\nA=ref:/secrets/a\n")
    lines = project.envref("status").stdout.splitlines()
    assert "  - .env: 1 value looks like a secret: DB_PASSWORD; run: envref import .env" in lines
    assert any(line.startswith("  - .env: git ignores it (.gitignore:1: .env), so nobody else") for line in lines)
    assert any(line.startswith("  - A holds a text like ref://: ") for line in lines)
    assert lines[-1] == "Status: 3 issue(s) found"


def test_a_pipe_is_read_once(project):
    """A second reader would wait for somebody who writes again."""
    project.write(".envref.yaml", "project: app\n")
    os.mkfifo(project.path / ".env")
    writer = threading.Thread(target=lambda: (project.path / ".env").write_text("A=1\n"), daemon=True)
    writer.start()
    done = project.envref("status", "--timeout", "20")
    assert (done.returncode, "1 keys" in done.stdout, done.stderr) == (0, True, "")
