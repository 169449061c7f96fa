"""field: one member of a structured secret."""

from __future__ import annotations

import pytest

from envref.refs.field import NotStructured, absent, member, names

TWENTY = [f"f{number}" for number in range(20)]
DOCUMENT = r'{"user":"ada","a.b":"dotted","port":5432,"ratio":1.50,"big":1E400,"on":true,"off":false,"none":null,'
DOCUMENT += r'"deep":{"list":[10,{"x":"€"}],"":"empty","a/b":"slash","m~n":"tilde"},"list":[1.0,"x"]}'


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("user", "ada"),
        ("a.b", "dotted"),
        ("port", "5432"),
        ("ratio", "1.50"),
        ("big", "1E400"),
        ("on", "true"),
        ("off", "false"),
        ("none", None),
        ("absent", None),
        ("list", '[1.0,"x"]'),
        ("/deep/list/0", "10"),
        ("/deep/list/1/x", "€"),
        ("/deep/list/1", '{"x":"€"}'),
        ("/deep/list/2", None),
        ("/deep/list/01", None),
        ("/deep/list/-", None),
        ("/deep/", "empty"),
        ("/deep/a~1b", "slash"),
        ("/deep/m~0n", "tilde"),
        ("/user/x", None),
    ],
)
def test_a_member_has_its_source_text(field, text):
    """Strings give their text, numbers and booleans as written, containers compact JSON; null is absent."""
    assert member(DOCUMENT, field) == text


def test_a_pointer_reads_a_top_level_array():
    """A JSON Pointer needs no object at the top."""
    assert member('["a", "b"]', "/1") == "b"


@pytest.mark.parametrize("value", ["plain", "", '"text"', "12", "{", "[" * 100_000])
@pytest.mark.parametrize("field", ["name", "/name"])
def test_what_is_no_document_is_an_error(value, field):
    """A value that has no members is not the same as an absent member."""
    with pytest.raises(NotStructured):
        member(value, field)


def test_a_name_is_no_index():
    """Only a pointer reaches into an array; `#0` of an array is an error."""
    with pytest.raises(NotStructured):
        member('["a"]', "0")


@pytest.mark.parametrize(
    ("value", "known"),
    [('{"user": "ada", "gone": null, "port": 1}', ["user", "port"]), ('["a"]', []), ("plain", []), ("[" * 100_000, [])],
)
def test_the_names_of_a_document_are_those_that_hold_something(value, known):
    """Whatever the text is."""
    assert names(value) == known


@pytest.mark.parametrize(
    ("known", "advice"),
    [
        ([], "it has no fields"),
        (["b", "a", "b"], "its fields: b, a"),
        (TWENTY, f"its fields: {', '.join(TWENTY)}"),
        ([*TWENTY, "more"], f"its fields: {', '.join(TWENTY)}, …"),
        (["\x1b[31m"], "its fields: \\x1b[31m"),
    ],
)
def test_an_absent_field_comes_with_those_that_there_are(known, advice):
    """The first twenty, each once, in the store's order."""
    error = absent("x", "db", known, subject="vault")
    assert error.message == f'vault: field "x": "db" has no such field; {advice}'
