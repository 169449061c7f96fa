"""HashiCorp Vault through the whole of envref: the documented commands, typed as they stand there."""

from __future__ import annotations

import json
import os

import pytest

from tests.backends.stores.openbao import TOKEN, OpenBao, binary, sign_in
from tests.backends.stores.shim import recorded
from tests.lateness import as_set

WARNING = "warning: --value is visible in process lists and shell history; prefer the prompt or stdin\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with OpenBao(tmp_path_factory.mktemp("openbao")) as running:
        running.mount("kv")
        running.ask("POST", "sys/namespaces/engineering")
        running.ask("POST", "sys/namespaces/team-alpha", namespace="engineering")
        running.mount("kv", namespace="engineering/team-alpha")
        yield running


@pytest.fixture
def shim(server, tmp_path, monkeypatch):
    """This process is signed in to the server, which is empty; `vault` writes down how it was called."""
    made = recorded(tmp_path / "shim", binary(), "vault")
    sign_in(monkeypatch, server, made.path)
    server.clear()
    return made


@pytest.fixture
def payments(project, server, shim):
    """The documented project: `hcvault` with a prefix of its own, and its address."""
    configure(project, {"name": "hcvault", "config": {"prefix": "payment-service", "addr": server.url}})
    return project


def configure(project, *backends, **fields):
    entries = [{"type": "hashicorp-vault", **backend} for backend in backends]
    config = {"project": "payment-service", "profiles": {"staging": None}, "backends": entries, **fields}
    project.write(".envref.yaml", json.dumps(config))


def said(done, stdout="", stderr="", status=0):
    assert (done.stdout, done.stderr, done.returncode) == (stdout, stderr, status)


def test_the_documented_example(payments, server, shim):
    """Store two secrets, refer to them, resolve."""
    done = payments.envref("secret", "set", "stripe_key", "--backend", "hcvault", "--value", "sk_live_abc123")
    said(done, stderr=WARNING + 'secret "stripe_key" stored in backend "hcvault"\n')
    done = payments.envref("secret", "set", "webhook_secret", "--backend", "hcvault", stdin="whsec_1\n")
    said(done, stderr='secret "webhook_secret" stored in backend "hcvault"\n')
    assert server.members("payment-service/stripe_key") == {"value": "sk_live_abc123"}
    payments.write(".env", "STRIPE_KEY=ref://secrets/stripe_key\nWEBHOOK_SECRET=ref://hcvault/webhook_secret\n")
    said(payments.envref("resolve"), "STRIPE_KEY=sk_live_abc123\nWEBHOOK_SECRET=whsec_1\n")
    assert not {"sk_live_abc123", "whsec_1", TOKEN} & {part for argv in shim.argvs() for part in argv}


def test_the_documented_namespace(project, server, shim):
    """mount, prefix, addr and namespace together: `kv` of engineering/team-alpha."""
    options = {"mount": "kv", "prefix": "team-alpha/myapp", "addr": server.url, "namespace": "engineering/team-alpha"}
    configure(project, {"name": "hcvault", "config": options})
    project.envref("secret", "set", "key", stdin="v")
    entry = server.ask("GET", "kv/data/team-alpha/myapp/key", namespace="engineering/team-alpha")
    assert entry["data"]["data"] == {"value": "v"}
    said(project.envref("secret", "get", "key"), "v\n")


def test_a_token_in_the_config(project, server, shim, monkeypatch):
    """`token:` and `command:` as documented."""
    monkeypatch.delenv("VAULT_TOKEN")
    options = {"addr": server.url, "token": TOKEN, "command": f"{shim.path}/vault"}
    configure(project, {"name": "hcvault", "config": options})
    project.envref("secret", "set", "key", stdin="v")
    said(project.envref("secret", "get", "key"), "v\n")
    assert server.members("envref/payment-service/key") == {"value": "v"}


def test_set_get_list_and_delete(payments, server):
    """At project scope and at a profile's."""
    payments.envref("secret", "set", "key", stdin="of the project")
    payments.envref("secret", "set", "key", "--profile", "staging", stdin="of staging")
    said(payments.envref("secret", "get", "key", "--backend", "hcvault"), "of the project\n")
    said(payments.envref("secret", "get", "key", "--profile", "staging"), "of staging\n")
    said(payments.envref("secret", "list", "--backend", "hcvault"), "key\n")
    said(payments.envref("secret", "list", "--profile", "staging"), "key\n")
    done = payments.envref("secret", "delete", "key", "--force", "--backend", "hcvault")
    said(done, stderr='secret "key" deleted from backend "hcvault"\n')
    assert server.members("payment-service/key") is None
    assert server.members("payment-service/staging/key") == {"value": "of staging"}
    done = payments.envref("secret", "delete", "key", "--force")
    message = 'deleting secret: hashicorp-vault: secret not found: "payment-service/key" (backend "hcvault")'
    assert done.stderr.splitlines()[0] == f"error: {message}"
    assert done.returncode == 1


def test_generate_and_rotate(payments, server):
    """The value that was is archived, and all of it is deleted at the end."""
    assert payments.envref("secret", "generate", "key", "--length", "20").returncode == 0
    first = server.members("payment-service/key")["value"]
    assert len(first) == 20
    assert payments.envref("secret", "rotate", "key").returncode == 0
    assert server.members("payment-service/key.__history.1") == {"value": first}
    assert payments.envref("secret", "delete", "key", "--force", "--history").returncode == 0
    said(payments.envref("secret", "list", "--all"), stderr="no secrets found\n")


def test_copy_between_projects(project, server, shim):
    """Where names carry the project; refused where they don't."""
    configure(project, {"name": "shared"}, {"name": "own", "config": {"prefix": "mine"}})
    server.put("envref/other/key", {"value": "v"})
    assert project.envref("secret", "copy", "key", "--from", "other").returncode == 0
    assert server.members("envref/payment-service/key") == {"value": "v"}
    assert project.envref("secret", "copy", "key", "--from", "other", "--backend", "own").returncode == 1


def test_profiles_and_the_chain(project, server, shim):
    """Two backends of one type: the profile's value in any wins over the project's in any."""
    configure(
        project, {"name": "a", "config": {"prefix": "a"}}, {"name": "b", "config": {"mount": "kv", "prefix": "b"}}
    )
    server.put("a/key", {"value": "of the project in a"})
    server.put("b/staging/key", {"value": "of staging in b"}, mount="kv")
    server.put("b/only", {"value": "only in b"}, mount="kv")
    project.write(".env", "KEY=ref://secrets/key\nONLY=ref://secrets/only\nB=ref://b/key?default=none\n")
    said(project.envref("resolve"), "KEY=of the project in a\nONLY=only in b\nB=none\n")
    said(project.envref("resolve", "--profile", "staging"), "KEY=of staging in b\nONLY=only in b\nB=of staging in b\n")


def test_names_of_existing_secrets(project, server, shim):
    """`//NAME` and `names:`, with fields; read-only."""
    configure(
        project,
        {
            "name": "hcvault",
            "names": {"db_password": "legacy/db#password", "staging/db_password": "legacy/db#staging", "whole": "raw"},
        },
    )
    server.put("legacy/db", {"password": "pw", "staging": "staging pw", "value": '{"host": "db.test"}'})
    server.put("raw", {"value": "plain"})
    project.write(
        ".env",
        "HOST=ref://hcvault//legacy/db#host\nPASSWORD=ref://secrets/db_password\nWHOLE=ref://secrets/whole\n",
    )
    said(project.envref("resolve"), "HOST=db.test\nPASSWORD=pw\nWHOLE=plain\n")
    assert "PASSWORD=staging pw\n" in project.envref("resolve", "--profile", "staging").stdout
    done = project.envref("secret", "set", "db_password", stdin="x")
    message = 'key "db_password" is mapped to an existing secret in backend "hcvault"; change it there'
    said(done, stderr=f"error: {message}\n", status=1)


def test_many_references_and_no_process(payments, server, shim):
    """Forty references at two scopes: one connection, in the hot door too."""
    for number in range(40):
        server.put(f"payment-service/k{number:02}", {"value": f"v{number}"})
    payments.write(".env", "".join(f"K{number:02}=ref://secrets/k{number:02}\n" for number in range(40)))
    done = payments.envref("resolve", "--profile", "staging")
    said(done, "".join(f"K{number:02}=v{number}\n" for number in range(40)))
    exported = payments.envref("resolve", "--export", "--shell", "sh")
    assert exported.stdout.count("export K") == 40
    assert shim.count() == 0


@pytest.mark.parametrize("many", [1, 5])
def test_who_is_not_signed_in_is_told_how(payments, monkeypatch, many):
    """commands.md 13, row 14; and the documented cure, VAULT_TOKEN."""
    monkeypatch.delenv("VAULT_TOKEN")
    payments.write(".env", "".join(f"K{number}=ref://secrets/k{number}\n" for number in range(many)))
    done = payments.envref("resolve")
    assert done.returncode == 3
    message = "hashicorp-vault: denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
    names = ", ".join(f"K{number}" for number in range(many))
    about = "K0: failed to resolve ref://secrets/k0" if many == 1 else names
    assert done.stderr.splitlines() == [
        f'error: {about}: backend "hcvault": {message}',
        "  run: vault login",
        f"{many} reference(s) could not be resolved",
    ]


def test_a_refused_token_of_the_environment_is_unset_first(payments, monkeypatch):
    """VAULT_TOKEN comes before what `vault login` stores, so that signing in alone cures nothing (ST-F5)."""
    monkeypatch.setenv("VAULT_TOKEN", "hvs.old")
    payments.write(".env", "K=ref://secrets/k\n")
    assert payments.envref("resolve").stderr.splitlines()[1] == "  run: unset VAULT_TOKEN, then vault login"


def test_a_server_that_is_away(project, server, shim):
    """commands.md 13, row 15; with `optional` the store is skipped with a warning."""
    away = {"name": "away", "config": {"addr": "http://127.0.0.1:9"}}
    configure(project, away, {"name": "here"})
    server.put("envref/payment-service/key", {"value": "v"})
    project.write(".env", "KEY=ref://secrets/key\n")
    message = "hashicorp-vault: unavailable: connection refused (http://127.0.0.1:9)"
    done = project.envref("resolve")
    assert done.stderr.startswith(f'error: KEY: failed to resolve ref://secrets/key: backend "away": {message}\n')
    done = project.envref("secret", "get", "key", "--backend", "away")
    assert done.stderr.startswith(f'error: retrieving secret: {message} (backend "away")')
    configure(project, {**away, "optional": True}, {"name": "here"})
    said(project.envref("resolve"), "KEY=v\n", f'warning: backend "away" skipped: {message}\n')


def test_a_program_that_hangs_ends_with_the_limit(payments, tmp_path, monkeypatch):
    """--timeout limits the whole command."""
    program = tmp_path / "hang" / "vault"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nsleep 600 & sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    payments.write(".env", "KEY=ref://secrets/key\n")
    done = payments.envref("resolve", "--timeout", "1")
    assert "hashicorp-vault: no answer within 1 s; raise --timeout or the backend's timeout" in as_set(done.stderr, 1)
    assert done.returncode == 3


def test_an_absent_secret_is_named_with_the_command_that_sets_it(payments):
    """By its key as it was set, not by its path."""
    payments.write(".env", "KEY=ref://secrets/key\n")
    said(
        payments.envref("resolve"),
        stderr='error: KEY: failed to resolve ref://secrets/key: secret "key" not found in any backend '
        '(hashicorp-vault: secret not found (backend "hcvault")); run: envref secret set key\n'
        "1 reference(s) could not be resolved\n",
        status=3,
    )
