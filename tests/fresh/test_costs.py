"""What `envref stale` costs for a hundred references: processes, connections and requests (docs/fresh.md)."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest

from envref.fresh.seen import NAME, Seen
from envref.project.project import configured
from tests.backends.conftest import secret_service  # noqa: F401  # a fixture
from tests.backends.doubles.relay import Relay
from tests.backends.stores import shim
from tests.backends.stores.openbao import TOKEN
from tests.backends.stores.pass_store import Passwords
from tests.backends.vaults import unlocked_vault
from tests.cli.conftest import VAULT_ENTRY, config
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]

KEYS = [f"key{number}" for number in range(100)]


@pytest.fixture
def shell(project, monkeypatch):
    """Asks for a hundred names of which a shell has an earlier writing; every one of them is old."""

    def ask(entry, store="store", *words, names=KEYS):
        project.write(".envref.yaml", config({"name": store, **entry}))
        project.write(".env", "".join(f"{key.upper()}=ref://secrets/{key}\n" for key in names))
        seen = Seen(None, {key.upper(): (f"{store}@earlier.1",) for key in names})
        monkeypatch.setenv(NAME, seen.text(configured(str(project.path))))
        done = project.envref("stale", "--json", *words)
        rows = json.loads(done.stdout)
        assert ({row["status"] for row in rows}, len(rows), done.returncode) == ({"stale"}, len(names), 3), done.stderr

    return ask


@pytest.fixture
def a_hundred(request):
    """A store, which holds them."""
    store = request.getfixturevalue(request.param)
    for key in KEYS:
        store.put(key, "v")
    return store


@pytest.mark.parametrize(
    ("a_hundred", "requests", "operation"),
    [
        ("parameters", 11, "AmazonSSM.GetParametersByPath"),  # ten are a page, and moto has one after the last
        ("managed", 1, "secretsmanager.ListSecrets"),  # a hundred are
    ],
    indirect=["a_hundred"],
)
def test_aws_lists(shell, a_hundred, service, program, monkeypatch, requests, operation):
    """Pages of a listing, and no process; through `aws` one process, which asks for the same pages."""
    for way in ("directly", "through aws"):
        if way == "through aws":
            monkeypatch.setenv("AWS_KNOWN_TO_NOBODY", "1")
        before = len(service.requests)
        shell(a_hundred.entry)
        assert service.requests[before:] == [operation] * requests
        assert program.count() == (way == "through aws")


@pytest.mark.parametrize("a_hundred", ["entries"], indirect=True)
def test_vault_s_server_is_asked_on_one_connection(shell, a_hundred, monkeypatch):
    """One question a secret, one for the engine, and no process."""
    port = a_hundred._server.port
    with closing(Relay(socket.AF_INET, ("127.0.0.1", 0), ("127.0.0.1", port))) as relay:
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{relay.address[1]}")
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        shell(a_hundred.entry)
        assert (relay.connections, relay.requests) == (1, 101)


def test_a_keyring_is_asked_on_one_connection(shell, secret_service, tmp_path, monkeypatch):  # noqa: F811
    """Whatever their number."""
    import secretstorage

    with secret_service.connection() as connection:
        collection = secretstorage.Collection(connection)
        for key in KEYS:
            collection.create_item(key, {"service": "envref", "username": f"app/{key}"}, b"v")
    bus = secret_service.environment["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path=").partition(",")[0]
    with closing(Relay(socket.AF_UNIX, str(tmp_path / "relay"), bus)) as relay:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={relay.address}")
        shell({"type": "keychain"})
        assert relay.connections == 1


def test_pass_starts_no_program(shell, gpg, home, tmp_path, monkeypatch):
    """Its files are enough: nothing is decrypted."""
    for name, value in gpg.environment.items():
        monkeypatch.setenv(name, value)
    passwords = Passwords(home / ".password-store")
    (passwords.path / "envref" / "app").mkdir(parents=True)
    for key in KEYS:
        (passwords.path / "envref" / "app" / f"{key}.gpg").write_bytes(b"nobody can decrypt this")
    programs = [shim.recorded(tmp_path / "shims", "/bin/false", name) for name in ("pass", "gpg", "gpg2", "git")]
    monkeypatch.setenv("PATH", programs[0].path, prepend=":")
    shell({"type": "pass"})
    assert [each.count() for each in programs] == [0, 0, 0, 0]


def test_a_vault_needs_no_passphrase(shell, project, monkeypatch):
    """So nothing is stretched either."""
    unlocked_vault(project.path / "v.db", monkeypatch, dict.fromkeys(KEYS, "v"))
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    shell({key: value for key, value in VAULT_ENTRY.items() if key != "name"}, "vault")


def test_a_plugin_is_called_once(shell, project):
    """One `revisions` for all."""
    script = """#!/bin/sh
echo >> calls
sed 's/.*"keys": *\\[\\([^]]*\\)\\].*/\\1/; s/"\\([^"]*\\)"/"\\1": "7"/g; s/.*/{"revisions": {&}}/'
"""
    project.write("store", script).chmod(0o755)
    shell({"type": "plugin", "config": {"command": "./store"}})
    assert project.read("calls") == "\n"


def test_oci_is_read_and_nothing_else(shell, bundles):
    """With `--read` one request a secret and a listing: asking for a revision alone would cost as much."""
    names = KEYS[:20]
    for key in names:
        bundles.put(key, "v")
    bundles._service.requests.clear()
    shell(bundles.entry, "store", "--read", names=names)
    assert len(bundles._service.requests) == len(names) + 1
