"""Projects whose secrets live in real stores: the vault, and a plugin that keeps them in a JSON file."""

from __future__ import annotations

import io
import json
import os
import sys
from subprocess import CompletedProcess

import pytest

from envref import __main__, streams
from envref.backends import table
from envref.secrets import audit_log
from tests.backends.conftest import secret_service as keychain  # noqa: F401  a fixture
from tests.backends.doubles.memory import Memory
from tests.backends.vaults import new_vault

# A plugin as anyone could write it. Its options: `fail_at` is the number of the write that fails, from 1;
# `scan` names a file for the command line of every process there is while it runs.
PLUGIN = """\
#!{python} -SE
import glob, json, os, sys
config = json.loads(os.environ["ENVREF_PLUGIN_CONFIG"])
try:
    state = json.load(open("store.json"))
except FileNotFoundError:
    state = {{"values": {{}}, "writes": 0, "log": []}}
values, request = state["values"], json.load(sys.stdin)
operation, key = request["operation"], request.get("key")
answer = {{"capabilities": ["exact"]}}
if operation in ("set", "delete"):
    state["writes"] += 1
    state["log"].append([operation, key])
if str(state["writes"]) == config.get("fail_at") and operation in ("set", "delete"):
    answer["error"] = "the disk is full"
elif operation == "set":
    values[key] = request["value"]
elif operation == "list":
    answer["keys"] = list(values)
elif key not in values:
    answer["error"] = "not found"
elif operation == "get":
    answer["value"] = values[key]
else:
    del values[key]
if "scan" in config:
    with open(config["scan"], "ab") as found:
        for process in glob.glob("/proc/[0-9]*"):
            try:
                found.write(open(process + "/cmdline", "rb").read() + b"\\n")
            except OSError:
                pass
if operation in ("set", "delete"):
    json.dump(state, open("store.json", "w"))
print(json.dumps(answer))
"""

PLUGIN_ENTRY = {"name": "store", "type": "plugin", "config": {"command": "./plugin"}}
VAULT_ENTRY = {"name": "vault", "type": "vault", "config": {"path": "v.db"}}


def config(*backends, **fields):
    """A config as text; JSON is YAML."""
    return json.dumps({"project": "app", "backends": list(backends), **fields})


def install_plugin(project):
    """The plugin as `./plugin` of the project."""
    project.write("plugin", PLUGIN.format(python=sys.executable)).chmod(0o755)


class Shelf:
    """A project with two stores in this process, "one" and "two". `values`: the name of each -> full key -> text."""

    def __init__(self, project, said):
        self.said = said
        self.write = project.write
        self.read = project.read
        self.path = project.path
        self.values = {"one": {}, "two": {}}
        self.configure()

    def configure(self, *more, **fields):
        """Writes the config; `more` are further backends."""
        stores = [{"name": name, "type": "kept"} for name in self.values]
        self.write(".envref.yaml", config(*stores, *more, **fields))

    def logged(self):
        """Operation, key, backend and detail of each line of the audit log."""
        entries = audit_log.entries(str(self.path))
        return [tuple(each.get(name, "") for name in ("operation", "key", "backend", "detail")) for each in entries]


@pytest.fixture
def shelf(project, said, trusted, monkeypatch):
    """A project whose secrets are in this process, with `said` to run commands there too: a few milliseconds each."""
    monkeypatch.setitem(table.BUILTIN, "kept", "tests.backends.doubles.memory:Kept")
    made = Shelf(project, said)
    monkeypatch.setattr(Memory, "contents", made.values)
    monkeypatch.setattr(Memory, "asked", [])
    return made


class PluginProject:
    """A project with one backend, "store", and a look into it that does not go through envref."""

    def __init__(self, project):
        self.envref = project.envref
        self.write = project.write
        self.read = project.read
        self.path = project.path
        install_plugin(project)
        self.configure()

    def configure(self, *more, names=None, **options):
        """Writes the config; `options` are the plugin's, `more` are further backends."""
        entry = {**PLUGIN_ENTRY, "config": {**PLUGIN_ENTRY["config"], **options}, "names": names or {}}
        self.write(".envref.yaml", config(entry, *more, profiles={"staging": None}))

    @property
    def state(self):
        file = self.path / "store.json"
        return json.loads(file.read_text()) if file.exists() else {"values": {}, "writes": 0, "log": []}

    @property
    def values(self):
        return self.state["values"]

    def fill(self, exact=None, **values):
        """Puts values below the project's name; a keyword `staging__key` means `staging/key`."""
        named = {name.replace("__", "/"): value for name, value in values.items()}
        full = {f"app/{name}": value for name, value in {**(exact or {}), **named}.items()}
        self.write("store.json", json.dumps({**self.state, "values": {**self.values, **full}}))

    def logged(self):
        """The lines of the audit log."""
        return list(audit_log.entries(str(self.path)))


@pytest.fixture
def said(project, monkeypatch, capfd):
    """`said("get", "A")` is `project.envref("get", "A")` in this process: for what no process has a part in."""

    def become(program, *_):
        raise AssertionError(f"{program} in the place of the tests")  # which would end them, and well

    monkeypatch.setattr(os, "execve", become)

    def said(*words, stdin="", cwd=None):
        for name, value in (("level", streams.NORMAL), ("colour", True)):
            monkeypatch.setattr(streams, name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        monkeypatch.chdir(cwd or project.path)
        capfd.readouterr()
        hot = __main__._hot([*words])
        status = __main__._guarded(hot or (lambda: __main__._click([*words])))
        return CompletedProcess(words, status, *capfd.readouterr())

    return said


@pytest.fixture
def shop(project, trusted):
    """A project whose secrets are in a plugin; profile "staging" is configured."""
    return PluginProject(project)


@pytest.fixture
def vaulted(project, monkeypatch):
    """A project whose secrets are in a vault that the environment opens."""
    new_vault(project.path / "v.db", monkeypatch)
    project.write(".envref.yaml", config(VAULT_ENTRY))
    return project
