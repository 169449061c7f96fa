"""Settings and keys in force: those that botocore finds too, or `aws` is asked."""

from __future__ import annotations

import hashlib
import json
import pathlib
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envref.backends.aws.direct.keys import keys
from envref.backends.aws.direct.settings import is_region
from envref.backends.aws.direct.settings import settings as in_force
from envref.backends.http.connection import Unusual
from tests.backends.doubles.scripted import Script, http
from tests.nightly import count
from tests.requirements import first_python

_REGIONS = ["eu-west-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "aws-global", "a..b"]
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": ["", "AKENV"],
    "AWS_SECRET_ACCESS_KEY": ["", "secret-env"],
    "AWS_SESSION_TOKEN": ["", "token-env"],
    "AWS_PROFILE": ["p", "q", "default", "none", ""],
    "AWS_DEFAULT_PROFILE": ["p", "q"],
    "AWS_REGION": ["eu-west-1", "us-east-1", ""],
    "AWS_DEFAULT_REGION": [*_REGIONS, ""],
    "AWS_ENDPOINT_URL": ["", "http://127.0.0.1:9", "https://e.test/path", "https://user@e.test"],
    "AWS_ENDPOINT_URL_SSM": ["", "https://ssm.test:8443/"],
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ["", "true", "True", "false"],
    "AWS_USE_FIPS_ENDPOINT": ["true", "false", ""],
    "AWS_USE_DUALSTACK_ENDPOINT": ["True", "false"],
    "AWS_MAX_ATTEMPTS": ["2"],
    "AWS_CREDENTIAL_EXPIRATION": ["2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon"],
    "AWS_SECURITY_TOKEN": ["old"],
}
_KEYS = ["aws_access_key_id = AK{0}", "aws_secret_access_key = secret-{0}", "aws_session_token = token-{0}"]
_LINES = [
    *_KEYS,
    *(f"region = {region}" for region in _REGIONS[:3]),
    "endpoint_url = http://config.test",
    "services = s",
    "services = none",
    "ignore_configured_endpoint_urls = true",
    "use_fips_endpoint = true",
    "use_dualstack_endpoint = false",
    "output = yaml",
    "s3 =\n    max_concurrent_requests = 2",
    "credential_process = false",
    "unheard_of = 1",
]
_SERVICES = (
    "[services s]\nssm =\n  endpoint_url = http://services.test\nsecrets_manager =\n  endpoint_url = http://sm.test\n"
)
_TITLES = ["[default]", "[profile p]", "[profile q]", "[profile 'quoted']", "[profile default]", "[other]"]


def _some(options, most):
    return st.lists(st.sampled_from(options), max_size=most, unique_by=lambda line: line.partition("=")[0])


sections = st.dictionaries(st.sampled_from(_TITLES), _some(_LINES, 4), max_size=3)
stored = st.dictionaries(
    st.sampled_from(["[default]", "[p]", "[q]"]), _some([*_KEYS, "region = eu-west-2"], 4), max_size=2
)
# A few of them at once: with many, hardly anything is left that is honoured.
environments = st.lists(st.sampled_from(sorted(_VARIABLES)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(_VARIABLES[name]) for name in names})
)


def text(found, name):
    return "".join(f"{title}\n" + "".join(f"{line.format(name)}\n" for line in lines) for title, lines in found.items())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Writes the two files; the variables that name them, and a home with nothing else."""
    home = tmp_path_factory.mktemp("home")

    def write(config="", credentials="", **variables):
        (home / "config").write_text(config)
        (home / "credentials").write_text(credentials)
        return {
            "HOME": str(home),
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **variables,
        }

    return write


def ours(environment, profile="", region="", service="SSM"):
    """Keys, region and endpoint as envref has them; raises Unusual."""
    found = in_force(environment, region=region, profile=profile)
    _, url = found.server(service, found.region)
    given = keys(found, time.monotonic() + 5)
    secrets = [given.secret.reveal(), given.token and given.token.reveal()]
    return {"keys": [given.name, *secrets], "region": found.region, "endpoint": url.rstrip("/")}


class TestOracle:
    @settings(max_examples=count(60, 3_000), deadline=None, suppress_health_check=list(HealthCheck))
    @example(
        {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_PROFILE": "p"}, {"[profile p]": _KEYS[:2]}, {"[p]": _KEYS}, "", ""
    )
    @example({}, {"[profile p]": ["region = eu-west-1", "services = s"]}, {"[p]": _KEYS}, "p", "")
    @example({"AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "s"}, {"[default]": _KEYS}, {}, "", "cn-north-1")
    @example({}, {"[default]": _KEYS[:1]}, {"[default]": _KEYS[1:2]}, "", "us-east-1")  # one key in two files
    @given(environments, sections, stored, st.sampled_from(["", "", "p"]), st.sampled_from(["", "us-east-1"]))
    def test_what_is_honoured_is_what_botocore_finds(
        self, botocore, files, variables, config, credentials, profile, region
    ):
        """The same keys, region and endpoint, or the program is asked; never others, and never ours alone."""
        environment = files(_SERVICES + text(config, "c"), text(credentials, "k"), **variables)
        try:
            found = ours(environment, profile, region)
        except Unusual:
            return
        theirs = botocore.ask("settle", "ssm", environment, profile, region)
        if "NoRegion" in theirs.get("failed", ""):  # version 2 of aws reads it
            assert variables["AWS_REGION"] == found["region"]
            return
        theirs["endpoint"] = theirs.get("endpoint", "").rstrip("/")
        assert found == theirs

    @pytest.mark.parametrize(
        ("service", "name"), [("ssm", "SSM"), ("secretsmanager", "SECRETS_MANAGER"), ("sts", "STS")]
    )
    def test_every_regions_endpoint(self, botocore, files, service, name):
        """As botocore's rules have it, for each region that it knows; the others are the program's."""
        regions = [region for region in botocore.ask("regions", service) if is_region(region)]
        assert len(regions) > 25
        keyed = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        for region in regions[:: count(6, 1)]:
            assert ours(files(**keyed), region=region, service=name)["endpoint"] == botocore.ask(
                "endpoint", service, region
            )


KEYED = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}


class TestHandedOver:
    @pytest.mark.parametrize(
        ("variables", "reason"),
        [
            ({"AWS_USE_FIPS_ENDPOINT": "TRUE"}, "use_fips_endpoint"),
            ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "use_dualstack_endpoint"),
            ({"AWS_FROM_TOMORROW": "1"}, "AWS_FROM_TOMORROW"),
            ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, "AWS_WEB_IDENTITY_TOKEN_FILE"),
            ({"AWS_DATA_PATH": "/t"}, "AWS_DATA_PATH"),
            ({"HTTPS_PROXY": "http://proxy.test"}, "a proxy"),
            ({"REQUESTS_CA_BUNDLE": "/c"}, "REQUESTS_CA_BUNDLE"),
            ({"AWS_PROFILE": "none"}, "the profile none is in no file"),
            ({"AWS_REGION": "eu-west-1"}, "AWS_REGION, which not every aws reads"),
            ({"AWS_DEFAULT_REGION": ""}, "AWS_DEFAULT_REGION"),
            ({"AWS_DEFAULT_REGION": "evil.test/"}, "the region evil.test/"),
            ({"AWS_ENDPOINT_URL": "https://user@e.test"}, "the endpoint https://user@e.test"),
            ({"AWS_SECRET_ACCESS_KEY": ""}, "incomplete keys"),
            ({"AWS_ACCESS_KEY_ID": ""}, "no credentials"),
            ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "sts_regional_endpoints"),
        ],
    )
    def test_what_is_not_honoured_has_a_name(self, files, variables, reason):
        """The program is asked, and `-v` says why."""
        with pytest.raises(Unusual) as caught:
            ours(files(**{**KEYED, **variables}))
        assert str(caught.value) == reason

    @pytest.mark.parametrize(
        ("config", "reason"),
        [
            ("[profile p]\nmfa_serial = arn\n", "the profile's mfa_serial"),
            ("[profile p]\nlogin_session = arn\n", "the profile's login_session"),
            ("[profile p]\ncredential_process = x\n", "the profile's credential_process"),
            ("[profile p]\nrole_arn = arn\nweb_identity_token_file = t\n", "the profile's web_identity_token_file"),
            ("[profile p]\nregion = us-east-1\n[plugins]\nx = y\n", "plugins of aws"),
            ('[profile "p"]\n', 'the section [profile "p"]'),
            ("[profile p]\nrole_arn = arn\n", "the role of the profile p"),
            ("[profile p]\nrole_arn = arn\nsource_profile = p\n", "the source_profile p"),
            (
                "[profile p]\nrole_arn = arn\nsource_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p\n",
                "the source_profile p",
            ),
            (
                "[profile p]\nrole_arn = arn\nsource_profile = q\n[profile q]\nregion = us-east-1\n",
                "the source_profile q",
            ),
            ("[profile p]\nrole_arn = arn\ncredential_source = Other\n", "the credential_source Other"),
            ("[profile p]\nsso_account_id = 1\n", "an incomplete single sign-on"),
            ("[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n", "the sso_session s"),
        ],
    )  # fmt: skip
    def test_what_a_profile_may_say(self, files, config, reason):
        """MFA, programs, web identities and circles are for `aws`; keys in variables don't count beside the option."""
        with pytest.raises(Unusual) as caught:
            ours(files(config, **KEYED), profile="p")
        assert str(caught.value) == reason

    def test_a_file_that_is_none(self, files):
        """`aws` says what is wrong with it."""
        for config in ("no section\n", "[a]\n[a]\n", "[default]\ns3 =\n  x\n"):
            with pytest.raises(Unusual):
                ours(files(config, **KEYED))


def endpoint(environment, service="SSM", **options):
    """The URL, and whether TLS is spoken with the authorities that are named; the reason where `aws` is asked."""
    try:
        found = in_force(environment, **options)
        server, url = found.server(service, found.region)
    except Unusual as reason:
        return str(reason)
    return (url, server.tls.identity) if server.tls else url


@first_python
class TestEndpoint:
    """The first of these that is there: a variable of the service, one of all, the profile's services, the profile."""

    SERVICES = "[services s]\nssm =\n  endpoint_url = http://s.test\n[services empty]\n"

    @pytest.mark.parametrize(
        ("lines", "variables", "expected"),
        [
            ("", {}, ("https://ssm.us-east-1.amazonaws.com/", ())),
            ("", {"AWS_DEFAULT_REGION": "cn-north-1"}, ("https://ssm.cn-north-1.amazonaws.com.cn/", ())),
            ("endpoint_url = http://p.test", {}, "http://p.test/"),
            ("endpoint_url = http://p.test\nservices = s", {}, "http://s.test/"),
            ("services = s", {"AWS_ENDPOINT_URL": "http://v.test"}, "http://v.test/"),
            ("", {"AWS_ENDPOINT_URL": "http://v.test", "AWS_ENDPOINT_URL_SSM": "http://o.test"}, "http://o.test/"),
            ("", {"AWS_ENDPOINT_URL_STS": "http://o.test"}, ("https://ssm.us-east-1.amazonaws.com/", ())),
            (
                "endpoint_url = http://p.test\nignore_configured_endpoint_urls = True",
                {"AWS_ENDPOINT_URL": "http://v.test"},
                ("https://ssm.us-east-1.amazonaws.com/", ()),
            ),
            ("ignore_configured_endpoint_urls = yes", {"AWS_ENDPOINT_URL": "http://v.test"}, "http://v.test/"),
            ("services = none", {}, "services = none"),
            ("services = empty", {}, "services = empty"),
            ("services = none", {"AWS_ENDPOINT_URL": "http://v.test"}, "http://v.test/"),
            ("", {"AWS_ENDPOINT_URL": "http://v.test/x"}, "the endpoint http://v.test/x"),
            ("", {"AWS_ENDPOINT_URL": "http://v.test", "AWS_DEFAULT_REGION": "here"}, "the region here"),
            ("ca_bundle = /c", {}, ("https://ssm.us-east-1.amazonaws.com/", ("/c",))),
            ("ca_bundle = /c", {"AWS_CA_BUNDLE": "/v"}, ("https://ssm.us-east-1.amazonaws.com/", ("/v",))),
        ],
    )
    def test_the_first_that_is_there(self, files, lines, variables, expected):
        """What names no section, or an empty one, is for the program."""
        environment = files(f"[default]\n{lines}\n{self.SERVICES}", **{"AWS_DEFAULT_REGION": "us-east-1", **variables})
        assert endpoint(environment) == expected

    def test_another_service_of_the_same_section(self, files):
        """Which the section does not name; without a region nothing can be signed."""
        environment = files(f"[default]\nservices = s\n{self.SERVICES}", AWS_DEFAULT_REGION="us-east-1")
        assert endpoint(environment, "STS") == ("https://sts.us-east-1.amazonaws.com/", ())
        assert endpoint(files()) == "no region"


@first_python
class TestProfiles:
    @pytest.mark.parametrize(
        ("config", "variables", "profile"),
        [
            ("[profile p]\nregion = eu-west-1\n", {"AWS_PROFILE": "p"}, ""),
            ("[profile p]\nregion = eu-west-1\n", {"AWS_DEFAULT_PROFILE": "p", "AWS_PROFILE": "p"}, ""),
            ("[profile p]\nregion = eu-west-1\n", {"AWS_DEFAULT_PROFILE": "q", "AWS_PROFILE": "r"}, "p"),
            ("[default]\nregion = eu-west-1\n", {}, ""),
            ("[default]\nregion = eu-west-1\n", {}, "default"),
            ("[other]\n[profile p]\nregion = eu-west-1\n[profile a b]\nregion = us-east-1\n", {}, "p"),
            ("[profilep]\nregion = eu-west-1\n[profile p]\nregion = eu-west-1\n", {}, "p"),
            ("[default]\nregion = eu-west-1\n", {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}, ""),
            ("", {"AWS_REGION": "eu-west-1"}, ""),
            ("[default]\nregion = us-east-1\n", {"AWS_DEFAULT_REGION": "eu-west-1"}, ""),
        ],
    )
    def test_the_region(self, files, config, variables, profile):
        """That of the profile which is meant; the option before the variables, which may not differ."""
        found = in_force(files(config, **variables), profile=profile)
        assert (found.region, found.is_option) == ("eu-west-1", bool(profile))

    @pytest.mark.parametrize(
        ("config", "stored", "variables", "reason"),
        [
            ("", "", {"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"}, "AWS_PROFILE and AWS_DEFAULT_PROFILE differ"),
            ("[default]\nunheard_of = 1\nabsent = 2\n", "", {}, "the profile's absent"),
            ("", "[default]\nunheard_of = 1\n", {}, "the profile's unheard_of"),
            ("[profile p]\n[profile  p]\n", "", {}, "the section [profile  p]"),
            ("[profile a\\b]\n", "", {}, "the section [profile a\\b]"),
            ("[sso-session 's']\n", "", {}, "the section [sso-session 's']"),
            ("[services default]\n", "", {}, "the section [services default]"),
            ("[profile default]\n", "", {}, "the section [profile default]"),
            ("[plugins]\n", "", {}, "plugins of aws"),
            ("[default]\ns3 =\n  a = b\n  c\n", "", {}, "a setting of several lines"),
            ("[default]\nsts_regional_endpoints = legacy\n", "", {}, "sts_regional_endpoints"),
            ("[default]\nuse_fips_endpoint = True\n", "", {}, "use_fips_endpoint"),
            ("", "", {"AWS_B": "", "AWS_A": "", "AWS_PROFILE": ""}, "AWS_A"),
            ("", "", {"AWS_CONFIG_FILE": ""}, "AWS_CONFIG_FILE"),
            ("", "", {"AWS_Z": "1", "REQUESTS_CA_BUNDLE": "/c"}, "AWS_Z"),
            ("", "", {"all_proxy": "http://x"}, "a proxy"),
        ],
    )
    def test_what_is_not_honoured(self, files, config, stored, variables, reason):
        """The program is asked, and `-v` says why: the first by its name, of several."""
        with pytest.raises(Unusual) as caught:
            in_force(files(config, stored, **variables))
        assert str(caught.value) == reason

    def test_what_makes_no_difference(self, files):
        """A profile that is not meant, an empty variable, settings of printing and trying again."""
        config = "[profile other]\nunheard_of = 1\n[default]\noutput = yaml\nsts_regional_endpoints = regional\n"
        harmless = {"AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "3", "AWS_ACCESS_KEY_ID": "", "REQUESTS_CA_BUNDLE": ""}
        assert in_force(files(config, **harmless)).profile == "default"

    def test_a_profile_in_both_files(self, files):
        """The settings of the file with keys come first."""
        config = "[profile p]\nregion = us-east-1\noutput = x\n"
        found = in_force(files(config, "[p]\nregion = eu-west-1\n"), profile="p")
        assert found.section == {"region": "eu-west-1", "output": "x"}

    def test_a_file_is_found_by_home_and_variables(self, files, tmp_path, monkeypatch):
        """As `aws` reads its two variables; one that is not there holds nothing."""
        (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n")
        monkeypatch.setenv("PLACE", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        for path in ("$PLACE/config", "~/config"):
            assert in_force(files(AWS_CONFIG_FILE=path)).region == "eu-west-1"
        assert in_force(files(AWS_CONFIG_FILE="~/none")).region == ""


class TestMachines:
    def test_a_container(self, files, monkeypatch):
        """Relative and full addresses; a token from a file, or a variable; hosts of the machine alone."""
        given = {"AccessKeyId": "AK", "SecretAccessKey": "s", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}
        server = Script([http(given)])
        environment = files(
            AWS_DEFAULT_REGION="us-east-1",
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{server.url}/role?x=1",
            AWS_CONTAINER_AUTHORIZATION_TOKEN="token-1",
        )
        try:
            monkeypatch.setenv("HOME", environment["HOME"])
            assert ours(environment)["keys"] == ["AK", "s", "t"]
        finally:
            server.close()
        [request] = server.requests
        assert request.startswith("GET /role?x=1 HTTP/1.1\r\n")
        assert "Authorization: token-1\r\n" in request

    @pytest.mark.parametrize(
        "url",
        [
            "http://e.test/",
            "http://127.0.0.1@e.test/",
            "http://127.0.0.1.e.test/",
            "ftp://localhost/",
            "http://[::2]/",
        ],
    )
    def test_keys_are_asked_of_no_other_host(self, files, url, monkeypatch):
        """Without TLS, the machine's own addresses alone."""
        environment = files(AWS_DEFAULT_REGION="us-east-1", AWS_CONTAINER_CREDENTIALS_FULL_URI=url)
        monkeypatch.setenv("HOME", environment["HOME"])
        with pytest.raises(Unusual, match="the address of the container's keys"):
            ours(environment)

    def test_an_instance(self, files, monkeypatch):
        """Version 2 of the metadata service: a token first, then the role and its keys."""
        given = {"Code": "Success", "AccessKeyId": "AK", "SecretAccessKey": "s", "Token": "t"}
        server = Script(
            [http(b"tok", more="Connection: close\r\n"), http(b"web", more="Connection: close\r\n"), http(given)]
        )
        environment = files(AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url)
        del environment["AWS_EC2_METADATA_DISABLED"]
        try:
            monkeypatch.setenv("HOME", environment["HOME"])
            assert ours(environment)["keys"] == ["AK", "s", "t"]
        finally:
            server.close()
        lines = [request.partition(" HTTP/1.1")[0] for request in server.requests]
        roles = "/latest/meta-data/iam/security-credentials/"
        assert lines == ["PUT /latest/api/token", f"GET {roles}", f"GET {roles}web"]
        assert all("x-aws-ec2-metadata-token: tok\r\n" in request for request in server.requests[1:])


class TestSignOn:
    CONFIG = """[profile p]
sso_session = s
sso_account_id = 1
sso_role_name = r
region = us-east-1
[sso-session s]
sso_start_url = https://s.test
sso_region = us-east-1
"""

    @pytest.mark.parametrize(("expires", "is_asked"), [("2999-01-01T00:00:00Z", True), ("2001-01-01T00:00:00Z", False)])
    def test_a_cached_token(self, files, monkeypatch, expires, is_asked):
        """One that lasts gives the role's keys; one that ends is renewed by `aws`."""
        given = {"roleCredentials": {"accessKeyId": "AK", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1}}
        server = Script([http(given)])
        environment = files(self.CONFIG, AWS_ENDPOINT_URL_SSO=server.url)
        monkeypatch.setenv("HOME", environment["HOME"])
        cache = pathlib.Path(environment["HOME"], ".aws/sso/cache")
        cache.mkdir(parents=True, exist_ok=True)
        token = {"accessToken": "sso-token", "expiresAt": expires}
        (cache / f"{hashlib.sha1(b's').hexdigest()}.json").write_text(json.dumps(token))
        try:
            if is_asked:
                assert ours(environment, profile="p")["keys"] == ["AK", "s", "t"]
            else:
                with pytest.raises(Unusual, match="the token of a single sign-on ends"):
                    ours(environment, profile="p")
        finally:
            server.close()
        asked = [request.partition("\r\n")[0] for request in server.requests]
        assert asked == ["GET /federation/credentials?account_id=1&role_name=r HTTP/1.1"] * is_asked
        assert all("x-amz-sso_bearer_token: sso-token\r\n" in request for request in server.requests)

    @pytest.mark.parametrize("text", [None, "rubbish", "[]", "{}", '{"accessToken": "t"}', "\0"])
    def test_nothing_cached(self, files, monkeypatch, text):
        """Nobody signed in, or `aws` keeps it otherwise by now: it says what to do."""
        environment = files(self.CONFIG)
        monkeypatch.setenv("HOME", environment["HOME"])
        file = pathlib.Path(environment["HOME"], f".aws/sso/cache/{hashlib.sha1(b's').hexdigest()}.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        with pytest.raises(Unusual, match="no token of a single sign-on"):
            ours(environment, profile="p")
