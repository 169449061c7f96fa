"""HashiCorp Vault over a connection of envref's own: TLS with a real server, and servers that misbehave."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

from envref.backends.hashicorp_vault.complaints import refusal
from envref.backends.hashicorp_vault.endpoint import endpoint
from envref.backends.hashicorp_vault.store import HashicorpVault
from envref.backends.http import connection as home
from envref.backends.throttling import Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)
from tests.backends.contract import values_of
from tests.backends.doubles.scripted import http, scripts
from tests.backends.stores.openbao import OpenBao, binary, certificates, sign_in
from tests.backends.stores.shim import recorded
from tests.lateness import Stopwatch, as_set
from tests.requirements import need

KEYS = [Address("app", f"key{number}") for number in range(5)]


def ask(store, limit=20.0):
    """Five keys at once: their values as text, or errors, by key; or the store's one error."""
    try:
        answers = store.get_many(KEYS, time.monotonic() + limit)
    except BackendError as error:
        return error
    return {
        address.key: answer.reveal() if isinstance(answer, Secret) else answer for address, answer in answers.items()
    }


class TestEndpoint:
    @pytest.mark.parametrize(
        ("variables", "url", "host", "port"),
        [
            ({}, "https://127.0.0.1:8200", "127.0.0.1", 8200),
            ({"VAULT_ADDR": "https://v.test/"}, "https://v.test", "v.test", 443),
            ({"VAULT_ADDR": "http://[::1]"}, "http://[::1]", "::1", 80),
            ({"VAULT_ADDR": "https://v.test", "BAO_ADDR": "https://v.test"}, "https://v.test", "v.test", 443),
            ({"VAULT_ADDR": "", "VAULT_FORMAT": "json", "VAULTX": "1"}, "https://127.0.0.1:8200", "127.0.0.1", 8200),
        ],
    )
    def test_an_ordinary_server(self, variables, url, host, port):
        """Scheme, host and port, with the program's defaults."""
        found = endpoint(variables, "vault")
        assert (found.url, found.host, found.port) == (url, host, port)

    def test_openbao_prefers_its_own_names(self):
        """With `bao`, BAO_ADDR wins; `vault` may be either, so it has to ask itself."""
        variables = {"VAULT_ADDR": "https://a.test", "BAO_ADDR": "https://b.test"}
        assert endpoint(variables, "bao").url == "https://b.test"
        assert endpoint(variables, "vault") is None

    @pytest.mark.parametrize(
        "variables",
        [
            *({"VAULT_ADDR": address} for address in (
                "unix:///run/vault.sock",
                "vault.test:8200",
                "https://v.test/base",
                "https://user:pw@v.test",
                "https://v.test?x",
                "https://v.test:port",
                "https://v.test:99999",
                "https://[::1",
                "https://",
                "https://ü.test",
                "https://v.test\\@w.test",
                " https://v.test",
                "HTTPS://v.test",
            )),
            {"VAULT_AGENT_ADDR": "http://127.0.0.1:8100"},
            {"VAULT_CACERT_BYTES": "x"},
            {"VAULT_SRV_LOOKUP": "1"},
            {"VAULT_SKIP_VERIFY": "maybe"},
            {"VAULT_CLIENT_CERT": "client.pem"},
            {"VAULT_TOKEN": "a\nb"},
            {"VAULT_NAMESPACE": "a b"},
            {"BAO_TOKEN": "x"},
            {"HTTPS_PROXY": "http://proxy.test"},
            {"http_proxy": "http://proxy.test"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_is_left_to_the_program(self, variables):
        """Whatever is unknown or odd: a guess could send a token elsewhere."""
        assert endpoint(variables, "vault") is None


SECURE = {"VAULT_ADDR": "https://v.test", "VAULT_CACERT": "/ca.pem"}
CLIENT = {"VAULT_CLIENT_CERT": "/client.pem", "VAULT_CLIENT_KEY": "/client.key"}


class TestSharing:
    @pytest.mark.parametrize(
        "more", [{"VAULT_NAMESPACE": "a"}, {"VAULT_TOKEN": "t"}, {"VAULT_FORMAT": "json"}], ids=str
    )
    def test_backends_of_one_server_share_their_connections(self, more):
        """Who asks, and in which namespace, is said in each request."""
        for settings in (SECURE, {**SECURE, **CLIENT}, {"VAULT_ADDR": "http://v.test"}):
            first = endpoint(settings, "vault")
            assert endpoint({**settings, **more}, "vault").connections is first.connections

    @pytest.mark.parametrize(
        "more",
        [
            {"VAULT_ADDR": "http://v.test"},
            {"VAULT_ADDR": "https://w.test"},
            {"VAULT_ADDR": "https://v.test:8200"},
            {"VAULT_CACERT": "/other.pem"},
            {"VAULT_CACERT": ""},
            {"VAULT_CAPATH": "/authorities"},
            {"VAULT_SKIP_VERIFY": "true"},
            {"VAULT_TLS_SERVER_NAME": "w.test"},
            CLIENT,
            {**CLIENT, "VAULT_CLIENT_KEY": "/other.key"},
        ],
        ids=str,
    )
    def test_what_shapes_a_connection_parts_them(self, more):
        """Whoever is trusted or trusts in another way has one of its own."""
        made = [endpoint(settings, "vault") for settings in (SECURE, {**SECURE, **CLIENT})]
        other = endpoint({**SECURE, **more}, "vault")
        shared = [each for each in made if each.connections is other.connections]
        assert shared == ([made[1]] if more == CLIENT else [])


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def secure(tmp_path_factory, authority):
    """A server whose second listener wants TLS, and a certificate of the client."""
    tls = {
        "tls_cert_file": authority["server_pem"],
        "tls_key_file": authority["server_key"],
        "tls_client_ca_file": authority["authority_pem"],
        "tls_require_and_verify_client_cert": True,
    }
    with OpenBao(tmp_path_factory.mktemp("openbao"), tls=tls) as running:
        running.put("envref/app/key0", {"value": "over TLS"})
        yield running


class TestTls:
    @pytest.fixture(autouse=True)
    def shim(self, secure, authority, tmp_path, monkeypatch):
        """Signed in over TLS, with everything set; `vault` writes down how it was called."""
        made = recorded(tmp_path / "shim", binary(), "vault")
        sign_in(monkeypatch, secure, made.path)
        monkeypatch.setenv("VAULT_ADDR", f"https://127.0.0.1:{secure.tls_port}")
        monkeypatch.setenv("VAULT_CACERT", authority["authority_pem"])
        monkeypatch.setenv("VAULT_CLIENT_CERT", authority["client_pem"])
        monkeypatch.setenv("VAULT_CLIENT_KEY", authority["client_key"])
        return made

    def both(self):
        """What the program says of a key, and what five keys give over the connection."""
        store = HashicorpVault("hcvault")
        try:
            alone = store.get_many(KEYS[:1], time.monotonic() + 20)[KEYS[0]]
        except BackendError as error:
            alone = error
        together = ask(store)
        return alone.reveal() if isinstance(alone, Secret) else alone, together

    @pytest.mark.parametrize(
        "variables",
        [
            {},
            {"VAULT_TLS_SERVER_NAME": "vault.test"},
            {"VAULT_CACERT": "", "VAULT_SKIP_VERIFY": "true"},
            {"VAULT_SKIP_VERIFY": "1", "VAULT_TLS_SERVER_NAME": "other.test"},
            {"VAULT_SKIP_VERIFY": "false"},
        ],
        ids=str,
    )
    def test_the_programs_settings_are_honoured(self, monkeypatch, shim, variables):
        """Authority, server name, client certificate, no verification: both ways, one process in all."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert self.both() == ("over TLS", {"key0": "over TLS"})
        assert shim.count() == 1

    def test_a_directory_of_authorities(self, monkeypatch, shim, authority, tmp_path):
        """Every file below VAULT_CAPATH, whatever its name."""
        for name in ("a/one", "two"):
            (tmp_path / "authorities" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "authorities" / name).write_bytes(pathlib.Path(authority["authority_pem"]).read_bytes())
        monkeypatch.setenv("VAULT_CACERT", "")
        monkeypatch.setenv("VAULT_CAPATH", str(tmp_path / "authorities"))
        assert self.both() == ("over TLS", {"key0": "over TLS"})
        assert shim.count() == 1

    @pytest.mark.parametrize(
        ("variables", "hint"),
        [
            ({"VAULT_CACERT": ""}, "set VAULT_CACERT to the certificate of the authority that signed it"),
            ({"VAULT_TLS_SERVER_NAME": "other.test"}, "VAULT_TLS_SERVER_NAME names whom it is for"),
        ],
        ids=["authority", "name"],
    )
    def test_a_certificate_that_cannot_be_verified(self, monkeypatch, secure, variables, hint):
        """Unavailable both ways, and the program has the last word; with the variable to set."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        alone, together = self.both()
        assert isinstance(alone, BackendUnavailable)
        url = f"https://127.0.0.1:{secure.tls_port}"
        for error in (alone, *together.values()):
            assert error.lines() == [
                f"error: hashicorp-vault: unavailable: the server's certificate can't be verified ({url})",
                f"  hint: {hint}",
            ]

    def test_a_missing_client_certificate(self, monkeypatch):
        """The server hangs up: unavailable, and no absence."""
        monkeypatch.setenv("VAULT_CLIENT_CERT", "")
        monkeypatch.setenv("VAULT_CLIENT_KEY", "")
        alone, together = self.both()
        assert isinstance(alone, BackendUnavailable)
        assert set(map(type, together.values())) == {BackendUnavailable}

    @pytest.mark.parametrize("name", ["VAULT_CACERT", "VAULT_CLIENT_KEY"])
    def test_files_that_cannot_be_used_are_the_programs_affair(self, monkeypatch, shim, tmp_path, authority, name):
        """A file that is not there, and a key with a password, for which nobody is asked."""
        locked = tmp_path / "locked.key"
        key = ["pkey", "-in", authority["client_key"], "-aes256", "-passout", "pass:x", "-out", str(locked)]
        subprocess.run([need("openssl"), *key], check=True, capture_output=True)
        monkeypatch.setenv(name, str(locked if name == "VAULT_CLIENT_KEY" else tmp_path / "none"))
        assert set(map(type, ask(HashicorpVault("hcvault")).values())) == {BackendUnavailable}
        assert shim.count() == len(KEYS)


MOUNT = {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}
ENTRY = {"data": {"data": {"value": "marker-3b"}, "metadata": {"version": 1}}}


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Starts a server that gives these answers; a `vault` that says that it was asked is on PATH."""
    program = tmp_path / "vault"
    program.write_text("#!/bin/sh\necho the program was asked >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("VAULT_TOKEN", "hvs.marker")
    with scripts() as start:
        yield start


def types_of(answers):
    return {key: type(answer) for key, answer in answers.items()} if isinstance(answers, dict) else type(answers)


def every(kind):
    return {address.key: kind for address in KEYS}


def refused(status, errors, path="envref/app/key"):
    """The error of an answer, as a person reads it."""
    target = f"/v1/secret/data/{path}" if path else "/v1/sys/internal/ui/mounts/secret"
    return refusal("https://v.test", target, status, errors, mount="secret", path=path)


class TestStatuses:
    """What a status means is decided by it and by the server's own words, in no sentence of the program."""

    @pytest.mark.parametrize(
        ("status", "errors", "path", "kind", "words"),
        [
            (404, [], "a", SecretNotFound, "secret not found"),
            (404, None, "a", BackendUnavailable, "Code: 404. Errors:"),
            (404, [], "", BackendUnavailable, "mounts/secret Code: 404. Errors:"),
            (404, ["namespace not found"], "", BackendInvalid, 'no KV engine at "secret"'),
            (403, ["permission denied"], "", BackendDenied, "set VAULT_ADDR and VAULT_TOKEN"),
            (403, ["preflight capability check returned 403, x"], "", BackendDenied, 'there is no mount "secret"'),
            (400, ["missing client token"], "a", BackendDenied, "set VAULT_ADDR and VAULT_TOKEN"),
            (403, ["1 error occurred:\n\t* permission denied\n\n"], "a", BackendDenied, 'permission denied for "a"'),
            (403, ["a policy of another kind"], "a", BackendDenied, "Code: 403. Errors: * a policy of another kind"),
            (403, None, "a", BackendDenied, "Code: 403. Errors:"),
            (503, ["Vault is sealed"], "a", BackendUnavailable, "unavailable: sealed (https://v.test)"),
            (500, ["internal", "error"], "a", BackendUnavailable, "Code: 500. Errors: * internal * error"),
        ],
    )
    def test_an_answer_has_one_class(self, status, errors, path, kind, words):
        """Only the server's own "no such entry" is absence; what nobody knows is unavailable."""
        error = refused(status, errors, path)
        assert type(error) is kind
        assert words in error.message


class TestMisbehaviour:
    def test_the_script_is_a_server(self, script):
        """One connection, the token in each request and in no other place, absence by the server's own words."""
        absent = http({"errors": []}, status="404 Not Found")
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = json.dumps(ENTRY).encode()
        chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
        deleted = http({"data": {"data": None, "metadata": {"version": 2}}}, status="404 Not Found")
        server = script(http(MOUNT), http(ENTRY), absent, chunked + chunks, deleted, http(ENTRY))
        store = HashicorpVault("hcvault", addr=server.url, namespace="admin")
        assert ask(store) == {"key0": "marker-3b", "key2": "marker-3b", "key4": "marker-3b"}
        lines = [request.partition(" HTTP/1.1\r\n")[0] for request in server.requests]
        paths = ["sys/internal/ui/mounts/secret", *(f"secret/data/envref/app/{address.key}" for address in KEYS)]
        assert lines == [f"GET /v1/{path}" for path in paths]
        for request in server.requests:
            assert request.count("hvs.marker") == request.count("X-Vault-Token: hvs.marker\r\n") == 1
            assert "X-Vault-Namespace: admin\r\n" in request
            assert "X-Vault-Request: true\r\n" in request

    def test_a_server_that_closes_after_each_answer(self, script):
        """Opened again, as often as it takes."""
        answers = [http(ENTRY, more="Connection: close\r\n")] * 5
        server = script(http(MOUNT, more="Connection: close\r\n"), *answers)
        assert ask(HashicorpVault("hcvault", addr=server.url)) == every("marker-3b")

    @pytest.mark.parametrize(
        ("answers", "expected", "words"),
        [
            ([60], BackendTimeout, "no answer within 1 s"),
            ([http(MOUNT), 60], BackendTimeout, "no answer within 1 s"),
            ([[b"HTTP/1.1 200 OK\r\n", *[0.05, b"X: y\r\n"] * 100]], BackendTimeout, "no answer within 1 s"),
            ([http(MOUNT), [http(ENTRY)[:40], *[0.05, b" "] * 100]], BackendTimeout, "no answer within 1 s"),
            ([b"rubbish marker-3b\r\n\r\n"], BackendUnavailable, "the answer is not HTTP"),
            ([], BackendUnavailable, "the connection ended before the answer"),
            ([http(MOUNT)], BackendUnavailable, "the connection ended before the answer"),
            ([http(MOUNT), http(ENTRY, more="Connection: close\r\n")[:-9]], BackendUnavailable, "ended before"),
        ],
        ids=["hang", "hang_later", "drip_headers", "drip", "rubbish", "nothing", "dies", "cut"],
    )  # fmt: skip
    def test_a_faulty_server_does_no_harm(self, script, answers, expected, words):
        """It ends in time with the right class, and no word of a value."""
        server = script(*answers)
        watch = Stopwatch()
        answered = ask(HashicorpVault("hcvault", addr=server.url), limit=1)
        assert watch.seconds() < 2
        assert types_of(answered) == every(expected)
        for error in answered.values():
            assert words in as_set(error.message, 1)
            assert "marker" not in values_of(error)

    @pytest.mark.parametrize(
        ("answer", "expected", "words"),
        [
            (http(b"<h1>marker-3b</h1>", status="404 Not Found"), BackendUnavailable, "Code: 404. Errors:"),
            (http({"errors": ["no handler"]}, status="404 Not Found"), BackendUnavailable, "Errors: * no handler"),
            (http(b"<h1>marker-3b</h1>", status="502 Bad Gateway"), BackendUnavailable, "Code: 502. Errors:"),
            (http({"errors": ["internal"]}, status="500 Error"), BackendUnavailable, "Code: 500. Errors: * internal"),
            (http(b"marker-3b"), BackendInvalid, "the answer is not JSON"),
            (http(b"\xff\xfe"), BackendInvalid, "the answer is not JSON"),
            (http(b"[" * 100_000), BackendInvalid, "the answer is not JSON"),
            (http({"data": {"value": "marker-3b"}}), BackendInvalid, "not an entry of a KV engine, version 2"),
            (http({"data": ["marker-3b"]}), BackendInvalid, "not an entry of a KV engine"),
            (http(["marker-3b"]), BackendInvalid, "not an entry of a KV engine"),
            (http(json.dumps(ENTRY).replace("marker-3b", "\\ud800").encode()), BackendInvalid, "not UTF-8 text"),
        ],
    )
    def test_an_answer_that_is_none_fails_its_path_alone(self, script, answer, expected, words):
        """Never absent: a proxy's 404 says nothing about a secret."""
        server = script(http(MOUNT), http(ENTRY), answer, http(ENTRY), http(ENTRY), http(ENTRY))
        answers = ask(HashicorpVault("hcvault", addr=server.url))
        error = answers.pop("key1")
        assert isinstance(error, expected)
        assert words in error.message
        assert "marker" not in values_of(error)
        assert answers == {f"key{number}": "marker-3b" for number in (0, 2, 3, 4)}

    def test_what_came_before_the_connection_ended_is_kept(self, script):
        """Two values, three errors."""
        server = script(http(MOUNT), http(ENTRY), http(ENTRY))
        kinds = types_of(ask(HashicorpVault("hcvault", addr=server.url)))
        assert kinds == {**every(BackendUnavailable), "key0": str, "key1": str}

    @pytest.mark.parametrize(
        "answers",
        [
            [http(b"", status="307 Temporary Redirect", more="Location: TARGET/v1/x\r\n")],
            [http(MOUNT), http(b"", status="302 Found", more="Location: TARGET/v1/x\r\n")],
            [http({"data": {"path": "secret/", "options": {"version": "3"}}})],
            [http({"data": {"path": "other/", "options": {"version": "2"}}})],
            [http({"data": {"path": "secret/", "options": None}})],
            [http(b"oops")],
        ],
        ids=["redirect", "redirect_later", "version_3", "other_mount", "no_options", "no_json"],
    )
    def test_what_is_unusual_goes_to_the_program(self, script, answers):
        """A redirect is not followed with the token; a mount that is not of version 2 is not guessed at."""
        target = script(http(MOUNT), *[http(ENTRY)] * 5)
        server = script(*(answer.replace(b"TARGET", target.url.encode()) for answer in answers))
        answered = ask(HashicorpVault("hcvault", addr=server.url))
        assert types_of(answered) == every(BackendUnavailable)
        assert {error.message for error in answered.values()} == {"hashicorp-vault: the program was asked"}
        assert target.requests == []

    @pytest.mark.parametrize("after", ["", "Retry-After: 0\r\n", "Retry-After: soon\r\n"])
    def test_a_throttled_request_is_made_again(self, script, after):
        """Of the mount and of an entry, on the same connection; the others are not asked twice."""
        limited = http({"errors": ["rate limit quota exceeded"]}, status="429 Too Many Requests", more=after)
        server = script(limited, http(MOUNT), http(ENTRY), limited, *[http(ENTRY)] * 4)
        assert ask(HashicorpVault("hcvault", addr=server.url)) == every("marker-3b")

    def test_a_server_that_wants_a_longer_pause_is_left_alone(self, script):
        """`Retry-After` past the deadline: at once, as throttled."""
        limited = http({"errors": []}, status="429 Too Many Requests", more="Retry-After: 60\r\n")
        server = script(limited)
        watch = Stopwatch()
        assert isinstance(ask(HashicorpVault("hcvault", addr=server.url)), Throttled)
        assert watch.seconds() < 5

    def test_an_endless_answer_is_cut(self, script):
        """More than 16 MiB are not read."""
        server = script(http(MOUNT), http(b" " * (17 * 1024 * 1024)))
        assert types_of(ask(HashicorpVault("hcvault", addr=server.url))) == every(BackendUnavailable)

    def test_a_name_service_that_hangs_does_not_hold_the_call(self, script, monkeypatch):
        """No socket's time-out covers it."""
        monkeypatch.setattr(home.sockets, "getaddrinfo", lambda *_, **__: time.sleep(5) or [])
        watch = Stopwatch()
        answered = ask(HashicorpVault("hcvault", addr="https://v.test"), limit=0.5)
        assert types_of(answered) == every(BackendTimeout)
        assert watch.seconds() < 1.5

    @pytest.mark.parametrize(
        ("number", "words"),
        [(socket.EAI_NONAME, "unavailable: no such host (https://v.test)"), (socket.EAI_AGAIN, "name service failed")],
    )
    def test_a_host_that_is_not_known(self, script, monkeypatch, number, words):
        """Named with its address."""

        def fail(*_, **__):
            raise socket.gaierror(number, "Name service failed")

        monkeypatch.setattr(home.sockets, "getaddrinfo", fail)
        answered = ask(HashicorpVault("hcvault", addr="https://v.test"))
        assert types_of(answered) == every(BackendUnavailable)
        assert {error.message.endswith(words) for error in answered.values()} == {True}

    def test_no_time_left_is_a_timeout(self, script):
        """Nothing is asked any more."""
        server = script(http(MOUNT), *[http(ENTRY)] * 5)
        assert types_of(ask(HashicorpVault("hcvault", addr=server.url), limit=-1)) == every(BackendTimeout)
        assert server.requests == []
