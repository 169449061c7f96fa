"""Signatures: those of Oracle's SDK for requests of any kind, and the keys that it reads."""

from __future__ import annotations

import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envref.backends.http.connection import Unusual
from envref.backends.oci.direct.signature import Signer, api_key, private_key, session
from envref.secret import Secret
from tests.nightly import count

PASSPHRASE = "correct horse"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CLEAR = serialization.NoEncryption()
LOCKED = serialization.BestAvailableEncryption(PASSPHRASE.encode())


def pem(key=RSA, encryption=CLEAR, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


PUBLIC = (
    RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)

parts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
words = st.from_regex(r"[A-Za-z0-9._-]{1,16}", fullmatch=True)
owners = st.tuples(words, words, words) | st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)


@st.composite
def targets(draw):
    path = [urllib.parse.quote(part, safe="") for part in draw(st.lists(parts, max_size=3)) if part not in (".", "..")]
    query = urllib.parse.urlencode(draw(st.lists(st.tuples(parts, parts), max_size=3)), quote_via=urllib.parse.quote)
    return "/" + "/".join(path) + (f"?{query}" if query else "")


class TestOracle:
    @settings(max_examples=count(150, 5_000), deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
        target=targets(),
        host=st.sampled_from(["a.test", "a.test:8443", "127.0.0.1:80", "[::1]:8080"]),
        body=st.binary(max_size=64),
        owner=owners,
        at=st.integers(0, 4_000_000_000),
    )
    def test_the_sdk_signs_alike(self, sdk, method, target, host, body, owner, at):
        """Any path, query, host, body, owner and time; every header that is signed is the same."""
        body = body if method in ("POST", "PUT") else b""
        name = session(Secret(owner)) if isinstance(owner, str) else api_key(*owner)
        ours = Signer(name, RSA).signed(method, target, host, body, at)
        theirs = sdk.ask("sign", method, f"https://{host}{target}", body.decode("latin-1"), owner, pem(), None, at)
        alike = {name.lower(): value for name, value in ours.items()}
        assert alike == {name: theirs[name] for name in alike}
        assert theirs.keys() - alike.keys() <= {
            "content-length",
            "user-agent",
            "accept",
            "accept-encoding",
            "connection",
        }

    def test_a_locale_changes_no_date(self, monkeypatch):
        """The names of days and months are English; a locale of the process would make others of strftime's."""
        monkeypatch.setattr("time.strftime", lambda *_: pytest.fail("a date of the locale's"))
        assert Signer("x", RSA).signed("GET", "/", "a.test", at=0)["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT"


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "passphrase"),
        [
            (pem(), None),
            (pem(), "not needed"),
            (f"\n{pem()}\nOCI_API_KEY\n", None),
            (pem(form=serialization.PrivateFormat.TraditionalOpenSSL), None),
            (pem(encryption=LOCKED), PASSPHRASE),
        ],
        ids=["clear", "a passphrase for none", "a label", "PKCS1", "locked"],
    )
    def test_a_key_that_the_sdk_reads(self, sdk, text, passphrase):
        """It is read, and is the same key."""
        assert sdk.ask("reads_key", text, passphrase) is True
        key = private_key(Secret(text), passphrase and Secret(passphrase))
        assert key.private_numbers() == RSA.private_numbers()

    @pytest.mark.parametrize(
        ("text", "passphrase"),
        [
            (pem(encryption=LOCKED), None),
            (pem(encryption=LOCKED), "wrong"),
            (pem(encryption=serialization.BestAvailableEncryption("schlüssel".encode())), "schlüssel"),
            (PUBLIC, None),
            ("rubbish", None),
            ("", None),
        ],
        ids=["no passphrase", "another passphrase", "not ASCII", "public", "rubbish", "empty"],
    )
    def test_a_key_that_the_sdk_refuses(self, sdk, text, passphrase):
        """`oci` is asked, and nothing of the key is in what `-v` says of it."""
        assert sdk.ask("reads_key", text, passphrase) in (
            "MissingPrivateKeyPassphrase",
            "InvalidPrivateKey",
            "UnicodeEncodeError",
        )
        with pytest.raises(Unusual) as refused:
            private_key(Secret(text), passphrase and Secret(passphrase))
        assert str(refused.value) == "a private key that can't be read"
        assert refused.value.__cause__ is None

    def test_a_key_of_another_kind(self):
        """OCI's signatures are RSA's; what `oci` does with another key is its own affair."""
        with pytest.raises(Unusual, match="not RSA"):
            private_key(Secret(pem(ec.generate_private_key(ec.SECP256R1()))), None)
