"""What each store itself calls an address: the words with which its own program finds the secret."""

from __future__ import annotations

import pytest

from envref.backends.table import backend_class
from envref.refs.address import Address
from envref.store_errors import BackendInvalid
from tests.backends.asking import foreign

OWN = Address("app", "a/b")
PROFILE = Address("app", "a/b", profile="staging")
OCI = {"vault_id": "v", "compartment_id": "c", "key_id": "k"}


@pytest.mark.parametrize(
    ("kind", "options", "address", "location"),
    [
        ("keychain", {}, OWN, ("envref", "app/a/b")),
        ("keychain", {}, PROFILE, ("envref", "app/staging/a/b")),
        ("keychain", {}, foreign("service"), ("service", "")),
        ("keychain", {}, foreign("service/account/x"), ("service", "account/x")),
        ("1password", {}, OWN, ("Personal", "app/a/b")),
        ("1password", {"vault": "V"}, foreign("Title"), ("V", "Title")),
        ("aws-ssm", {}, PROFILE, ("/envref/app/staging/a/b",)),
        ("aws-ssm", {"prefix": "mine"}, OWN, ("/mine/a/b",)),
        ("aws-ssm", {}, foreign("a/b"), ("/a/b",)),
        ("aws-secrets-manager", {"namespace": "none"}, OWN, ("envref/a/b",)),
        ("aws-secrets-manager", {}, foreign("arn:aws:x"), ("arn:aws:x",)),
        ("hashicorp-vault", {"mount": "/kv/"}, OWN, ("kv", "envref/app/a/b")),
        ("hashicorp-vault", {}, foreign("/a/b/"), ("secret", "a/b")),
        ("oci-vault", OCI, OWN, ("v", "app.-a.-b")),
        ("oci-vault", OCI, foreign("a.b"), ("v", "a.b")),
        ("doppler", {}, OWN, ("", "", "A_B")),
        ("doppler", {}, PROFILE, ("", "staging", "A_B")),
        ("doppler", {"config": "dev"}, PROFILE, ("", "dev", "STAGING__A_B")),
        ("doppler", {"config": "dev"}, foreign("X"), ("", "dev", "X")),
        ("pass", {"prefix": "team"}, PROFILE, ("team/staging/a/b",)),
        ("pass", {}, foreign("x/y"), ("x/y",)),
    ],
)
def test_the_words_of_a_store(kind, options, address, location):
    """The layout of commands.md 8.2, and foreign names of 6.5; no program is needed to know them."""
    assert tuple(backend_class(kind)("name", **options).location(address)) == location


@pytest.mark.parametrize(
    ("kind", "address", "message"),
    [
        ("keychain", foreign("envref/x"), 'keychain: service "envref" is envref\'s own; use ref://name/KEY'),
        ("aws-ssm", foreign("a b"), 'aws-ssm: no name for key "a b"'),
        ("aws-ssm", Address("app", "a b"), 'aws-ssm: no name for key "a b"'),
        ("aws-ssm", Address("a b", "k"), 'aws-ssm: no name can begin with "/envref/a b"'),
        ("hashicorp-vault", foreign("a/../b"), "is not a path inside a mount"),
        ("doppler", Address("app", "0"), 'doppler: key "0" can have no name there'),
        ("pass", foreign("a/../b"), "leads out of the password store"),
    ],
)
def test_an_address_without_a_name_there(kind, address, message):
    """What a store has no name for is an error that says why."""
    with pytest.raises(BackendInvalid) as caught:
        backend_class(kind)("name").location(address)
    assert message in caught.value.message
