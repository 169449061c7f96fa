"""docs/stores.md, "What people already have": every cell is a reference that the store's own program answers.

Each reference is pasted from the page into a .env, once alone and once among all of its store. A store's secrets are
put there past envref. Real programs: `aws` (its services are moto's), OpenBao, pass with GnuPG, and GNOME Keyring.
`oci` and `doppler` are real too and talk to doubles of their services; `op` is a double, for the real one needs an
account. The keychains of macOS, Windows and KDE have met no test.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import re
import subprocess
from typing import NamedTuple

import pytest

from tests.backends.doubles.doppler_service import DopplerService
from tests.backends.doubles.onepassword.account import TOKEN, field, installed
from tests.backends.stores import doppler, oci, openbao
from tests.backends.stores.aws import AwsService
from tests.backends.stores.pass_store import AUTHOR, GnuPg, Passwords
from tests.backends.stores.secret_service import SecretService
from tests.cli.conftest import config
from tests.conftest import ROOT
from tests.requirements import need

REGION = "eu-central-1"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"

# What each reference of the page is there; the name of a backend is the first part of its references.
CELLS = {
    "op": {
        "ref://op//GitHub%20Work%20Token": "op-title",
        "ref://op//Stripe#live%20key": "op-field",
        "ref://op//GitHub#Prod/token": "op-section",
        "ref://op//GitHub#one-time%20password?attribute=otp": "481920",
        "ref://op//Kubeconfig#config.yaml": "kind: Config\n",
        "ref://op//op://Engineering/Stripe/live/key": "op-pasted",
        "ref://op//op://Personal/GitHub%20Work%20Token/credential": "op-title",
    },
    "ssm": {
        "ref://ssm///shop/db_password": "ssm-newest",
        "ref://ssm//shop/db_password": "ssm-newest",
        "ref://ssm//arn:aws:ssm:eu-central-1:123456789012:parameter/shop/db_password": "ssm-newest",
        "ref://ssm///shop/db_password?version=3": "ssm-third",
        "ref://ssm///shop/db_password?version=good": "ssm-first",
    },
    "sm": {
        "ref://sm//prod/database#password": "sm-newest",
        "ref://sm//prod/database#/replicas/0/password": "sm-replica",
        "ref://sm//prod/database?version=AWSPREVIOUS#password": "sm-previous",
        "ref://sm//prod/certificate?encoding=base64": "sm-certificate",
        "ref://sm//github-work-token": "sm-token",
    },
    "vault": {
        "ref://vault//apps/shop/database#password": "bao-4",
        "ref://vault//apps/shop#/db/hosts/0": "bao-host",
        "ref://vault//apps/shop/database?version=3#password": "bao-3",
        "ref://vault//github-work#token": "bao-token",
    },
    "oci": {
        "ref://oci//db-password": "oci-third",
        "ref://oci//ocid1.vaultsecret.oc1.iad.amaaaa": "oci-far",
        "ref://oci//db-password?version=2": "oci-second",
        "ref://oci//db-password?version=PREVIOUS": "oci-second",
    },
    "doppler": {
        "ref://doppler//STRIPE_KEY": "doppler-dev",
        "ref://doppler//production/STRIPE_KEY": "doppler-production",
        "ref://doppler//billing/prd/STRIPE_KEY": "doppler-billing",
        "ref://doppler//GH_TOKEN": "doppler-token",
    },
    "pass": {
        "ref://pass//web/example.com": "pass-newest",
        "ref://pass//web/example.com#user": "bob",
        "ref://pass//ssh/deploy#*": KEY,
        "ref://pass//web/example.com?version=HEAD~1": "pass-before",
        "ref://pass//github/work-token": "pass-token",
    },
    "keychain": {
        "ref://keychain//github-work-token": "keychain-login",
        "ref://keychain//github-work-token/bob": "keychain-login",
        "ref://keychain//https://upload.pypi.org/legacy//bob": "keychain-url",
        "ref://keychain//github/": "keychain-empty",
        "ref://keychain//service=github,account=bob": "keychain-account",
        "ref://keychain//Title=GitHub,UserName=bob": "keychain-attributes",
    },
}
# What the page words are said of without a reference, or with one of several: the same, tried in the same way.
MORE = {
    "op": {"ref://op//item0000000000000000000000": "op-title"},
    "sm": {f"ref://sm//arn:aws:secretsmanager:{REGION}:123456789012:secret:github-work-token": "sm-token"},
    "pass": {"ref://pass//ssh/deploy": KEY},
    "other_op": {"ref://other_op//GitHub%20Work%20Token": "op-title"},  # a backend of its own with `account:`
    "team_kv": {"ref://team_kv//shop#password": "bao-mount"},  # one with `mount:`
    "kv1": {"ref://kv1//shop#password": "bao-version-1"},  # and one of KV 1
}
WORLD_OF = {"other_op": "op", "team_kv": "vault", "kv1": "vault"}  # backends in the world of another
ALL = {name: CELLS.get(name, {}) | MORE.get(name, {}) for name in {**CELLS, **MORE}}
OPTIONS = {"account": "other_op", "mount": "team_kv"}


class World(NamedTuple):
    """A store as somebody has it: the backends for it, and the environment in which its program finds it."""

    backends: list
    environment: dict
    path: str = ""


@contextlib.contextmanager
def onepassword(directory):
    with pytest.MonkeyPatch.context() as patch:
        account = installed(directory / "account", patch)
        path = str(directory / "account" / "bin")
        environment = {"OP_DOUBLE": os.environ["OP_DOUBLE"]}
    account.change(accounts=["my.1password.com", "team.1password.com"], tokens=[TOKEN])
    account.add("GitHub Work Token", field("credential", "op-title"), category="API_CREDENTIAL")
    section = {"section": {"id": "s1", "label": "Prod"}}
    code = {"type": "OTP", "totp": "481920"}
    account.add(
        "GitHub",
        field("password", "p"),
        {**field("token", "op-section"), **section},
        field("one-time password", "otpauth://totp/x", **code),
        category="LOGIN",
    )
    account.add("Stripe", field("live key", "op-field"), category="API_CREDENTIAL")
    live = {"section": {"id": "s2", "label": "live"}}
    account.add("Stripe", {**field("key", "op-pasted"), **live}, vault="Engineering", category="API_CREDENTIAL")
    file = {"id": "f1", "name": "config.yaml", "content": "kind: Config\n"}
    account.add("Kubeconfig", field("notesPlain"), category="DOCUMENT", files=[file])
    backends = [
        {"name": "op", "type": "1password", "config": {"account": "my.1password.com"}},
        {"name": "other_op", "type": "1password", "config": {"account": "team.1password.com"}},
    ]
    yield World(backends, environment, path)


@contextlib.contextmanager
def aws(directory):
    with AwsService() as service:
        call = functools.partial(service.call, region=REGION)
        parameter = {"Name": "/shop/db_password", "Type": "SecureString", "Overwrite": True}
        for value in ("ssm-first", "ssm-second", "ssm-third", "ssm-newest"):
            call("AmazonSSM.PutParameter", Value=value, **parameter)
        call("AmazonSSM.LabelParameterVersion", Name="/shop/db_password", ParameterVersion=1, Labels=["good"])
        create = functools.partial(call, "secretsmanager.CreateSecret")
        create(Name="prod/database", SecretString='{"password": "sm-previous"}')
        text = json.dumps({"password": "sm-newest", "replicas": [{"password": "sm-replica"}]})
        call("secretsmanager.PutSecretValue", SecretId="prod/database", SecretString=text)
        create(Name="prod/certificate", SecretBinary=base64.b64encode(b"sm-certificate").decode())
        create(Name="github-work-token", SecretString="sm-token")
        environment = {**service.environment, "AWS_DEFAULT_REGION": REGION}
        backends = [{"name": "ssm", "type": "aws-ssm"}, {"name": "sm", "type": "aws-secrets-manager"}]
        yield World(backends, environment, os.path.dirname(service.program))


@contextlib.contextmanager
def hashicorp_vault(directory):
    with openbao.OpenBao(directory / "server") as server:
        for version in range(1, 5):
            server.put("apps/shop/database", {"password": f"bao-{version}"})
        server.put("apps/shop", {"db": {"hosts": ["bao-host"]}})
        server.put("github-work", {"token": "bao-token"})
        server.mount("team/kv")
        server.put("shop", {"password": "bao-mount"}, mount="team/kv")
        server.mount("kv1", version=1)
        server.ask("POST", "kv1/shop", {"password": "bao-version-1"})
        backends = [
            {"name": "vault", "type": "hashicorp-vault"},
            {"name": "team_kv", "type": "hashicorp-vault", "config": {"mount": "team/kv"}},
            {"name": "kv1", "type": "hashicorp-vault", "config": {"mount": "kv1"}},
        ]
        environment = {"VAULT_ADDR": server.url, "VAULT_TOKEN": openbao.TOKEN}
        yield World(backends, environment, openbao.link(directory / "bin", "vault"))


@contextlib.contextmanager
def oci_vault(directory):
    with oci.LoadedOci(directory) as program, oci.Account(directory) as account:
        options = oci.options()
        service, vault = account.service, options["vault_id"]
        service.put(vault, "db-password", b"oci-first")
        later = (base64.b64encode(value).decode() for value in (b"oci-second", b"oci-third"))
        service.secret(vault, "db-password")["contents"].extend(later)
        elsewhere = ("ocid1.vault.oc1.iad.other", "elsewhere", b"oci-far", "ocid1.compartment.oc1..other")
        service.put(*elsewhere, ocid="ocid1.vaultsecret.oc1.iad.amaaaa")
        yield World([{"name": "oci", "type": "oci-vault", "config": options}], account.environment, program.path)


@contextlib.contextmanager
def doppler_service(directory):
    with DopplerService() as service:
        service.configs["dev"] = {"STRIPE_KEY": "doppler-dev", "GH_TOKEN": "doppler-token"}
        service.configs["production"] = {"STRIPE_KEY": "doppler-production"}
        service.others["prd"] = {"STRIPE_KEY": "doppler-billing"}
        path = os.path.dirname(doppler.program())
        yield World([{"name": "doppler", "type": "doppler"}], doppler.environment(service), path)


@contextlib.contextmanager
def passwords(directory):
    with GnuPg() as gpg, pytest.MonkeyPatch.context() as patch:
        for name, value in {**gpg.environment, **AUTHOR}.items():
            patch.setenv(name, value)
        store = Passwords(directory / "store")
        store.keep_versions()
        store.put("ssh/deploy", KEY.encode())
        store.put("github/work-token", b"pass-token\n")
        store.put("web/example.com", b"pass-before\nuser: alice\n")
        store.put("web/example.com", b"pass-newest\nuser: bob\n")
        environment = {**gpg.environment, "PASSWORD_STORE_DIR": str(store.path)}
        yield World([{"name": "pass", "type": "pass"}], environment)


@contextlib.contextmanager
def keychain(directory):
    with SecretService(directory / "keyring") as service:
        for value, attributes in {
            "keychain-login": "service github-work-token account bob",
            "keychain-url": "service https://upload.pypi.org/legacy/ username bob",
            "keychain-account": "service github account bob",
            "keychain-attributes": "Title GitHub UserName bob",
        }.items():
            stored_by_secret_tool(service, value, *attributes.split())
        stored_by_secret_tool(service, "keychain-empty", "service", "github", "account", "")
        environment = {**service.environment, "LOGNAME": "bob", "USER": "bob"}
        yield World([{"name": "keychain", "type": "keychain"}], environment)


def stored_by_secret_tool(service, value, *attributes):
    subprocess.run(
        [need("secret-tool"), "store", "--label=L", *attributes],
        input=value,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, **service.environment},
    )


WORLDS = {
    "op": onepassword,
    "ssm": aws,
    "sm": aws,
    "vault": hashicorp_vault,
    "oci": oci_vault,
    "doppler": doppler_service,
    "pass": passwords,
    "keychain": keychain,
}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Starts a store the first time that it is asked for. No test changes what it holds."""
    with contextlib.ExitStack() as stack:
        start = functools.cache(lambda world: stack.enter_context(world(tmp_path_factory.mktemp("world"))))
        yield lambda name: start(WORLDS[WORLD_OF.get(name, name)])


@pytest.fixture
def values(project, worlds, monkeypatch, trusted):
    """What `envref resolve` makes of references to one store, each the value of a variable, in their order."""

    def resolved(name, references):
        world = worlds(name)
        for variable, value in world.environment.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("PATH", world.path, prepend=":")
        project.write(".envref.yaml", config(*world.backends))
        project.write(".env", "".join(f"V{number}={uri}\n" for number, uri in enumerate(references)))
        done = project.envref("resolve", "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        return [variable["value"] for variable in json.loads(done.stdout)]

    return resolved


@pytest.mark.parametrize(
    ("name", "reference"), [(name, reference) for name, cells in ALL.items() for reference in cells]
)
def test_a_cell_is_answered_alone(values, name, reference):
    """One reference costs other calls than many."""
    assert values(name, [reference]) == [ALL[name][reference]]


@pytest.mark.parametrize("name", [name for name, cells in ALL.items() if len(cells) > 1])
def test_the_cells_of_a_store_are_answered_together(values, name):
    """Versions, fields and foreign places in one question."""
    assert values(name, list(ALL[name])) == list(ALL[name].values())


def section():
    page = (ROOT / "docs/stores.md").read_text(encoding="utf-8")
    return page.partition("## What people already have")[2].partition("\n## ")[0]


def test_every_reference_of_the_page_is_tried_and_no_other():
    """A cell that the page gains or loses is gained or lost here."""
    rows = "".join(line for line in section().splitlines() if line.startswith("|"))
    assert set(re.findall(r"ref://[^\s`]+", rows)) == {reference for cells in CELLS.values() for reference in cells}


def test_every_row_has_a_reference_or_an_option():
    """So no row is without a test: what a row says of `account:` or `mount:` is a backend of its own here."""
    rows = [line for line in section().splitlines() if line.startswith("|")]
    without = [
        row for row in rows if "ref://" not in row and not row.startswith(("|---", "| store ", "| the command "))
    ]
    options = [re.search(r"a backend of its own with `(\w+):`", row) for row in without]
    assert {found and found[1] for found in options} == set(OPTIONS)
    assert all(name in MORE for name in OPTIONS.values())
