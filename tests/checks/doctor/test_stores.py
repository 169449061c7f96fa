"""doctor and the stores: whether they are ready, who could read a vault, and what envref 1 put elsewhere."""

from __future__ import annotations

import json
import os
import pathlib
import types

import pytest

from envref import streams
from envref.backends.keychain.entry import USE_A_VAULT
from envref.backends.table import backend_class
from envref.backends.vault import lifecycle
from envref.checks.doctor import checks as doctor
from envref.checks.doctor import stores
from envref.checks.doctor.case import Case
from envref.project.project import configured, env_path, file_names
from envref.store_errors import BackendDenied
from tests.backends.doubles.onepassword.account import Account
from tests.backends.stores.openbao import OpenBao, link, sign_in
from tests.backends.stores.shim import recorded
from tests.backends.vaults import PASSPHRASE, new_vault
from tests.cli.conftest import PLUGIN_ENTRY, VAULT_ENTRY, PluginProject, config
from tests.cli.terminal import Terminal
from tests.requirements import missing, need

DOUBLES = pathlib.Path(__file__).parent.parent.parent / "backends/doubles"


pytestmark = pytest.mark.usefixtures("trusted")

OTHER = json.dumps({"name": "other", "type": "pass", "config": {"store": "store"}})


def case_of(project, profile=None):
    found = configured(str(project.path), profile)
    names = [name for name in file_names(found.config, found.profile) if (project.path / name).exists()]
    return Case(found, [(env_path(found.root, name), name) for name in names], start=str(project.path), timeout=20)


def findings(project, *, profile=None):
    """What is found in the stores, as {check: findings}, the empty ones left out."""
    case = case_of(project, profile)
    return {word: each for word, each in doctor.examine(case, doctor.STORES).items() if each}


def only(found, word="store"):
    assert list(found) == [word], found
    [finding] = found[word]
    return finding


@pytest.fixture
def vault(project, monkeypatch):
    """A project with a vault, of which `.env` wants a secret."""
    new_vault(project.path / "v.db", monkeypatch)
    project.write(".envref.yaml", config(VAULT_ENTRY))
    project.write(".env", "K=ref://secrets/k\n")
    return project


def test_a_vault_that_is_ready(vault):
    """Its own file, unlocked, and a passphrase that opens it."""
    assert findings(vault) == {}


def test_the_age_of_each_secret_is_known(vault):
    """Once it is there; a vault that can't be opened has none to tell."""
    assert case_of(vault).ages == []
    assert vault.envref("secret", "set", "k", stdin="1").returncode == 0
    [age] = case_of(vault).ages
    assert (age["name"], age["backend"]) == ("K", "vault")
    vault.envref("vault", "lock")
    assert case_of(vault).ages == []


def test_a_vault_that_others_can_read(vault):
    """The mode; a project's own vault is not trusted by a command that would make it so."""
    (vault.path / "v.db").chmod(0o640)
    finding = only(findings(vault))
    assert finding.subject == 'backend "vault"'
    assert "accessible by others (mode 0640)" in finding.message
    assert finding.run == ()


def test_a_vault_that_others_can_replace(vault):
    """Its directory is writable by others; a sticky one keeps them from the file."""
    vault.path.chmod(0o777)
    vault.write("other/v.db", (vault.path / "v.db").read_bytes()).chmod(0o600)
    vault.write(".envref.yaml", config({**VAULT_ENTRY, "config": {"path": "other/v.db"}}))
    vault.path.chmod(0o755)
    (vault.path / "other").chmod(0o777)
    finding = only(findings(vault))
    assert "other is writable by others (mode 0777)" in finding.message
    assert finding.run[:2] == ("chmod", "go-w")
    (vault.path / "other").chmod(0o1777)
    assert findings(vault) == {}


def test_a_vault_that_is_locked(vault):
    """Told without trying the passphrase."""
    vault.envref("vault", "lock")
    assert only(findings(vault)).run == ("envref", "vault", "unlock")


def test_a_wrong_passphrase(vault, monkeypatch):
    """The environment's passphrase is tried."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "something else")
    assert only(findings(vault)).message == "vault: wrong passphrase"


def test_nobody_to_type_the_passphrase(vault, monkeypatch):
    """No passphrase, no session and no terminal: nothing could be resolved here. Nobody is asked."""
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    done = vault.envref("doctor")
    assert done.returncode == 1
    assert (
        "  vault: there is no terminal to type the passphrase at\n    hint: set ENVREF_VAULT_PASSPHRASE_FILE"
        in done.stderr
    )


def test_somebody_to_type_the_passphrase(vault, monkeypatch):
    """On a terminal envref would ask when it needs it; doctor doesn't."""
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    terminal = Terminal(vault.path, "doctor")
    assert terminal.end() == 0
    assert terminal.output.strip() == "OK: no issues found"


def test_an_unlock_session_instead_of_a_passphrase(vault, monkeypatch):
    """While it lasts, nobody has to be there."""
    opened = backend_class("vault")("vault", path=str(vault.path / "v.db"))
    lifecycle.unlock(opened.file, 60)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    if opened.warnings:
        missing("the kernel's keyring is denied here")
    assert findings(vault) == {}
    assert vault.envref("doctor").returncode == 0


def test_a_passphrase_file_that_others_can_read(vault, monkeypatch):
    """A fault of the passphrase's source is told as one."""
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FILE", str(vault.write("phrase", PASSPHRASE)))
    assert only(findings(vault)).run[:2] == ("chmod", "600")


def test_only_stores_that_references_use_are_asked(vault):
    """A second backend may be broken as long as nothing needs it; the chain needs all."""
    ghost = {"name": "ghost", "type": "plugin"}
    vault.write(".envref.yaml", config(VAULT_ENTRY, ghost))
    vault.write(".env", "K=ref://vault/k\n")
    assert findings(vault) == {}
    vault.write(".env", "K=${ref://secrets/k}-\n")
    assert only(findings(vault)).subject == 'backend "ghost"'
    vault.write(".env", "K=plain\n")
    (vault.path / "v.db").unlink()
    assert findings(vault) == {}


def test_a_missing_program(project):
    """The store's own program, with how it is installed."""
    project.write(".envref.yaml", config({"name": "ssm", "type": "aws-ssm", "config": {"command": "no-such-aws"}}))
    project.write(".env", "K=ref://ssm/k\n")
    finding = only(findings(project))
    assert finding.message == 'aws-ssm: start no-such-aws: executable file not found in $PATH (backend "ssm")'
    assert finding.run == ("brew", "install", "awscli")


def test_nobody_signed_in(project, tmp_path, monkeypatch):
    """1Password (a double that refuses as op does): not signed in, then signed in."""
    (tmp_path / "account").mkdir()
    monkeypatch.setenv("OP_DOUBLE", str(tmp_path / "account"))
    monkeypatch.setenv("PATH", f"{DOUBLES}:{os.environ['PATH']}")
    account = Account(tmp_path / "account")
    account.change(signed_in=False)
    project.write(".envref.yaml", config({"name": "op", "type": "1password"}))
    project.write(".env", "K=ref://op/k\n")
    finding = only(findings(project))
    assert (finding.message, finding.run) == ('1password: op: not signed in (backend "op")', ("op", "signin"))
    account.change(signed_in=True)
    assert findings(project) == {}


def test_a_keychain_that_can_t_be_reached(project):
    """No desktop session in this environment; the implied keychain is examined as any other."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "K=ref://secrets/k\n")
    finding = only(findings(project))
    assert finding.message.startswith("keychain: exec: dbus-launch: not found")
    assert finding.run == USE_A_VAULT


def test_an_optional_store_may_be_away(vault):
    """`optional: true` says that a machine may be without it."""
    vault.write(".envref.yaml", config({"name": "ghost", "type": "plugin", "optional": True}, VAULT_ENTRY))
    assert findings(vault) == {}


def test_a_plugin_is_asked_for_nothing_that_exists(project):
    """The one question is for a key that nobody has; no value is asked for."""
    shop = PluginProject(project)
    shop.write(".env", "K=ref://secrets/k\n")
    shop.fill(k="value")
    wrapped = f"#!/bin/sh\nexec tee -a {shop.path}/asked | {shop.path}/plugin.real\n"
    (shop.path / "plugin").rename(shop.path / "plugin.real")
    shop.write("plugin", wrapped).chmod(0o755)
    assert findings(shop) == {}
    asked = [json.loads(line) for line in shop.read("asked").splitlines()]
    assert [(request["operation"], request["key"]) for request in asked] == [
        ("get", "envref-readiness-probe/envref-readiness-probe")
    ]


def test_a_store_that_says_no_without_a_cure_of_its_own(project):
    """Every finding has a cure, if only where to ask."""
    project.write("plugin", '#!/bin/sh\ncat >/dev/null\necho \'{"error": "denied today"}\'\n').chmod(0o755)
    project.write(".envref.yaml", config(PLUGIN_ENTRY))
    project.write(".env", "K=ref://secrets/k\n")
    assert only(findings(project)).hint == "ask the store's own program what it needs"


@pytest.fixture
def passwords(project):
    """A project whose secrets are in `pass` below a prefix of its own; the real program, and no key at all."""
    need("pass")
    (project.path / "store/team/app/staging").mkdir(parents=True)
    entry = {"name": "pw", "type": "pass", "config": {"prefix": "team", "store": "store"}}
    project.write(".envref.yaml", config(entry, profiles={"staging": None}))
    project.write(".env", "K=ref://secrets/k\nL=ref://pw/l\nM=ref://pw//other/m\n")
    return project


def test_secrets_where_envref_1_kept_them(passwords, tmp_path, monkeypatch):
    """Named with the option that makes them readable; found by looking at names, gpg is never started."""
    shim = recorded(tmp_path / "shim", need("gpg"), "gpg")
    monkeypatch.setenv("PATH", f"{shim.path}:{os.environ['PATH']}")
    for name in ("team/app/k", "team/app/staging/l", "team/l", "team/app/l", "other/m"):
        passwords.write(f"store/{name}.gpg", "not even encrypted")
    finding = only(findings(passwords, profile="staging"), "misplaced-secret")
    assert finding.message == "2 secret(s) below team/app, where envref 1 kept them, are not read: k, staging/l"
    assert finding.hint == "write namespace: project into the config of this backend"
    assert shim.argvs() == []


def test_a_prefix_of_one_s_own_without_a_past(passwords):
    """Nothing below the project's name, nothing to report; nor where the layout was asked for."""
    passwords.write("store/team/k.gpg", "x")
    assert findings(passwords) == {}
    passwords.write("store/team/app/k.gpg", "x")
    assert findings(passwords) == {}


def test_what_others_keep_is_not_misplaced(passwords):
    """A name of the store's own, and a key of another store, are looked for below no prefix."""
    passwords.write("store/team/app/k.gpg", "x")
    passwords.write(".envref.yaml", passwords.read(".envref.yaml").replace('"backends": [', f'"backends": [{OTHER}, '))
    passwords.write(".env", "K=ref://pw//k\nL=ref://other/k\n")
    assert findings(passwords) == {}


def test_secrets_of_envref_1_in_a_vault_server(project, tmp_path, monkeypatch):
    """A real server is asked for names; the option is called project_namespace there."""
    with OpenBao(tmp_path / "server") as server:
        sign_in(monkeypatch, server, link(tmp_path / "programs", "vault"))
        server.put("team/app/k", {"value": "marker-51c"})
        entry = {"name": "hv", "type": "hashicorp-vault", "config": {"prefix": "team"}}
        project.write(".envref.yaml", config(entry))
        project.write(".env", "K=ref://hv/k\n")
        finding = only(findings(project), "misplaced-secret")
        assert "below team/app" in finding.message
        assert finding.hint == "write project_namespace: project into the config of this backend"
        server.put("team/k", {"value": "marker-51c"})
        assert findings(project) == {}


@pytest.mark.parametrize(
    ("options", "carries_project", "could_be"),
    [({"prefix": "team"}, False, True), ({"prefix": "team"}, True, False), ({}, False, False), ({}, True, False)],
)
def test_where_secrets_could_be_misplaced(options, carries_project, could_be):
    """Below a prefix of one's own that does not carry the project's name."""
    backend = types.SimpleNamespace(carries_project=carries_project)
    assert stores._could_be_misplaced(types.SimpleNamespace(options=options, backend=backend)) is could_be


def test_a_store_that_may_not_be_listed_has_nothing_misplaced(passwords, monkeypatch):
    """Whoever may read may still not be allowed to list."""
    passwords.write("store/team/app/k.gpg", "x")
    assert list(findings(passwords)) == ["misplaced-secret"]

    def denied(*_):
        raise BackendDenied("denied")

    monkeypatch.setattr("envref.backends.password_store.store.PassStore.list", denied)
    assert findings(passwords) == {}


@pytest.mark.parametrize(("keys", "shown"), [("abc", "a, b, c"), ("abcd", "a, b, c, …")])
def test_three_misplaced_secrets_are_named(passwords, keys, shown):
    """And that there are more."""
    passwords.write(".env", "".join(f"{key.upper()}=ref://pw/{key}\n" for key in keys))
    for key in keys:
        passwords.write(f"store/team/app/{key}.gpg", "x")
    assert only(findings(passwords), "misplaced-secret").message.endswith(f"are not read: {shown}")


def test_it_is_said_how_a_store_was_asked(capfd, monkeypatch):
    """With -v, where the store knows it."""
    monkeypatch.setattr(streams, "level", streams.VERBOSE)
    ways = [types.SimpleNamespace(name="a", way="directly"), types.SimpleNamespace(name="b", way="")]
    case = types.SimpleNamespace(stores=types.SimpleNamespace(items=lambda: [(each, []) for each in ways]))
    assert list(stores.unready_stores(case)) == []
    assert capfd.readouterr().err == 'backend "a": asked directly\n'
