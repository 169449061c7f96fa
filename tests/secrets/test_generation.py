"""Random values: the right length, of the right characters, each of them as likely."""

from __future__ import annotations

import string
from collections import Counter

import pytest

from envref.errors import UsageError
from envref.secrets.generation import CHARSETS, DEFAULT_CHARSET, DEFAULT_LENGTH, Recipe

ALPHABETS = {
    "alphanumeric": string.ascii_letters + string.digits,
    "ascii": string.ascii_letters + string.digits + "!@#$%^&*()-_=+[]{}|;:,.<>?",
    "hex": "0123456789abcdef",
    "base64": string.ascii_letters + string.digits + "+/",
}


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("length", [1, 2, 31, 32, 1024])
def test_a_value_has_the_length_and_the_characters_of_its_recipe(charset, length):
    """Base64 is cut to length, so it never ends in padding."""
    value = Recipe(length, charset).make().reveal()
    assert len(value) == length
    assert set(value) <= set(ALPHABETS[charset])


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_character_is_as_likely_as_any_other(charset):
    """Chi-square over 200 values of 1024 characters stays below a bound that a fair draw exceeds once in a million."""
    counts = Counter("".join(Recipe(1024, charset).make().reveal() for _ in range(200)))
    alphabet = ALPHABETS[charset]
    expected = 200 * 1024 / len(alphabet)
    chi_square = sum((counts[character] - expected) ** 2 / expected for character in alphabet)
    freedom = len(alphabet) - 1
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5 + 20


def test_no_two_values_are_the_same():
    """A thousand values, a thousand different ones."""
    recipe = Recipe()
    assert len({recipe.make().reveal() for _ in range(1000)}) == 1000


def test_a_recipe_tells_length_and_charset():
    """What the commands show of it."""
    assert str(Recipe(64, "hex")) == "64 chars, hex"


@pytest.mark.parametrize(("length", "charset"), [(0, "hex"), (-1, "hex"), (1025, "hex"), (32, "HEX"), (32, "")])
def test_what_can_t_be_made_is_a_usage_error(length, charset):
    """1 to 1024 characters, of a charset spelled as it is."""
    with pytest.raises(UsageError):
        Recipe(length, charset)


def test_a_usual_value_has_32_letters_and_digits():
    """Where nobody says more of it."""
    value = CHARSETS[DEFAULT_CHARSET](DEFAULT_LENGTH)
    assert (len(value), value.isalnum(), value.isascii()) == (32, True, True)
