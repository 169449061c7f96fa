"""field: one member of a structured secret."""

from __future__ import annotations

import pytest

from envref.refs.field import NotStructured, member

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
