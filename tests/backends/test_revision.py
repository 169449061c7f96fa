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
        ("7", True),
        ("7.1000", True),
        (".1000", True),
        ("", True),
        (":0123456789abcdef", True),
        ("7.", False),
        ("7.x", False),
        ("7:d800", False),
        ("7:00G1", False),
        ("7:001", False),
    ],
)
def test_only_what_it_writes_is_one(text, is_one):
    """A word alone, a date alone, both, or nothing."""
    assert is_revision(text) is is_one
