"""claim: what fnox.toml, secretspec.toml and a manifest's hook refer to, as references of envref.

The files are made up in the formats of the tools' own documentation.
"""

from __future__ import annotations

import pytest

from envref.errors import MalformedFile
from envref.project.config.model import BackendConfig, Config
from envref.refs.reference import Reference
from envref.secrets import fnox, hook_commands, secretspec
from envref.secrets.claim import reference

STORES = {
    "op": ("1password", {"vault": "Engineering"}),
    "sm": ("aws-secrets-manager", {"region": "us-east-1"}),
    "ssm": ("aws-ssm", {"region": "us-east-1", "profile": "production"}),
    "bao": ("hashicorp-vault", {}),
    "pw": ("pass", {}),
    "kc": ("keychain", {}),
    "dp": ("doppler", {}),
}
CONFIG = Config(
    backends=tuple(BackendConfig(name=name, type=kind, options=options) for name, (kind, options) in STORES.items())
)


def taken(claims):
    """What becomes of each variable: text, a reference, or the reason why not."""
    found = {}
    for claim in claims:
        value, reason = (claim.text, "") if claim.text is not None else reference(claim, CONFIG)
        found[claim.name] = value or f"left: {reason}"
        if value.startswith("ref://"):
            assert Reference.parse(value).foreign
    return found


FNOX = """\
default_provider = "age"
[providers]
age = { type = "age", recipients = ["age1..."] }
op = { type = "1password", vault = "Engineering" }
aws = { type = "aws-sm", region = "us-east-1", prefix = "myapp/" }
far = { type = "aws-sm", region = "eu-west-1" }
ps = { type = "aws-ps", region = "us-east-1", profile = "production", prefix = "/myapp/" }
kv = { type = "vault", path = "secret/myapp" }
pw = { type = "password-store", prefix = "fnox/" }
kc = { type = "keychain", service = "fnox" }
dp = { type = "doppler", project = "shop", config = "prd" }
plain = { type = "plain" }
[secrets]
X = { SECRET }
[profiles.production.providers]
live = { type = "1password", vault = "Engineering" }
[profiles.production.secrets]
STRIPE_KEY = { provider = "live", value = "Stripe live" }
"""


def of_fnox(secret, profile=None):
    return taken(fnox.claims(FNOX.replace("SECRET", secret), "fnox.toml", profile))


@pytest.mark.parametrize(
    ("secret", "result"),
    [
        ('provider = "op", value = "Stripe/secret-key"', "ref://op//Stripe#secret-key"),
        ('provider = "op", value = "Stripe"', "ref://op//Stripe#password"),
        ('provider = "op", value = "op://Other/Stripe/key"', "ref://op//op://Other/Stripe/key"),
        ('provider = "aws", value = "db", json_path = "a.b"', "ref://sm//myapp/db#/a/b"),
        ('provider = "ps", value = "db"', "ref://ssm///myapp/db"),
        ('provider = "kv", value = "db/password", default = "a b"', "ref://bao//myapp/db?default=a%20b#password"),
        ('provider = "kv", value = "db", if_missing = "ignore"', "ref://bao//myapp/db?optional#value"),
        ('provider = "pw", value = "github"', "ref://pw//fnox/github"),
        ('provider = "kc", value = "token"', "ref://kc//fnox/token"),
        ('provider = "dp", value = "API_KEY"', "ref://dp//shop/prd/API_KEY"),
        ('provider = "plain", value = "x y"', "x y"),
        ('default = "info"', "info"),
    ],
)
def test_fnox(secret, result):
    """Each provider, in the words of its own documentation, and what reads a part of a secret."""
    assert of_fnox(secret) == {"X": result}


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ('value = "YWdl"', "run: fnox get X | envref secret set x --env X"),
        ('provider = "far", value = "x"', "type: aws-secrets-manager, region: eu-west-1"),
        ('provider = "op", value = "x", as_file = true', "envref has nothing like as_file"),
        ('description = "x"', "it has no value in this file"),
        ('provider = "nowhere", value = "x"', "it has no value in this file"),
    ],
)
def test_what_fnox_has_and_envref_does_not(secret, reason):
    """Ciphertext, another region, a file: never another secret, never a text for one."""
    [result] = of_fnox(secret).values()
    assert result.startswith("left: ")
    assert reason in result


def test_a_profile_of_fnox():
    """Its own secrets, with its own providers."""
    assert of_fnox('default = "info"', "production") == {"STRIPE_KEY": "ref://op//Stripe%20live#password"}


SECRETSPEC = """\
[project]
name = "web"
revision = "1.0"
[providers]
prod = "onepassword://Engineering"
other = "onepassword://Other"
named = { uri = "onepassword://Engineering", ref = { item = "{project}-{profile}", field = "{key}" } }
kr = "keyring://"
pw = "pass://shared/{profile}/{key}"
ssm = "awsps://production@us-east-1?prefix=/myteam"
sm = "awssm://us-east-1"
v = "vault://vault.example.com:8200/secret"
dot = "dotenv://.env"
[profiles.default]
X = { description = "x", SECRET }
[profiles.production.defaults]
providers = ["kr"]
[profiles.production]
X = { required = true }
"""


def of_secretspec(secret, profile=None):
    return taken(secretspec.claims(SECRETSPEC.replace("SECRET", secret), "secretspec.toml", profile))


@pytest.mark.parametrize(
    ("secret", "result"),
    [
        ('providers = ["prod"]', "ref://op//secretspec/web/default/X#value"),
        ('providers = ["prod"], ref = { item = "Postgres", field = "url" }', "ref://op//Postgres#url"),
        ('providers = ["other"], ref = { vault = "Engineering", item = "P" }', "ref://op//P#value"),
        ('providers = ["named"]', "ref://op//web-default#X"),
        (
            'providers = ["onepassword://Engineering"], required = false',
            "ref://op//secretspec/web/default/X?optional#value",
        ),
        ('providers = ["kr"]', "ref://kc//secretspec/web/default/X"),
        ('providers = ["keyring"], ref = { item = "com.app", field = "me" }', "ref://kc//com.app/me"),
        ('providers = ["pw"]', "ref://pw//shared/default/X"),
        ('providers = ["gopass"]', "ref://pw//secretspec/web/default/X"),
        ('providers = ["ssm"]', "ref://ssm///myteam/secretspec/web/default/X"),
        ('providers = ["sm"], default = "a"', "ref://sm//secretspec/web/default/X?default=a"),
        ('providers = ["sm"], ref = { item = "db" }, extract = { format = "json", pointer = "/a" }', "ref://sm//db#/a"),
        ('providers = ["v"]', "ref://bao//secretspec/web/default/X#value"),
        ('default = "a"', "a"),
        ('providers = ["pw"], as_path = true', "ref://pw//shared/default/X?as=file"),
        (
            'providers = ["sm"], as_path = true, default = "a b"',
            "ref://sm//secretspec/web/default/X?as=file&default=a%20b",
        ),
        ('providers = ["sm"], as_path = true, required = false', "ref://sm//secretspec/web/default/X?as=file&optional"),
    ],
)
def test_secretspec(secret, result):
    """Where SecretSpec keeps a secret by itself, what `ref` names, and what needs no store."""
    assert of_secretspec(secret) == {"X": result}


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ('providers = ["other"]', "type: 1password, vault: Other"),
        ('providers = ["dot"]', "run: secretspec get X | envref secret set x --env X"),
        ("required = true", "its provider stands in its user's own config"),
        ('composed = "a${B}"', "does not read composed"),
        ('default = "text", as_path = true', "store that text, and refer to it with ?as=file"),
    ],
)
def test_what_secretspec_has_and_envref_does_not(secret, reason):
    """Another vault, another kind of store, a provider that the file does not name."""
    [result] = of_secretspec(secret).values()
    assert result.startswith("left: ")
    assert reason in result


def test_a_profile_of_secretspec():
    """It inherits what the default profile declares, and has a provider and a place of its own."""
    assert of_secretspec("required = false", "production") == {"X": "ref://kc//secretspec/web/production/X"}


UNKNOWN = "left: no store of envref knows the command"


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ('$(security find-generic-password -a "$USER" -s "github-work-token" -w)', "ref://kc//github-work-token"),
        ("$(security find-generic-password -a me -s token -w)", "ref://kc//token/me"),
        ("$(secret-tool lookup service name account user)", "ref://kc//service%3Dname%2Caccount%3Duser"),
        ('$(op read "op://Personal/GitHub Work/credential")', "ref://op//op://Personal/GitHub%20Work/credential"),
        ('"$(vault kv get -field=token secret/github-work)"', "ref://bao//github-work#token"),
        ("$(bao kv get -mount=secret -field=token github-work)", "ref://bao//github-work#token"),
        ("$(aws secretsmanager get-secret-value \\\n --secret-id token \\\n --query SecretString)", "ref://sm//token"),
        ("$(doppler secrets get NAME --plain)", "ref://dp//NAME"),
        ("$(doppler secrets get NAME --plain -p shop -c prd)", "ref://dp//shop/prd/NAME"),
        ("`pass show github/work-token`  # mine", "ref://pw//github/work-token"),
        ("$(pass show github/work-token | head -1)", "left: its command is more than one program's call"),
        ("$(aws secretsmanager get-secret-value --secret-id token --version-id 1)", UNKNOWN),
        ("$(vault kv get secret/github-work)", UNKNOWN),
        ("$(date)", UNKNOWN),
        ('$(op read "$ITEM")', "left: its command depends on another variable"),
        ('$(pass show "work/$ITEM")', "left: its command depends on another variable"),
    ],
)
def test_a_manifest_s_hook(command, result):
    """The commands of Flox's page, as they stand there, and what only looks like one."""
    text = f"version = 1\n[hook]\non-activate = '''\n  export X={command}\n  echo hello\n'''\n"
    assert taken(hook_commands.claims(text, "manifest.toml", None)) == {"X": result}


@pytest.mark.parametrize("reader", [fnox, secretspec, hook_commands])
def test_what_is_not_toml_has_its_place(reader):
    """File, line and column."""
    with pytest.raises(MalformedFile, match=r"f\.toml:2:\d+: not valid TOML"):
        list(reader.claims("a = 1\nb = = 2\n", "f.toml", None))


@pytest.mark.parametrize(
    "text", ["secrets = 1", "secrets = {A = 1}", "profiles = {default = 1}", "hook = {on-activate = 1}", ""]
)
@pytest.mark.parametrize("reader", [fnox, secretspec, hook_commands])
def test_a_file_of_another_shape_has_nothing_to_take(reader, text):
    """No traceback, whatever somebody's file holds."""
    assert not [claim for claim in reader.claims(text, "f.toml", None) if claim.text is not None or claim.said]


INHERITED = """\
[profiles.default]
A = { providers = ["gopass"], default = "a" }
B = { default = "b" }
[profiles.production.defaults]
inherit = INHERIT
[profiles.production]
A = { required = true }
B = { required = true }
"""


@pytest.mark.parametrize(
    ("inherit", "values"),
    [
        ("true", {"A": "ref://pw//secretspec//production/A?default=a", "B": "b"}),
        ("false", {"A": None, "B": None}),
    ],
)
def test_a_profile_of_secretspec_inherits_unless_it_says_not_to(inherit, values):
    """What the default profile says of the same name."""
    text = INHERITED.replace("INHERIT", inherit)
    found = taken(secretspec.claims(text, "secretspec.toml", "production"))
    assert {name: None if value.startswith("left: ") else value for name, value in found.items()} == values
    usual = text.replace(f"inherit = {inherit}", "")
    assert taken(secretspec.claims(usual, "secretspec.toml", "production"))["B"] == "b"
