"""Questions over envref's own connections: what is asked, and what a service that misbehaves comes to.

What it comes to is what the real `oci` makes of the same answer.
"""

from __future__ import annotations

import json
import os
import ssl

import pytest

from envref.backends.http.connection import Answer, Unusual
from envref.backends.oci.direct import client as module
from envref.backends.oci.questions import Misunderstood, OciRefusal, listing, value_of
from envref.backends.oci.store import OciVault
from envref.refs.address import Address
from envref.store_errors import BackendError, BackendTimeout
from tests.backends.asking import KEY, answer_of, keys, read_alone, soon
from tests.backends.contract import values_of
from tests.backends.doubles.scripted import http, scripts
from tests.backends.stores import shim
from tests.backends.stores.oci import options
from tests.backends.stores.openbao import certificates
from tests.lateness import Stopwatch
from tests.requirements import first_python

VALUE = "marker-3b"
CONTENT = "bWFya2VyLTNi"
BUNDLE = {
    "secretId": "ocid1.vaultsecret.oc1.iad.a",
    "versionNumber": 3,
    "timeCreated": "2026-01-02T03:04:05.678Z",
    "secretBundleContent": {"contentType": "BASE64", "content": CONTENT},
}


@pytest.fixture
def script(oci_account, monkeypatch):
    """Starts a server that gives these answers, and is the endpoint of this process and of `oci`."""
    with scripts() as start:

        def started(*answers, tls=None):
            server = start(*answers, tls=tls)
            # Not 127.0.0.1, where the loaded_oci `oci` asks again (stores/oci.py).
            endpoint = server.url.replace("127.0.0.1", "127.1")
            for name, value in {**oci_account.environment, "OCI_CLI_ENDPOINT": endpoint}.items():
                monkeypatch.setenv(name, value)
            return server

        yield started


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """An `oci` that says only that it was asked."""
    return shim.stand_in(tmp_path / "bin", "oci", "echo 'the program was asked' >&2; exit 1", monkeypatch)


def reading(*addresses, limit=60.0, **more):
    return answer_of(
        OciVault("store", **options("ocid1.vault.oc1.iad.v"), **more), addresses[0], soon(limit), addresses
    )


def refusal(status, body, more=""):
    return http(body, status=f"{status} Whatever", more=more)


class TestRequests:
    def test_a_value_by_name(self, script, asked, oci_account):
        """One signed request; the key is in none of it."""
        server = script(http(BUNDLE))
        assert reading(KEY) == VALUE
        [request] = server.requests
        line, *headers = request.partition("\r\n\r\n")[0].split("\r\n")
        query = "secretName=app.-key&vaultId=ocid1.vault.oc1.iad.v"
        assert line == f"POST /20190301/secretbundles/actions/getByName?{query} HTTP/1.1"
        named = dict(header.split(": ", 1) for header in headers)
        assert named["Host"] == server.url.replace("http://127.0.0.1", "127.1")
        assert named["Content-Length"] == "0"
        assert named["Authorization"].startswith(
            'Signature algorithm="rsa-sha256",headers="date (request-target) host '
        )
        assert "PRIVATE KEY" not in request

    @pytest.mark.parametrize(
        ("version", "query"),
        [
            ("007", "versionNumber=7"),
            ("0", "versionNumber=0"),
            ("PREVIOUS", "stage=PREVIOUS"),
            ("a b&c", "secretVersionName=a%20b%26c"),
        ],
    )
    def test_a_value_by_ocid_and_version(self, script, asked, version, query):
        """The OCID is in the path; a number is one, a stage is a stage, and anything else a name."""
        server = script(http(BUNDLE))
        address = Address("", "", foreign="ocid1.vaultsecret.oc1.iad.a", version=version)
        assert reading(address) == VALUE
        line = server.requests[0].partition("\r\n")[0]
        assert line == f"GET /20190301/secretbundles/ocid1.vaultsecret.oc1.iad.a?{query} HTTP/1.1"

    @pytest.mark.parametrize("name", ["ocid1.vaultsecret./../x", "ocid1.vaultsecret.a?b", "ocid1.vaultsecret.é"])
    def test_an_ocid_that_is_none_is_left_to_oci(self, script, asked, name):
        """What a path makes of it is the program's to say."""
        server = script(http(BUNDLE))
        assert reading(Address("", "", foreign=name)).message == "oci-vault: the program was asked"
        assert server.requests == []

    def test_pages_are_joined_on_one_connection(self, script, asked):
        """Until a page names no next one."""
        names = ["app.-a", "app.-b", "app.-c"]
        entries = [{"id": name, "secretName": name, "lifecycleState": "ACTIVE"} for name in names]
        first, second, third = ([entry] for entry in entries)
        server = script(
            http(first, more="opc-next-page: p 2\r\n"), http(second, more="OPC-Next-Page: 3\r\n"), http(third)
        )
        store = OciVault("store", **options())
        assert sorted(store.list("app", soon())) == ["a", "b", "c"]
        lines = [request.partition("\r\n")[0] for request in server.requests]
        assert [line.partition("page=")[2].partition("&")[0] for line in lines] == ["", "p%202", "3"]

    def test_an_empty_vault(self, script, asked):
        """Has no secrets, which is no failure."""
        script(http([]))
        assert list(OciVault("store", **options()).list("app", soon())) == []


# What a server says to a read -> what envref makes of it, by either way.
ODD = {
    "no code": refusal(500, {"message": "boom"}),
    "no message": refusal(503, {"code": "Code"}),
    "empty": refusal(502, b""),
    "page": refusal(502, b"<html>\r\n<h1>Bad Gateway</h1>"),
    "text": refusal(400, b'"words"'),
    "list": refusal(400, [1, "x"]),
    "number": refusal(400, {"code": 7, "message": 8}),
    "named": refusal(400, {"code": "InvalidParameter", "message": "a 'b'\nc"}),
    "throttled": refusal(429, b"slow down"),
    "no utf-8": refusal(500, b"\xff"),
    "not json": http(b"marker-3b"),
    "null": http(None),
    "no object": http([1]),
    "no content": http({"versionNumber": 1}),
    "no base64": http({**BUNDLE, "secretBundleContent": {"content": "marker-3b!"}}),
    "no text": http({**BUNDLE, "secretBundleContent": {"content": "//8="}}),
    "rubbish": b"rubbish marker-3b\r\n\r\n",
    "closed": None,
    "short": [http(BUNDLE)[:-5], None],
}


class TestTls:
    @pytest.fixture
    def files(self, tmp_path):
        return certificates(tmp_path / "certificates")

    @pytest.fixture
    def secured(self, script, files, monkeypatch):
        """A server with a certificate, which gives out the value."""
        side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        side.load_cert_chain(files["server_pem"], files["server_key"])
        server = script(http(BUNDLE), tls=side)
        monkeypatch.setenv("OCI_CLI_ENDPOINT", server.url)
        return server

    @pytest.mark.parametrize("variable", ["HARMLESS", "OCI_KNOWN_TO_NOBODY"])
    @pytest.mark.parametrize("authorities", ["OCI_CLI_CERT_BUNDLE", "REQUESTS_CA_BUNDLE"])
    def test_an_authority_of_ones_own(self, secured, files, loaded_oci, monkeypatch, variable, authorities):
        """OCI_CLI_CERT_BUNDLE counts by either way, and REQUESTS_CA_BUNDLE before it."""
        monkeypatch.setenv("PATH", loaded_oci.path, prepend=":")
        monkeypatch.setenv("OCI_CLI_CERT_BUNDLE", files["client_pem"])
        monkeypatch.setenv(authorities, files["authority_pem"])
        monkeypatch.setenv(variable, "1")
        assert reading(KEY) == VALUE

    @pytest.mark.parametrize("authorities", ["OCI_CLI_CERT_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_a_file_of_authorities_needs_no_oci(self, secured, files, asked, monkeypatch, authorities):
        """Under whichever of the three names."""
        monkeypatch.setenv(authorities, files["authority_pem"])
        assert reading(KEY) == VALUE

    def test_a_server_that_nobody_vouches_for(self, secured, asked):
        """Nothing is sent to it; the program has the last word."""
        assert reading(KEY).message == "oci-vault: the program was asked"
        assert secured.requests == []


class TestMisbehaviour:
    @pytest.mark.parametrize("kind", ODD)
    def test_it_is_what_oci_makes_of_it(self, script, loaded_oci, monkeypatch, kind):
        """The same class, message and cure by either way, and nothing is absent."""
        monkeypatch.setenv("PATH", f"{loaded_oci.path}:{os.environ['PATH']}")
        errors = []
        for variable in ("HARMLESS", "OCI_KNOWN_TO_NOBODY"):
            script(*[ODD[kind]] * 12)
            with monkeypatch.context() as patch:
                patch.setenv(variable, "1")
                errors.append(reading(KEY, *keys("other")))
        direct, through = errors
        assert isinstance(direct, BackendError)
        assert (type(direct), direct.lines()) == (type(through), through.lines())
        assert "marker" not in values_of(direct)

    def test_a_redirect_is_not_followed(self, script, asked):
        """Nor is any other odd answer taken: the program has the last word."""
        target = script(http(BUNDLE))
        for odd in (
            http(b"", status="307 Temporary Redirect", more=f"Location: {target.url}/\r\n"),
            http(b"[" * 100_000),
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        ):
            script(odd)
            assert reading(KEY).message == "oci-vault: the program was asked"
        assert target.requests == []

    def test_an_endless_listing_ends(self, script, asked):
        """Once it is longer than an answer may be."""
        page = http([{"id": "x" * 5_000_000}], more="opc-next-page: again\r\n")
        server = script(*[page] * 9)
        assert reading(KEY, *keys("a")).message == "oci-vault: the program was asked"
        assert len(server.requests) == 4

    def test_a_service_that_hangs(self, script, asked):
        """It ends in time."""
        script(60)
        watch = Stopwatch()
        assert isinstance(reading(KEY, limit=0.5), BackendTimeout)
        assert watch.seconds() < 3

    def test_throttling_may_say_for_how_long(self, script, asked):
        """A pause that outlasts the deadline is none."""
        server = script(*[refusal(429, b"{}", "Retry-After: 3600\r\n")] * 9)
        watch = Stopwatch()
        error = reading(KEY, limit=5)
        assert error.message == "oci-vault: TooManyRequests: The service returned error code 429"
        assert (len(server.requests), watch.seconds() < 4) == (1, True)

    def test_a_command_is_always_asked(self, script, asked):
        """Whoever names a program wants that one."""
        server = script(http(BUNDLE))
        assert reading(KEY, command=str(asked)).message == "oci-vault: the program was asked"
        assert server.requests == []


_HEAVY = {"http.client", "email", "ssl", "socket", "threading", "subprocess", "urllib.parse", "configparser"}


def test_it_loads_little(script):
    """What each of these costs is more than a question does: no program is started, and nobody spoke of TLS."""
    script(http(BUNDLE))
    value, modules = read_alone("oci-vault", vault_id="v", compartment_id="c", key_id="k")
    assert (value, _HEAVY & modules) == (VALUE, set())


class TestWay:
    def test_it_is_said(self, script, asked, project, monkeypatch):
        """With -v, by `resolve` and `doctor`: which way, and why."""
        script(*[http(BUNDLE)] * 9)
        backend = {"name": "oci", "type": "oci-vault", "config": options("v")}
        project.write(".envref.yaml", json.dumps({"project": "app", "backends": [backend]}))
        project.write(".env", "A=ref://oci/a\n")
        assert project.envref("resolve", "-v").stderr.endswith(" s, without oci\n")
        assert 'backend "oci": asked without oci\n' in project.envref("doctor", "-v").stderr
        monkeypatch.setenv("OCI_REGION", "eu-paris-1")
        assert " s, through oci (OCI_REGION)\n" in project.envref("resolve", "-v").stderr


@pytest.mark.parametrize(
    ("status", "headers", "body", "text", "pause"),
    [
        *((status, {}, b"", f"TransientServiceError: The service returned error code {status}", None)
          for status in (500, 502, 503, 504)),
        *((status, {}, b"", f"ServiceError: The service returned error code {status}", None)
          for status in (400, 499, 501, 505)),
        (429, {"retry-after": "7"}, b'{"code": "Other", "message": "slow"}', "TooManyRequests: slow", 7.0),
        (404, {}, b'{"code": "NotAuthorizedOrNotFound", "message": "no"}', "NotAuthorizedOrNotFound: no", None),
        (404, {}, b'{"message": "no"}', "ServiceError: no", None),
        (404, {}, b'"words"', "ServiceError: words", None),
        (404, {}, b"words", "ServiceError: words", None),
    ],
)  # fmt: skip
def test_a_refusal_is_put_as_oci_puts_it(status, headers, body, text, pause):
    """Code and words; only one that says "too often" is tried again."""
    refused = module._refusal(Answer(status, headers, body))
    assert (refused.text, module._pause(refused)) == (text, pause)
    assert module._pause("value") is None


@first_python
class TestConnections:
    class Connections:
        """Answers with the next of `answers`; `told` has what it was asked."""

        server = type("Server", (), {"authority": "a.test"})

        def __init__(self, *answers):
            self.told, self.answers = [], [*answers]

        def side_by_side(self, work, questions, at_once, deadline):
            self.told.append(at_once)
            return [work(self, question) for question in questions]

        def ask(self, method, target, headers):
            assert (headers["Accept"], headers["Date"]) == ("application/json", "now")
            self.told.append((method, target))
            return self.answers.pop(0)

        def close(self):
            self.told.append("closed")

    @pytest.fixture
    def client(self):
        """Of a value and of a listing in two pages."""
        made = object.__new__(module.OciClient)
        made._signer = type("Signer", (), {"signed": lambda *_: {"Date": "now"}})()
        content = json.dumps(BUNDLE).encode()
        made._reading = self.Connections(Answer(299, {}, content))
        pages = [[{"id": name, "secretName": name, "lifecycleState": "ACTIVE"}] for name in "ab"]
        first, second = (json.dumps(page).encode() for page in pages)
        made._listing = self.Connections(Answer(200, {"opc-next-page": "n"}, first), Answer(200, {}, second))
        return made

    def test_a_service_for_values_and_one_for_listings(self, client):
        """Eight at a time."""
        [value] = client.ask([value_of({"secretId": "ocid1.x"})], soon())
        [listed] = client.ask([listing({"vaultId": "v"})], soon())
        assert value.reveal() == VALUE
        assert [each.name for each in listed] == ["a", "b"]
        assert client._reading.told == [8, ("GET", "/20190301/secretbundles/ocid1.x")]
        assert client._listing.told == [
            8,
            ("GET", "/20180608/secrets?vaultId=v"),
            ("GET", "/20180608/secrets?page=n&vaultId=v"),
        ]

    def test_both_are_closed(self, client):
        """Before the program is started."""
        client.close()
        assert client._reading.told == client._listing.told == ["closed"]

    def test_a_refused_page_is_the_answer(self, client):
        """Half of a listing is none."""
        client._listing.answers[1] = Answer(300, {}, b'{"code": "X", "message": "no"}')
        assert client.ask([listing({"vaultId": "v"})], soon()) == [OciRefusal("X: no", None)]

    @pytest.mark.parametrize(("size", "is_taken"), [(1000, True), (1001, False)])
    def test_a_listing_is_as_long_as_an_answer_may_be(self, client, monkeypatch, size, is_taken):
        """All pages together."""
        monkeypatch.setattr(module, "LARGEST_BODY", 1000)
        first = client._listing.answers[0].body
        client._listing.answers[0] = Answer(200, {"opc-next-page": "n"}, first + b" " * (size - len(first)))
        if is_taken:
            assert len(client.ask([listing({"vaultId": "v"})], soon())[0]) == 2
        else:
            with pytest.raises(Unusual, match="a long listing"):
                client.ask([listing({"vaultId": "v"})], soon())


def test_what_is_no_answer():
    """Nothing of it is quoted: it may hold a value."""
    for call in (lambda: module._document("[" * 100_000), lambda: module._page({})):
        with pytest.raises(Misunderstood):
            call()
    with pytest.raises(ValueError, match="Expecting value"):
        module._document("rubbish")
    assert module._as_printed([1]) == [1]
    for name in (".", "..", "a/b", "", "a b"):
        with pytest.raises(Unusual, match="an OCID with other characters"):
            module._plain(name)
    assert module._plain("..a.") == "..a."
