"""Temporary keys of AWS in the agent: asked for once, by whoever signed in, and never used when AWS refuses them."""

from __future__ import annotations

import hashlib
import json
import time

import pytest

from envref import client
from envref.agent.start import start
from envref.backends.aws.direct import purse as purses
from envref.backends.aws.ssm import AwsSsm
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendLocked
from tests.agent.conftest import told
from tests.backends.asking import keys, soon
from tests.backends.doubles.scripted import http, scripts
from tests.requirements import first_python

pytestmark = first_python

ROLE = "arn:aws:iam::1:role/reader"
ROLES = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{name}</AccessKeyId>
<SecretAccessKey>role-secret-7d</SecretAccessKey><SessionToken>role-token-7d</SessionToken>
<Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
VALUE = {"Parameter": {"Name": "/envref/app/key", "Type": "SecureString", "Value": "v", "Version": 1}}


@pytest.fixture
def script():
    with scripts() as start_server:
        yield start_server


def role(name="ASIAFIRST", seconds=3600):
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return http(ROLES.format(name=name, end=end).encode())


def refused(code):
    return http({"__type": code, "message": "words"}, status="400 Bad Request")


@pytest.fixture
def reads(folder, monkeypatch):
    """Reads a parameter as the role, in what could be another process each time; the requests so far."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAOWN",
        "AWS_SECRET_ACCESS_KEY": "own",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)

    def read(sts, ssm, **options):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.url)
        store = AwsSsm("ssm", role_arn=ROLE, **options)
        store.keep_credentials(client.Agent(folder, start))
        addresses = keys("key")
        return store.get_many(addresses, soon())[addresses[0]]

    return read


def signers(server):
    return [request.partition("Credential=")[2].partition("/")[0] for request in server.requests]


def test_a_role_is_taken_on_once(script, reads, folder):
    """Its keys end before AWS's do; the status shows whose they are, and neither of them."""
    sts, ssm = script(role()), script(http(VALUE), http(VALUE))
    assert [reads(sts, ssm), reads(sts, ssm)] == [Secret("v")] * 2
    assert (signers(sts), signers(ssm)) == (["AKIAOWN"], ["ASIAFIRST"] * 2)
    [row] = told(folder)[4]
    assert row[:3] == ["aws keys", ROLE, "1"]


def test_who_signs_in_anew_gets_other_keys(script, reads, monkeypatch):
    sts, ssm = script(role(), role("ASIAOTHER")), script(http(VALUE), http(VALUE))
    reads(sts, ssm)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    reads(sts, ssm)
    assert signers(ssm) == ["ASIAFIRST", "ASIAOTHER"]


@pytest.mark.parametrize("seconds", [14 * 60, -60])
def test_keys_that_are_about_to_end_are_not_kept(script, reads, seconds):
    """Nor those whose end nobody knows."""
    sts, ssm = script(role(seconds=seconds), role("ASIAOTHER")), script(http(VALUE), http(VALUE))
    reads(sts, ssm)
    reads(sts, ssm)
    assert signers(ssm) == ["ASIAFIRST", "ASIAOTHER"]


def test_they_end(script, reads, monkeypatch):
    """By the seconds that are left of them."""
    monkeypatch.setattr(purses, "_EARLY", 3598)
    sts, ssm = script(role(), role("ASIAOTHER")), script(http(VALUE), http(VALUE))
    reads(sts, ssm)
    time.sleep(2.1)
    reads(sts, ssm)
    assert signers(ssm) == ["ASIAFIRST", "ASIAOTHER"]


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_kept_keys_that_are_refused_are_asked_for_again(script, reads, code):
    """Somebody ended the role's sessions. New ones that are refused too are an error, as without an agent."""
    sts = script(role(), role("ASIAOTHER"), role("ASIATHIRD"))
    ssm = script(http(VALUE), refused(code), http(VALUE), refused(code), refused(code))
    assert [reads(sts, ssm), reads(sts, ssm)] == [Secret("v")] * 2
    assert signers(ssm) == ["ASIAFIRST", "ASIAFIRST", "ASIAOTHER"]
    assert isinstance(reads(sts, ssm), BackendDenied | BackendLocked)
    assert signers(ssm)[3:] == ["ASIAOTHER", "ASIATHIRD"]


def test_a_refusal_that_is_about_something_else_ends_no_keys(script, reads):
    sts, ssm = script(role()), script(http(VALUE), refused("AccessDeniedException"), http(VALUE))
    reads(sts, ssm)
    assert isinstance(reads(sts, ssm), BackendDenied)
    assert reads(sts, ssm) == Secret("v")
    assert signers(ssm) == ["ASIAFIRST"] * 3


def test_a_dead_agent_costs_nothing(script, monkeypatch, reads, folder):
    """The role is taken on as without one."""
    monkeypatch.setattr(client.Agent, "turn", lambda *_: client.Visit({}, {}, None))
    sts, ssm = script(role(), role()), script(http(VALUE), http(VALUE))
    assert [reads(sts, ssm), reads(sts, ssm)] == [Secret("v")] * 2
    assert len(sts.requests) == 2


def test_the_keys_of_a_single_sign_on(script, folder, home, monkeypatch):
    """Kept for its token: after another sign-in they are asked for again."""
    given = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t"}
    end = int(time.time() + 3600) * 1000
    sso = script(*[http({"roleCredentials": {**given, "expiration": end}})] * 2)
    ssm = script(*[http(VALUE)] * 3)
    place = home / ".aws"
    (place / "sso" / "cache").mkdir(parents=True)
    (place / "config").write_text(
        "[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\nregion = us-east-1\n"
        "[sso-session s]\nsso_start_url = https://s.test\nsso_region = us-east-1\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", sso.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.url)
    cache = place / "sso" / "cache" / f"{hashlib.sha1(b's').hexdigest()}.json"
    for token in ("one", "one", "two"):
        cache.write_text(json.dumps({"accessToken": token, "expiresAt": "2999-01-01T00:00:00Z"}))
        store = AwsSsm("ssm", profile="p")
        store.keep_credentials(client.Agent(folder, start))
        assert store.get_many(keys("key"), soon())[keys("key")[0]] == Secret("v")
    assert len(sso.requests) == 2


def test_a_role_s_source_that_is_refused_is_asked_for_again(script, folder, home, monkeypatch):
    """A role that is taken on with another role's keys, which were kept and have been revoked since."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\nregion = us-east-1\n"
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = base\nregion = us-east-1\n"
    )
    sts = script(role("ASIAMIDDLE"), role("ASIALAST"), refused("ExpiredToken"), role("ASIANEW"), role("ASIAEND"))
    ssm = script(*[http(VALUE)] * 2)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.url)
    for last in ("arn:aws:iam::1:role/one", "arn:aws:iam::1:role/two"):
        store = AwsSsm("ssm", profile="p", role_arn=last)
        store.keep_credentials(client.Agent(folder, start))
        assert store.get_many(keys("key"), soon())[keys("key")[0]] == Secret("v")
    assert signers(sts) == ["AKIABASE", "ASIAMIDDLE", "ASIAMIDDLE", "AKIABASE", "ASIANEW"]
    assert signers(ssm) == ["ASIALAST", "ASIAEND"]
