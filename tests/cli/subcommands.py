"""Every subcommand, called as people do, in one project whose secrets are known: for what must hold of all of them.

A new command gets its lines in `CALLS`; tests/faults/test_leaks.py says so when they are missing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import NamedTuple

import click
import pyrage
import pytest

from envref.backends.vault import lifecycle
from envref.cli.commands import envref
from envref.project import sealed
from envref.project.recipient import Recipient
from envref.resolve.resolve import Scope
from envref.secret import Secret
from envref.secrets import sharing, sync
from tests.backends.vaults import WORK_FACTOR

# Values that survive JSON and URL encoding unchanged in their middle, which is what is looked for.
OLD = 'old/mk7f3a9cOLDVALUE+"ä\\'
NEW = 'new/mk7f3a9cNEWVALUE+"ä\\'
FOREIGN = 'far/mk7f3a9cFOREIGN+"ä\\'
PASSPHRASE = "pass/mk7f3a9cPHRASE+ä"
MARKER = "mk7f3a9c"
IDENTITY = pyrage.x25519.Identity.generate()
READER = str(IDENTITY.to_public())


class Call(NamedTuple):
    """A command line, its standard input, and what of it may show."""

    words: str
    stdin: str = ""
    prints: bool = False  # a value on stdout is its purpose (security.md P10)
    status: int = 0


_EXPORT = json.dumps({"version": 1, "secrets": {"app/a": NEW}})

# Of the agent of whoever runs the tests, if there is one: tests/agent has one of its own, and looks for values in it.
APART = {"agent forget", "agent leave", "agent start", "agent stop"}
CALLS = [
    Call("agent status", status=1),
    Call("audit --all-profiles"),
    Call("audit --values .envref.yaml"),
    Call("audit --values --closure .envref.yaml"),
    Call("audit-log"),
    Call("backend add vault --name second --first"),
    Call("backend list"),
    Call("backend list --all --check"),
    Call("bare -- true"),
    Call("completion bash"),
    Call("completion --install fish"),
    Call("config show"),
    Call("config show --format json"),
    Call("credential --setup aws", status=1),
    Call("credential aws", status=1),
    Call("credential cargo", status=1),
    Call("credential docker get", stdin="ghcr.io", status=1),
    Call("credential docker list"),
    Call("credential git get", stdin="protocol=https\nhost=git.example\n", prints=True),
    Call("credential kubectl", status=1),
    Call("doctor"),
    Call("doctor --format json"),
    Call("edit --config"),
    Call("flox-hook"),
    Call("flox-hook --placement profile"),
    Call("get A"),
    Call("get --format json A"),
    Call("import old.env"),
    Call("import old.env --dry-run"),
    Call("init --dir ../elsewhere --project other"),
    Call("list"),
    Call("list --show-secrets"),
    Call("lock"),
    Call("lock --check"),
    Call("lock --check --json"),
    Call("lock --update A"),
    Call("onboard --dry-run"),
    Call("onboard --profile staging"),
    Call("profile create fresh --register"),
    Call("profile diff staging staging"),
    Call("profile export staging"),
    Call("profile export staging --resolve", prints=True),
    Call("profile list"),
    Call("profile use staging"),
    Call("refresh", status=1),
    Call("resolve", prints=True),
    Call("resolve --export", prints=True),
    Call("resolve --export --strict", prints=True),
    Call("resolve --direnv", prints=True),
    Call("resolve --export --shell fish", prints=True),
    Call("resolve --format json", prints=True),
    Call("resolve --format table"),
    Call("resolve --format table --reveal", prints=True),
    Call("resolve --explain"),
    Call("resolve --locked", prints=True),
    Call("resolve --unset"),
    Call("run -- true"),
    Call("run --locked -- true"),
    Call("secret copy q --from copied -P staging", status=1),
    Call("secret delete p --force -b store"),
    Call("secret delete a --force"),
    Call("secret generate fresh"),
    Call("secret generate fresh --print"),
    Call("secret get a", prints=True),
    Call("secret get a --raw", prints=True),
    Call("secret get a --format json", prints=True),
    Call("secret get p -b store", prints=True),
    Call("secret get nothing", status=1),
    Call("secret list"),
    Call("secret list --all --format json"),
    Call("secret list --revisions"),
    Call("secret list --revisions --format json"),
    Call("secret rotate a --value-stdin", stdin=f"{NEW}\n"),
    Call("secret rotate a --value-stdin --print", stdin=f"{NEW}\n", prints=True),
    Call("secret rotate p -b store --value-stdin", stdin=f"{NEW}\n"),
    Call("secret set a", stdin=f"{NEW}\n"),
    Call("secret set a --env A -P staging", stdin=f"{NEW}\n"),
    Call("secret set p -b store", stdin=f"{NEW}\n"),
    Call(f"secret share a --to {READER}"),
    Call("set PLAIN=other"),
    Call("shim"),
    Call("shim --export"),
    Call("shim --path"),
    Call("shim --remove"),
    Call("shim --write", status=1),
    Call("stale", status=1),
    Call("status"),
    Call("status --format json"),
    Call("sync pull --force --identity ../records/identity"),
    Call(f"sync push --to {READER}"),
    Call(f"team add alice {READER}"),
    Call("team list"),
    Call("team remove bob"),
    Call("team rm bob"),
    Call("trust"),
    Call("trust --list"),
    Call("trust --print"),
    Call("trust --revoke"),
    Call("unset PLAIN"),
    Call("validate --ci", status=1),
    Call("validate --resolve --example old.env", status=1),
    Call("vault backup ../backup.db"),
    Call("vault export", prints=True),
    Call("vault export --file ../export.json"),
    Call(f"vault export --to {READER}"),
    Call(f"vault export --to {READER} --file ../export.age"),
    Call("vault import", stdin=_EXPORT),
    Call("vault import --dry-run", stdin=_EXPORT),
    Call("vault import --no-overwrite", stdin=_EXPORT),
    Call("vault init"),
    Call("vault lock"),
    Call("vault passwd", status=1),  # it asks; tests/faults/test_leaks.py answers on a terminal
    Call("vault rekey"),
    Call("vault unlock", status=1),
    Call("vault upgrade"),
    Call("version"),
]

CONFIG = """\
project: app
backends:
  - {name: vault, type: vault}
  - {name: store, type: plugin, config: {command: ../records/plugin}}
profiles: {staging: {}}
team: [{name: bob, public_key: READER}]
tools: {git: {credential: {git.example: A}}}
"""
ENV = "A=ref://secrets/a\nP=ref://store/p\nMIX=postgres://u:${A}@${P}/x\nPLAIN=plain\nDOUBLE=ref://secrets/a\n"
LOCK = "".join(f"{line} unpinned\n" for line in ("A vault app/a", "DOUBLE vault app/a", "P store app/p"))
# Keeps its secrets in a file, and writes down its arguments and environment.
PLUGIN = """\
#!{python} -SE
import json, os, sys
here = os.path.dirname(os.path.abspath(sys.argv[0]))
with open(here + "/seen", "a") as seen:
    seen.write(json.dumps([sys.argv, dict(os.environ)]) + "\\n")
path = here + "/store.json"
values, request = json.load(open(path)), json.load(sys.stdin)
operation, key, answer = request["operation"], request.get("key"), {{"capabilities": ["exact"]}}
if operation == "set":
    values[key] = request["value"]
elif operation == "list":
    answer["keys"] = list(values)
elif key not in values:
    answer["error"] = "not found"
elif operation == "get":
    answer["value"] = values[key]
else:
    del values[key]
if operation in ("set", "delete"):  # several of it may be reading
    json.dump(values, open(path, "w"))
print(json.dumps(answer))
"""


def leaves():
    """The names of all commands that do something, as words."""
    return (words for words, command in commands() if not isinstance(command, click.Group))


def commands(group=envref, path=()):
    """Words and click command of all that there is, groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def world_with_vault(path):
    """A World made apart from the environment of any test, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        patch.setattr("envref.secret._known", set())
        world = World(path)
        world.make_vault()
        return world


class World:
    """All that envref may write to, below `path`; the store's own files are in `records`."""

    def __init__(self, path):
        self.path = path
        self.project = path / "project"
        self.records = path / "records"
        for name in ("project", "records", "home", "tmp", "run", "config", "cache", "state", "data"):
            (path / name).mkdir(mode=0o700)
        (self.records / "plugin").write_text(PLUGIN.format(python=sys.executable))
        (self.records / "plugin").chmod(0o755)
        self.write_store()
        (self.project / ".envref.yaml").write_text(CONFIG.replace("READER", READER))
        (self.project / ".env").write_text(ENV)
        (self.project / "envref.lock").write_text(f"envref-lock 1\n{LOCK}")
        (self.project / "old.env").write_text("OLD_TOKEN=of-another-kind\n")
        (self.records / "identity").write_text(f"{IDENTITY}\n")
        pushed = sharing.encrypt(sync.document({"a": Secret(NEW)}, Scope("app")), [Recipient(READER)])
        (self.project / sealed.FILE).write_text(pushed)

    def copied_to(self, path):
        """A world of its own, with the same vault: a passphrase is stretched once."""
        shutil.copytree(self.path, path)
        copy = World.__new__(World)
        copy.path, copy.project, copy.records = path, path / "project", path / "records"
        return copy

    def write_store(self):
        (self.records / "store.json").write_text(json.dumps({"app/p": FOREIGN, "app/copied": FOREIGN}))

    @property
    def environment(self):
        return {
            **os.environ,
            "HOME": str(self.path / "home"),
            "TMPDIR": str(self.path / "tmp"),
            "XDG_RUNTIME_DIR": str(self.path / "run"),
            **{f"XDG_{kind.upper()}_HOME": str(self.path / kind) for kind in ("config", "cache", "state", "data")},
            "ENVREF_VAULT_PASSPHRASE": PASSPHRASE,
            "ENVREF_TRUST": "all",
            "EDITOR": "true",
        }

    def make_vault(self):
        from envref.backends.vault.store import Vault
        from tests.backends.vaults import fill

        path = self.path / "config" / "envref" / "vault.db"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        vault = Vault("vault", path=str(path))
        lifecycle.initialize(vault.file, Secret(PASSPHRASE), WORK_FACTOR)
        os.environ["ENVREF_VAULT_PASSPHRASE"] = PASSPHRASE
        fill(vault, {"a": OLD})
        return vault
