"""audit: what looks like a secret, and what does not."""

from __future__ import annotations

import pytest

from envref.checks.audit import entropy, findings, suspicion
from envref.env.file import EnvFile


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
    "password in a URL": "postgres://app:" + "hunter2@db/app",
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
    "name", ["APP_SECRET", "db_password", "PASSWD", "X_TOKEN", "MY_API_KEY", "APIKEY", "SIGNING_KEY_2", "CREDENTIALS"]
)
def test_a_name_tells_from_eight_bytes_on(name):
    """Seven bytes may be a placeholder; eight are judged by the name, whatever its letter case."""
    assert reason(f"{name}=changeme") == "key name suggests a secret and value is non-trivial (8 chars)"
    assert reason(f"{name}=changem") == ""


def test_bytes_decide_and_characters_are_shown():
    """Four umlauts are eight bytes."""
    assert reason("TOKEN=üüüü") == "key name suggests a secret and value is non-trivial (4 chars)"


def test_entropy_decides_from_sixteen_bytes_on():
    """Random text of any name; the least entropy can be chosen."""
    assert reason("X=k3J9x/Qm2Lr8Vb+T") == "high-entropy value (4.00 bits/char) may be a secret"
    assert reason("X=k3J9x/Qm2Lr8Vb+") == ""
    assert reason("X=k3J9x/Qm2Lr8Vb+T", least_entropy=4.5) == ""
    assert reason("X=aaaaaaaaaaaaaaaaaaaaaaaa") == ""


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
