"""What became of a reference, as reports name it."""

from __future__ import annotations

from envref.errors import EnvrefError
from envref.refs.address import Address
from envref.refs.outcome import Failed, Found, Missing
from envref.secret import Secret
from envref.store_errors import BackendDenied


def test_a_failure_says_which_backend_it_is_from():
    """Where no store was asked, the sentence is the error's own, and the class is `invalid`."""
    own = Failed(EnvrefError("no backends are configured"))
    assert (own.word, own.reason) == ("invalid", "no backends are configured")
    theirs = Failed(BackendDenied("no entry"), "op")
    assert theirs.word == BackendDenied.outcome
    assert theirs.reason == 'backend "op": no entry'


def test_a_value_is_a_store_s_or_the_default():
    """The two are told apart in reports."""
    assert [Found(Secret("v"), "op").word, Found(Secret("v")).word] == ["resolved", "default"]


def test_what_is_missing_is_not_found():
    """A field that a secret lacks is not the secret's absence: the secret is there."""
    found = Missing("no such field", ("envref", "get"), is_there=True)
    assert (found.word, found.reason, found.run, found.is_there) == (
        "not_found",
        "no such field",
        ("envref", "get"),
        True,
    )
    assert not Missing("gone").is_there


def test_a_value_says_where_it_is_from():
    """`stale` and envref.lock need the place; a file is only there if the reference asked for one."""
    secret, address = Secret("v"), Address("app", "key", profile="qa")
    found = Found(secret, "op", "qa", address)
    assert (found.secret, found.backend, found.scope, found.address, found.file) == (secret, "op", "qa", address, "")
