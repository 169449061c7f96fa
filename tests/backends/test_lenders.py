"""The user's own stores lend a token to a real OpenBao: GNOME Keyring, and pass with GnuPG.

What every command does with a borrowed token: tests/backends/hashicorp_vault/test_borrowed_token.py.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.backends.stores.openbao import TOKEN, OpenBao, link
from tests.backends.stores.pass_store import GnuPg, Passwords
from tests.cli.conftest import config
from tests.requirements import need

NOT_SIGNED_IN = "hashicorp-vault: denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
LOCKED = {
    "keychain": "; unlock your login keyring\n",
    "pass": ": gpg has no secret key that it may use\n  hint: unlock the key by reading an entry with pass show; ",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with OpenBao(tmp_path_factory.mktemp("openbao")) as running:
        running.put("envref/app/key", {"value": "value-of-the-test"})
        yield running


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return link(tmp_path_factory.mktemp("programs") / "vault", "vault")


@pytest.fixture(scope="module")
def running_gpg():
    with GnuPg() as gpg:
        yield gpg


@pytest.fixture
def keychain(secret_service):
    """An item of another program's, and how it is locked."""

    def store(token):
        attributes = ["service", "vault-prod", "account", "bob"]
        subprocess.run([need("secret-tool"), "store", "--label=L", *attributes], input=token, text=True, check=True)

    return store, secret_service.lock


@pytest.fixture
def passwords(running_gpg, home, monkeypatch):
    """An entry of several lines, and how it is made unreadable: no key opens it."""
    for name, value in running_gpg.environment.items():
        monkeypatch.setenv(name, value)
    entries = Passwords(home / ".password-store")

    def lock():
        with GnuPg() as other:
            monkeypatch.setenv("GNUPGHOME", other.home)

    return (lambda token: entries.put("vault-prod/bob", f"{token}\nuser: bob\n".encode())), lock


@pytest.fixture(params=["keychain", "pass"])
def lender(request):
    """The name of the type, how a token gets there past envref, and how the store is locked."""
    store, lock = request.getfixturevalue({"keychain": "keychain", "pass": "passwords"}[request.param])
    return request.param, store, lock


@pytest.fixture
def shop(project, server, programs, monkeypatch, trusted):
    """A project whose secrets are in OpenBao, whose token is in another store."""
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def borrow(lender, uri):
        bao = {"name": "bao", "type": "hashicorp-vault", "config": {"addr": server.url, "token": uri}}
        project.write(".envref.yaml", config(bao, {"name": lender}))
        project.write(".env", "KEY=ref://bao/key\n")
        return project

    return borrow


def test_a_token_that_envref_stored(shop, lender):
    """`ref://STORE/KEY`; the cure of one that is refused is the command that replaces it there, and it cures."""
    name, _, _ = lender
    app = shop(name, f"ref://{name}/vault_token")
    absent = app.envref("resolve")
    assert absent.returncode == 3
    assert f'hashicorp-vault: token ref://{name}/vault_token: secret "vault_token" not found' in absent.stderr
    store = ("secret", "set", "vault_token", "--backend", name)
    assert f"  run: envref {' '.join(store)}\n" in absent.stderr
    assert app.envref(*store, stdin="hvs.no-such-token").returncode == 0
    refused = app.envref("resolve")
    assert NOT_SIGNED_IN in refused.stderr
    assert f"  run: envref {' '.join(store)}\n" in refused.stderr
    assert "no-such-token" not in refused.stderr
    assert app.envref(*store, stdin=TOKEN).returncode == 0
    assert app.envref("resolve").stdout == "KEY=value-of-the-test\n"


def test_a_token_of_another_program(shop, lender):
    """`ref://STORE//NAME`, as people have it: an item of a service and account, the first line of an entry."""
    name, store, _ = lender
    uri = f"ref://{name}//vault-prod/bob"
    app = shop(name, uri)
    store("hvs.no-such-token")
    refused = app.envref("resolve")
    assert NOT_SIGNED_IN in refused.stderr
    assert f"  hint: put a new one where {uri} is\n" in refused.stderr
    store(TOKEN)
    assert app.envref("resolve").stdout == "KEY=value-of-the-test\n"


def test_a_store_that_is_locked_lends_nothing(shop, lender, monkeypatch):
    """The error is the lender's, with its cure; the user's own login does not stand in."""
    name, store, lock = lender
    uri = f"ref://{name}//vault-prod/bob"
    app = shop(name, uri)
    store(TOKEN)
    lock()
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    done = app.envref("resolve")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"hashicorp-vault: token {uri}: {name}: locked{LOCKED[name]}" in done.stderr


def test_a_named_field_of_an_entry(shop, passwords):
    """`#FIELD`: the token need not be the first line."""
    store, _ = passwords
    store(f"another password\nuser: bob\ntoken: {TOKEN}")
    assert shop("pass", "ref://pass//vault-prod/bob#token").envref("resolve").stdout == "KEY=value-of-the-test\n"


def test_an_item_by_its_attributes(shop, keychain):
    """Of a Secret Service, any of them."""
    store, _ = keychain
    store(TOKEN)
    app = shop("keychain", "ref://keychain//service=vault-prod,account=bob")
    assert app.envref("resolve").stdout == "KEY=value-of-the-test\n"
