"""audit: what looks like a secret, and what does not."""

from __future__ import annotations

import re

import pytest
import yaml

from envref.checks import secret_name
from envref.checks.audit import findings, suspicion
from envref.checks.randomness import entropy, is_random
from envref.cli.audit_files import _is_env_file
from envref.env.file import EnvFile
from tests.conftest import ROOT


def reason(line, **options):
    [entry] = EnvFile.parse(line).entries
    return suspicion(entry, **options)


# One made-up value for each pattern, in the form that its issuer documents. Put together here, so that no scanner of
# this repository takes them for real ones.
KNOWN = {
    "private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
    "age identity": "AGE-SECRET-KEY-1" + "Q" * 58,
    "AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "GitHub token": "ghp_" + "a1" * 18,
    "GitLab token": "glpat-" + "a1" * 10,
    "Stripe key": "sk_live_" + "a1" * 12,
    "Slack token": "xoxb-" + "1234567890",
    "Slack webhook": "https://hooks.slack.com/services/T0/B0/" + "a1b2",
    "Google API key": "AIza" + "a1" * 17 + "b",
    "Google client secret": "GOCSPX-" + "a1" * 14,
    "Anthropic key": "sk-ant-" + "a1" * 20,
    "OpenAI key": "sk-" + "a1" * 20,
    "npm token": "npm_" + "a1" * 18,
    "PyPI token": "pypi-" + "a1" * 30,
    "SendGrid key": "SG." + "a1" * 11 + "." + "b2" * 20,
    "Twilio key": "SK" + "0f" * 16,
    "DigitalOcean token": "dop_v1_" + "0f" * 32,
    "Doppler token": "dp.pt." + "a1" * 20,
    "Vault token": "hvs." + "a1" * 12,
    "JSON Web Token": "eyJ" + "a1" * 8 + ".eyJ" + "b2" * 8 + ".c3",
    "Discord webhook": "https://discord.com/api/webhooks/1/" + "a1" * 34,
    "Supabase key": "sb_secret_" + "a1" * 11,
    "Hugging Face token": "hf_" + "aB" * 17,
    "Resend key": "re_" + "a1" * 5 + "_" + "B2" * 11,
    "Linear key": "lin_api_" + "a1" * 20,
    "Shopify token": "shpat_" + "0f" * 16,
    "Square token": "sq0atp-" + "a1" * 11,
    "Mailgun key": "key-" + "0f" * 16,
    "Mailchimp key": "0f" * 16 + "-us12",
    "Databricks token": "dapi" + "0f" * 16,
    "PostHog key": "phx_" + "a1" * 20,
    "Azure key": "DefaultEndpointsProtocol=https;AccountKey=" + "a1" * 22,
    "password in a URL": "postgres://app:" + "hunter2@db/app",
    "token in a URL": "https://" + "0f" * 16 + "@o1.ingest.sentry.io/2",
    "secret in a URL": "https://api/x?a=1&token=" + "hunter2",
    "credential in a header": "Authorization: Bearer " + "hunter-two",
    "password of a user": "curl -u shop:" + "hunter2",
    "password in an option": "-Xmx1g -Ddb.password=" + "hunter2",
    "password in a connection string": "host=db user=app password=" + "hunter2",
}


@pytest.mark.parametrize("what", KNOWN)
def test_a_known_token_is_called_by_its_issuer(what):
    """The reason names whose token it is, so that one knows where to revoke it."""
    assert reason(f"X='{KNOWN[what]}'") == f"value matches known secret pattern ({what})"


@pytest.mark.parametrize(
    "value",
    [
        *("true", "FALSE", "yes", "no", "on", "off", "null", "none", "localhost", "127.0.0.1", "127.1.2.3", "::1"),
        *("http://localhost", "http://localhost:3000/a/very/long/path/with?query=1", "https://127.0.0.1:8443"),
        *("", "short", "ref://secrets/api_key", "${API_KEY}-and-more-text-that-is-long", "development", "3000"),
        *("http://db/app", "/usr/share/app"),
    ],
)
def test_everyday_values_are_harmless(value):
    """References, flags, loopback addresses, short text."""
    assert reason(f'X="{value}"') == ""


@pytest.mark.parametrize(
    "name",
    [
        *("APP_SECRET", "db_password", "PASSWD", "X_TOKEN", "MY_API_KEY", "APIKEY", "SIGNING_KEY_2", "CREDENTIALS"),
        *(
            "SMTP_PASS",
            "DB_PWD",
            "REDIS_AUTH",
            "KEY_PASSPHRASE",
            "MASTER_KEY",
            "PASSPHRASE",
            "PGPASS",
            "dbPassword",
            "api-key",
        ),
        *("SECRET_KEY_BASE", "DB_PASSWORD_STAGING", "COOKIE_SALT", "my.secret", "OPENAI_KEY", "MAILER_DSN"),
    ],
)
def test_the_last_word_of_a_name_tells(name):
    """However short the value is, and whatever the letter case."""
    assert reason(f"{name}=hunter2") == "key name suggests a secret and value is non-trivial (7 chars)"
    assert reason(f"{name}=A1") == "key name suggests a secret and value is non-trivial (2 chars)"


@pytest.mark.parametrize(
    "line",
    [
        *("TOKEN_URL=https://a.example.com/token", "API_KEY_RATE_LIMIT=60/minute", "PASSWORD_MIN_LENGTH=12"),
        *(
            "MAX_TOKENS=4096",
            "ACCESS_TOKEN=true",
            "SMTP_AUTH=login",
            "PASSWORD_FILE=/run/secrets/db",
            "SORT_KEY=created_at",
        ),
        *(
            "PUBLIC_KEY=abc",
            "STRIPE_PUBLISHABLE_KEY=pk_test_51HxyzABCDEFghijk",
            "BYPASS=hunter2",
            "JWT_KEY=./keys/jwt.pem",
        ),
        *(
            "API_KEY=<your key>",
            "API_KEY=your_api_key",
            "API_TOKEN=xxxxxxxx",
            "DB_PASSWORD='***'",
            "CRON_AUTH='0 20 0 * * *'",
        ),
        *(
            "AUTH=https://login.example.com",
            "MAILER_DSN=smtp://localhost:1025",
            "DB_PASSWORD=${OTHER}",
            "DB_PASSWORD=$OTHER",
        ),
    ],
)
def test_what_only_speaks_of_a_secret_is_none(line):
    """Limits, places, ways to sign in, what stands where a secret will be put."""
    assert reason(line) == ""


def test_a_number_is_a_password_and_no_token():
    """`MAX_TOKEN=4096` says how many, `DB_PASSWORD=123456` is one."""
    assert reason("DB_PASSWORD=123456")
    assert reason("DB_PASSWORD=1234")
    assert not reason("DB_PASSWORD=123")
    assert not reason("DB_PASSWORD=12")
    assert not reason("MAX_TOKEN=4096")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('DATABASE_URL="postgres://shop:S3cretPassw0rd@${DB_HOST}/x"', "password in a URL"),
        ('STRIPE="sk_live_' + "a1" * 12 + '${X:-}"', "Stripe key"),
        ("URL=${URL:-postgres://shop:hunter2@db/x}", "password in a URL"),
        ('URL="redis://:${A+hunter2}@db"', "password in a URL"),
        ("URL=smtp+tls://shop@example.com:hunter2@mail:587", "password in a URL"),
        ("HEADERS=api-key=0123456789abcdef", "credential in a header"),
        ('ARGS="--requirepass hunter2"', "password in an option"),
        ('URL="postgres://shop:hunter2@db/${X"', "password in a URL"),
        ('URL="${A:-${B:-postgres://shop:hunter2@db}}"', "password in a URL"),
    ],
)
def test_what_stands_around_an_interpolation_is_judged(line, what):
    """One `${…}` does not hide the rest of the value, nor its own default."""
    assert reason(line) == f"value matches known secret pattern ({what})"


@pytest.mark.parametrize("operator", [":?", "?"])
def test_what_is_said_of_a_missing_variable_is_no_value(operator):
    """It is a message, and may name any password that somebody could think of."""
    assert reason("URL=${URL" + operator + "as in postgres://shop:hunter2@db}") == ""
    assert reason("PASSWORD=${PASSWORD" + operator + "run: make secrets}") == ""


@pytest.mark.parametrize(
    "value",
    [
        *("postgres://shop:${DB_PASSWORD}@db/x", "http://a:8080/b@c", "x://u:<password>@h", "smtp://a@example.com:587"),
        *("--no-password --verbose", "--password-file /run/secrets/db", "--user 1000:1000", "-u root"),
        *("Authorization,Content-Type", "Authorization: required", "-Ddb.password=${DB_PASSWORD}"),
    ],
)
def test_a_password_that_is_elsewhere(value):
    """It is interpolated, it is a port, it will be filled in, it is in a file."""
    assert reason(f'X="{value}"') == ""


@pytest.mark.parametrize(
    "value",
    [
        *("America/Argentina/Buenos_Aires", "utf8mb4_unicode_ci", "ghcr.io/org/app:1.2.3", "Shop <shop@example.com>"),
        *(
            "redis://cache:6379/1",
            "django.db.backends.postgresql",
            "/var/lib/postgresql/data",
            "--workers 3 --threads 2",
        ),
        *("SomeRandomStringOf32CharsExactly", "7a88fb47-b4e2-43b8-a06c-a5ce950dc53a", "a1-b2.c3-d4.e5-f6.g7-h8.i9"),
        *(
            "abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789",
            "claude-haiku-4-5-20251001",
            "arn:aws:iam::123456789012:role/x",
        ),
    ],
)
def test_words_are_not_random(value):
    """Times zones, images, paths, mail addresses, ids: what 272 findings of entropy were about."""
    assert reason(f"X='{value}'") == ""


ANYBODY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl"  # {"role":"anon"}
SERVICE = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"  # {"role":"service_role"}


@pytest.mark.parametrize(
    "line",
    [
        *("STRIPE_KEY=pk_live_" + "a1" * 12, "MAPBOX_TOKEN=pk.eyJ1IjoiYSJ9.b1", "POSTHOG_KEY=phc_" + "a1" * 20),
        *(f"SUPABASE_KEY={ANYBODY}", "SUPABASE_KEY=sb_publishable_" + "a1" * 11, "X=age1" + "q2" * 29),
        *("KMS_KEY=arn:aws:kms:eu-central-1:123456789012:key/1", "POOL=eu-central-1_AbCdEfGhI", "X=prod_" + "a1B" * 6),
        *("NEXT_PUBLIC_FIREBASE_API_KEY=AIza" + "a1" * 17 + "b", "VITE_API_KEY=k3J9xQm2Lr8VbT7w", f"VITE_X={SERVICE}"),
        *("NUXT_PUBLIC_SENTRY_DSN=https://" + "0f" * 16 + "@o1.ingest.sentry.io/2", "REACT_APP_MAP_TOKEN=hunter2"),
    ],
)
def test_what_every_visitor_gets_is_no_secret(line):
    """Keys that their issuers call publishable, and variables that a framework builds into its pages."""
    assert reason(line) == ""


@pytest.mark.parametrize(
    "line",
    [
        *(f"SUPABASE_KEY={SERVICE}", "VITE_DB_PASSWORD=hunter2", "REACT_APP_CLIENT_SECRET=hunter2"),
        *("NEXT_PUBLIC_STRIPE=sk_live_" + "a1" * 12, "DB_PASSWORD=pk_test_" + "a1" * 12, "TOKEN=eyJh.W10.c2ln"),
        *("VITE_API=https://shop:hunter2@api.example.com", "TOKEN=eyJhbGciOiJIUzI1NiJ9.eyJhbGci.c2lnbmF0dXJl"),
    ],
)
def test_a_password_is_none_for_visitors(line):
    """Whatever the name begins with, and whatever the value looks like."""
    assert reason(line)


def test_a_name_can_expect_random_text():
    """A revision or an id is random, and no secret."""
    token = "k3J9xQm2Lr8VbT7w"
    assert reason(f"X={token}")
    assert not any(reason(f"{name}={token}") for name in ("GIT_COMMIT", "BUILD_ID", "IMAGE_SHA256", "JWT_PUBLIC_KEY"))


@pytest.mark.parametrize(
    "line", ["TOKEN=hunter2 # envref: not-a-secret", "TOKEN='a\nb'# see envref: not-a-secret, tests only"]
)
def test_a_comment_ends_a_case(line):
    """The line's own comment, behind the value; not a text within the value."""
    assert findings([EnvFile.parse(line)]) == []
    assert findings([EnvFile.parse(line.replace("not-a-secret", "a-secret"))])
    assert findings([EnvFile.parse("TOKEN='# envref: not-a-secret'")])


def test_an_example_may_hold_anything_but_a_token_that_was_issued():
    """Made-up passwords are what it is for; a real key in it is the classic leak."""
    text = "DB_PASSWORD=secret\nURL=postgres://a:b@c\nKEY=sk_live_" + "a1" * 12
    assert [finding.key for finding in findings([EnvFile.parse(text, "app/.env.example")])] == ["KEY"]
    assert len(findings([EnvFile.parse(text, ".env")])) == 3


def test_entropy_decides_from_sixteen_bytes_on():
    """Random text of any name; the least entropy can be chosen."""
    assert reason("X=k3J9x/Qm2Lr8Vb+T") == "high-entropy value (4.00 bits/char) may be a secret"
    assert reason("X=k3J9x/Qm2Lr8Vb+") == ""
    assert reason("X=k3J9x/Qm2Lr8Vb+T", least_entropy=4.5) == ""
    assert reason("X=aaaaaaaaaaaaaaaaaaaaaaaa") == ""


def test_random_text_changes_its_kind_often():
    """Thirteen times in fifty characters, by the letter and not one less; of at least that entropy."""
    token = "3pfke78dvpdjhzagqawv4gjtiuix339tr52unjd3dzt829esuj"
    assert is_random(token, 3)
    assert not is_random(f"{token}a", 3)
    assert is_random(token, entropy(token))
    assert not is_random(token, entropy(token) + 0.001)


def test_entropy_is_shannons():
    """Bits a character: none for one symbol, one for two alike, two for four."""
    assert [round(entropy(text), 6) for text in ("aaaa", "abab", "abcd")] == [0, 1, 2]


def test_a_finding_says_where_and_holds_no_value():
    """File, line, name and reason, in the files' order."""
    files = [EnvFile.parse("A=1\nTOKEN=hunter22\n", ".env"), EnvFile.parse("TOKEN=hunter33\n", ".env.local")]
    found = findings(files)
    assert [(finding.file, finding.line, finding.key) for finding in found] == [
        (".env", 2, "TOKEN"),
        (".env.local", 1, "TOKEN"),
    ]
    assert "hunter" not in repr(found)


HOOK = re.compile(yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]["files"])


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((each, True) for each in (".env", ".env.production", ".env_prod", ".env-ci", "docker.env", ".flaskenv")),
        *((each, False) for each in (".envrc", "env.py", "my.environment", "env", ".environment", "x.env.ts")),
    ],
)
def test_the_hook_runs_for_the_files_that_it_looks_at(name, is_one):
    """In every folder; what the hook's pattern lets pass, `audit --staged` reads."""
    assert _is_env_file(name) is is_one
    assert bool(HOOK.search(name)) is bool(HOOK.search(f"apps/api/{name}")) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((each, True) for each in ("DB_PASSWORD", "PGPASS", "PASSPHRASE", "DBPASSWORD", "userpassword", "db-pwd")),
        *((each, False) for each in ("API_TOKEN", "ACCESSTOKEN", "CLIENTSECRET", "APIKEY", "PASSWORD_FILE", "BYPASS")),
    ],
)
def test_a_number_is_a_password_where_the_name_says_so(name, is_one):
    """By its last word, also where it is written as one."""
    assert secret_name.is_password(name) is is_one


@pytest.mark.parametrize(
    ("name", "value", "is_one"),
    [
        ("API_KEY", "hello", True),
        ("SECRET_KEY", "hello world", True),
        ("MY_KEY", "hello", False),
        ("MY_KEY", "hello2", True),
        ("SORT_KEY", "hello2", False),
        ("KEY", "CREATED_AT", False),
    ],
)
def test_a_key_is_a_secret_by_the_word_before_it(name, value, is_one):
    """Or by what it holds."""
    assert secret_name.is_secret(name, value) is is_one
