"""Doppler in other tools' files and commands, and in a hook without envref; its names."""

from __future__ import annotations

import pytest

from envref.backends.doppler.names import DopplerName, DopplerNames, no_name, shared
from envref.refs.address import Address
from envref.store_errors import BackendInvalid
from tests.backends.asking import error_of, foreign, keys
from tests.backends.words import command, declared, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("doppler secrets get KEY --plain", "KEY"),
        ("doppler secrets get KEY -p web -c prd --plain", "web/prd/KEY"),
        ("doppler secrets get KEY --plain --project web --config prd", "web/prd/KEY"),
        ("doppler secrets get KEY -c prd", "prd/KEY"),
        ("doppler secrets get KEY -p web", ""),
        ("doppler secrets get", ""),
        ("doppler secrets set KEY", ""),
        ("doppler configs get KEY", ""),
    ],
)
def test_a_command_names_a_secret(words, name):
    """A project needs a config beside it."""
    assert of_command("doppler", words) == (name, {})


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"value": "KEY", "project": "web", "config": "prd"}, "web/prd/KEY"),
        ({"value": "KEY", "config": "prd"}, "prd/KEY"),
        ({"value": "KEY"}, "KEY"),
        ({"value": "KEY", "project": "web"}, ""),
        ({"project": "web", "config": "prd"}, ""),
        ({}, ""),
    ],
)
def test_a_file_names_a_secret(said, name):
    """fnox by value, project and config."""
    assert of_file("doppler", **said) == (name, {})


def test_a_hook_asks_in_the_project_s_directory():
    """The place's project and config where they are named."""
    scope = '--scope "${FLOX_ENV_PROJECT:-$PWD}"'
    assert (
        command("doppler", "web", "prd", "KEY")
        == f"doppler secrets get 'KEY' --plain --project 'web' --config 'prd' {scope}"
    )
    assert command("doppler", "", "", "KEY", command="dp") == f"dp secrets get 'KEY' --plain {scope}"
    assert command("doppler", "", "prd", "-K") == f"doppler secrets get -- '-K' --plain --config 'prd' {scope}"


@pytest.mark.parametrize(
    ("options", "address", "place"),
    [
        (("", ""), Address("app", "db/pass-word.x"), ("", "", "DB_PASS_WORD_X")),
        (("web", ""), Address("app", "k", profile="prd"), ("web", "prd", "K")),
        (("web", "dev"), Address("app", "k", profile="prd"), ("web", "dev", "PRD__K")),
        (("web", "dev"), foreign("K"), ("web", "dev", "K")),
        (("web", "dev"), foreign("prd/K"), ("web", "prd", "K")),
        (("web", "dev"), foreign("shop/prd/K"), ("shop", "prd", "K")),
    ],
)
def test_the_place_of_a_name(options, address, place):
    """Project, config and name; a profile is a config, or a part of the name where one config holds all."""
    assert DopplerNames(*options).place(address) == place


@pytest.mark.parametrize("name", ["a/b/c/D", "/K", "a//K", "prd/"])
def test_a_foreign_name_has_at_most_three_parts(name):
    """And none of them is empty."""
    assert DopplerNames("", "").place(foreign(name)) is None


@pytest.mark.parametrize("key", ["1key", "a b", "kä", "a:b"])
def test_a_key_without_a_name(key):
    """No digit first, and no other character than those that become an underscore."""
    assert DopplerNames("", "").place(Address("app", key)) is None
    reason = 'only letters, digits, "_", "/", "." and "-", and no digit first'
    assert no_name(Address("app", key)).lines() == [f'error: doppler: key "{key}" can have no name there: {reason}']


def test_a_foreign_name_is_only_read():
    """The refusal says where it can be changed."""
    error = error_of(lambda: DopplerNames("", "").own_place(foreign("K")))
    assert error.lines() == [
        'error: doppler: "K" is a foreign name, which is only read',
        "  hint: change it in Doppler",
    ]


@pytest.mark.parametrize(
    ("config", "place", "key"),
    [
        ("", ("", "", "DB_PASS"), "db_pass"),
        ("", ("", "prd", "DB_PASS"), "prd/db_pass"),
        ("dev", ("", "dev", "DB_PASS"), "db_pass"),
        ("dev", ("", "dev", "PRD__DB_PASS"), "prd/db_pass"),
        ("dev", ("", "dev", "__DB"), "__db"),
        ("dev", ("", "dev", "DB__"), "db__"),
        ("", ("", "", "A__B"), "a__b"),
        ("", ("", "", "K___HISTORY_2"), "k.__history.2"),
        ("", ("", "", "K___HISTORY_0"), "k___history_0"),
        ("dev", ("", "dev", "PRD__K___HISTORY_12"), "prd/k.__history.12"),
    ],
)
def test_the_key_of_a_name(config, place, key):
    """In lower case, as most keys are; earlier values under their own names."""
    assert DopplerNames("", config).key_of(DopplerName(*place)) == key


def test_a_key_is_told_as_this_run_spelt_it():
    """Its earlier values too."""
    names = DopplerNames("", "")
    place = names.place(Address("app", "Db-Pass"))
    assert names.key_of(place) == "Db-Pass"
    assert names.key_of(place._replace(name="DB_PASS___HISTORY_1")) == "Db-Pass.__history.1"


def test_keys_that_are_one_secret():
    """Each has the error, which names them all; a foreign name disturbs nobody."""
    names = DopplerNames("", "")
    one, two, three = keys("a-b", "a_b", "c")
    own = {address: names.place(address) for address in (one, two, three)}
    errors = shared({**own, foreign("A_B"): names.place(foreign("A_B"))})
    assert set(errors) == {one, two}
    for error in errors.values():
        assert isinstance(error, BackendInvalid)
        assert error.lines() == ['error: doppler: "a-b" and "a_b" are one secret there, A_B; use one of them']


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    assert declared("doppler") == {"asks_beside_data", "foreign_names"}
