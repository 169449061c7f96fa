"""1Password in other tools' files, commands and plugins, and in a hook without envref."""

from __future__ import annotations

import pytest

from envref.backends.onepassword.store import OnePassword
from tests.backends.asking import foreign, keys
from tests.backends.words import command, declared, hook, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("op read op://Dev/db/password", "op://Dev/db/password"),
        ("op read --no-newline op://Dev/db/password", "op://Dev/db/password"),
        ("op read op://Dev/a/b op://Dev/c/d", ""),
        ("op read", ""),
        ("op item get op://Dev/db/password", ""),
        ("cat read op://Dev/db/password", ""),
    ],
)
def test_a_command_names_a_field(words, name):
    """Of one reference, which `op read` prints."""
    assert of_command("1password", words) == (name, {})


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"value": "op://Dev/db/password", "account": "a"}, ("op://Dev/db/password", {"account": "a"})),
        ({"value": "op://Dev/db/password"}, ("op://Dev/db/password", {})),
        ({"value": "db", "vault": "Dev"}, ("db#password", {"vault": "Dev"})),
        ({"value": "db/user", "vault": "Dev", "account": "a"}, ("db#user", {"vault": "Dev", "account": "a"})),
        ({"value": "db"}, ("", {})),
        ({"item": "db", "host": "Dev"}, ("db#value", {"vault": "Dev"})),
        ({"item": "db", "host": "me@Dev", "field": "user"}, ("db#user", {"vault": "Dev"})),
        ({"item": "db", "vault": "Own", "host": "Dev", "section": "s"}, ("db#s/value", {"vault": "Own"})),
        ({"item": "db"}, ("", {})),
        ({"vault": "Dev"}, ("", {})),
    ],
)
def test_a_file_names_a_field(said, result):
    """fnox by value, SecretSpec by item, field and section; without a vault nobody knows which item is meant."""
    assert of_file("1password", **said) == result


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("op://Dev/db/password", "op://Dev/db/password"),
        ("ref+op://Dev/db#/password", "op://Dev/db/password"),
        ("ref+op://Dev/db/password", "op://Dev/db/password"),
    ],
)
def test_a_reference_of_another_tool(value, name):
    """1Password's own form, whole."""
    assert OnePassword.adopted(value) == name


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        ("op://Dev/db/password", ("Dev", "db", "password")),
        ("op://Dev/db/section/password", None),
        ("op://Dev/db", None),
        ("op://Dev//password", None),
        ("Dev/db/password", None),
    ],
)
def test_an_entry_of_flox_s_own_plugin(value, entry):
    """`op://VAULT/ITEM/FIELD`, and nothing else."""
    assert OnePassword.flox_entry(value) == entry


def test_a_hook_reads_a_field():
    """With the account that is configured."""
    assert (
        command("1password", "Dev", "db", name="db", field="password") == "op read --no-newline 'op://Dev/db/password'"
    )
    assert (
        command("1password", "Dev", "my db", name="my db", field="login/user", account="me.1password.com")
        == "op read --no-newline --account 'me.1password.com' 'op://Dev/my db/login/user'"
    )
    assert (
        command("1password", "Dev", "db", name="op://Dev/db/one-time password?attribute=otp")
        == "op read --no-newline 'op://Dev/db/one-time password?attribute=otp'"
    )


CHARACTERS = 'only letters, digits, "_", "-", "." and spaces'


@pytest.mark.parametrize(
    ("vault", "item", "name", "field", "reason"),
    [
        (
            *("Dev", "app/key", None, None),
            'op can\'t be asked for the title "app/key": it has a "/"; give the item\'s id in names: of the backend',
        ),
        (
            *("Dev", "db", "op://Dev/db/password", "inner"),
            "op prints whole fields, not their members; use the hook form (without --native)",
        ),
        (
            *("Dev", "db", "db", None),
            "op can't tell which field is meant; name it: #password, #credential or #notesPlain",
        ),
        (
            *("Dev", "d+b", "d+b", "f"),
            f'op can\'t be asked for the item "d+b": {CHARACTERS}; name the item by its id',
        ),
        (
            *("De/v", "db", "db", "f"),
            f'op can\'t be asked for the vault "De/v": {CHARACTERS}; name the vault by its id',
        ),
        (
            *("Dev", "db", "db", "f+"),
            f'op can\'t be asked for the field "f+": {CHARACTERS}; name the field by its id',
        ),
        (
            *("Dev", "db", "db", "s/f/g"),
            f'op can\'t be asked for the field "s/f/g": {CHARACTERS}; name the field by its id',
        ),
    ],
)
def test_what_op_read_can_t_be_asked_for(vault, item, name, field, reason):
    """Each with its reason and its cure."""
    assert hook("1password", vault, item, name=name, field=field) == [f"error: {reason}"]


@pytest.mark.parametrize("variable", ["OP_SERVICE_ACCOUNT_TOKEN", "OP_CONNECT_TOKEN"])
def test_who_has_a_token_is_asked_nothing(monkeypatch, variable):
    """A program signs in with it; a person unlocks the app."""
    assert OnePassword("op").asks_person == "unlock 1Password"
    monkeypatch.setenv(variable, "")
    assert OnePassword("op").asks_person == "unlock 1Password"
    monkeypatch.setenv(variable, "token")
    assert OnePassword("op").asks_person == ""


def test_the_place_and_the_absence_of_an_item():
    """In the vault of the reference, else in that of the backend."""
    store = OnePassword("op", vault="Dev")
    assert store.location(keys("key")[0]) == ("Dev", "app/key")
    assert store.location(foreign("op://Other/db/password")) == ("Other", "db")
    own, other = store.absent(keys("key")[0]), store.absent(foreign("op://Other/db/password"))
    assert own.lines() == ['error: 1password: op get: "app/key" isn\'t an item in the "Dev" vault']
    assert other.lines() == ['error: 1password: op get: "db" isn\'t an item in the "Other" vault']
    assert (own.note, other.note) == (
        '1password: op get: isn\'t an item in the "Dev" vault',
        '1password: op get: isn\'t an item in the "Other" vault',
    )


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    own = {
        "asks_beside_data",
        "reads_fields",
        "retrieves_fields",
        "keeps_revisions",
        "foreign_names",
        "carries_project",
    }
    assert declared("1password") == {"asks_beside_data", *own}
