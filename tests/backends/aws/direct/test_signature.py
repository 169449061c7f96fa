"""Signatures: those that AWS publishes, and botocore's for requests of any kind."""

from __future__ import annotations

import calendar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envref.backends.aws.direct.signature import Credentials, Unsigned, signed
from envref.backends.http.query import encoded
from envref.secret import Secret
from tests.nightly import count

# The key of AWS's documentation, and the moment of its examples.
EXAMPLE = Credentials("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
MOMENT = calendar.timegm((2015, 8, 30, 12, 36, 0))
HOST = {"Host": "example.amazonaws.com"}
FORM = {
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "Host": "iam.amazonaws.com",
}


def published(request, service="service"):
    authorization = signed(request, EXAMPLE, "us-east-1", service, MOMENT)["Authorization"]
    return authorization.partition("Signature=")[2]


class TestPublished:
    """The Signature Version 4 test suite (get-vanilla, get-vanilla-query-order-key-case) and the worked example of the
    IAM documentation, which all have this key and this moment.
    """

    @pytest.mark.parametrize(
        ("request_", "service", "signature"),
        [
            (
                Unsigned("GET", "/", (), HOST),
                "service",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Unsigned("GET", "/", [("Param2", "value2"), ("Param1", "value1")], HOST),
                "service",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Unsigned("GET", "/", [("Action", "ListUsers"), ("Version", "2010-05-08")], FORM),
                "iam",
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ],
        ids=["get-vanilla", "query-order", "ListUsers"],
    )
    def test_a_published_signature(self, request_, service, signature):
        """As AWS computed it."""
        assert published(request_, service) == signature

    def test_the_whole_header(self):
        """Algorithm, scope, the names of the signed headers, and the signature; the moment in a header of its own."""
        headers = signed(Unsigned("GET", "/", (), HOST), EXAMPLE, "us-east-1", "service", MOMENT)
        assert headers["X-Amz-Date"] == "20150830T123600Z"
        assert headers["Authorization"].startswith(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature="
        )
        assert "X-Amz-Security-Token" not in headers


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
words = st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True)
values = st.from_regex(r"[!-~ \t]{0,24}", fullmatch=True)
headers = st.dictionaries(words.map(lambda name: f"X-{name}".title()), values, max_size=4)
paths = st.lists(text.filter(lambda part: part not in (".", "..") and part), max_size=3)


class TestOracle:
    @settings(max_examples=count(150, 5_000), deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        method=st.sampled_from(["GET", "POST"]),
        path=paths,
        query=st.lists(st.tuples(text, text), max_size=4),
        more=headers,
        body=st.binary(max_size=64),
        secret=text.filter(bool),
        token=st.none() | st.from_regex(r"[!-~]{1,24}", fullmatch=True),
        region=words,
        service=words,
        at=st.integers(0, 4_000_000_000),
    )
    def test_botocore_signs_alike(self, botocore, method, path, query, more, body, secret, token, region, service, at):
        """Any path, query, headers, body, key, token, region, service and time."""
        target = "/" + "/".join(encoded(part) for part in path)
        given_headers = {**more, "Host": "a.test"}
        keys = Credentials("AKID", Secret(secret), token and Secret(token))
        ours = signed(Unsigned(method, target, query, given_headers, body), keys, region, service, at)
        theirs = botocore.ask(
            "sign",
            *(method, f"https://a.test{target}", query, given_headers, body.decode("latin-1")),
            *(["AKID", secret, token], region, service, at),
        )
        assert {name.lower(): value for name, value in ours.items()} == {
            name.lower(): value for name, value in theirs.items()
        }
