"""A token that the embedded vault lends to a real OpenBao, through every command that asks for secrets."""

from __future__ import annotations

import json
import os

import pytest

from tests.backends.stores.openbao import TOKEN, OpenBao, binary, link
from tests.backends.stores.shim import recorded
from tests.backends.vaults import new_vault
from tests.cli.conftest import VAULT_ENTRY, config

URI = "ref://vault/bao_token"
NOT_SIGNED_IN = "hashicorp-vault: denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with OpenBao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return link(tmp_path_factory.mktemp("programs") / "vault", "vault")


def bao(server, **options):
    return {"name": "bao", "type": "hashicorp-vault", "config": {"addr": server.url, "token": URI, **options}}


@pytest.fixture
def shop(project, server, programs, monkeypatch):
    """A project whose secrets are in OpenBao, whose token is in the vault; no other login is there."""
    server.clear()
    new_vault(project.path / "v.db", monkeypatch)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    project.write(".envref.yaml", config(VAULT_ENTRY))
    assert project.envref("secret", "set", "bao_token", stdin=TOKEN).returncode == 0
    project.write(".envref.yaml", config(bao(server), VAULT_ENTRY))
    project.write(".env", "KEY=ref://bao/key\n")
    server.put("envref/app/key", {"value": "value-of-the-test"})
    return project


def test_every_command_reads_and_writes_with_it(shop, server, trusted):
    """The value of one, and of more than the program is started for."""
    assert shop.envref("resolve").stdout == "KEY=value-of-the-test\n"
    assert shop.envref("secret", "get", "key", "--backend", "bao").stdout == "value-of-the-test\n"
    assert shop.envref("secret", "set", "other", "--backend", "bao", stdin="more").returncode == 0
    assert server.members("envref/app/other") == {"value": "more"}
    assert shop.envref("secret", "list", "--backend", "bao").stdout.split() == ["key", "other"]
    assert shop.envref("run", "--", "sh", "-c", "echo $KEY").stdout == "value-of-the-test\n"
    assert shop.envref("status").returncode == 0
    assert shop.envref("backend", "list", "--check").returncode == 0
    assert shop.envref("doctor").returncode == 0
    assert shop.envref("secret", "delete", "other", "--backend", "bao", "--force").returncode == 0
    for number in range(5):
        server.put(f"envref/app/k{number}", {"value": f"{number}"})
    shop.write(".env", "".join(f"K{number}=ref://bao/k{number}\n" for number in range(5)) + "T=ref://vault/bao_token\n")
    done = shop.envref("resolve")
    assert (done.returncode, done.stdout.splitlines()[:5]) == (0, [f"K{number}={number}" for number in range(5)])


def test_the_token_is_in_no_argument_and_no_message(shop, tmp_path, monkeypatch, trusted):
    """tests/arguments.py looks for values in what the program got."""
    made = recorded(tmp_path / "shim", binary(), "vault")
    monkeypatch.setenv("PATH", f"{made.path}:{os.environ['PATH']}")
    done = shop.envref("-v", "resolve")
    assert made.count() == 1
    assert TOKEN not in done.stderr + json.dumps(made.argvs())


def test_the_config_shows_the_reference(shop, trusted):
    """As it is written; a literal token stays hidden."""
    assert f"    token: {URI}\n" in shop.envref("config", "show").stdout
    listed = json.loads(shop.envref("backend", "list", "--format", "json").stdout)
    assert listed["configured"][0]["options"]["token"] == URI


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["resolve"], ""),
        (["resolve", "--export"], ""),
        (["run", "--", "touch", "started"], ""),
        (["status"], ""),
        (["secret", "get", "key"], ""),
        (["secret", "set", "key"], "v"),
        (["secret", "list"], ""),
        (["backend", "list", "--check"], ""),
    ],
    ids=" ".join,
)
def test_every_command_asks_for_the_pair(shop, server, arguments, stdin):
    """Also on this machine, and with CI set; a pin for it is enough."""
    done = shop.envref(*arguments, stdin=stdin)
    assert done.returncode == 4
    assert f"-> {server.url} with your {URI}" in done.stderr
    assert server.members("envref/app/key") == {"value": "value-of-the-test"}
    pin = shop.envref("trust", "--print").stdout.strip()
    assert shop.envref(*arguments, stdin=stdin, env={"ENVREF_TRUST": pin}).returncode == 0


def test_another_reference_asks_again(shop, server):
    """What was agreed to is the pair."""
    pin = {"ENVREF_TRUST": shop.envref("trust", "--print").stdout.strip()}
    assert shop.envref("resolve", env=pin).returncode == 0
    shop.write(".envref.yaml", config(bao(server, token="ref://vault/another"), VAULT_ENTRY))
    assert shop.envref("resolve", env=pin).returncode == 4


def test_a_token_that_is_refused_is_replaced_where_it_is(shop, server, trusted):
    """The cure cures: what it says is done."""
    assert shop.envref("secret", "set", "bao_token", "--backend", "vault", stdin="hvs.no-such-token").returncode == 0
    done = shop.envref("resolve")
    assert done.returncode == 3
    assert NOT_SIGNED_IN in done.stderr
    assert "  run: envref secret set bao_token --backend vault\n" in done.stderr
    assert "no-such-token" not in done.stderr
    shop.envref("secret", "set", "bao_token", "--backend", "vault", stdin=TOKEN)
    assert shop.envref("resolve").stdout == "KEY=value-of-the-test\n"


def test_without_it_no_other_login_is_used(shop, monkeypatch, trusted):
    """The user's own token would open the server, and is not sent."""
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    assert shop.envref("secret", "delete", "bao_token", "--backend", "vault", "--force").returncode == 0
    done = shop.envref("resolve")
    assert (done.returncode, done.stdout) == (3, "")
    assert f'hashicorp-vault: token {URI}: secret "bao_token" not found in backend "vault"' in done.stderr
    assert "  run: envref secret set bao_token --backend vault\n" in done.stderr


def test_a_locked_vault_is_the_error(shop, monkeypatch, trusted):
    """One line, of the vault, with its cure."""
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE", raising=False)
    monkeypatch.delenv("ENVREF_VAULT_KEY", raising=False)
    done = shop.envref("resolve")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"hashicorp-vault: token {URI}: vault passphrase required: " in done.stderr


def test_a_flox_block_without_envref_can_t_borrow(shop, trusted):
    """Its own program would use another login."""
    done = shop.envref("flox-hook", "--native")
    assert 'backend "bao" borrows its token, which only envref does' in done.stderr + done.stdout
