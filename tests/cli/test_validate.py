"""`envref validate`: streams, exit status, the files it takes, trust, and that no value of a store is in any of it."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

from tests.cli.conftest import PluginProject

SCHEMA = json.loads(
    (pathlib.Path(__file__).parents[2] / "envref" / "schemas" / "validate.json").read_text(encoding="utf-8")
)
MARKER = "marker-3c7d"


@pytest.fixture
def plain(project):
    """A directory without a config: an env file, an example that it matches, and a schema that it obeys."""
    project.write(".env", "A=1\nPORT=80\n")
    project.write(".env.example", "A=\nPORT=\n")
    project.write(".env.schema.json", '{"PORT": {"type": "port", "required": true}}')
    return project


@pytest.fixture
def store(project, trusted):
    """A project whose plugin holds three secrets, an example and a schema that judges them."""
    store = PluginProject(project)
    store.write("store.json", json.dumps({"values": {
        "app/port": MARKER, "app/key": MARKER, "app/mode": MARKER,
    }, "writes": 0, "log": []}))  # fmt: skip
    store.write(".env", "PORT=ref://store/port\nKEY=x${ref://store/key}\nMODE=${PORT}\nOWN=1\n")
    store.write(".env.example", "PORT=\nKEY=\nMODE=\nOWN=\n")
    rules = {
        "PORT": {"type": "port"},
        "KEY": {"pattern": "^q"},
        "MODE": {"values": ["a", "b"]},
        "OWN": {"type": "port"},
    }
    store.write(".env.schema.json", json.dumps({"keys": rules}))
    return store


def report(project, *options):
    """The JSON report, checked against its published shape and the exit status."""
    done = project.envref("validate", "--format", "json", *options)
    content = json.loads(done.stdout)
    jsonschema.validate(content, SCHEMA)
    assert done.returncode == (0 if content["valid"] else 1)
    return content


def test_all_is_well(plain):
    """One line on stdout; none with -q or --ci; status 0. Needs no config."""
    done = plain.envref("validate")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "OK: all 2 keys match .env.example; schema .env.schema.json OK\n"
    for option in ("-q", "--ci"):
        done = plain.envref("validate", option)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert plain.envref("validate", "--no-schema").stdout == "OK: all 2 keys match .env.example\n"


def test_all_that_is_wrong_is_told_at_once(plain):
    """Blocks on stderr, stdout empty, status 1; extra keys are shown and not counted."""
    plain.write(".env", "PORT=70000\nX=1\n")
    done = plain.envref("validate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Missing keys (defined in .env.example but not in environment):",
        "  - A",
        "",
        "Extra keys (defined in environment but not in .env.example):",
        "  - X",
        "",
        "Type errors (from .env.schema.json):",
        '  - PORT: expected a port number (1-65535), got "70000"',
        "",
        "Validation failed: 1 missing, 1 extra, 1 type error(s)",
        "2 validation error(s)",
    ]
    assert plain.envref("validate", "-q").stderr == done.stderr


def test_in_ci_a_line_an_error(plain):
    """Extra keys count there."""
    plain.write(".env", "PORT=70000\nX=1\n")
    done = plain.envref("validate", "--ci")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: missing key A (required by .env.example)",
        "error: extra key X (not in .env.example)",
        'error: PORT: expected a port number (1-65535), got "70000"',
        "validation failed: 3 error(s) (1 missing, 1 extra, 1 type error(s))",
    ]


def test_extra_keys_alone_are_a_warning(plain):
    """No `OK:`, status 0; nothing with -q; an error with --ci."""
    plain.write(".env.local", "X=1\n")
    done = plain.envref("validate")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "warning: Extra keys (defined in environment but not in .env.example):\n  - X\n"
    assert plain.envref("validate", "-q").stderr == ""
    assert plain.envref("validate", "--ci").returncode == 1
    assert report(plain)["valid"] is True
    assert report(plain, "--ci")["valid"] is False


def test_one_of_the_two_has_to_be_there(plain):
    """Without both the message names the example and says what to do; a schema alone is enough."""
    (plain.path / ".env.example").unlink()
    assert plain.envref("validate").stdout == "OK: all 1 keys match .env.schema.json\n"
    for options in (["--no-schema"], ["-e", "other"]):
        done = plain.envref("validate", *options)
        assert (done.returncode, done.stdout) == (1, "")
        name = options[1:] or [".env.example"]
        assert done.stderr.startswith(f"error: loading example file: {name[0]}: no such file or directory\n")
    (plain.path / ".env.schema.json").unlink()
    assert plain.envref("validate").stderr.startswith("error: loading example file: .env.example: no such file")
    done = plain.envref("validate", "--schema")
    assert done.stderr == (
        "error: loading schema file: .env.schema.json: no such file or directory\n  hint: --schema FILE names another\n"
    )


@pytest.mark.parametrize("options", [["-s", "s.json"], ["-ss.json"], ["--schema=s.json"], ["--schema", "s.json"]])
def test_a_schema_is_named_in_every_way(plain, options):
    """With and without `=`; what is named is relative to where one is."""
    plain.write("sub/s.json", '{"A": {"type": "boolean"}}')
    assert report(plain, "-C", "sub", "-f", "../.env", "-e", "../.env.example", *options)["schema"] == "s.json"


def test_a_schema_option_without_a_value(plain):
    """`-s` before another option, and as the last word."""
    assert plain.envref("validate", "-s", "--ci").returncode == 0
    assert plain.envref("validate", "--ci", "--schema").returncode == 0
    done = plain.envref("validate", "--no-schema", "-s")
    assert done.returncode == 2
    assert "[schema no-schema]" in done.stderr


def test_other_files(plain):
    """Base, local and profile files of the command line; -P takes the profile's."""
    plain.write("base", "A=1\n")
    plain.write("own", "PORT=x\n")
    plain.write(".env.staging", "PORT=y\n")
    assert report(plain, "-f", "base")["missing"] == ["PORT"]
    assert 'got "x"' in report(plain, "--local-file", "own")["errors"][0]["message"]
    assert 'got "x"' in report(plain, "--profile-file", "own")["errors"][0]["message"]
    assert 'got "y"' in report(plain, "-P", "staging")["errors"][0]["message"]
    assert plain.envref("validate", "-f", "none").stderr == "error: none: no such file or directory\n"


def test_a_project_is_found_from_below(plain):
    """With a config its root counts, and the names of its files."""
    plain.write(".envref.yaml", "project: app\nenv_file: env\n")
    plain.write("env", "A=1\nPORT=0\n")
    plain.write("sub/x", "")
    assert [error["key"] for error in report(plain, "-C", "sub")["errors"]] == ["PORT"]


def test_a_reference_is_exempt_and_nobody_is_asked(store, monkeypatch):
    """Neither a store nor for trust; what interpolates a reference is exempt as well."""
    monkeypatch.delenv("ENVREF_TRUST")
    store.write("plugin", "#!/bin/sh\ntouch asked\n")
    assert report(store)["valid"] is True
    assert not (store.path / "asked").exists()
    assert store.envref("validate", "--resolve").returncode == 4
    assert not (store.path / "asked").exists()


@pytest.mark.parametrize("options", [[], ["--ci"], ["--format", "json"], ["--debug"]])
def test_resolved_values_are_judged_and_never_shown(store, options):
    """Whole, embedded and interpolated ones."""
    done = store.envref("validate", "--resolve", *options)
    assert done.returncode == 1
    assert MARKER not in done.stdout + done.stderr
    for key in ("PORT", "KEY", "MODE"):
        assert f"{key}: " in done.stderr or f'"{key}"' in done.stdout
    assert "***" in done.stderr + done.stdout


def test_resolved_values_that_are_right(store):
    """The files of the command line are resolved too."""
    store.write(".env.schema.json", json.dumps({"PORT": {"pattern": "^marker-"}, "OWN": {"type": "port"}}))
    store.write("other", "PORT=ref://store/port\nKEY=\nMODE=\n")
    assert report(store, "--resolve", "--local-file", "other")["valid"] is True


def test_what_can_not_be_resolved_fails_and_is_not_judged(store):
    """Its cause is told as `resolve` tells it; an optional secret that is not there is a variable that is not set."""
    store.write(".env", "PORT=ref://store/none\nKEY=x${PORT}\nMODE=ref://store/other?optional\nOWN=1\n")
    found = report(store, "--resolve")
    assert (found["unresolved"], found["errors"], found["valid"]) == (["PORT", "KEY"], [], False)
    done = store.envref("validate", "--resolve", "--ci")
    assert "error: PORT: failed to resolve ref://store/none" in done.stderr
    assert done.stderr.endswith("validation failed: 2 error(s) (0 missing, 0 extra, 0 type error(s), 2 unresolved)\n")


def test_resolving_needs_a_config(plain):
    """Without one there is no store to ask."""
    done = plain.envref("validate", "--resolve")
    assert (done.returncode, done.stderr) == (1, "error: loading config: no .envref.yaml found\n  run: envref init\n")


def test_a_value_of_the_process_environment_is_not_shown(plain):
    """It may be a token of the CI job."""
    plain.write(".envref.yaml", "project: app\ninterpolate_environment: true\n")
    plain.write(".env", "A=1\nPORT=$OTHER\n")
    done = plain.envref("validate", env={"OTHER": MARKER})
    assert "PORT: expected a port number (1-65535), got ***" in done.stderr
    assert MARKER not in done.stderr


@pytest.mark.parametrize("name", [".env.example", ".env.schema.json"])
def test_a_file_that_leads_out_of_the_project_is_refused(plain, tmp_path, name):
    """A link could make the messages show somebody else's file."""
    outside = tmp_path / "outside"
    outside.write_text("{}")
    (plain.path / name).unlink()
    (plain.path / name).symlink_to(outside)
    done = plain.envref("validate")
    assert done.returncode == 1
    assert f"refusing to read {name}: it is a symlink to" in done.stderr


def test_broken_files_are_told_with_their_place(plain):
    """The example by line and column, a schema by its keys, and nothing on stdout."""
    plain.write(".env.example", "JUSTKEY\n")
    done = plain.envref("validate", "--format", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: loading example file: .env.example:1:1: expected NAME=VALUE\n")
    plain.write(".env.schema.json", '{"A": {"type": "foo"}, "B": {"type": "enum"}}')
    assert plain.envref("validate").stderr.splitlines() == [
        'error: .env.schema.json: schema error: key "A" has unknown type "foo"',
        'error: .env.schema.json: schema error: key "B" has type "enum" but no values defined',
    ]


def test_a_hostile_pattern_ends(plain):
    """Within about a second of processor time, with the key to mend."""
    plain.write(".env", "A=1\nPORT=" + "a" * 100 + "!\n")
    plain.write(".env.schema.json", '{"PORT": {"pattern": "^(a|aa)*$"}}')
    done = plain.envref("validate")
    assert done.returncode == 1
    assert done.stderr.startswith('error: .env.schema.json: schema error: key "PORT" has a pattern that takes too long')
