"""A revision's text: two parts, inert characters, and what makes two of them one."""

from __future__ import annotations

import pytest

from envref.backends.revision import is_revision, is_same, revision, version_of, written_at
from tests.backends.contract import INERT


@pytest.mark.parametrize(
    ("version", "written", "text"),
    [
        (7, "2026-11-27T06:12:01.5Z", "7.1795759921500"),
        ("7", 1795759921.5, "7.1795759921500"),
        ("", 1795759921, ".1795759921000"),
        (None, None, ""),
        ("abc", "", "abc"),
        ("abc", "no date", "abc"),
        (3, "2026-11-27T06:12:01.123456789Z", "3.1795759921123"),
    ],
)
def test_both_parts(version, written, text):
    """Milliseconds since 1970; nanoseconds, as Vault writes them, are cut."""
    assert revision(version, written) == text


@pytest.mark.parametrize("word", ["7", "v1.2/β", "a b;$(id)", "'\"`!\n", "x:y", "", "É.1"])
def test_the_store_s_word_comes_back(word):
    """Whatever it holds, its text is inert and gives it back."""
    text = revision(word, 1)
    assert is_revision(text)
    assert INERT.fullmatch(text)
    assert version_of(text) == word
    assert written_at(text) == 1


def test_a_long_word_is_cut_to_a_digest():
    """Two that begin alike stay two."""
    one, other = (revision("x" * 1000 + end) for end in "ab")
    assert one != other
    assert len(one) == 32
    assert [revision("x" * length) == "x" * length for length in (64, 65)] == [True, False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.1000", "1.1000", True),
        ("1.1000", "1.2000", False),  # deleted and made again
        ("1.1000", "2.1000", False),
        ("1.1000", "1", True),
        (".1000", "1", None),
        ("", "1", None),
    ],
)
def test_the_parts_that_both_have_decide(one, other, same):
    """A number alone lies after a deletion; a part that one of them lacks says nothing."""
    assert is_same(one, other) is same


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("", True),
        ("7.", False),
        ("7.12345678901234", True),
        ("7.123456789012345", False),
        ("7.1a", False),
        ("7.1.2", False),
        ("a b.1", False),
        ("a:0041b", True),
        ("a:004", False),
        ("a:004G", False),
        ("a:004A", False),
        ("a:d7ff", True),
        ("a:d800", False),
        ("a:dfff", False),
        ("a:e000", True),
        ("a:0041 ", False),
        (":0041:0042", True),
    ],
)
def test_nothing_else_is_a_revision(text, is_one):
    """Digits of a date up to the year 5138, and characters' numbers, small and of those that UTF-8 has."""
    assert is_revision(text) is is_one


def test_the_parts_of_a_revision():
    """Each may be empty."""
    assert (version_of("a.1"), version_of(".1"), version_of("")) == ("a", "", "")
    assert (written_at("a.1500"), written_at("a"), written_at("")) == (1.5, None, None)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (0, "v"),
        (0.0004, "v.0"),
        (1.0006, "v.1001"),
        (True, "v.1000"),
        (["x"], "v"),
        ("1970-01-01T00:00:01", "v.1000"),
        ("1970-01-01T01:00:01+01:00", "v.1000"),
    ],
)
def test_a_date_is_iso_8601_or_seconds(written, text):
    """UTC where it names no zone; anything else is no date."""
    assert revision("v", written) == text


def test_the_number_nought_is_a_version():
    """Nothing at all is none."""
    assert [revision(version) for version in (0, "", None, False)] == ["0", "", "", "False"]


def test_a_character_beyond_four_digits_is_told_as_the_last_one():
    """It can't come back; two of them are no two revisions."""
    assert revision("\U0001f511") == ":ffff"
