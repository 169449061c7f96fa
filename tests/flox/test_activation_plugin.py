"""The packaged profile.d script in the simulator of the documented contract (flox.md 6.5 and 8, A15)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.flox.conftest import SCRIPT, SECRETS, manifest
from tests.flox.simulator import FAILED, OK
from tests.requirements import first_python, need

pytestmark = first_python

SCHEMA = 'schema-version = "1.14.0"'
TABLE = {name: f"ref://secrets/{name.lower()}" for name in SECRETS}


@pytest.fixture
def shipped(place):
    """Makes the environment of a manifest with this table, the script in it; the `.env` says nothing."""
    place.write(".env", "PLAIN=of the env file\n")

    def build(table=TABLE, *, envref=True, **options):
        flox = place.flox(manifest(plugin=table, head=SCHEMA, **options), envref=envref)
        flox.ship(SCRIPT)
        return flox

    return build


def test_the_table_is_resolved(place, shipped):
    """In place of the env files, the config that of FLOX_ENV_PROJECT, from any directory; no word."""
    start = place.start(shipped(), cwd="/")
    assert (start.result, start.stderr, start.additions) == (OK, "", SECRETS)


def test_a_verbose_start_traces_no_value(place, shipped):
    """The script is sourced under `set -x`."""
    start = place.start(shipped(), verbosity=1)
    assert start.additions == SECRETS
    assert "resolve" not in start.stderr


@pytest.mark.parametrize("mode", ["run", "build"])
def test_other_modes_load_nothing(place, shipped, mode):
    """Silently."""
    start = place.start(shipped(), mode=mode)
    assert (start.result, start.stderr, start.additions) == (OK, "", {})


def test_without_a_table_nothing_happens(place, shipped):
    """The package may be installed for its command alone."""
    start = place.start(shipped(None))
    assert (start.result, start.stderr, start.additions) == (OK, "", {})


def test_without_the_binary_nothing_happens(place, shipped):
    """It is called by the environment's own path: another envref on PATH is not taken for it."""
    flox = shipped(envref=False)
    other = place.program("envref", "echo export X=1\n")
    caller = {**os.environ, "PATH": f"{other.parent}{os.pathsep}{os.environ['PATH']}"}
    start = place.start(flox, caller=caller)
    assert (start.result, start.stderr, start.additions) == (OK, "", {})


def test_an_unreadable_lock_counts_as_no_table(place, shipped):
    """The activation goes on."""
    flox = shipped()
    (flox.env / "manifest.lock").write_text("{")
    start = place.start(flox)
    assert (start.result, start.stderr, start.additions) == (OK, "", {})


def test_a_missing_secret_is_named_and_left_out(place, shipped):
    """The variable, its store and the cure."""
    start = place.start(shipped({**TABLE, "GONE": "ref://vault/gone"}))
    assert (start.result, start.additions) == (OK, SECRETS)
    assert 'GONE: failed to resolve ref://vault/gone: secret "gone" not found in backend "vault"' in start.stderr


@pytest.mark.parametrize("table", [TABLE, {"A": "a plain value"}], ids=["locked", "no reference"])
def test_a_failure_stops_the_activation_only_when_strict(place, shipped, table):
    """Without ENVREF_STRICT the start goes on with nothing exported."""
    place.lock()
    flox = shipped(table)
    start = place.start(flox)
    assert (start.result, start.additions) == (OK, {})
    assert "error: " in start.stderr
    assert "plain value" not in start.stderr
    assert place.start(flox, caller={**os.environ, "ENVREF_STRICT": "1"}).result == FAILED


def test_the_hook_after_it_and_its_options_are_untouched(place, shipped):
    """`set -euo pipefail` stays on for the next script; no name of ours is left."""
    flox = shipped(hook="export SEEN=$API_KEY\n")
    after = place.write("0950_after.sh", 'export OPTIONS="$-:$(set +o | grep -c "^set -o pipefail")"\ndeclare -F >&2\n')
    flox.ship(after)
    start = place.start(flox)
    assert start.additions["SEEN"] == SECRETS["API_KEY"]
    options, pipefail = start.additions["OPTIONS"].split(":")
    assert ("e" in options, "u" in options, "a" in options, pipefail) == (True, True, False, "1")
    assert "_envref" not in start.stderr


def test_the_wheel_ships_the_script(tmp_path):
    """As data: installed, it is `etc/profile.d/0900_envref.sh` beside the program, byte for byte."""
    pip(tmp_path, "wheel", "--no-build-isolation", "--wheel-dir", ".", str(ROOT))
    [wheel] = tmp_path.glob("*.whl")
    pip(tmp_path, "install", "--ignore-installed", "--prefix", "installed", wheel.name)
    installed = tmp_path / "installed"
    assert (installed / "etc" / "profile.d" / SCRIPT.name).read_bytes() == SCRIPT.read_bytes()
    assert (installed / "bin" / "envref").exists()


def pip(directory, verb, *arguments):
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--no-index", "--no-deps", *arguments]
    subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=300)


def test_shellcheck_finds_nothing():
    """Neither error nor style."""
    done = subprocess.run([need("shellcheck"), str(SCRIPT)], capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout, done.stderr) == ("", "")
