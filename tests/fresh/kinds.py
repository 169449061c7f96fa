"""Stores with versions, written to past envref: a fixture each, for what has to hold in all of them."""

from __future__ import annotations

import base64
import time
import urllib.error

import pytest

from tests.backends.stores.oci import Account, LoadedOci, options
from tests.backends.stores.openbao import OpenBao, link, sign_in
from tests.backends.stores.pass_store import AUTHOR, GnuPg, Passwords


class Parameters:
    """Parameter Store."""

    entry = {"name": "store", "type": "aws-ssm"}  # noqa: RUF012

    def __init__(self, service):
        self._call = service.call

    def put(self, key, value):
        more = {"Type": "SecureString", "Overwrite": True}
        self._call("AmazonSSM.PutParameter", Name=f"/envref/app/{key}", Value=value, **more)

    def delete(self, key):
        self._call("AmazonSSM.DeleteParameter", Name=f"/envref/app/{key}")

    def drop(self, key):
        """Takes the first version away, and leaves another one."""
        self.delete(key)
        time.sleep(1.1)  # moto counts seconds
        self.put(key, "made again")

    make_again = drop


class Managed:
    """Secrets Manager."""

    entry = {"name": "store", "type": "aws-secrets-manager"}  # noqa: RUF012

    def __init__(self, service):
        self._call = service.call

    def put(self, key, value):
        name = f"envref/app/{key}"
        try:
            self._call("secretsmanager.CreateSecret", Name=name, SecretString=value)
        except urllib.error.HTTPError:
            self._call("secretsmanager.PutSecretValue", SecretId=name, SecretString=value)

    def delete(self, key):
        self._call("secretsmanager.DeleteSecret", SecretId=f"envref/app/{key}", ForceDeleteWithoutRecovery=True)

    def drop(self, key):
        self.delete(key)
        self.put(key, "made again")

    make_again = drop

    def roll_back(self, key):
        """AWSCURRENT on the version before."""
        stages = self._call("secretsmanager.DescribeSecret", SecretId=f"envref/app/{key}")["VersionIdsToStages"]
        (now,), (before,) = (
            [version for version, names in stages.items() if stage in names] for stage in ("AWSCURRENT", "AWSPREVIOUS")
        )
        moved = {"VersionStage": "AWSCURRENT", "MoveToVersionId": before, "RemoveFromVersionId": now}
        self._call("secretsmanager.UpdateSecretVersionStage", SecretId=f"envref/app/{key}", **moved)


class Entries:
    """KV 2 of OpenBao."""

    entry = {"name": "store", "type": "hashicorp-vault"}  # noqa: RUF012

    def __init__(self, server):
        self._server = server

    def put(self, key, value):
        self._server.put(f"envref/app/{key}", {"value": value})

    def drop(self, key):
        self._server.ask("POST", f"secret/destroy/envref/app/{key}", {"versions": [1]})


class Bundles:
    """The double of OCI's vault."""

    def __init__(self, service):
        self._service = service
        self._options = options()
        self.entry = {"name": "store", "type": "oci-vault", "config": self._options}

    def put(self, key, value):
        vault, name = self._options["vault_id"], f"app.-{key}"
        secret = self._service.secret(vault, name)
        if secret:
            secret["contents"].append(base64.b64encode(value.encode()).decode())
            secret["current"] = None
        else:
            self._service.put(vault, name, value.encode())

    def delete(self, key):
        self._service.secret(self._options["vault_id"], f"app.-{key}")["lifecycleState"] = "PENDING_DELETION"

    drop = delete

    def make_again(self, key):
        """OCI gives a name away again only once its secret is deleted."""
        self._service.secret(self._options["vault_id"], f"app.-{key}")["lifecycleState"] = "DELETED"
        self.put(key, f"value of {key}")

    def roll_back(self, key):
        self._service.roll_back(self._options["vault_id"], f"app.-{key}", 1)


class Passes:
    """pass, whose store is a git."""

    entry = {"name": "store", "type": "pass"}  # noqa: RUF012

    def __init__(self, passwords):
        self.passwords = passwords

    def put(self, key, value):
        self.passwords.put(f"envref/app/{key}", f"{value}\n".encode())

    def drop(self, key):
        """As a history that was written anew."""
        self.passwords.git("checkout", "-q", "--orphan", "anew")
        self.passwords.git("commit", "-qam", "anew")


@pytest.fixture
def parameters(service, program):
    return Parameters(service)


@pytest.fixture
def managed(service, program):
    return Managed(service)


@pytest.fixture
def entries(tmp_path, monkeypatch):
    with OpenBao(tmp_path / "openbao") as running:
        sign_in(monkeypatch, running, link(tmp_path / "programs", "vault"))
        yield Entries(running)


@pytest.fixture
def bundles(tmp_path, monkeypatch):
    with Account(tmp_path) as account, LoadedOci(tmp_path) as loaded:
        for name, value in account.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", str(loaded.path), prepend=":")
        yield Bundles(account.service)


@pytest.fixture(scope="module")
def gpg():
    with GnuPg() as running:
        yield running


@pytest.fixture
def passes(gpg, home, monkeypatch):
    for name, value in {**gpg.environment, **AUTHOR}.items():
        monkeypatch.setenv(name, value)
    passwords = Passwords(home / ".password-store")
    passwords.keep_versions()
    return Passes(passwords)
