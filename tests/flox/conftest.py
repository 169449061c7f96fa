"""Projects whose secrets are in a real vault, activated in the simulator of the documented contract.

The envref that the hooks find is the console script that is installed beside this Python. What every start must keep is
checked on every one: nothing on stdout, no value on stderr, nothing exported empty, no name of the block's own.
"""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from envref.flox import block
from tests.agent.conftest import own, runtime  # noqa: F401  fixtures
from tests.backends.conftest import secret_service  # noqa: F401  a fixture
from tests.backends.vaults import unlocked_vault
from tests.conftest import ROOT
from tests.flox.simulator import SHELLS, Flox
from tests.requirements import missing, need

SECRETS = {"API_KEY": "correct-value-of-api-key", "DB_PASS": "correct value of db'pass"}
HOOK = block.hook() + "\n"
PROFILES = {shell: block.in_profile(shell) + "\n" for shell in SHELLS}
SCRIPT = ROOT / "flox" / "profile.d" / "0900_envref.sh"


def manifest(*, hook="", profiles=None, undo=None, plugin=None, head="version = 1", more=""):
    """A manifest with these scripts and the table `[plugins.envref]`."""
    text = f"{head}\n{more}\n"
    if hook:
        text += f"[hook]\non-activate = '''\n{hook}'''\n"
    for table, scripts in (("profile", profiles), ("profile.deactivate", undo)):
        if scripts:
            text += f"[{table}]\n" + "".join(f"{shell} = '''\n{script}'''\n" for shell, script in scripts.items())
    if plugin is not None:
        text += "[plugins.envref]\n" + "".join(f'{name} = "{value}"\n' for name, value in plugin.items())
    return text


class Place:
    """A project with a vault, and what is activated in it."""

    def __init__(self, directory, monkeypatch):
        self.directory = directory
        self.monkeypatch = monkeypatch
        self.project = directory / "my project"
        self.values = {}
        self.project.mkdir()
        self.configure("{name: vault, type: vault, config: {path: v.db}}")

    def configure(self, *backends):
        self.write(".envref.yaml", "project: app\nbackends:\n" + "".join(f"  - {backend}\n" for backend in backends))

    def write(self, name, text):
        """A file of the project; its path."""
        path = self.project / name
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, name, script, *, directory="programs"):
        """A program of the machine, not of the project: a shell script; its path."""
        path = self.directory / directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        path.chmod(0o755)
        return path

    def stock(self, values, *, more=""):
        """A vault with these values, and a `.env` that refers to each; `more` lines follow."""
        self.values = dict(values)
        keys = {name.lower(): value for name, value in values.items()}
        unlocked_vault(self.project / "v.db", self.monkeypatch, keys)
        self.write(".env", "".join(f"{name}=ref://secrets/{name.lower()}\n" for name in values) + more)

    def lock(self):
        """Nobody knows the vault's passphrase."""
        self.monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")

    def flox(self, text, *, project=..., envref=True):
        """The environment of a manifest, envref installed in it."""
        count = len(list(self.directory.glob("flox-*")))
        flox = Flox(self.directory / f"flox-{count}", text, project=self.project if project is ... else project)
        if envref:
            flox.install(console_script())
        return flox

    def stand_in(self, flox, script):
        """Another program as envref, in place of the real one."""
        flox.install(self.program("stand-in", script), "envref")

    def start(self, flox, **options):
        """A start, with what holds for every one."""
        return self.checked(flox.start(**options))

    def checked(self, start):
        assert start.stdout == ""
        self.shows_no_value(start.stderr)
        assert "" not in start.additions.values()
        assert not [name for name in [*start.additions, *start.deletions] if "_envref" in name]
        return start

    def shows_no_value(self, text):
        """A value of several lines counts by its longest."""
        for name, value in self.values.items():
            telling = max(value.split("\n"), key=len)
            assert len(telling) < 3 or telling not in text, f"the value of {name} is shown"


def console_script():
    """The installed `envref`, as a user has it."""
    path = pathlib.Path(sys.executable).with_name("envref")
    return path if path.exists() else missing("envref is not installed beside this Python")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty project; `SECRETS` are in its vault."""
    for shell in SHELLS:
        need(shell)
    # No other envref, and no Python of the tests' on PATH: what is found is what the environment has.
    directories = os.environ["PATH"].split(os.pathsep)
    clean = [directory for directory in directories if not os.path.exists(os.path.join(directory, "envref"))]
    monkeypatch.setenv("PATH", os.pathsep.join(clean))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "observer"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")  # in the C locale tcsh itself loses bytes of long pipes
    place = Place(tmp_path, monkeypatch)
    place.stock(SECRETS)
    return place
