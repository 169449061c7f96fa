"""Settings in force: a request made by them is the one that `oci` sends, or `oci` is asked."""

from __future__ import annotations

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envref.backends.http.connection import Unusual
from envref.backends.oci.direct import rc
from envref.backends.oci.direct.regions import domain
from envref.backends.oci.direct.settings import settings as in_force
from tests.nightly import count
from tests.requirements import first_python

SECRET = "ocid1.vaultsecret.oc1.iad.test"
_USERS = ["ocid1.user.oc1..{0}", "no ocid"]
_PRINT = ":".join(["0a"] * 16)
_REGIONS = ["us-ashburn-1", "uk-gov-london-1", "eu-frankfurt-2", "iad", "xx-new-1", "US-ASHBURN-1"]
_KEYS = ["{home}/key.pem", "~/key.pem", "{home}/locked.pem", "{home}/none.pem", "key.pem", "$HOME/key.pem"]
_TOKENS = ["{home}/token", "{home}/ended", "{home}/rubbish", "~/token"]
_VALUES = {
    "user": _USERS,
    "tenancy": ["ocid1.tenancy.oc1..{0}"],
    "fingerprint": [_PRINT, "0a:0b"],
    "region": _REGIONS,
    "key_file": _KEYS,
    "pass_phrase": ["passphrase", "wrong"],
    "security_token_file": _TOKENS,
}
_VARIABLES = {
    **{f"OCI_CLI_{name.upper().replace('PASS_PHRASE', 'PASSPHRASE')}": values for name, values in _VALUES.items()},
    "OCI_CLI_PROFILE": ["p", "q", "DEFAULT", ""],
    "OCI_CLI_AUTH": ["api_key", "security_token", "instance_obo_user", "nonsense"],
    "OCI_CLI_ENDPOINT": ["http://127.0.0.1:9", "https://e.test/path", ""],
    "OCI_CLI_CONFIG_FILE": ["~/.oci/other", "{home}/none"],
    "OCI_CLI_KEY_CONTENT": ["{pem}", "rubbish"],
    "OCI_CONFIG_FILE": ["{home}/.oci/other"],
    "OCI_REGION": ["eu-paris-1"],
    "OCI_DEFAULT_REALM": ["realm.test"],
    **{
        name: ["{home}/authorities.pem", "~/authorities.pem", "{home}/none.pem", "{home}", "authorities.pem", ""]
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "OCI_CLI_CERT_BUNDLE")
    },
    "OCI_CLI_DELEGATION_TOKEN_FILE": ["{home}/token"],
    "SUPPRESS_LABEL_WARNING": ["True"],
}
_WHOLE = {
    "user": "ocid1.user.oc1..whole",
    "tenancy": "ocid1.tenancy.oc1..whole",
    "fingerprint": _PRINT,
    "region": "us-ashburn-1",
    "key_file": "{home}/key.pem",
}
_SESSION = {**_WHOLE, "security_token_file": "{home}/token"}
_PROFILES = ["DEFAULT", "p"]

# Mostly whole profiles, with a few settings that are something else: hardly any other is honoured.
_odd = st.dictionaries(st.sampled_from(sorted(_VALUES)), st.none(), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(_VALUES[name]) for name in names})
)
_more = st.sampled_from([{}, {}, {}, {"unheard_of": "1"}, {"log_requests": "no"}, {"additional_user_agent": "a%b"}])
sections = st.tuples(st.sampled_from([_WHOLE, _SESSION, {}]), _odd, _more).map(
    lambda parts: parts[0] | parts[1] | parts[2]
)
files = st.dictionaries(st.sampled_from(_PROFILES), sections, max_size=2)
environments = st.lists(st.sampled_from(sorted(_VARIABLES)), max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(_VARIABLES[name]) for name in names})
)
_DEFAULTS = {
    "output": ["table"],
    "query": ["nothing"],
    "compartment-id": ["ocid1.compartment.oc1..other"],
    "region": ["eu-milan-1"],
    "rg": ["eu-milan-1"],
    "compute.region": ["eu-milan-1"],
    "secrets.secret-bundle.get.stage": ["PREVIOUS"],
    "auth": ["security_token"],
}
_RC = {
    "OCI_CLI_SETTINGS": {"default_profile": ["p", "q"], "use_click_help": ["true"], "unheard_of": ["1"]},
    "OCI_CLI_PARAM_ALIASES": {"--rg": ["--region"], "--output": ["--region"], "-r": ["--region"]},
    "OCI_CLI_COMMAND_ALIASES": {"secrets": ["vault"], "get": ["secrets.secret-bundle.list-versions"], "ls": ["list"]},
    "OCI_CLI_CANNED_QUERIES": {"names": ["data[*].name"]},
    "DEFAULT": _DEFAULTS,
    "p": _DEFAULTS,
}


def _some(choices):
    """Up to two of the names, each with one of its values."""
    return st.lists(st.sampled_from(sorted(choices)), max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(choices[name]) for name in names})
    )


rcs = st.none() | st.lists(st.sampled_from(sorted(_RC)), max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: _some(_RC[name]) for name in names})
)
_OF_VARIABLES = {f"OCI_CLI_{name.upper()}": value for name, value in _WHOLE.items()}


def _token(until):
    parts = [{"alg": "RS256", "typ": "JWT"}, {"exp": until, "iat": 0}]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with keys and sessions; returns its path and the key's text."""
    directory = tmp_path_factory.mktemp("home")
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    encryptions = {"key": serialization.NoEncryption(), "locked": serialization.BestAvailableEncryption(b"passphrase")}
    for name, encryption in encryptions.items():
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        (directory / f"{name}.pem").write_bytes(key.private_bytes(*form))
    (directory / "token").write_text(_token(int(time.time()) + 3600))
    (directory / "ended").write_text(_token(int(time.time()) - 10))
    (directory / "ending").write_text(_token(int(time.time()) + 30))
    (directory / "rubbish").write_text("rubbish\n")
    for name in ("authorities", "others"):  # nobody looks into them
        (directory / f"{name}.pem").touch()
    (directory / ".oci").mkdir()
    return directory


def _filled(values, home, word=""):
    pem = (home / "key.pem").read_text()
    return {name: value.replace("{0}", word).format(home=home, pem=pem) for name, value in values.items()}


def written(sections, home):
    return "".join(
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in _filled(section, home, name).items())
        for name, section in sections.items()
    )


def environment_of(home, config, variables, rc=None):
    """Writes the files of settings; the variables with which envref and `oci` read them."""
    text = written(config, home)
    (home / ".oci/config").write_text(text)
    (home / ".oci/other").write_text(text.replace("us-ashburn-1", "eu-milan-1"))
    (home / ".oci/oci_cli_rc").unlink(missing_ok=True)
    if rc is not None:
        (home / ".oci/oci_cli_rc").write_text(written(rc, home))
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", **_filled(variables, home, "variable")}


def ours(environment, profile, auth, at):
    """The request as envref makes it. Raises Unusual."""
    found = in_force(environment, profile=profile, auth=auth)
    target = f"/20190301/secretbundles/{SECRET}"
    scheme = "https" if found.reading.tls else "http"
    host = found.reading.authority
    files = found.reading.tls.identity if found.reading.tls else ()
    return {
        "trusted": (*files, True)[0] if found.reading.tls else None,
        "url": f"{scheme}://{host}{target}",
        "authorization": found.signer.signed("GET", target, host, at=at)["Authorization"],
    }


class TestOracle:
    @settings(max_examples=count(80, 3_000), deadline=None, suppress_health_check=list(HealthCheck))
    @example({}, _OF_VARIABLES, "", "", None)
    @example({"DEFAULT": _WHOLE, "p": {"region": "eu-frankfurt-2"}}, {"OCI_CLI_PROFILE": "p"}, "", "", None)
    @example({"p": _SESSION}, {}, "p", "security_token", None)
    @example({"p": _SESSION}, {"OCI_CLI_AUTH": "security_token", "OCI_CLI_REGION": "eu-paris-1"}, "p", "", None)
    @example(
        {"DEFAULT": {**_WHOLE, "key_file": "{home}/locked.pem", "pass_phrase": "passphrase"}}, {}, "", "api_key", None
    )
    @example({"DEFAULT": {**_WHOLE, "key_file": "{home}/none.pem"}}, {"OCI_CLI_KEY_CONTENT": "{pem}"}, "", "", None)
    @example({"DEFAULT": _WHOLE}, {"OCI_CLI_CONFIG_FILE": "~/.oci/other"}, "", "", None)
    @example({"DEFAULT": _WHOLE, "p": _SESSION}, {}, "", "", {"OCI_CLI_SETTINGS": {"default_profile": "p"}})
    @example({"DEFAULT": _WHOLE}, {}, "", "", {"DEFAULT": {"output": "table", "query": "x", "compute.region": "x"}})
    @example(
        {"p": _WHOLE}, {}, "p", "", {"OCI_CLI_COMMAND_ALIASES": {"secrets": "vault"}, "p": {"compartment-id": "x"}}
    )
    @example(
        {"DEFAULT": _WHOLE},
        {"REQUESTS_CA_BUNDLE": "{home}/authorities.pem", "OCI_CLI_CERT_BUNDLE": "{home}/others.pem"},
        "",
        "",
        None,
    )
    @example(
        {"DEFAULT": _WHOLE},
        {"CURL_CA_BUNDLE": "{home}/others.pem", "REQUESTS_CA_BUNDLE": "{home}/authorities.pem"},
        "",
        "",
        None,
    )
    @example({"DEFAULT": _WHOLE}, {"CURL_CA_BUNDLE": "{home}/others.pem"}, "", "", None)
    @example({"DEFAULT": _WHOLE}, {"OCI_CLI_CERT_BUNDLE": "~/others.pem"}, "", "", None)
    @given(
        files, environments, st.sampled_from(["", "", "p", "none"]), st.sampled_from(["", "", "security_token"]), rcs
    )
    def test_a_request_is_the_one_that_oci_sends(self, sdk, home, config, variables, profile, auth, rc):
        """The same address and signature, or `oci` is asked; never a request that is ours alone."""
        environment, at = environment_of(home, config, variables, rc), 1_700_000_000
        try:
            request = ours(environment, profile, auth, at)
        except Unusual:
            return
        options = [f"--{name}={value}" for name, value in (("profile", profile), ("auth", auth)) if value]
        words = ["secrets", "secret-bundle", "get", f"--secret-id={SECRET}"]
        quiet = {"SUPPRESS_LABEL_WARNING": "True", "OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING": "True"}
        assert request == sdk.ask("sends", {**environment, **quiet}, ["--no-retry", *options, *words], at)

    @pytest.mark.parametrize("region", ["us-ashburn-1", "uk-gov-london-1", "eu-frankfurt-2"])
    def test_what_lists_is_another_service(self, sdk, home, region):
        """Of the same region, in whatever realm."""
        environment = environment_of(home, {"DEFAULT": {**_WHOLE, "region": region}}, {})
        place = ["--compartment-id=ocid1.compartment.oc1..test", "--vault-id=ocid1.vault.oc1.iad.test"]
        request = sdk.ask("sends", environment, ["--no-retry", "vault", "secret", "list", *place], 0)
        assert request["url"].startswith(f"https://{in_force(environment).listing.host}/20180608/secrets?")

    def test_every_region_is_in_its_domain(self, sdk):
        """Those that the SDK knows, and no other."""
        known = sdk.ask("realms")
        assert {region: domain(region) for region in known} == known
        assert domain("xx-new-1") is domain("") is domain("us") is None


class TestHonoured:
    """So that the oracle's test can't pass by asking `oci` for everything."""

    @pytest.mark.parametrize(
        ("config", "variables", "profile", "auth"),
        [
            ({"DEFAULT": _WHOLE}, {}, "", ""),
            ({"DEFAULT": _WHOLE, "p": {"region": "eu-frankfurt-2"}}, {}, "p", "api_key"),
            ({"p": _SESSION}, {}, "p", "security_token"),
            ({"DEFAULT": _WHOLE}, {"REQUESTS_CA_BUNDLE": "{home}/authorities.pem"}, "", ""),
            ({"DEFAULT": _WHOLE}, {"CURL_CA_BUNDLE": "{home}/authorities.pem", "REQUESTS_CA_BUNDLE": ""}, "", ""),
            ({}, _OF_VARIABLES, "", ""),
            ({"DEFAULT": _WHOLE}, {"OCI_CLI_ENDPOINT": "http://127.0.0.1:9"}, "", ""),
            (
                {"DEFAULT": {**_WHOLE, "additional_user_agent": "x"}},
                {"OCI_CLI_CERT_BUNDLE": "{home}/others.pem"},
                "",
                "",
            ),
        ],
        ids=["default", "profile", "session", "for requests", "for curl", "variables", "endpoint", "authorities"],
    )
    def test_what_is_common_needs_no_oci(self, home, config, variables, profile, auth):
        """An API key or a session, in a profile or in variables."""
        found = in_force(environment_of(home, config, variables), profile=profile, auth=auth)
        assert found.listing.host in (found.reading.host, found.reading.host.removeprefix("secrets."))

    def test_aliases_and_a_usual_profile_need_no_oci(self, home):
        """Nor do defaults of other commands, or of options that envref gives."""
        rc = {
            "OCI_CLI_SETTINGS": {"default_profile": "q"},
            "OCI_CLI_PARAM_ALIASES": {"--rg": "--region"},
            "OCI_CLI_COMMAND_ALIASES": {"ls": "list"},
            "OCI_CLI_CANNED_QUERIES": {"names": "data[*].name"},
            "DEFAULT": {"output": "table", "compartment-id": "x"},
            "q": {"compute.region": "eu-milan-1"},
            "other": {"region": "eu-milan-1"},
        }
        config = {"DEFAULT": _WHOLE, "q": {"region": "eu-frankfurt-2"}}
        assert "eu-frankfurt-2" in in_force(environment_of(home, config, {}, rc)).reading.host
        assert "us-ashburn-1" in in_force(environment_of(home, config, {}, rc), profile="DEFAULT").reading.host


class TestLeftToOci:
    @pytest.mark.parametrize(
        ("variables", "why"),
        [
            ({"OCI_SOMETHING_NEW": "1"}, "OCI_SOMETHING_NEW"),
            ({"OCI_CLI_PROFILE": ""}, "OCI_CLI_PROFILE"),
            ({"REQUESTS_CA_BUNDLE": "/x"}, "a file of authorities that is none"),
            ({"CURL_CA_BUNDLE": "~/authorities.pem"}, "a file of authorities that is none"),
            ({"OCI_CLI_CERT_BUNDLE": "{home}"}, "a file of authorities that is none"),
            ({"https_proxy": "http://proxy.test"}, "a proxy"),
            ({"FIPS_LIBCRYPTO_PATH": "/lib"}, "FIPS_LIBCRYPTO_PATH"),
            ({"OCI_Z": "1", "OCI_A": "1", "OCI_CLI_PROFILE": ""}, "OCI_A"),
            ({"OCI_CLI_AUTH": "instance_principal"}, "the auth instance_principal"),
            ({"OCI_CLI_KEY_FILE": "key.pem"}, "a path that is not absolute"),
            ({"OCI_CLI_KEY_FILE": "{pem}"}, "a path that is not absolute"),
            ({"OCI_CLI_REGION": "xx-new-1"}, "the region xx-new-1"),
            ({"OCI_CLI_ENDPOINT": "https://user:hunter2@e.test"}, "OCI_CLI_ENDPOINT"),
        ],
    )
    def test_a_variable(self, home, variables, why):
        """What `-v` says of it is its name, or a value that is no secret."""
        with pytest.raises(Unusual) as refused:
            in_force(environment_of(home, {"DEFAULT": _WHOLE}, variables))
        assert str(refused.value) == why

    def test_a_setting_that_is_a_line_of_a_key(self, home):
        """A name is not quoted either."""
        environment = environment_of(home, {"DEFAULT": {**_WHOLE, "hunter2": ""}}, {})
        with pytest.raises(Unusual) as refused:
            in_force(environment)
        assert str(refused.value) == "a setting of the profile"

    @pytest.mark.parametrize("name", ["cli-defaults", "developer-tool-configuration.json"])
    def test_a_file_that_may_change_any_option(self, home, name):
        """`oci` reads more files than its settings."""
        environment = environment_of(home, {"DEFAULT": _WHOLE}, {})
        file = home / ".oci" / name
        file.write_text("")
        try:
            with pytest.raises(Unusual, match=name):
                in_force(environment)
        finally:
            file.unlink()

    @pytest.mark.parametrize(
        ("rc", "why"),
        [
            ({"DEFAULT": {"region": "eu-milan-1"}}, "a default in ~/.oci/oci_cli_rc"),
            ({"p": {"secrets.secret-bundle.stage": "PREVIOUS"}}, "a default in ~/.oci/oci_cli_rc"),
            (
                {"p": {"output": "eu-milan-1"}, "OCI_CLI_PARAM_ALIASES": {"--output": "--region"}},
                "a default in ~/.oci/oci_cli_rc",
            ),
            ({"OCI_CLI_SETTINGS": {"unheard_of": "1"}}, "OCI_CLI_SETTINGS in ~/.oci/oci_cli_rc"),
        ],
    )
    def test_a_default_of_an_option(self, home, rc, why):
        """That of a command that reads, or what may be one."""
        environment = environment_of(home, {"DEFAULT": _WHOLE, "p": {}}, {}, rc)
        with pytest.raises(Unusual) as refused:
            in_force(environment, profile="p" if "p" in rc else "")
        assert str(refused.value) == why

    @pytest.mark.parametrize(
        ("changed", "auth", "why"),
        [
            ({"region": ""}, "", "no region"),
            ({"key_file": None}, "", "no key"),
            ({"key_file": None}, "security_token", "no key"),
            ({"security_token_file": None}, "security_token", "no session"),
            ({"security_token_file": "{home}/none"}, "security_token", "{home}/none can't be read"),
            ({"security_token_file": "{home}/ending"}, "security_token", "a session that ended"),
            ({"user": "hunter2"}, "", "a user, tenancy or fingerprint that is none"),
            ({"tenancy": "hunter2"}, "", "a user, tenancy or fingerprint that is none"),
            ({"fingerprint": "0a:0b"}, "", "a user, tenancy or fingerprint that is none"),
            ({"key_file": "{home}/none.pem"}, "", "the profile's key"),
            ({"key_content": "hunter2"}, "", "the profile's key"),
            ({"key_file": "{home}/token"}, "", "a private key that can't be read"),
            ({"pass_phrase": "%(user)s"}, "", "a % in a file of settings"),
        ],
    )
    def test_a_setting_of_the_profile(self, home, changed, auth, why):
        """One that is missing, or that `oci` refuses; values aren't quoted, but for paths of files that are read."""
        profile = {name: value for name, value in {**_SESSION, **changed}.items() if value is not None}
        with pytest.raises(Unusual) as refused:
            in_force(environment_of(home, {"DEFAULT": profile}, {}), auth=auth)
        assert str(refused.value) == why.format(home=home)

    def test_the_profiles_key_counts_though_a_variable_names_a_better_one(self, home):
        """`oci` checks the file's before it looks at the variable."""
        profile = {**_WHOLE, "key_file": "{home}/none.pem"}
        with pytest.raises(Unusual, match="the profile's key"):
            in_force(environment_of(home, {"DEFAULT": profile}, {"OCI_CLI_KEY_FILE": "{home}/key.pem"}))

    def test_a_profile_that_is_not_there(self, home):
        """No other one stands in for it."""
        with pytest.raises(Unusual, match="the profile q is not there"):
            in_force(environment_of(home, {"DEFAULT": _WHOLE}, {}), profile="q")

    @pytest.mark.parametrize("text", ["rubbish", "ab.cd.ef", "a.bnVsbA.c", _token("never"), _token(True), _token(None)])
    def test_a_session_that_is_none(self, home, text):
        """Nothing of the token is in what is said."""
        (home / "other-token").write_text(text)
        environment = environment_of(home, {"DEFAULT": {**_SESSION, "security_token_file": "{home}/other-token"}}, {})
        with pytest.raises(Unusual) as refused:
            in_force(environment, auth="security_token")
        assert str(refused.value) == "a session that ended"

    def test_a_file_that_does_not_parse(self, home):
        """No line of it is quoted."""
        environment = environment_of(home, {"DEFAULT": _WHOLE}, {})
        (home / ".oci/config").write_text("pass_phrase hunter2\n")
        with pytest.raises(Unusual) as refused:
            in_force(environment)
        assert "hunter2" not in str(refused.value)
        assert refused.value.__cause__ is None

    @pytest.mark.parametrize(("left", "is_taken"), [(59, False), (60, True), (61, True)])
    def test_a_session_has_to_last_a_minute(self, home, monkeypatch, left, is_taken):
        """`oci` says what to do about one that ended."""
        now = int(time.time())
        monkeypatch.setattr("time.time", lambda: now)
        (home / "lasting").write_text(_token(now + left))
        environment = environment_of(home, {"DEFAULT": {**_SESSION, "security_token_file": "{home}/lasting"}}, {})
        if is_taken:
            assert in_force(environment, auth="security_token").signer
        else:
            with pytest.raises(Unusual, match="a session that ended"):
                in_force(environment, auth="security_token")

    @pytest.mark.parametrize("missing", ["OCI_CLI_USER", "OCI_CLI_TENANCY", "OCI_CLI_FINGERPRINT", "OCI_CLI_REGION"])
    def test_variables_that_lack_one(self, home, missing):
        """Need the profile beside them; all of them need none."""
        variables = {name: text for name, text in _OF_VARIABLES.items() if name != missing}
        with pytest.raises(Unusual, match="the profile none is not there"):
            in_force(environment_of(home, {"other": {}}, variables), profile="none")
        assert in_force(environment_of(home, {"other": {}}, _OF_VARIABLES), profile="none").signer

    def test_its_patience(self, home):
        """As long as `oci` is told to wait: three seconds for a connection, ten for an answer."""
        found = in_force(environment_of(home, {"DEFAULT": _WHOLE}, {}))
        assert found.reading.patience == found.listing.patience == (3, 10)
        assert found.reading.tls is found.listing.tls is not None
        plain = in_force(environment_of(home, {"DEFAULT": _WHOLE}, {"OCI_CLI_ENDPOINT": "http://127.0.0.1:9"}))
        assert plain.reading.tls is None


@first_python
class TestRc:
    """The defaults of options in `oci_cli_rc`."""

    @pytest.mark.parametrize(
        ("sections", "profile", "is_harmless"),
        [
            ({"DEFAULT": {"region": "x"}}, "p", True),
            ({"DEFAULT": {"region": "x"}}, "DEFAULT", False),
            ({"DEFAULT": {"region": "x"}, "p": {}}, "p", False),
            ({"p": {"region": "x"}}, "DEFAULT", True),
            ({"p": {"compute.region": "x", "output": "json", "no_retry": "1"}}, "p", True),
            ({"p": {"vault.secret.region": "x"}}, "p", False),
            ({"p": {"query": "x"}, "OCI_CLI_PARAM_ALIASES": {"--query": "-x"}}, "p", False),
            ({"p": {"query": "x"}, "OCI_CLI_PARAM_ALIASES": {"-query": "-x"}}, "p", False),
        ],
    )
    def test_those_of_the_profile_count(self, sections, profile, is_harmless):
        """And those of DEFAULT, where the file has the profile."""
        if is_harmless:
            rc.check(sections, profile)
        else:
            with pytest.raises(Unusual, match=r"a default in ~/\.oci/oci_cli_rc"):
                rc.check(sections, profile)

    def test_the_usual_profile(self):
        """DEFAULT, unless its settings name another."""
        assert rc.usual_profile({}) == rc.usual_profile({"OCI_CLI_SETTINGS": {"use_click_help": "1"}}) == "DEFAULT"
        assert rc.usual_profile({"OCI_CLI_SETTINGS": {"default_profile": "q"}}) == "q"
