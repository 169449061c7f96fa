"""What an activation leaves on a disk, and what it asks for, in the simulator of the documented contract (A11, A14)."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from envref.cli import commands
from tests.cli.terminal import Terminal
from tests.conftest import ROOT
from tests.flox.conftest import HOOK, PROFILES, SECRETS, console_script, manifest
from tests.flox.simulator import OK, SHELLS
from tests.requirements import first_python

pytestmark = first_python


def holding_a_value(*directories):
    """The names of all files below that hold one of the secrets."""
    names = set()
    for directory in directories:
        for folder, _, files in os.walk(directory):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                if any(value.encode() in content for value in SECRETS.values()):
                    names.add(name)
    return names


@pytest.mark.parametrize("shell", SHELLS)
def test_a_profile_leaves_no_value_in_any_file(place, home, shell, monkeypatch):
    """Neither Flox's files nor envref's: the project, HOME and the temporary directory are searched."""
    monkeypatch.setenv("TMPDIR", str(place.directory))
    session = place.start(place.flox(manifest(profiles={shell: PROFILES[shell]}))).attach(shell)
    assert session.environment["API_KEY"] == SECRETS["API_KEY"]
    assert (home / ".cache" / "envref").exists()
    assert holding_a_value(place.directory, home) == set()


def test_a_hook_leaves_its_values_in_the_state_of_flox_only(place, home, monkeypatch):
    """The record of the start, and the replay's script while it is there; nothing of envref's."""
    monkeypatch.setenv("TMPDIR", str(place.directory))
    start = place.start(place.flox(manifest(hook=HOOK)))
    assert holding_a_value(place.directory, home) == {"envtrace.log"}
    start.attach("bash")
    assert holding_a_value(place.directory, home) == {"envtrace.log"}
    assert start.directory.stat().st_mode & 0o777 == 0o700
    assert (start.directory / "envtrace.log").stat().st_mode & 0o777 == 0o600


def test_doctor_finds_what_flox_left_and_logged(place, monkeypatch, capfd):
    """A start that nobody supervises, the log of services beside a hook: paths and names, no value; else nothing."""
    monkeypatch.chdir(place.project)
    flox = place.flox(manifest(hook=HOOK, more="[services]\nweb.command = 'echo \"$API_KEY\"'\n"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(flox.runtime))

    def found():
        commands.run(["doctor", "--flox"])
        shown = "".join(capfd.readouterr())
        place.shows_no_value(shown)
        return [line for line in shown.splitlines() if "API_KEY, DB_PASS" in line]

    start = place.start(flox)
    assert flox.start_services(start)["web"].decode() == f"{SECRETS['API_KEY']}\n"
    left, logged = sorted(found())
    assert "envtrace.log" not in left
    assert "left over from an activation" in left + logged
    assert "Flox logged secrets of this project" in left + logged
    flox.end()
    shutil.rmtree(place.project / ".flox")
    assert found() == []
    for command, clean in (('echo "$API_KEY"', {}), ("envref run --only API_KEY -- true", {"hook": ""})):
        bare = place.flox(manifest(**{"hook": "", **clean}, more=f"[services]\nweb.command = '{command}'\n"))
        bare.start_services(place.start(bare))
        assert found() == []


ASKS = """\
import sys
from tests.flox.simulator import Flox
flox = Flox(sys.argv[1], open(sys.argv[2]).read(), project=sys.argv[3])
flox.install(sys.argv[4])
start = flox.start(ephemeral=True)
print("result", start.result, sorted(start.additions), b"passphrase required" in start.printed)
"""


def test_an_ephemeral_start_asks_nobody(place, home):
    """On a terminal, with a vault that wants a passphrase and a store that reads: it ends, and exports nothing."""
    place.lock()
    place.configure("{name: vault, type: vault, config: {path: v.db}}", "{name: pass, type: pass}")
    place.write(".env", "API_KEY=ref://vault/api_key\nIN_PASS=ref://pass//x\n")
    place.monkeypatch.setenv("PATH", f"{place.directory / 'programs'}{os.pathsep}{os.environ['PATH']}")
    place.program("pass", 'read answer < /dev/tty && echo "$answer"\n')
    (home / ".password-store").mkdir()
    (home / ".password-store" / "x.gpg").touch()
    text = place.write("manifest", manifest(hook=HOOK))
    place.monkeypatch.setenv("PYTHONPATH", str(ROOT))
    arguments = map(str, [place.directory / "flox", text, place.project, console_script()])
    terminal = Terminal(place.project, "-c", ASKS, *arguments, program=(sys.executable,))
    assert terminal.end() == 0
    assert f"result {OK} [] True" in terminal.output
    assert "Enter vault passphrase" not in terminal.output
