"""Reference: the grammar and every message of commands.md 6.1 and 6.3."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envref.refs.reference import InvalidReference, Reference, uri_of
from tests.nightly import count

EVERY = settings(max_examples=count(300, 20_000), deadline=None)


@pytest.mark.parametrize(
    ("uri", "store", "key", "foreign"),
    [
        ("ref://secrets/api_key", None, "api_key", None),
        ("ref://secrets/db/password", None, "db/password", None),
        ("ref://ssm-staging/api.key-2", "ssm-staging", "api.key-2", None),
        ("ref://op//GitHub%20Work%20Token", "op", "", "GitHub Work Token"),
        ("ref://ssm//a/b", "ssm", "", "a/b"),
        ("ref://op//op://V/I/F?attribute=otp", "op", "", "op://V/I/F?attribute=otp"),
        ("ref://op//op://V/I/F?optional&attribute=otp&default=x&b=%20", "op", "", "op://V/I/F?attribute=otp&b= "),
        ("ref://secrets/a%2Fb", None, "a/b", None),
        ("ref://secrets/%E2%82%AC", None, "€", None),
        ("ref://secrets/€+1", None, "€+1", None),
    ],
)
def test_a_reference_names_a_store_and_a_key(uri, store, key, foreign):
    """`secrets` is the chain, a doubled slash a name of the store's own; escapes are decoded, "+" is a plus sign."""
    reference = Reference.parse(uri)
    assert (reference.store, reference.key, reference.foreign) == (store, key, foreign)
    assert str(reference) == uri


@pytest.mark.parametrize(
    ("suffix", "optional", "default", "encoding", "field"),
    [
        ("", False, None, None, None),
        ("?optional", True, None, None, None),
        ("?optional=true", True, None, None, None),
        ("?optional=false", False, None, None, None),
        ("?default=", False, "", None, None),
        ("?default=a%20b%26c%23", False, "a b&c#", None, None),
        ("?default=what?/x", False, "what?/x", None, None),
        ("?encoding=base64", False, None, "base64", None),
        ("#password", False, None, None, "password"),
        ("#/a/b/0", False, None, None, "/a/b/0"),
        ("?optional#password", True, None, None, "password"),
        ("?default=x&encoding=base64#a.b", False, "x", "base64", "a.b"),
        ("#what?", False, None, None, "what?"),
    ],
)
def test_options_come_before_the_field(suffix, optional, default, encoding, field):
    """`?optional`, `?default=`, `?encoding=base64`, then `#field`."""
    reference = Reference.parse(f"ref://secrets/db{suffix}")
    assert reference.key == "db"
    found = (reference.optional, reference.default, reference.encoding, reference.field)
    assert found == (optional, default, encoding, field)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ref://", 'empty ref:// URI: "ref://"'),
        ("ref://secrets", 'ref:// URI missing path: "ref://secrets" (expected ref://<backend>/<path>)'),
        ("ref:///x", 'ref:// URI has empty backend: "ref:///x"'),
        ("ref://secrets/", 'ref:// URI has empty path: "ref://secrets/"'),
        ("ref://secrets/?optional", 'ref:// URI has empty path: "ref://secrets/?optional"'),
        ("ref://secrets/db pass", "space at column 17 (write %20)"),
        ("ref://secrets/{x", '"{" at column 15 (write %7B)'),
        ("ref://store/a%zz", 'bad percent escape "%zz" at column 14'),
        ("ref://store/a%2", 'bad percent escape "%2" at column 14'),
        ("ref://secrets/a?opt", 'unknown option "opt" (valid: optional, default, encoding, version, as)'),
        ("ref://secrets/a?", 'unknown option "" (valid: optional, default, encoding, version, as)'),
        ("ref://secrets/a?version=", 'option "version" needs a value: version=…'),
        ("ref://secrets/a?version", 'option "version" needs a value: version=…'),
        ("ref://secrets/a?optional&optional", 'option "optional" is given twice'),
        ("ref://secrets/a?optional=maybe", 'option "optional" is true or false, not "maybe"'),
        ("ref://secrets/a?default", 'option "default" needs a value: default=…'),
        ("ref://secrets/a?as=path", 'a value can\'t be given as "path" (valid: file)'),
        ("ref://secrets/a?as", 'option "as" needs a value: as=…'),
        ("ref://secrets/a?as=file&as=file", 'option "as" is given twice'),
        ("ref://secrets/a#f?as=file", '"?" after "#" (write the options before the field)'),
        ("ref://secrets/a?encoding=hex", 'unknown encoding "hex" (valid: base64)'),
        ("ref://secrets/a#", 'empty field after "#"'),
        ("ref://secrets/a#f?optional", '"?" after "#" (write the options before the field)'),
        ("ref://secrets/a//b", 'empty segment in key "a//b"'),
        ("ref://secrets/a/", 'empty segment in key "a/"'),
        ("ref://secrets/a/../b", '"." and ".." can\'t be a segment of key "a/../b"'),
        ("ref://secrets/%2e%2E", '"." and ".." can\'t be a segment of key "%2e%2E"'),
        ("ref://secrets/%FF", 'percent escapes in "%FF" are not UTF-8'),
        ("ref://secrets/%0A", 'control character in "%0A"'),
        ("ref://secrets/-x", 'key "-x" must not start with "-"'),
        ("ref://a b/x", 'invalid backend name "a b" (allowed: letters, digits, _ - .)'),
        ("ref://_a/x", 'invalid backend name "_a" (allowed: letters, digits, _ - .)'),
        (
            "ref://secrets//x",
            '"ref://secrets//x" names no backend (a name of the store\'s own needs ref://<backend>//<name>)',
        ),
    ],
)
def test_what_is_no_reference_says_why(uri, message):
    """Each malformed reference has its own message, and columns point at the character."""
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(uri)
    assert caught.value.message == f"invalid ref:// URI: {message}"
    assert caught.value.uri == uri


def test_two_spellings_of_one_secret_are_equal():
    """What decodes to the same parts is one lookup."""
    assert Reference.parse("ref://secrets/a%5Fb") == Reference.parse("ref://secrets/a_b")
    assert Reference.parse("ref://secrets/a") != Reference.parse("ref://secrets/a?optional")


segments = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and text not in (".", "..") and "/" not in text
)


@EVERY
@given(st.lists(segments, min_size=1, max_size=4).map("/".join), st.sampled_from([None, "store", "a.b-c_1"]))
def test_a_key_round_trips_through_its_uri(key, store):
    """parse(uri_of(key)) is the key, whatever printable characters it has."""
    if key.startswith("-"):
        return
    reference = Reference.parse(uri_of(key, store))
    assert (reference.store, reference.key) == (store, key)


@EVERY
@given(st.text())
def test_any_text_is_a_reference_or_an_error_with_a_cure(text):
    """Nothing but InvalidReference comes out of a text that is no reference."""
    try:
        assert str(Reference.parse(f"ref://{text}")) == f"ref://{text}"
    except InvalidReference as error:
        assert error.message.startswith("invalid ref:// URI: ")


def test_references_that_ask_the_same_are_one():
    """They are the keys of a run's outcomes: equal ones are asked once."""
    first, again = Reference.parse("ref://secrets/a?optional"), Reference.parse("ref://secrets/%61?optional")
    assert {first: 1}[again] == 1
    assert str(again) == "ref://secrets/%61?optional"
    assert len({first, again, Reference.parse("ref://secrets/a"), Reference.parse("ref://secrets/b")}) == 3
    assert first != "ref://secrets/a?optional"


@pytest.mark.parametrize(
    "name",
    [
        "/team/db",
        "op://Personal/GitHub/token",
        "https://upload.example/legacy/",
        "service//account",
        "arn:aws:ssm:us-east-1:123456789012:parameter/team/db",
    ],
)
def test_a_name_of_the_stores_own_may_hold_empty_segments(name):
    """A leading slash, a URL, an empty account: what a store makes of it is the store's business; only dots are not."""
    assert Reference.parse(f"ref://store//{name}").foreign == name
    with pytest.raises(InvalidReference, match="can't be a segment"):
        Reference.parse(f"ref://store//{name}/../x")


def test_a_version_is_part_of_what_is_asked():
    """Percent escapes are undone; two versions are two references."""
    first = Reference.parse("ref://store/a?version=1")
    other = Reference.parse("ref://store/a?version=a%20b&optional#/x")
    assert (first.version, other.version, Reference.parse("ref://store/a").version) == ("1", "a b", None)
    assert first == Reference.parse("ref://store/a?version=%31")
    assert len({first, other, Reference.parse("ref://store/a"), Reference.parse("ref://store/a?version=2")}) == 4


def test_only_as_file_makes_a_file():
    """The value of such a variable is a path."""
    assert Reference.parse("ref://secrets/a?as=file").is_file
    assert not Reference.parse("ref://secrets/a?optional").is_file


@pytest.mark.parametrize(
    ("uri", "foreign", "field"),
    [
        ("ref://secrets/a#?x", None, "?x"),
        ("ref://store//https://h.example/a?v=1&optional", "https://h.example/a?v=1", None),
        ("ref://store//https://h.example/a?optional&v=1&w=%20#f", "https://h.example/a?v=1&w= ", "f"),
    ],
)
def test_a_question_mark_may_be_a_part_of_what_is_named(uri, foreign, field):
    """Of a URL of the store's own, whose own query it begins; and of a field."""
    reference = Reference.parse(uri)
    assert (reference.foreign, reference.field) == (foreign, field)


def test_other_names_of_the_stores_own_have_no_query():
    """A mistyped option is an error there, as it is in a key."""
    with pytest.raises(InvalidReference, match='unknown option "optoinal"'):
        Reference.parse("ref://store//name?optoinal")
