"""pass in other tools' files and commands, and in a hook without envref."""

from __future__ import annotations

import pytest

from tests.backends.words import command, declared, hook, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("pass show web/db", "web/db"),
        ("pass web/db", "web/db"),
        ("pass show", ""),
        ("pass", ""),
        ("pass show -c", ""),
        ("pass show -c web/db", ""),
        ("gopass show web/db", ""),
    ],
)
def test_a_command_names_an_entry(words, name):
    """One entry and no option, whose first line is meant."""
    assert of_command("pass", words) == (name, {})


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"value": "db", "prefix": "web/"}, ("web/db", {})),
        ({"value": "db", "store_dir": "/s"}, ("db", {"store": "/s"})),
        ({"item": "web/db", "prefix": "x/"}, ("web/db", {})),
        ({}, ("", {})),
    ],
)
def test_a_file_names_an_entry(said, result):
    """fnox by prefix and value, SecretSpec by item."""
    assert of_file("pass", **said) == result


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'web/db'"),
        ({"command": "pass"}, "'web/db'"),
        ({"store": "/s"}, "'web/db' '/s'"),
        ({"store": "~/s"}, "'web/db' \"$HOME\"/'s'"),
        ({"command": "gopass"}, "'web/db' '' gopass"),
        ({"store": "/s", "command": "gopass"}, "'web/db' '/s' gopass"),
    ],
)
def test_a_hook_shows_an_entry(options, words):
    """A foreign entry's first line, or the whole of envref's own; store and program where they are not pass's."""
    assert command("pass", "web/db", name="web/db", **options) == f"_envref_pass {words}"
    assert command("pass", "web/db", **options) == f"_envref_entry {words}"
    assert hook("pass", "web/db", name="web/db").functions == ("_envref_pass", "_envref_entry")
    assert hook("pass", "web/db").functions == ("_envref_entry",)


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    own = {
        "asks_beside_data",
        "reads_fields",
        "keeps_revisions",
        "foreign_names",
        "carries_project",
    }
    assert declared("pass") == {"asks_beside_data", *own}
