"""What a row means: fixed vectors of the MACs, and values bound to their keys."""

from __future__ import annotations

import hashlib
import hmac
import json

import pyrage
import pytest

from envref.backends.vault.format import Keys, SealedValue, new_identity
from envref.store_errors import BackendInvalid

# The public test identity of no vault.
IDENTITY = "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU"
VAULT_ID = "000102030405060708090a0b0c0d0e0f"


@pytest.fixture
def keys():
    return Keys(VAULT_ID, "", IDENTITY)


def mac(text):
    """The MAC of security.md 4.3, from the identity alone."""
    key = hmac.digest(IDENTITY.encode(), b"envref/vault/mac/v2", "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def test_the_mac_of_a_row(keys):
    """It covers vault, key and the hash of the armored text, as a JSON array."""
    row = keys.seal("app/ключ", b"value")
    digest = hashlib.sha256(row.value.encode()).hexdigest()
    assert row.mac == mac(f'["{VAULT_ID}","app/\\u043a\\u043b\\u044e\\u0447","{digest}"]')


def test_the_manifest(keys):
    """It covers every metadata row but itself, and every key with its MAC, each sorted."""
    manifest = keys.manifest({"b": "2", "manifest": "x", "a": "1"}, {"k2": "m2", "k1": "m1"})
    assert manifest == mac('[[["a","1"],["b","2"]],[["k1","m1"],["k2","m2"]]]')


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "a\nb\n", '"', "\\", "\\n", "\t", "\r\n", "\x00", "\x1f", "\x7f", "ü", "\u2028", "\U0001f511", "\n"],
)
def test_a_text_is_signed_as_json_has_it(keys, text):
    """Whatever is in it; those of printable ASCII are written without the encoder."""
    signed = json.dumps([[[text, text]], [[text, "m"]]], separators=(",", ":"))
    assert keys.manifest({text: text}, {text: "m"}) == mac(signed)


def test_the_plain_text_of_a_row(keys):
    """A header line that binds the value to vault and key, then the exact bytes."""
    row = keys.seal("app/key", b"\x00\xff\n")
    plain = pyrage.decrypt(row.value.encode(), [pyrage.x25519.Identity.from_str(IDENTITY)])
    assert plain == f'envref/2 ["{VAULT_ID}","app/key"]\n'.encode() + b"\x00\xff\n"
    assert keys.open("app/key", row) == b"\x00\xff\n"


def test_a_row_signed_by_a_stranger_is_refused(keys):
    """Who knows the recipient can encrypt, but not sign."""
    forged = Keys(VAULT_ID, "", new_identity()).seal("app/key", b"forged").value
    with pytest.raises(BackendInvalid):
        keys.open("app/key", SealedValue(forged, mac("")))


@pytest.mark.parametrize("key", ["app/other", 'app/key"]\n["', ""])
def test_a_value_of_another_key_is_refused(keys, key):
    """Even under a valid MAC a value counts only for the key inside it."""
    row = keys.seal("app/key", b"value")
    with pytest.raises(BackendInvalid):
        keys.open(key, SealedValue(row.value, keys._row_mac(key, row.value)))


def test_a_value_of_another_vault_is_refused(keys):
    """Two vaults of one identity, e.g. a copy, don't mix."""
    row = Keys("ff" * 16, "", IDENTITY).seal("app/key", b"value")
    with pytest.raises(BackendInvalid):
        keys.open("app/key", SealedValue(row.value, keys._row_mac("app/key", row.value)))


def test_an_identity_of_another_kind_is_refused():
    """Only X25519: an age plugin's identity would name a program to start."""
    with pytest.raises(BackendInvalid, match="not an X25519 identity"):
        Keys(VAULT_ID, "", "AGE-PLUGIN-X-1QQQQ")
