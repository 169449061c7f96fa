"""Questions over envref's own connections: what is asked, who asks, and what a service that misbehaves comes to."""

from __future__ import annotations

import errno
import json

import pytest

from envref.backends.aws.complaints import Refusal
from envref.backends.aws.direct import client as module
from envref.backends.aws.direct.client import Client
from envref.backends.aws.direct.signature import Credentials
from envref.backends.aws.questions import Question
from envref.backends.aws.secrets_manager import AwsSecretsManager
from envref.backends.aws.ssm import AwsSsm
from envref.backends.http import connection
from envref.backends.http.connection import Answer, NotHttp, Unusual
from envref.backends.throttling import Throttled
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendTimeout, BackendUnavailable
from tests.backends.asking import foreign_keys, keys, read_alone, soon, texts
from tests.backends.contract import values_of
from tests.backends.doubles.scripted import Script, http
from tests.backends.stores import aws
from tests.lateness import Stopwatch
from tests.requirements import first_python

STORES = {"aws-ssm": AwsSsm, "aws-secrets-manager": AwsSecretsManager}
ANSWER = {"Parameter": {"Value": "marker-3b"}, "SecretString": "marker-3b"}


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Starts a server that gives these answers, and is the endpoint; the `aws` on PATH says that it was asked."""
    aws.stand_in(tmp_path / "bin", monkeypatch, aws.saying("the program was asked"))
    started = []

    def start(*answers):
        server = Script(answers)
        started.append(server)
        variables = {"ENDPOINT_URL": server.url, "ACCESS_KEY_ID": "AK", "SECRET_ACCESS_KEY": "secret-key-5c"}
        for name, value in {**variables, "DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        return server

    yield start
    for server in started:
        server.close()


def reading(store, *names, limit=60):
    addresses = keys(*(names or ["key"]))
    try:
        return store.get_many(addresses, soon(limit)).get(addresses[0])
    except BackendError as error:
        return error


def refusal(code, message="words", status="400 Bad Request"):
    return http({"__type": f"com.amazonaws.x#{code}", "message": message}, status=status)


@pytest.mark.parametrize("kind", STORES)
class TestMisbehaviour:
    def test_what_is_sent(self, script, kind):
        """One request: the operation, the name, who asks; the key's secret is in none of it."""
        server = script(http(ANSWER))
        assert reading(STORES[kind]("store")) == Secret("marker-3b")
        [request] = server.requests
        target = {"aws-ssm": "AmazonSSM.GetParameter", "aws-secrets-manager": "secretsmanager.GetSecretValue"}[kind]
        assert f"X-Amz-Target: {target}\r\n" in request
        assert "Authorization: AWS4-HMAC-SHA256 Credential=AK/" in request
        assert "secret-key-5c" not in request
        assert "/key" in json.loads(request.partition("\r\n\r\n")[2])[{"aws-ssm": "Name"}.get(kind, "SecretId")]

    def test_a_redirect_is_not_followed(self, script, kind):
        """Nor is any other odd answer taken: the program has the last word."""
        target = script(http(ANSWER))
        for odd in (
            http(b"", status="307 Temporary Redirect", more=f"Location: {target.url}/\r\n"),
            http(b"marker-3b"),
            http(b"[]"),
            b"rubbish marker-3b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        ):
            script(odd)
            error = reading(STORES[kind]("store"))
            assert error.message == f"{kind}: the program was asked"
            assert "marker" not in values_of(error)
        assert target.requests == []

    @pytest.mark.parametrize(
        ("answer", "expected", "words"),
        [
            (refusal("AccessDeniedException"), BackendDenied, "denied: AccessDeniedException for "),
            (refusal("UnrecognizedClientException"), BackendDenied, "(UnrecognizedClientException) when calling the"),
            (refusal("ValidationException", "no 'secret-key-5c'"), BackendInvalid, "no '***'"),
            (refusal("InternalServerError", status="500 Error"), BackendUnavailable, "(InternalServerError)"),
            (http(b"", status="503 Service Unavailable"), BackendUnavailable, "operation: Service Unavailable"),
            (http(b"<html>marker", status="403 Forbidden"), BackendDenied, "denied: 403 for "),
            (None, BackendUnavailable, "Connection was closed before we received a valid response"),
        ],
    )
    def test_a_refusal_is_an_error_class(self, script, kind, answer, expected, words):
        """That of the same words of the program; nothing is absent."""
        script(answer)
        error = reading(STORES[kind]("store"))
        assert type(error) is expected
        assert words in error.message

    def test_a_service_that_hangs(self, script, kind):
        """It ends in time."""
        script(60)
        watch = Stopwatch()
        error = reading(STORES[kind]("store"), limit=0.5)
        assert isinstance(error, BackendTimeout)
        assert watch.seconds() < 3

    def test_a_connection_that_ends_without_an_answer(self, script, kind):
        """In the words of `aws`."""
        server = script(None)
        error = reading(STORES[kind]("store"))
        assert isinstance(error, BackendUnavailable)
        closed = "Connection was closed before we received a valid response from endpoint URL"
        assert error.message == f'{kind}: {closed}: "{server.url}/".'

    def test_a_connection_that_the_system_gives_up(self, script, kind, monkeypatch):
        """Nothing answers at the address, and there would still be time: no time-out of envref's."""

        def give_up(_):
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

        server = script()
        monkeypatch.setattr(connection.Connection, "_connected", give_up)
        error = reading(STORES[kind]("store"))
        assert isinstance(error, BackendUnavailable)
        assert not isinstance(error, BackendTimeout)
        assert error.message == f'{kind}: Connect timeout on endpoint URL: "{server.url}/"'

    def test_throttling_is_asked_again(self, script, kind, monkeypatch):
        """As often as AWS_MAX_ATTEMPTS says."""
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
        server = script(*[refusal("ThrottlingException")] * 9)
        assert isinstance(reading(STORES[kind]("store")), Throttled)
        assert len(server.requests) == 2

    def test_a_command_is_always_asked(self, script, kind, tmp_path):
        """Whoever names a program wants that one."""
        server = script(http(ANSWER))
        error = reading(STORES[kind]("store", command=str(tmp_path / "bin/aws")))
        assert error.message == f"{kind}: the program was asked"
        assert server.requests == []


class TestBatches:
    def test_parameters_by_path_names_and_alone(self, service, program):
        """By path where names share it, ten names a request elsewhere, versions by themselves; `aws` is not started."""
        for number in range(25):
            put(service, f"/app/k{number}", f"v{number}")
            put(service, f"/else/{number}/k", f"e{number}")
        store = AwsSsm("ssm", prefix="/app")
        asked = [
            *keys(*(f"k{number}" for number in range(26))),
            *foreign_keys(*(f"else/{number}/k" for number in range(25)), "else/0/k:1", "else/none"),
        ]
        answers = texts(store.get_many(asked, soon()))
        assert answers == {
            **{f"app/k{number}": f"v{number}" for number in range(25)},
            **{f"else/{number}/k": f"e{number}" for number in range(25)},
            "else/0/k:1": "e0",
        }
        assert program.count() == 0

    def test_secrets_twenty_at_once(self, service, program):
        """With absent ones among them, and one that is asked for by its stage."""
        for number in range(45):
            service.call("secretsmanager.CreateSecret", Name=f"envref/app/k{number}", SecretString=f"v{number}")
        answers = texts(AwsSecretsManager("sm").get_many(keys(*(f"k{number}" for number in range(50))), soon()))
        assert answers == {f"app/k{number}": f"v{number}" for number in range(45)}
        assert program.count() == 0

    def test_without_the_permission_for_a_batch(self, service, program, limited):
        """Each is asked alone."""
        service.call("secretsmanager.CreateSecret", Name="envref/app/one", SecretString="1")
        put(service, "/envref/app/one", "1")
        limited("secretsmanager:GetSecretValue", "ssm:GetParameter")
        for store in (AwsSecretsManager("sm"), AwsSsm("ssm")):
            assert texts(store.get_many(keys("one", "two"), soon())) == {"app/one": "1"}
        assert program.count() == 0

    def test_without_any_permission(self, service, program, limited):
        """A denial names the permission and the name."""
        limited("s3:ListBuckets")
        error = reading(AwsSsm("ssm", prefix="/p"), "one", "two")
        assert error.message == 'aws-ssm: denied: 403 for ssm:GetParameter on "/p/one"'
        assert program.count() == 0


_HEAVY = {"http.client", "email", "ssl", "socket", "threading", "subprocess", "urllib.parse", "configparser", "random"}


def test_it_loads_little(script):
    """What each of these costs is more than a question does: no program is started, and nobody spoke of TLS."""
    script(http(ANSWER))
    value, modules = read_alone("aws-ssm")
    assert (value, _HEAVY & modules) == ("marker-3b", set())


class TestWay:
    def test_it_is_said(self, service, program, project, monkeypatch):
        """With -v, by `resolve` and `doctor`: which way, and why."""
        put(service, "/envref/app/a", "value")
        project.write(".envref.yaml", "project: app\nbackends: [{name: ssm, type: aws-ssm}]\n")
        project.write(".env", "A=ref://ssm/a\n")
        assert 'asked backend "ssm" for 1 key(s): ' in project.envref("resolve", "-v").stderr
        assert project.envref("resolve", "-v").stderr.endswith(" s, without aws\n")
        assert 'backend "ssm": asked without aws\n' in project.envref("doctor", "-v").stderr
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        assert project.envref("resolve", "-v").stderr.endswith(" s, through aws (use_fips_endpoint)\n")


class TestRoles:
    ROLE = "arn:aws:iam::123456789012:role/reader"

    def test_a_role_of_the_option_and_of_a_profile(self, service, program, tmp_path, monkeypatch):
        """Its keys come from the token service, without a program; `source_profile` may be a chain."""
        put(service, "/envref/app/key", "value")
        assert reading(AwsSsm("ssm", role_arn=self.ROLE)) == Secret("value")
        (tmp_path / "config").write_text(
            f"[profile p]\nrole_arn = {self.ROLE}\nsource_profile = q\nexternal_id = e 1\n"
            f"[profile q]\nrole_arn = {self.ROLE}2\nsource_profile = keys\n"
            "[profile keys]\naws_access_key_id = test\naws_secret_access_key = test\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        assert reading(AwsSsm("ssm", profile="p")) == Secret("value")
        assert program.count() == 0

    def test_a_role_that_may_not_be_assumed_is_the_programs_to_explain(self, service, program, limited):
        """Both policies that have to allow it."""
        limited("ssm:GetParameter")
        error = reading(AwsSsm("ssm", role_arn=self.ROLE))
        assert error.message == f'aws-ssm: denied: the role "{self.ROLE}" may not be assumed'
        assert program.count() == 1


@pytest.fixture
def client(home, monkeypatch):
    """A client with keys, whose connections answer with `answers`, and which tells what they did in `told`."""

    class Connections:
        def __init__(self):
            self.told, self.answers = [], []

        def side_by_side(self, work, questions, at_once, deadline):
            self.told.append(at_once)
            return [work(self, question) for question in questions]

        def ask(self, method, target, headers, body):
            self.told.append(json.loads(body))
            return self.answers.pop(0)

        def close(self):
            self.told.append("closed")

    made = Client("aws-ssm", "ssm", {"HOME": str(home)}, {"region": "us-east-1", "profile": "", "role_arn": ""})
    made._connections = Connections()
    monkeypatch.setattr(module, "keys", lambda *_: Credentials("AK", Secret("s"), None))
    return made


def page(status=200, **members):
    return Answer(status, {}, json.dumps(members).encode())


def listing(**more):
    return Question("ListThings", {"Path": "/"}, [], dict, **more)


@first_python
class TestPages:
    def test_all_of_them_are_joined(self, client):
        """List by list, until there is no next one; what is no list is the last page's."""
        client._connections.answers = [page(A=[1], B=1, NextToken="n"), page(A=[2, 3], B=2, C=[4])]
        [found] = client.ask([listing()], soon(), 1)
        assert found == {"A": [1, 2, 3], "B": 2, "C": [4], "NextToken": None}
        assert client._connections.told == [8, {"Path": "/"}, {"Path": "/", "NextToken": "n"}]

    @pytest.mark.parametrize(("most", "pages"), [(0, 3), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
    def test_as_many_as_the_question_wants(self, client, most, pages):
        """Of the longest list; the next page is asked for only where items are missing."""
        client._connections.answers = [page(A=[1, 2], B=[1], NextToken="n"), page(A=[3, 4], NextToken="m"), page(A=[5])]
        [found] = client.ask([listing(most=most)], soon(), 1)
        assert len(client._connections.told) == 1 + pages
        assert found["A"] == [1, 2, 3, 4, 5][: 2 * pages]

    def test_a_page_that_is_refused_is_the_answer(self, client):
        """Half of a listing is none."""
        client._connections.answers = [page(A=[1], NextToken="n"), page(403, __type="Denied", message="no")]
        [found] = client.ask([listing()], soon(), 1)
        assert found.text == "An error occurred (Denied) when calling the ListThings operation: no"


ENDED = {"__type": "ExpiredTokenException", "message": "ended"}


@first_python
class TestKeys:
    @pytest.mark.parametrize(
        ("has_given", "refusal", "requests"),
        [(True, ENDED, 2), (False, ENDED, 1), (True, {"__type": "AccessDenied", "message": "no"}, 1)],
    )
    def test_kept_keys_that_have_ended_are_replaced_once(self, client, monkeypatch, has_given, refusal, requests):
        """Those that nobody kept are not; nor after a refusal of another kind."""
        client._purse.has_given, given = has_given, []
        monkeypatch.setattr(module, "keys", lambda *_: given.append(1) or Credentials("AK", Secret("s"), None))
        client._connections.answers = [page(400, **refusal), page(Value="x")]
        [found] = client.ask([listing()], soon(), 1)
        assert isinstance(found, Refusal) == (requests == 1)
        assert client._connections.told.count({"Path": "/"}) == len(given) == requests
        assert client._purse.has_given == (has_given and requests == 1)

    def test_they_are_obtained_once(self, client, monkeypatch):
        """For the first question; not again for the next."""
        given = []
        monkeypatch.setattr(module, "keys", lambda *_: given.append(1) or Credentials("AK", Secret("s"), None))
        client._connections.answers = [page(), page()]
        client.ask([listing()], soon(), 1)
        client.ask([listing()], soon(), 1)
        assert given == [1]

    def test_without_any_nothing_is_signed(self, client):
        """The program says why there are none."""
        with pytest.raises(Unusual, match="no credentials"):
            assert client._known

    def test_its_connections_are_closed(self, client):
        """Before the program is started: the server may serve one of us at a time."""
        client.close()
        assert client._connections.told == ["closed"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "said"),
    [
        (500, {}, b"", "500", "Internal Server Error"),
        (503, {}, b" <html><p>marker", "503", "Service Unavailable"),
        (599, {}, b"", "599", ""),
        (499, {}, b"", "499", ""),
        (403, {}, b"<html>marker", "403", "<html>marker"),
        (500, {}, b'{"__type": "a.b#Code:http://x", "message": "words"}', "Code", "words"),
        (400, {}, b'{"__type": "Code", "Message": "words"}', "Code", "words"),
        (400, {}, b'{"message": "words"}', "400", "words"),
        (400, {"x-amzn-query-error": "Other;Sender"}, b'{"__type": "Code"}', "Other", ""),
        (400, {"x-amzn-query-error": "Other"}, b'{"__type": "Code"}', "Code", ""),
    ],
)
def test_a_refusal_is_put_as_botocore_puts_it(status, headers, body, code, said):
    """Code and words, wherever they stand."""
    answer = Answer(status, headers, body)
    refused = module._refusal(answer, module._object(answer), "GetX")
    assert refused.text == f"An error occurred ({code}) when calling the GetX operation: {said}"


@pytest.mark.parametrize("failed", [ConnectionResetError(), BrokenPipeError()])
def test_a_connection_that_was_closed(failed):
    """In the words of botocore; any other failure is one to connect."""
    closed = 'Connection was closed before we received a valid response from endpoint URL: "U".'
    assert module._unreached(failed, "U") == closed
    assert module._unreached(OSError(), "U") == 'Could not connect to the endpoint URL: "U"'
    assert module._unreached(TimeoutError(), "U") == 'Connect timeout on endpoint URL: "U"'


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"rubbish", "not JSON"),
        (200, b"[" * 100_000, "not JSON"),
        (200, b"[]", "no object"),
        (400, b"3", "no object"),
    ],
)
def test_an_answer_that_is_no_object(status, body, reason):
    """The program has the last word. A refusal may be text, and an answer empty."""
    with pytest.raises(Unusual, match=reason):
        module._object(Answer(status, {}, body))
    assert module._object(Answer(400, {}, b"rubbish")) == {"message": "rubbish"}
    assert module._object(Answer(200, {}, b"")) == {}


def test_what_is_not_the_service_s_is_left_to_the_program(client):
    """No HTTP, and what no header can hold."""
    for fault in (NotHttp(), ValueError()):
        with pytest.raises(Unusual, match="an answer that is not the service's"):
            client._outcome(fault, 0.0, soon())


def put(service, name, value):
    service.call("AmazonSSM.PutParameter", Name=name, Value=value, Type="SecureString", Overwrite=True)
