"""What `tools:` keeps: no activation and no `run` has it, nor what is made of it; who asks for it gets it."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

from tests.tools.conftest import TOKEN

SHARED = {"PLAIN": "1", "OTHER": TOKEN, "LAYERED": "free"}
ALL = [*SHARED, "GH_TOKEN", "URL", "PGPASSWORD", "DSN", "LONG"]
SCHEMA = json.loads(
    (pathlib.Path(__file__).parents[2] / "envref" / "schemas" / "status.json").read_text(encoding="utf-8")
)
FORMATS = ["plain", "json", "shell", "table", "dotenv", "fish", "tcsh", "nu", "powershell", "docker", "systemd"]


def given(app, *arguments):
    """The project's names that a command is given, of those that `env` prints."""
    done = app.envref("run", *arguments, "--", "env")
    assert done.returncode == 0, done.stderr
    return [line.partition("=")[0] for line in done.stdout.splitlines() if line.partition("=")[0] in ALL]


def test_a_command_gets_everything_but_them(app):
    """Those named, what interpolates one in any line with a part in it, and a literal as well as a reference."""
    assert sorted(given(app)) == sorted(SHARED)
    done = app.envref("resolve", "--format", "json")
    assert {row["key"]: row["value"] for row in json.loads(done.stdout)} == SHARED


@pytest.mark.parametrize("format_", FORMATS)
def test_no_format_has_them_unless_it_is_asked_to(app, format_):
    """One rule for what is evaluated, read by programs and looked at."""
    for form in (("--format", format_), *([("--export", "--shell", format_)] if format_ in ("fish", "tcsh") else ())):
        done = app.envref("resolve", *form)
        assert done.returncode == 0
        assert "GH_TOKEN" not in done.stdout
        assert "l1teral-passw0rd" not in done.stdout
        assert "GH_TOKEN" in app.envref("resolve", "--all", *form).stdout


@pytest.mark.parametrize("door", ["--export", "--direnv"])
def test_an_activation_has_none_and_remembers_none(app, door):
    """Nor does ENVREF_SEEN name them: `refresh` would set what the shell never had."""
    shown = app.envref("resolve", door).stdout
    assert "OTHER=" in shown
    assert not [name for name in ("GH_TOKEN", "URL", "PGPASSWORD", "DSN", "LONG") if f"{name}=" in shown]
    both = app.envref("resolve", door, "--only", "URL,LONG").stdout
    assert TOKEN in both
    assert f"export URL=https://{TOKEN}@localhost/" in app.envref("resolve", door, "--all").stdout
    code = app.envref("resolve", "--unset").stdout
    assert "OTHER" in code
    assert "GH_TOKEN" not in code
    assert "GH_TOKEN" in app.envref("resolve", "--unset", "--all").stdout


def test_who_asks_for_them_gets_them(app):
    assert sorted(given(app, "--all")) == sorted(ALL)
    assert given(app, "--only", "GH_TOKEN,PGPASSWORD") == ["GH_TOKEN", "PGPASSWORD"]
    assert app.envref("get", "GH_TOKEN", "--resolve").stdout.strip() == TOKEN
    assert "GH_TOKEN" in app.envref("list").stdout
    assert "GH_TOKEN" in app.envref("resolve", "--explain").stdout


@pytest.mark.parametrize("command", [("run", "--", "env"), ("run", "--strict", "--", "env"), ("resolve", "--export")])
def test_all_and_only_exclude_each_other(app, command):
    """In both doors."""
    verb, *rest = command
    done = app.envref(verb, "--all", "--only", "PLAIN", *rest)
    assert done.returncode == 2
    assert "if any flags in the group [all only] are set none of the others can be" in done.stderr


def test_the_store_is_not_asked_for_what_nobody_gets(app):
    app.write(".env", "PLAIN=1\nGH_TOKEN=ref://secrets/token\n")
    app.write(".env.local", "")
    assert given(app) == ["PLAIN"]
    assert app.asked == 0


def test_what_wins_from_the_environment_is_kept_too(app):
    """`precedence: environment`: the shell has it anyway; a line that does not count makes nothing of it."""
    app.configure({"gh": ["GH_TOKEN"]}, precedence="environment")
    done = app.envref("resolve", "--export", env={"GH_TOKEN": "mine", "URL": "http://free"})
    assert "GH_TOKEN" not in done.stdout
    assert "export URL=http://free" in done.stdout


def test_status_says_where_each_goes(app):
    """Also what is made of them, and a name that no env file sets."""
    done = app.envref("status")
    assert (
        "Kept from the shell, for:\n  gh: GH_TOKEN\n  psql: PGPASSWORD\n  aws: AWS_KEY\n"
        "  nothing, as made of these: URL, DSN, LONG\n  [--] no env file sets: AWS_KEY\n"
    ) in done.stdout
    report = json.loads(app.envref("status", "--format", "json").stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["tools"]["tools"] == {"gh": ["GH_TOKEN"], "psql": ["PGPASSWORD"], "aws": ["AWS_KEY"]}
    assert report["secrets"]["total"] == 3


def test_a_block_of_flox_that_needs_no_envref_has_none(project):
    """The native block and the plugin's table are activations too, and an undo does not unset the user's own."""
    entry = '{name: op, type: 1password, names: {token: "T#a", other: "O#b"}}'
    project.write(".envref.yaml", f"project: app\nbackends: [{entry}]\ntools: {{gh: [GH_TOKEN]}}\n")
    project.write(".env", "GH_TOKEN=ref://op/token\nOTHER=ref://op/other\nPLAIN=1\n")
    project.write(".flox/env/manifest.toml", 'schema-version = "1.14.0"\n')
    for form in (["--native"], ["--plugin"], ["--placement", "profile"]):
        done = project.envref("flox-hook", "--write", *form)
        written = project.read(".flox/env/manifest.toml")
        assert (done.returncode, "OTHER" in written, "GH_TOKEN" in written) == (0, True, False), done.stderr


REVISED = """\
#!/bin/sh
case $(cat) in
  *revisions*) echo '{"revisions": {"app/token": "8", "app/other": "8"}}' ;;
  *) echo '{"value": "new", "revision": "8"}' ;;
esac
"""


def test_a_shell_that_had_one_before_keeps_it_as_it_is(app):
    """`refresh` says why it leaves it alone, and sets it for who names it."""
    app.write("store", REVISED)
    given_before = app.envref("resolve", "--export", "--all").stdout
    [line] = [line for line in given_before.splitlines() if "ENVREF_SEEN" in line]
    shell = {"ENVREF_SEEN": line.partition("=")[2].strip("'").replace("@8", "@7"), "GH_TOKEN": "old", "OTHER": "old"}
    done = app.envref("refresh", env=shell)
    assert "GH_TOKEN=" not in done.stdout.replace("GH_TOKEN=store@", "")
    assert "warning: GH_TOKEN: tools: keeps it from the shell by now; left alone" in done.stderr
    assert "export GH_TOKEN=new" in app.envref("refresh", "GH_TOKEN", env=shell).stdout
