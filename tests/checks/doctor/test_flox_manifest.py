"""doctor --flox and the manifest: a block that is missing or drifted, and values that the hook form would break."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from envref.checks.doctor.case import Case
from envref.checks.doctor.flox_manifest import missing_or_drifted_block
from envref.project.project import bare, configured
from tests.cli.conftest import PLUGIN_ENTRY, config

MANIFEST = ".flox/env/manifest.toml"
EMPTY = 'schema-version = "1.14.0"\n\n[services.web]\ncommand = "serve"\n'


@pytest.fixture
def environment(project):
    """A project with a Flox environment that loads nothing yet."""
    project.write(".envref.yaml", config({**PLUGIN_ENTRY, "type": "pass", "config": {"prefix": "team"}}))
    project.write(".env", "PLAIN=1\n")
    project.write(MANIFEST, EMPTY)
    return project


def told(project, *arguments):
    """What is said of the manifest: its lines, and the command in them."""
    lines = project.envref("doctor", "--flox", *arguments).stderr.splitlines()
    about = [line for line in lines if line.startswith(("  ", "    "))]
    kept = [
        line.strip() for line in about if "Flox keeps the values" not in line and "set it to a directory" not in line
    ]
    runs = [line.removeprefix("run: ") for line in kept if line.startswith("run: envref flox-hook")]
    return kept, runs


def cured(project, command):
    """Runs a cure of envref's own."""
    done = project.envref(*shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr


def test_no_block(environment):
    """The cure writes it, and then there is nothing to say."""
    kept, [run] = told(environment)
    assert kept[0] == "no block of envref in it, so that an activation loads no secrets"
    cured(environment, run)
    assert told(environment) == ([], [])


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--strict",),
        ("-P", "staging"),
        ("-P", "staging", "--strict"),
        ("--agent",),
        ("--placement", "profile"),
        ("--placement", "profile", "--agent"),
        ("--placement", "profile", "-P", "staging", "--strict"),
        ("--native",),
        ("--native", "--strict"),
        ("--plugin",),
    ],
    ids=" ".join,
)
def test_a_block_of_any_form(environment, options):
    """It is judged by the options that it was written with; edited by hand it is told, and the cure keeps them."""
    environment.write(".env", "K=ref://store//other/k\n")
    environment.write(".env.staging", "")
    cured(environment, shlex.join(["envref", "flox-hook", "--write", *options]))
    written = environment.read(MANIFEST)
    assert told(environment)[1] == []
    by_hand = ("_envref_", "_envreb_") if "_envref_" in written else ("other/k", "other/j")
    environment.write(MANIFEST, written.replace(*by_hand))
    kept, [run] = told(environment)
    assert any(" form in it is not what .envref.yaml and the env files say now" in line for line in kept)
    cured(environment, run)
    assert environment.read(MANIFEST) == written


@pytest.mark.parametrize("option", ["--native", "--plugin"])
def test_a_form_that_follows_no_lock(environment, option):
    """What was written before `locked: true` came went on with the latest versions, and nothing said so."""
    environment.write(".env", "K=ref://store//other/k\n")
    cured(environment, f"envref flox-hook --write {option}")
    assert told(environment)[1] == []
    environment.write(".envref.yaml", environment.read(".envref.yaml").rstrip("}") + ', "locked": true}')
    kept, [run] = told(environment)
    assert f"the {option[2:]} form in it gives the latest versions, whatever envref.lock has" in kept
    cured(environment, run)
    assert told(environment)[1] == []


def test_a_new_variable_is_a_drift_of_a_form_that_names_them(environment):
    """The undo script of the profile form has the names; the hook form has none."""
    cured(environment, "envref flox-hook --write --placement profile")
    environment.write(".env", "PLAIN=1\nMORE=2\n")
    assert told(environment)[1] == ["envref flox-hook --write --placement profile"]
    cured(environment, "envref flox-hook --write --placement hook")
    environment.write(".env", "PLAIN=1\nMORE=2\nEVEN_MORE=3\n")
    assert told(environment)[1] == []


def test_services_that_start_with_other_variables(environment):
    """`services:` counts instead of a block; what it says is compared with the commands."""
    environment.write(".envref.yaml", config(services={"web": ["PLAIN"]}))
    kept, [run] = told(environment)
    assert kept[0].startswith("its services are not started with the variables")
    cured(environment, run)
    assert told(environment) == ([], [])


def test_a_manifest_that_can_t_be_read(environment):
    """Its own fault, at its line."""
    environment.write(MANIFEST, 'schema-version = "1.14.0"\n[hook\n')
    kept, _ = told(environment)
    assert kept[0].startswith("line 2: not valid TOML: ")


def test_no_environment(environment):
    """`--flox` in a project that has none says how one is made."""
    subprocess.run(["rm", "-r", str(environment.path / ".flox")], check=True)
    done = environment.envref("doctor", "--flox")
    assert "    run: flox init\n" in done.stderr


def test_a_broken_env_file_is_told_once(environment):
    """Then the block can't be judged, and nothing is said of it."""
    environment.write(".env", "JUNK\n")
    kept, runs = told(environment)
    assert (kept[0], runs) == ("line 1: expected NAME=VALUE", [])


@pytest.mark.parametrize(
    ("shell", "names"), [("fish", ["BACKSLASH", "TRAILING"]), ("tcsh", ["MULTI"]), ("zsh", []), ("bash", [])]
)
def test_values_that_flox_would_break(environment, monkeypatch, shell, names):
    """By the user's shell, names only; the profile form is exact in every shell."""
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    environment.write(".env", "PLAIN=1\nBACKSLASH='a\\\\b-marker'\nTRAILING='a\\'\nMULTI='a\nb'\n")
    cured(environment, "envref flox-hook --write")
    kept, runs = told(environment)
    assert [line.split('"')[1] for line in kept if "cannot replay" in line] == names
    assert "marker" not in "".join(kept)
    for run in dict.fromkeys(runs):
        cured(environment, run)
    assert told(environment) == ([], [])


def test_the_profile_form_leaves_nothing_on_a_disk(environment):
    """The cure that the runtime directory's finding offers ends that finding."""
    cured(environment, "envref flox-hook --write")
    assert "XDG_RUNTIME_DIR:" in environment.envref("doctor", "--flox").stderr
    cured(environment, "envref flox-hook --write --placement profile")
    done = environment.envref("doctor", "--flox")
    assert (done.returncode, done.stdout) == (0, "OK: no issues found\n")


@pytest.mark.parametrize("broken", ["no config", "a file", "an interpolation"])
def test_a_block_is_not_judged_where_none_could_be_written(project, broken):
    """Each of the three is told elsewhere."""
    project.write(MANIFEST, EMPTY)
    project.write(
        ".env", {"a file": "JUNK\n", "an interpolation": "N=ref://secrets/n\nA=ref://secrets/$N\n"}.get(broken, "A=1\n")
    )
    if broken != "no config":
        project.write(".envref.yaml", config(PLUGIN_ENTRY))
    found = (bare if broken == "no config" else configured)(str(project.path))
    case = Case(found, [("", ".env")], start=str(project.path))
    assert list(missing_or_drifted_block(case)) == []
    project.write(".env", "A=1\n")
    project.write(".envref.yaml", config(PLUGIN_ENTRY))
    case = Case(configured(str(project.path)), [("", ".env")], start=str(project.path))
    assert len(list(missing_or_drifted_block(case))) == 1
