"""Several stores of the user documentation in one project, and its troubleshooting: configs as they stand there.

GNOME keyring, OpenBao (as `vault`) and `aws` are real programs; moto emulates the services of AWS; `op` is a double.
"""

from __future__ import annotations

import pytest

from tests.backends.doubles.onepassword.account import installed
from tests.backends.stores import aws, openbao
from tests.backends.stores.shim import recorded
from tests.backends.vaults import PASSPHRASE

SHARED = """\
project: my-app

backends:
  - name: keychain
    type: keychain
  - name: ssm
    type: aws-ssm
    config:
      prefix: /my-app/shared
      region: us-west-2
"""
TEAM = """\
project: my-app

backends:
  - name: op
    type: 1password
    config:
      vault: Engineering
  - name: vault
    type: vault
"""
ENTERPRISE = """\
project: my-app

backends:
  - name: keychain
    type: keychain
  - name: hcvault
    type: hashicorp-vault
    config:
      mount: secret
      prefix: my-app
      addr: https://vault.internal:8200
  - name: ssm
    type: aws-ssm
    config:
      prefix: /shared/secrets
      region: us-east-1
"""
TYPES = (
    "keychain, vault, 1password, aws-ssm, aws-secrets-manager, hashicorp-vault, oci-vault, doppler, pass, plugin; "
    "for custom backends use type: plugin"
)
NO_ITEM = '1password: op get: "my-app/key" isn\'t an item in the "Engineering" vault (backend "op")'
# moto says "403" where AWS says "AccessDeniedException"
DENIED = 'aws-ssm: denied: 403 for ssm:GetParameter on "/myapp/prod/api_key" (backend "ssm")'
ROLE = "the role needs ssm:GetParameter, ssm:PutParameter, ssm:DeleteParameter and ssm:GetParametersByPath"
SIGNED_OUT = 'hashicorp-vault: denied: permission denied; set VAULT_ADDR and VAULT_TOKEN (backend "hcvault")'
SSM = """\
project: my-app

backends:
  - name: ssm
    type: aws-ssm
    config:
      prefix: /myapp/prod
"""


@pytest.fixture(scope="module")
def amazon():
    with aws.AwsService() as service:
        yield service


@pytest.fixture(scope="module")
def bao(tmp_path_factory):
    with openbao.OpenBao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def awscli(amazon, tmp_path, monkeypatch):
    """`aws`, signed in to services that hold nothing; it writes down how it was started."""
    return aws.use(amazon, tmp_path / "aws", monkeypatch)


@pytest.fixture
def vaultcli(bao, tmp_path, monkeypatch):
    """`vault`, signed in to a server that holds nothing."""
    made = recorded(tmp_path / "vault", openbao.binary(), "vault")
    openbao.sign_in(monkeypatch, bao, made.path)
    bao.clear()
    return made


@pytest.fixture
def account(tmp_path, monkeypatch):
    """`op`, signed in."""
    return installed(tmp_path / "account", monkeypatch)


def store(project, backend, **values):
    """`envref secret set KEY --backend BACKEND`, the value typed into a pipe."""
    for key, value in values.items():
        done = project.envref("secret", "set", key, "--backend", backend, stdin=value)
        assert done.stderr == f'secret "{key}" stored in backend "{backend}"\n'


def refer(project, *keys):
    project.write(".env", "".join(f"{key.upper()}=ref://secrets/{key}\n" for key in keys))


def resolved(project):
    """What `envref resolve` printed, when it went well."""
    done = project.envref("resolve")
    assert (done.stderr, done.returncode) == ("", 0)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def refusal(project, *arguments):
    """The lines that a command which fails has for people."""
    done = project.envref(*arguments)
    assert (done.stdout, done.returncode) == ("", 1)
    return done.stderr.splitlines()


class TestConfigurations:
    def test_development_with_cloud_fallback(self, project, keychain, awscli):
        """The keychain first; a key that it lacks comes from SSM, which is asked for that key only."""
        project.write(".envref.yaml", SHARED)
        store(project, "keychain", database_url="local")
        store(project, "ssm", database_url="shared", mail_key="of-all")
        refer(project, "database_url", "mail_key")
        awscli.clear()
        assert resolved(project) == {"DATABASE_URL": "local", "MAIL_KEY": "of-all"}
        assert "database_url" not in str(awscli.argvs())
        assert project.envref("secret", "list", "--backend", "ssm").stdout == "database_url\nmail_key\n"

    def test_team_with_1password_and_local_vault_fallback(self, project, account, monkeypatch):
        """The team's secrets are in 1Password; a developer's own in the vault."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        project.write(".envref.yaml", TEAM)
        assert project.envref("vault", "init", "--work-factor", "15").returncode == 0
        store(project, "op", stripe_key="sk_live_abc123")
        store(project, "vault", stripe_key="mine", scratch="own")
        refer(project, "stripe_key", "scratch")
        assert resolved(project) == {"STRIPE_KEY": "sk_live_abc123", "SCRATCH": "own"}
        assert list(account.items("Engineering")) == ["my-app/stripe_key"]

    def test_full_enterprise_stack(self, project, keychain, bao, vaultcli, awscli):
        """Keychain, HashiCorp Vault, SSM: each key from the first that has it, and each store asked once."""
        project.write(".envref.yaml", ENTERPRISE.replace("https://vault.internal:8200", bao.url))
        store(project, "keychain", mine="from the keychain")
        store(project, "hcvault", mine="not this", stripe_key="from Vault")
        store(project, "ssm", mine="nor this", stripe_key="nor that", region_key="from SSM")
        assert bao.members("my-app/stripe_key") == {"value": "from Vault"}
        refer(project, "mine", "stripe_key", "region_key")
        awscli.clear()
        assert resolved(project) == {
            "MINE": "from the keychain",
            "STRIPE_KEY": "from Vault",
            "REGION_KEY": "from SSM",
        }
        assert awscli.count() == 0  # reads go without it (ADR 30)

    def test_an_outage_in_the_middle_is_not_skipped(self, project, keychain, vaultcli, awscli):
        """Vault is away: what the keychain has resolves, and nothing is taken from SSM in Vault's stead."""
        project.write(".envref.yaml", ENTERPRISE.replace("https://vault.internal:8200", "http://127.0.0.1:9"))
        store(project, "keychain", mine="from the keychain")
        store(project, "ssm", stripe_key="another secret")
        refer(project, "mine", "stripe_key")
        done = project.envref("resolve")
        assert (done.stdout, done.returncode) == ("MINE=from the keychain\n", 3)
        assert 'backend "hcvault": hashicorp-vault: unavailable: connection refused (http://127.0.0.1:9)' in done.stderr


class TestTrouble:
    def test_it_is_not_an_item(self, project, account):
        """The key is not in 1Password yet; the cure stores it."""
        project.write(".envref.yaml", TEAM)
        assert refusal(project, "secret", "get", "key", "--backend", "op") == [
            f"error: retrieving secret: {NO_ITEM}",
            "  run: envref secret set key --backend op",
        ]
        store(project, "op", key="v")
        assert project.envref("secret", "get", "key", "--backend", "op").stdout == "v\n"

    @pytest.mark.parametrize(
        ("flox", "cure"),
        [
            ({}, "brew install 1password-cli, then op signin"),
            ({"FLOX_ENV": "/flox"}, "flox install _1password-cli, then op signin"),
        ],
    )
    def test_start_op(self, project, monkeypatch, tmp_path, flox, cure):
        """`op` is not installed; the cure fits where one is."""
        project.write(".envref.yaml", TEAM)
        for name, value in {"PATH": str(tmp_path), **flox}.items():
            monkeypatch.setenv(name, value)
        assert refusal(project, "secret", "get", "key") == [
            'error: retrieving secret: 1password: start op: executable file not found in $PATH (backend "op")',
            f"  run: {cure}",
        ]

    def test_vault_locked(self, project, account, monkeypatch):
        """The vault has been locked; the cure unlocks it."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        project.write(".envref.yaml", TEAM)
        assert project.envref("vault", "init", "--work-factor", "15").returncode == 0
        store(project, "vault", key="v")
        assert project.envref("vault", "lock").returncode == 0
        locked = ["error: retrieving secret: vault: locked", "  run: envref vault unlock"]
        assert refusal(project, "secret", "get", "key") == locked
        assert project.envref("vault", "unlock").returncode == 0
        assert project.envref("secret", "get", "key").stdout == "v\n"

    def test_unknown_backend_type(self, project):
        """All ten types are named, and the way to one of your own."""
        project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: x\n    type: wat\n")
        (line,) = refusal(project, "secret", "get", "key")
        assert line.endswith(f'unknown backend type "wat" (backend "x"); recognized types: {TYPES}')

    def test_aws_ssm_permission_errors(self, project, amazon, awscli, monkeypatch):
        """A role without the permissions is told which; with those of the documentation it works."""
        project.write(".envref.yaml", SSM)
        documented = [f"ssm:{each}" for each in ("GetParameter", "PutParameter", "DeleteParameter")]
        documented.append("ssm:GetParametersByPath")
        try:
            use(monkeypatch, amazon.limited_to("sts:GetCallerIdentity"))
            assert refusal(project, "secret", "get", "api_key") == [
                f"error: retrieving secret: {DENIED}",
                f"  hint: {ROLE}",
            ]
            amazon.unlimited()
            amazon.reset()
            use(monkeypatch, amazon.limited_to(*documented))
            store(project, "ssm", api_key="v")
            assert project.envref("secret", "get", "api_key").stdout == "v\n"
        finally:
            amazon.unlimited()

    def test_hashicorp_vault_authentication_errors(self, project, bao, vaultcli, monkeypatch):
        """Without a token the message names the two variables; with them it works."""
        project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: hcvault\n    type: hashicorp-vault\n")
        monkeypatch.delenv("VAULT_TOKEN")
        assert refusal(project, "secret", "set", "key", "--value", "v")[1:] == [
            f"error: storing secret: {SIGNED_OUT}",
            "  run: vault login",
        ]
        monkeypatch.setenv("VAULT_TOKEN", openbao.TOKEN)
        store(project, "hcvault", key="v")


def use(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_every_type_is_listed(project):
    """`envref backend list --all`: ten types, each with a line about it."""
    project.write(".envref.yaml", ENTERPRISE)
    listed = project.envref("backend", "list", "--all").stdout
    configured, _, types = listed.partition("Supported backend types:\n")
    assert [line.split() for line in configured.splitlines()[1:] if line] == [
        ["keychain", "type=keychain"],
        ["hcvault", "type=hashicorp-vault"],
        ["ssm", "type=aws-ssm"],
    ]
    assert len(types.splitlines()) == 10
