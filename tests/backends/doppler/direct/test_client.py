"""Downloads over envref's own connections: what is asked, and what a service that misbehaves comes to.

What it comes to is what the real `doppler` makes of the same answer.
"""

from __future__ import annotations

import json
import os

import pytest

from envref.backends.doppler.direct import client
from envref.backends.doppler.store import Doppler
from envref.backends.http.connection import Answer, Unusual
from envref.store_errors import BackendError, BackendTimeout
from tests.backends.asking import KEY, answer_of, foreign, read_alone, soon
from tests.backends.contract import values_of
from tests.backends.doubles.scripted import http, scripts
from tests.backends.stores import doppler, shim
from tests.lateness import Stopwatch

VALUE = "marker-3b"
JSON = "Content-Type: application/json; charset=utf-8\r\n"


@pytest.fixture
def script(home, monkeypatch):
    """Starts a server that gives these answers, and is the API host of this process and of `doppler`."""
    with scripts() as start:

        def started(*answers):
            server = start(*answers)
            monkeypatch.setenv("DOPPLER_API_HOST", f"{server.url}/")
            monkeypatch.setenv("DOPPLER_TOKEN", "dp.st.secret-5c")
            return server

        yield started


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A `doppler` that says only that it was asked."""
    return shim.stand_in(tmp_path / "bin", "doppler", "echo 'the program was asked' >&2; exit 1", monkeypatch)


def reading(*addresses, limit=60.0, **more):
    return answer_of(Doppler("store", **more), addresses[0], soon(limit), addresses)


def refusal(status, body, more=JSON):
    return http(body, status=f"{status} Whatever", more=more)


class TestRequests:
    def test_what_is_sent(self, script, asked):
        """One request for the config, with the token as a bearer's, and in the form in which `doppler` asks."""
        server = script(http({"KEY": VALUE}))
        assert reading(KEY, project="a b", config="dev") == VALUE
        [request] = server.requests
        line, *headers = request.partition("\r\n\r\n")[0].split("\r\n")
        query = "config=dev&format=json&include_dynamic_secrets=true&project=a%20b"
        assert line == f"GET /v3/configs/config/secrets/download?{query} HTTP/1.1"
        assert {"Authorization: Bearer dp.st.secret-5c", "Accept: application/json"} <= set(headers)

    def test_nothing_to_ask_is_no_request(self, script, asked):
        """A key without a name there is absent."""
        server = script(http({}))
        assert reading(foreign("a/b/c/d")) is None
        assert server.requests == []


# What a server says to a read -> what envref makes of it, by either way.
ODD = {
    "messages": refusal(500, {"messages": ["boom", "twice"], "success": False}),
    "capital": refusal(500, {"Messages": ["boom"]}),
    "no messages": refusal(500, {"success": False}),
    "null": refusal(500, b"null"),
    "list": refusal(500, b"[1]"),
    "number": refusal(500, {"messages": [1]}),
    "no list": refusal(500, {"messages": "boom"}),
    "no json": refusal(400, b"rubbish"),
    "empty": refusal(400, b""),
    "page": refusal(502, b"<html>Bad Gateway", more="Content-Type: text/html\r\n"),
    "no type": refusal(400, {"messages": ["boom"]}, more=""),
    "throttled": refusal(429, {"messages": ["API rate limit exceeded"]}),
    "busy": refusal(429, {"messages": ["come back later"]}),
    "colours": refusal(403, {"messages": ["\x1b[31mred\x1b[0m"]}),
    "signed out": refusal(401, {"messages": ["Invalid Auth token"]}),
    "text": http(b"marker-3b"),
    "nothing": http(b"", status="204 No Content"),
    "array": http([VALUE]),
    "no text": http({"KEY": 3}),
    "rubbish": b"rubbish 1\r\n\r\n",
    "closed": None,
    "short": [http({"KEY": VALUE})[:-5], None],
}


class TestMisbehaviour:
    @pytest.mark.parametrize("kind", ODD)
    def test_it_is_what_doppler_makes_of_it(self, script, monkeypatch, kind):
        """The same class, message and cure by either way, and nothing is absent."""
        monkeypatch.setenv("PATH", f"{os.path.dirname(doppler.program())}:{os.environ['PATH']}")
        errors = []
        for variable in ("HARMLESS", "DOPPLER_KNOWN_TO_NOBODY"):
            server = script(*[ODD[kind]] * 12)
            with monkeypatch.context() as patch:
                patch.setenv(variable, "1")
                error = reading(KEY)
            assert isinstance(error, BackendError)
            errors.append((type(error), [line.replace(server.url, "URL") for line in error.lines()]))
            assert "marker" not in values_of(error)
        assert errors[0] == errors[1]

    def test_a_redirect_is_not_followed(self, script, asked):
        """Nor is any other odd answer taken: the program has the last word."""
        target = script(http({"KEY": VALUE}))
        for odd in (
            http(b"", status="302 Found", more=f"Location: {target.url}/\r\n"),
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        ):
            script(odd)
            assert reading(KEY).message == "doppler: the program was asked"
        assert target.requests == []

    def test_a_service_that_hangs(self, script, asked):
        """It ends in time."""
        script(60)
        watch = Stopwatch()
        assert isinstance(reading(KEY, limit=0.5), BackendTimeout)
        assert watch.seconds() < 3

    def test_a_command_is_always_asked(self, script, asked):
        """Whoever names a program wants that one."""
        server = script(http({"KEY": VALUE}))
        assert reading(KEY, command=str(asked)).message == "doppler: the program was asked"
        assert server.requests == []


_HEAVY = {"http.client", "email", "ssl", "socket", "threading", "subprocess", "urllib.parse", "random", "yaml"}


def test_it_loads_little(script):
    """What each of these costs is more than a question does: no program is started, and there is no file to read."""
    script(http({"KEY": VALUE}))
    value, modules = read_alone("doppler")
    assert (value, _HEAVY & modules) == (VALUE, set())


class TestWay:
    def test_it_is_said(self, script, asked, project, monkeypatch):
        """With -v, by `resolve` and `doctor`: which way, and why."""
        script(*[http({"A": VALUE})] * 9)
        project.write(".envref.yaml", json.dumps({"project": "app", "backends": [{"name": "doppler"}]}))
        project.write(".env", "A=ref://doppler/a\n")
        assert project.envref("resolve", "-v").stderr.endswith(" s, without doppler\n")
        assert 'backend "doppler": asked without doppler\n' in project.envref("doctor", "-v").stderr
        monkeypatch.setenv("DOPPLER_VERIFY_TLS", "false")
        assert " s, through doppler (verify-tls)\n" in project.envref("resolve", "-v").stderr


OF_JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "message", "pause"),
    [
        (429, {"retry-after": "7"}, b"", "Request failed with HTTP 429", 7.0),
        (429, {}, b"", "Request failed with HTTP 429", 0.0),
        (500, {"retry-after": "7"}, b"", "Request failed with HTTP 500", None),
        (400, OF_JSON, b'{"messages": ["a", "b"]}', "a\nb", None),
        (
            429,
            {**OF_JSON, "retry-after": "7"},
            b'{"messages": ["Rate limit"]}',
            "Rate limit",
            7.0,
        ),
    ],
)
def test_a_service_that_is_asked_too_often_is_left_alone(status, headers, body, message, pause):
    """For as long as it says; any other refusal is final."""
    refusal = client._refusal(Answer(status, headers, body))
    assert (refusal.text, client._pause(refusal)) == (message, pause)


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (300, {}, b"", "Request failed with HTTP 300"),
        (404, {"content-type": "application/json; charset=utf-8"}, b"null", ""),
        (404, OF_JSON, b"{}", ""),
        (404, OF_JSON, b'{"messages": null}', ""),
        (404, {"content-type": "text/plain; application/json"}, b'{"messages": ["a"]}', "Request failed with HTTP 404"),
    ],
)
def test_the_words_of_a_refusal(status, headers, body, text):
    """The service's where it has any, as `doppler` puts them."""
    assert client._refusal(Answer(status, headers, body)).text == text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"rubbish", "an answer that is not JSON"),
        (b"[" * 100_000, "an answer that is not JSON"),
        (b"[]", "an answer that is not the service's"),
        (b'{"Messages": ["a"]}', "an answer that is not the service's"),
        (b'{"messages": "a"}', "an answer that is not the service's"),
        (b'{"messages": ["a", 1]}', "an answer that is not the service's"),
    ],
)
def test_another_document(body, reason):
    """Go has words of its own for it, so the program is asked."""
    with pytest.raises(Unusual, match=reason):
        client._refusal(Answer(404, OF_JSON, body))


def test_a_connection_that_failed():
    """One that ended is for the program; one that never was is not reached."""
    for fault in (ConnectionResetError(), BrokenPipeError()):
        with pytest.raises(Unusual, match="a connection that ended"):
            client._unreached(fault)
    assert client._unreached(ConnectionRefusedError()) == client.DopplerRefusal("dial tcp", None)
    assert client._pause(b"{}") is None


def test_configs_are_downloaded_four_at_a_time(home, monkeypatch):
    """Each with its own project and config, else with those of the settings; the connections can be closed."""
    monkeypatch.setenv("DOPPLER_TOKEN", "dp.st.x")
    monkeypatch.setenv("DOPPLER_PROJECT", "shop")
    monkeypatch.setenv("DOPPLER_CONFIG", "dev")
    told = []

    class Connections:
        def side_by_side(self, work, sources, at_once, deadline):
            told.append(at_once)
            return [work(self, source) for source in sources]

        def ask(self, method, target, headers):
            told.append(target.partition("?")[2])
            return Answer(250, {}, b"{}")

        def close(self):
            told.append("closed")

    made = client.DopplerClient(dict(os.environ), str(home))
    made._connections = Connections()
    assert made.downloads([("", ""), ("web", "prd")], soon()) == [b"{}", b"{}"]
    made.close()
    rest = "format=json&include_dynamic_secrets=true&project="
    assert told == [4, f"config=dev&{rest}shop", f"config=prd&{rest}web", "closed"]
