"""The keychain in other tools' files and commands, and in a hook without envref."""

from __future__ import annotations

import pytest

from envref.backends.keychain.name import likeliest, meant
from envref.backends.keychain.store import Keychain
from envref.store_errors import BackendInvalid
from tests.backends.asking import error_of, foreign, keys
from tests.backends.words import declared, hook, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("security find-generic-password -s web -a me -w", "web/me"),
        ("security find-generic-password -w -s web", "web"),
        ("security find-generic-password -a $USER -s web", "web"),
        ("security find-generic-password -s web -a  -w", "web"),
        ("security find-generic-password -a me", "/me"),
        ("security find-internet-password -s web -a me", ""),
        ("secret-tool lookup service web account me", "service=web,account=me"),
        ("secret-tool lookup service web account $USER", "service=web"),
        ("secret-tool lookup service web account", "service=web"),
        ("secret-tool store service web", ""),
        ("keyring get web me", ""),
    ],
)
def test_a_command_names_an_item(command, name):
    """By service and account, or by attributes; who asks is not named."""
    assert of_command("keychain", command) == (name, {})


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"service": "fnox", "prefix": "p-", "value": "token"}, "fnox/p-token"),
        ({"value": "token"}, "/token"),
        ({"item": "web", "field": "me"}, "web/me"),
        ({"item": "web"}, "web"),
        ({"field": "me"}, "me"),
        ({}, ""),
    ],
)
def test_a_file_names_an_item(said, name):
    """fnox by service, prefix and value; SecretSpec by item and field."""
    assert of_file("keychain", **said) == (name, {})


@pytest.mark.parametrize(
    ("location", "name", "linux", "macos"),
    [
        (
            ("envref", "app/key"),
            None,
            "secret-tool lookup service 'envref' username 'app/key'",
            "/usr/bin/security find-generic-password -a 'app/key' -s 'envref' -w",
        ),
        (
            ("web", "me"),
            "web/me",
            "secret-tool lookup service 'web' account 'me'",
            "/usr/bin/security find-generic-password -a 'me' -s 'web' -w",
        ),
        (
            ("web", ""),
            "web",
            "secret-tool lookup service 'web' account \"${USER:-}\"",
            "/usr/bin/security find-generic-password -a \"${USER:-}\" -s 'web' -w",
        ),
        (
            ("-web", "me"),
            "-web/me",
            "secret-tool lookup -- service '-web' account 'me'",
            "/usr/bin/security find-generic-password -a 'me' -s '-web' -w",
        ),
    ],
)
def test_a_hook_asks_the_systems_own_program(location, name, linux, macos):
    """An item without an account is that of whoever asks."""
    retrieval = hook("keychain", *location, name=name)
    assert (retrieval.elsewhere, retrieval.macos) == (linux, macos)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("web", ("web", "")),
        ("web/me", ("web", "me")),
        ("web/me/too", ("web", "me/too")),
        ("/me", ("me", "")),
        ("https://example.org/me", ("https://example.org", "me")),
        ("service=web,account=me", ("web", "me")),
        ("username=me,service=web", ("web", "me")),
    ],
)
def test_the_likeliest_item_of_a_name(name, place):
    """For a program that can't look which one there is; also the place that `envref` tells."""
    assert likeliest(name) == place
    assert Keychain("keychain").location(foreign(name)) == place


@pytest.mark.parametrize("name", ["service=web", "service=web,account=me,more=1", "account=me,host=web"])
def test_attributes_alone_are_no_service_and_account(name):
    """The refusal says which two are wanted."""
    with pytest.raises(BackendInvalid) as caught:
        likeliest(name)
    assert caught.value.lines() == [
        f'error: keychain: "{name}" does not name a service and an account',
        "  hint: name both: SERVICE/ACCOUNT",
    ]


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("web", ["service=web,account=LOGIN"]),
        ("a/b/c", ["service=a,account=b/c", "service=a/b,account=c", "service=a/b/c,account=LOGIN"]),
        ("/b", ["service=/b,account=LOGIN"]),
        ("a%2Fb", ["service=a%2Fb,account=LOGIN", "service=a/b,account=LOGIN"]),
        ("a=1,b=2=3,c", ["a=1,b=2=3,c"]),
    ],
)
def test_every_slash_may_be_the_one_before_the_account(monkeypatch, name, items):
    """In the order in which they are likely, each once; escaped slashes are tried as they are and as slashes."""
    monkeypatch.setattr("getpass.getuser", lambda: "LOGIN")
    assert [str(item) for item in meant(name)] == items


@pytest.mark.parametrize("fault", [KeyError, OSError])
def test_a_user_without_a_name_has_an_empty_account(monkeypatch, fault):
    """As in a container, whose user is a number."""

    def unnamed():
        raise fault

    monkeypatch.setattr("getpass.getuser", unnamed)
    assert [str(item) for item in meant("web")] == ["service=web,account="]


def test_envrefs_own_entries_have_no_other_name():
    """By service or by attribute: the refusal names the reference to use."""
    store = Keychain("mine")
    for name in ("envref/app/key", "service=envref,account=app/key", "service=envref,more=1"):
        assert error_of(lambda name=name: store.location(foreign(name))).lines() == [
            'error: keychain: service "envref" is envref\'s own; use ref://mine/KEY'
        ]
    assert store.location(keys("key")[0]) == ("envref", "app/key")


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    own = {
        "asks_beside_data",
        "yields_elsewhere",
        "keeps_revisions",
        "foreign_names",
        "carries_project",
    }
    assert declared("keychain") == {"asks_beside_data", *own}
