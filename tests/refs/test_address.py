"""Address and the rules for keys (commands.md 6.4)."""

from __future__ import annotations

import pytest

from envref.errors import UsageError
from envref.refs.address import Address, check_key


def test_an_address_has_a_full_key():
    """PROJECT/KEY without a profile, PROJECT/PROFILE/KEY with one."""
    assert Address("app", "db/pass").full_key == "app/db/pass"
    assert Address("app", "db/pass", profile="staging").full_key == "app/staging/db/pass"


def test_a_profile_is_no_key_segment():
    """The same full key at different scopes is two addresses."""
    assert Address("app", "staging/a") != Address("app", "a", profile="staging")
    assert Address("app", "a") == Address("app", "a")
    assert Address("", "", foreign="x", field="f") != Address("", "", foreign="x")


@pytest.mark.parametrize("key", ["a", "db/pass", "a.b-c_d", "with space", "€", "x" * 512])
def test_ordinary_keys_pass(key):
    """A key comes back unchanged."""
    assert check_key(key) == key


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "key must not be empty"),
        ("x" * 513, "key must not be longer than 512 bytes"),
        ("€" * 171, "key must not be longer than 512 bytes"),
        (" a", 'key " a" must not have leading or trailing whitespace'),
        ("a\n", 'key "a\n" must not have leading or trailing whitespace'),
        ("a\x1bb", 'key "a\x1bb" must not contain control characters'),
        ("-a", 'key "-a" must not start with "-"'),
        ("/a", 'key "/a" must not have a leading, trailing or doubled "/"'),
        ("a/", 'key "a/" must not have a leading, trailing or doubled "/"'),
        ("a//b", 'key "a//b" must not have a leading, trailing or doubled "/"'),
        ("a/../b", 'key "a/../b" must not have "." or ".." as a segment'),
    ],
)
def test_other_keys_are_refused_with_the_reason(key, fault):
    """A usage error, so exit status 2."""
    with pytest.raises(UsageError) as caught:
        check_key(key)
    assert (caught.value.message, caught.value.status) == (fault, 2)


def test_an_address_is_what_it_names():
    """As text, by which stores know it, and as the key of an answer."""
    scoped, foreign = Address("app", "key", profile="staging"), Address("app", "", foreign="Vault/Item")
    assert (str(scoped), repr(scoped), str(foreign)) == ("app/staging/key", "Address(app/staging/key)", "Vault/Item")
    assert {scoped: 1}[Address("app", "key", profile="staging")] == 1
    assert scoped != Address("app", "key")
    assert foreign == Address("other", "x", foreign="Vault/Item")
    assert scoped != "app/staging/key"


def test_a_version_of_a_secret_is_an_address_of_its_own():
    """All else is the same."""
    for address in (Address("app", "key", profile="qa"), Address("", "", foreign="x", field="f")):
        pinned = address.at("7")
        assert pinned != address
        assert pinned.identity == (*address.identity[:-1], "7")
        assert (pinned.version, pinned.field, str(pinned)) == ("7", address.field, str(address))
