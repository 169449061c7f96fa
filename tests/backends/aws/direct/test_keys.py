"""Keys: every source that is honoured, in its order, and what `aws` is asked for instead; nothing is connected to."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.parse

import pytest

from envref.backends.aws.direct import keys as module
from envref.backends.aws.direct.purse import Purse
from envref.backends.aws.direct.settings import settings
from envref.backends.http.connection import Answer, NotHttp, Server, Unusual
from tests.backends.asking import soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

GIVEN = {"AccessKeyId": "AK", "SecretAccessKey": "s", "Token": "t"}
ASSUMED = (
    "<x><AccessKeyId>AR</AccessKeyId><SecretAccessKey>sr</SecretAccessKey>"
    "<SessionToken>\ntr\n</SessionToken><Expiration>{}</Expiration></x>"
)
KEYS = "aws_access_key_id = A{0}\naws_secret_access_key = s{0}\n"
VARIABLES = {"AWS_ACCESS_KEY_ID": "AV", "AWS_SECRET_ACCESS_KEY": "sv"}


def moment(seconds):
    """A moment so many seconds from now, as AWS writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Asked(list):
    """What was fetched, instead of fetching it; the answers are `bodies`, the last one for all that follow."""

    def __init__(self):
        super().__init__()
        self.bodies = [GIVEN]

    def fetch(self, server, method, target, headers, deadline, *, body=b""):
        assert deadline > time.monotonic()
        url = f"{'https' if server.tls else 'http'}://{server.authority}{target}"
        self.append((method, url, headers, body.decode()))
        found = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Answer(200, {}, found.encode() if isinstance(found, str) else json.dumps(found).encode())


@pytest.fixture
def asked(monkeypatch):
    asked = Asked()
    monkeypatch.setattr(module, "_fetched", asked.fetch)
    monkeypatch.setattr(module, "_OLD_FILES", ("~/.boto",))
    monkeypatch.setattr(module, "_is_machine_of_ec2", lambda: False)
    return asked


@pytest.fixture
def found(home):
    """The settings in force for a config, a file of keys and variables."""

    def found(config="", stored="", *, profile="", **variables):
        (home / ".aws").mkdir(exist_ok=True)
        (home / ".aws/config").write_text(config)
        (home / ".aws/credentials").write_text(stored)
        named = {f"AWS_{name.removeprefix('AWS_')}": text for name, text in variables.items()}
        return settings({"HOME": str(home), "AWS_DEFAULT_REGION": "us-east-1", **named}, profile=profile)

    return found


def words(credentials):
    return [credentials.name, credentials.secret.reveal(), credentials.token and credentials.token.reveal()]


def of(in_force, role="", purse=None):
    """The keys as words, or why `aws` is asked."""
    try:
        return words(module.keys(in_force, soon(), role, purse))
    except Unusual as reason:
        return str(reason)


def form(body):
    return dict(urllib.parse.parse_qsl(body))


class TestOrder:
    def test_variables_come_before_a_profile_but_not_before_the_option(self, asked, found):
        """Of two files with keys, the one for keys comes first."""
        config, stored = f"[profile p]\n{KEYS.format('c')}[default]\n{KEYS.format('d')}", f"[p]\n{KEYS.format('p')}"
        assert of(found(config, stored, **VARIABLES)) == ["AV", "sv", None]
        assert of(found(config, stored, SESSION_TOKEN="tv", **VARIABLES)) == ["AV", "sv", "tv"]
        assert of(found(config, stored, profile="p", **VARIABLES)) == ["Ap", "sp", None]
        assert of(found(config, stored)) == ["Ad", "sd", None]
        assert of(found(config, "", PROFILE="p")) == ["Ac", "sc", None]
        assert asked == []

    def test_a_file_with_half_of_the_keys(self, asked, found):
        """Both are of one file; the other half is not looked for elsewhere."""
        assert of(found("", "[default]\naws_access_key_id = A\n")) == "incomplete keys"
        assert of(found("", "[default]\naws_secret_access_key = s\n")) == "no credentials"
        stored = "[default]\naws_session_token = t\naws_access_key_id = A\naws_secret_access_key = s\n"
        assert of(found("", stored)) == ["A", "s", "t"]

    def test_files_of_boto(self, asked, found, home):
        """Its own places, or where its variable says."""
        assert of(found()) == "no credentials"
        in_force = found()
        assert of(in_force._replace(environment={**in_force.environment, "BOTO_CONFIG": "/b"})) == "a file of boto"
        (home / ".boto").write_text("")
        assert of(found()) == "a file of boto"

    @pytest.mark.parametrize(
        ("seconds", "is_taken"), [(15 * 60 + 30, True), (15 * 60 - 30, False), (-5, False), (99999, True)]
    )
    def test_variables_that_are_about_to_end(self, asked, found, seconds, is_taken):
        """`aws` would renew them in their last quarter of an hour."""
        answer = of(found(CREDENTIAL_EXPIRATION=moment(seconds), **VARIABLES))
        assert answer == (["AV", "sv", None] if is_taken else "AWS_CREDENTIAL_EXPIRATION")


class TestPurse:
    class Told:
        has_given = False
        emptied = 0

        def empty(self):
            self.emptied += 1
            self.has_given = False

    @pytest.mark.parametrize(("has_given", "times"), [(False, 1), (True, 2)])
    def test_what_was_kept_may_not_be_accepted_any_more(self, monkeypatch, has_given, times):
        """Then it is asked for once more, without what was kept."""
        purse, calls = self.Told(), []
        purse.has_given = has_given

        def obtained(*words):
            calls.append(words)
            raise Unusual(f"try {len(calls)}")

        monkeypatch.setattr(module, "_obtained", obtained)
        assert of(None, purse=purse) == f"try {times}"
        assert purse.emptied == times - 1


class TestRoles:
    ROLE = "arn:aws:iam::1:role/r"

    def test_a_role_of_the_option(self, asked, found):
        """Asked with the keys that are in force, at the region's own endpoint."""
        asked.bodies = [ASSUMED.format(moment(3600))]
        assert of(found(**VARIABLES), role=self.ROLE) == ["AR", "sr", "tr"]
        [(method, url, headers, body)] = asked
        assert (method, url) == ("POST", "https://sts.us-east-1.amazonaws.com/")
        assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
        assert "Credential=AV/" in headers["Authorization"]
        assert "/us-east-1/sts/aws4_request" in headers["Authorization"]
        assert form(body) == {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": self.ROLE,
            "RoleSessionName": "envref",
        }

    def test_a_role_of_a_profile(self, asked, found):
        """With all that the profile says of it; without a name, the session has that of the time."""
        asked.bodies = [ASSUMED]
        config = f"[profile p]\nrole_arn = {self.ROLE}\ncredential_source = Environment\n"
        begun = int(time.time())
        assert of(found(config, PROFILE="p", SECRET_ACCESS_KEY="sv")) == "incomplete keys"
        in_force = found(config, profile="p", **VARIABLES)
        assert of(in_force) == ["AR", "sr", "tr"]
        name, _, second = form(asked[0][3])["RoleSessionName"].rpartition("-")
        assert name == "botocore-session"
        assert begun <= int(second) <= time.time()
        more = "role_session_name = me\nexternal_id = e 1\nduration_seconds = 900\n"
        assert of(found(config + more, profile="p", **VARIABLES)) == ["AR", "sr", "tr"]
        assert form(asked[1][3]).items() >= {
            ("RoleSessionName", "me"),
            ("ExternalId", "e 1"),
            ("DurationSeconds", "900"),
        }

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            ("", "the role of the profile p"),
            ("source_profile = q\ncredential_source = Environment\n", "the role of the profile p"),
            ("source_profile = keys\nduration_seconds = 1h\n", "the role of the profile p"),
            ("source_profile = none\n", "the source_profile none"),
            ("source_profile = empty\n", "the source_profile empty"),
            ("source_profile = p\n", "the source_profile p"),
            ("credential_source = Elsewhere\n", "the credential_source Elsewhere"),
        ],
    )
    def test_a_role_that_only_aws_can_judge(self, asked, found, lines, reason):
        """One source, which is there, and a number of seconds."""
        others = f"[profile keys]\n{KEYS.format('k')}[profile empty]\nregion = us-east-1\n"
        config = f"[profile p]\nrole_arn = {self.ROLE}\n{lines}{others}"
        assert of(found(config, profile="p", **VARIABLES)) == reason
        assert asked == []

    def test_a_profile_may_be_its_own_source(self, asked, found):
        """If it has keys itself; a source with keys is used with those, whatever role it names."""
        asked.bodies = [ASSUMED]
        own = f"[profile p]\nrole_arn = {self.ROLE}\nsource_profile = p\n{KEYS.format('p')}"
        assert of(found(own, profile="p")) == ["AR", "sr", "tr"]
        chain = f"[profile q]\nrole_arn = {self.ROLE}\nsource_profile = p\n{own}"
        assert of(found(chain, profile="q")) == ["AR", "sr", "tr"]
        assert len(asked) == 2
        assert all("Credential=Ap/" in headers["Authorization"] for _, _, headers, _ in asked)

    def test_the_other_sources_of_a_role(self, asked, found, monkeypatch):
        """A container and a machine."""
        monkeypatch.setattr(module, "_is_machine_of_ec2", lambda: True)
        config = f"[profile p]\nrole_arn = {self.ROLE}\ncredential_source = "
        asked.bodies = [GIVEN, ASSUMED]
        in_force = found(f"{config}EcsContainer\n", profile="p", CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/x")
        assert of(in_force) == ["AR", "sr", "tr"]
        assert [url for _, url, _, _ in asked] == ["http://169.254.170.2/v2/x", "https://sts.us-east-1.amazonaws.com/"]
        asked.clear()
        asked.bodies = ["token", "web", GIVEN, ASSUMED]
        assert of(found(f"{config}Ec2InstanceMetadata\n", profile="p")) == ["AR", "sr", "tr"]
        assert len(asked) == 4

    def test_what_they_are_kept_under(self, asked, found):
        """All that they were asked for with, but no name of a session that is only the time; until their end."""
        kept, ends = [], time.time() + 3600
        asked.bodies = [ASSUMED.format(moment(3600))]

        class Told(Purse):
            def keys(self, meaning, name, deadline, obtain):
                given, end = obtain()
                kept.append((meaning, name, end))
                return given

        config = f"[profile p]\nrole_arn = {self.ROLE}\nsource_profile = k\n[profile k]\n{KEYS.format('k')}"
        of(found(config, profile="p"), purse=Told())
        of(found(f"[profile p]\nrole_session_name = me\n{config.partition('p]')[2]}", profile="p"), purse=Told())
        url = "https://sts.us-east-1.amazonaws.com/"
        assert kept[0][:2] == (["role", url, f"RoleArn={self.ROLE}", "Ak", "sk", ""], self.ROLE)
        assert "RoleSessionName=me" in kept[1][0]
        assert abs(kept[0][2] - ends) < 60


class TestSignOn:
    CONFIG = "[profile p]\nsso_account_id = 1\nsso_role_name = r\n{}"
    OWN = "sso_start_url = https://s.test\nsso_region = eu-west-1\n"

    @pytest.fixture
    def token(self, home):
        def token(name, ends=3600, **changed):
            file = home / f".aws/sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"accessToken": "token", "expiresAt": moment(ends), **changed}))

        return token

    def given(self, **changed):
        return {"roleCredentials": {"accessKeyId": "AS", "secretAccessKey": "ss", "sessionToken": "ts", **changed}}

    @pytest.mark.parametrize(
        ("lines", "name"),
        [
            (OWN, "https://s.test"),
            (f"sso_session = one\n[sso-session one]\n{OWN}", "one"),
            (f"sso_session = one\nsso_region = eu-west-1\n[sso-session one]\n{OWN}", "one"),
        ],
    )
    def test_the_keys_of_a_token(self, asked, found, token, lines, name):
        """Of a session, or of an address alone; in the region of the sign-on."""
        token(name)
        asked.bodies = [self.given()]
        assert of(found(self.CONFIG.format(lines), profile="p")) == ["AS", "ss", "ts"]
        [(method, url, headers, _)] = asked
        assert method == "GET"
        place = "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
        assert url == f"{place}?account_id=1&role_name=r"
        assert headers == {"x-amz-sso_bearer_token": "token"}

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            ("", "an incomplete single sign-on"),
            ("sso_start_url = https://s.test\n", "an incomplete single sign-on"),
            ("sso_region = eu-west-1\n", "an incomplete single sign-on"),
            (f"sso_session = two\n[sso-session one]\n{OWN}", "the sso_session two"),
            (f"sso_session = one\nsso_region = eu-west-2\n[sso-session one]\n{OWN}", "the sso_session one"),
            ("sso_session = one\n[sso-session one]\nsso_region = eu-west-1\n", "an incomplete single sign-on"),
        ],
    )
    def test_a_sign_on_that_only_aws_can_judge(self, asked, found, token, lines, reason):
        """Incomplete, or said twice and differently."""
        token("one")
        token("https://s.test")
        assert of(found(self.CONFIG.format(lines), profile="p")) == reason

    @pytest.mark.parametrize("line", ["sso_account_id = 1", "sso_role_name = r"])
    def test_half_of_a_sign_on(self, asked, found, token, line):
        """Either of the two says that one is meant."""
        token("https://s.test")
        assert of(found(f"[profile p]\n{line}\n{self.OWN}", profile="p")) == "an incomplete single sign-on"

    @pytest.mark.parametrize(
        ("ends", "changed", "reason"),
        [
            (15 * 60 - 30, {}, "the token of a single sign-on ends"),
            (3600, {"accessToken": 1}, "the token of a single sign-on ends"),
            (3600, {"expiresAt": None}, "the token of a single sign-on ends"),
            (15 * 60 + 30, {}, ["AS", "ss", "ts"]),
        ],
    )
    def test_a_token_that_is_about_to_end(self, asked, found, token, ends, changed, reason):
        """`aws` can renew it."""
        token("https://s.test", ends, **changed)
        asked.bodies = [self.given()]
        assert of(found(self.CONFIG.format(self.OWN), profile="p")) == reason

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({}, "the answer of the single sign-on"),
            ({"roleCredentials": []}, "the answer of the single sign-on"),
            ({"roleCredentials": {"accessKeyId": "AS"}}, "incomplete keys"),
        ],
    )
    def test_an_odd_answer(self, asked, found, token, body, reason):
        """`aws` asks again."""
        token("https://s.test")
        asked.bodies = [body]
        assert of(found(self.CONFIG.format(self.OWN), profile="p")) == reason

    def test_what_they_are_kept_under(self, asked, found, token):
        """With their end, which is told in milliseconds."""
        token("https://s.test")
        kept = []

        class Told(Purse):
            def keys(self, meaning, name, deadline, obtain):
                given, end = obtain()
                kept.append((meaning[0], meaning[-1], name, end))
                return given

        for end in (7_000, None):
            asked.bodies = [self.given(expiration=end)]
            of(found(self.CONFIG.format(self.OWN), profile="p"), purse=Told())
        assert kept == [("sso", "token", "1/r", 7.0), ("sso", "token", "1/r", 0.0)]


class TestContainer:
    @pytest.mark.parametrize(
        ("url", "fetched"),
        [
            ("http://127.0.0.1:8080/a?b=c", "http://127.0.0.1:8080/a?b=c"),
            ("http://127.9.9.9", "http://127.9.9.9/"),
            ("http://localhost/a", "http://localhost/a"),
            ("http://[::1]:81/a", "http://[::1]:81/a"),
            ("http://169.254.170.23/v1", "http://169.254.170.23/v1"),
            ("http://[fd00:ec2::23]/v1", "http://[fd00:ec2::23]/v1"),
            ("https://keys.test/a", "https://keys.test/a"),
            ("https://keys.test:8443/a", "https://keys.test:8443/a"),
        ],
    )
    def test_an_address_that_is_asked(self, asked, found, url, fetched):
        """By TLS anywhere, without it on this machine and its neighbours alone."""
        assert of(found(CONTAINER_CREDENTIALS_FULL_URI=url)) == ["AK", "s", "t"]
        assert asked == [("GET", fetched, {"Accept": "application/json"}, "")]

    @pytest.mark.parametrize(
        "url", ["http://keys.test/", "https://me@keys.test/", "ftp://127.0.0.1/", "http://127.x/", "http://[::1", "x"]
    )
    def test_an_address_that_is_not(self, asked, found, url):
        """Whoever reads along would have the keys."""
        assert of(found(CONTAINER_CREDENTIALS_FULL_URI=url)) == "the address of the container's keys"
        assert asked == []

    def test_the_one_of_ecs_comes_first(self, asked, found):
        """A path on its own address."""
        in_force = found(
            CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/x", CONTAINER_CREDENTIALS_FULL_URI="http://localhost/a"
        )
        assert of(in_force) == ["AK", "s", "t"]
        assert asked[0][1] == "http://169.254.170.2/v2/x"

    def test_its_token(self, asked, found, tmp_path):
        """From the file before the variable; a file that can't be read is for `aws`."""
        place = {"CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/", "CONTAINER_AUTHORIZATION_TOKEN": "variable"}
        of(found(**place))
        (tmp_path / "token").write_text("file")
        of(found(**place, CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token")))
        assert [headers["Authorization"] for _, _, headers, _ in asked] == ["variable", "file"]
        assert all(headers["Accept"] == "application/json" for _, _, headers, _ in asked)
        (tmp_path / "token").write_bytes(b"\xff")
        for name in ("token", "none"):
            in_force = found(**place, CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / name))
            assert of(in_force) == "the container's token"


class TestInstance:
    @pytest.fixture
    def machine(self, asked, monkeypatch):
        monkeypatch.setattr(module, "_is_machine_of_ec2", lambda: True)
        asked.bodies = ["token", "web", GIVEN]
        return asked

    @pytest.mark.parametrize("more", [{}, {"EC2_METADATA_DISABLED": "false"}])
    def test_a_machine_of_ec2(self, machine, found, more):
        """At the usual address, with a token for six hours."""
        assert of(found(**more)) == ["AK", "s", "t"]
        place = "http://169.254.169.254/latest"
        roles = f"{place}/meta-data/iam/security-credentials/"
        assert machine == [
            ("PUT", f"{place}/api/token", {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}, ""),
            ("GET", roles, {"x-aws-ec2-metadata-token": "token"}, ""),
            ("GET", f"{roles}web", {"x-aws-ec2-metadata-token": "token"}, ""),
        ]

    def test_another_place_of_its_service(self, asked, found):
        """Named for any machine; without TLS, as there is none."""
        asked.bodies = ["token", "web", GIVEN]
        assert of(found(EC2_METADATA_SERVICE_ENDPOINT="http://[fd00:ec2::254]:81/")) == ["AK", "s", "t"]
        assert asked[0][1] == "http://[fd00:ec2::254]:81/latest/api/token"
        for url in ("https://m.test", "m.test/x"):
            assert of(found(EC2_METADATA_SERVICE_ENDPOINT=url)) == "AWS_EC2_METADATA_SERVICE_ENDPOINT"

    @pytest.mark.parametrize("text", ["true", "TRUE"])
    def test_where_it_is_turned_off(self, machine, found, text):
        """Nobody is asked."""
        assert of(found(EC2_METADATA_DISABLED=text)) == "no credentials"
        assert machine == []

    @pytest.mark.parametrize(("text", "is_one"), [("Amazon EC2\n", True), ("QEMU\n", False), (None, False)])
    def test_what_tells_a_machine_of_ec2(self, monkeypatch, tmp_path, text, is_one):
        """Its vendor's name, in Linux."""
        if text is not None:
            (tmp_path / "vendor").write_text(text)
        monkeypatch.setattr(module, "_MACHINE", str(tmp_path / "vendor"))
        assert module._is_machine_of_ec2() is is_one

    def test_it_has_two_seconds(self, monkeypatch):
        """Or less, where the call has less."""
        now = time.monotonic()
        monkeypatch.setattr("time.monotonic", lambda: now)
        assert (module._soon(now + 60), module._soon(now + 1)) == (now + 2, now + 1)


class TestFetched:
    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [
            (Answer(200, {}, b"x"), None),
            (Answer(201, {}, b"x"), "keys.test answered 201"),
            (Answer(404, {}, b"x"), "keys.test answered 404"),
            (OSError(), "no answer of keys.test"),
            (NotHttp(), "no answer of keys.test"),
            (ValueError(), "no answer of keys.test"),
        ],
    )
    def test_only_a_good_answer_counts(self, monkeypatch, outcome, reason):
        """The connection is closed in any case."""
        told = []

        class Connection:
            def __init__(self, server, deadline):
                told.append((server.host, deadline))

            def ask(self, *words):
                told.append(words)
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome

            def close(self):
                told.append("closed")

        monkeypatch.setattr(module, "Connection", Connection)
        server = Server("keys.test", 80, None)
        if reason is None:
            assert module._fetched(server, "GET", "/a", {"b": "c"}, 7.0, body=b"d") is outcome
        else:
            with pytest.raises(Unusual, match=f"^{reason}$"):
                module._fetched(server, "GET", "/a", {"b": "c"}, 7.0, body=b"d")
        assert told == [("keys.test", 7.0), ("GET", "/a", {"b": "c"}, b"d"), "closed"]

    @pytest.mark.parametrize("body", [b"rubbish", b"[]", b"", b"[" * 100_000])
    def test_an_answer_that_is_no_object(self, body):
        """`aws` says what it makes of it."""
        with pytest.raises(Unusual, match="an answer that is not JSON"):
            module._of_machine(Answer(200, {}, body))

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("1970-01-02T00:00:01Z", 86401.0),
            ("1970-01-01T00:00:05UTC", 5.0),
            ("1970-01-01T00:00:05+00:00", 5.0),
            ("1970-01-01T00:00:05", 0.0),
            ("1970-01-01T00:00:05+01:00", 0.0),
            ("soon", 0.0),
        ],
    )
    def test_a_moment(self, text, seconds):
        """In UTC; any other text is none."""
        assert module._seconds(text) == seconds
        assert module._is_after(text, 0) is False

    def test_a_moment_is_after_or_not(self, monkeypatch):
        """To the second: the very second is not after it."""
        monkeypatch.setattr("time.time", lambda: 1_000_000.0)
        at = "1970-01-12T13:46:40Z"
        assert module._seconds(at) == 1_000_000
        assert [module._is_after(at, seconds) for seconds in (-1, 0, 1)] == [True, False, False]
