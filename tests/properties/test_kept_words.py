"""Words of bash for a text that is kept: read back by bash they are exact, and a manifest can hold them."""

from __future__ import annotations

import os
import subprocess
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envref.formats.shells import is_evaluated, kept_line, kept_word
from envref.formats.text import Unencodable
from tests.requirements import first_python

pytestmark = first_python

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read_back(script, locale):
    """What the script prints in bash, cut at each NUL."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": locale},
    )
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@settings(deadline=None, max_examples=50)  # each starts a shell
@given(st.lists(TEXTS, min_size=1, max_size=40))
def test_bash_reads_the_very_text(locale, texts):
    """Whatever the text, the word is that text, in any locale."""
    assert read_back(f'printf "%s\\0" {" ".join(map(kept_word, texts))}', locale) == texts


@settings(deadline=None)
@given(TEXTS)
def test_a_manifest_can_hold_it(text):
    """One line of printable ASCII without three quotes in a row: it stands between `'''`, indented or not."""
    for written in (kept_word(text), kept_line("A", text)):
        assert written.isascii()
        assert written.isprintable()
        assert "'''" not in written
        assert tomllib.loads(f"x = '''\n    {written} \n'''")["x"] == f"    {written} \n"


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_a_line_sets_the_variable(text):
    """`export NAME=VALUE` sets the very value, and leaves it bare where no quotes are needed."""
    assert read_back(f'{kept_line("A", text)}\nprintf "%s\\0" "$A"', "C.UTF-8") == [text]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a b", "'a b'"),
        ("", "''"),
        ("it's", "$'it\\'s'"),
        ("a\nb\tc\\'", "$'a\\nb\\tc\\\\\\''"),
        ("\x1bü", "$'\\x1b\\xc3\\xbc'"),
    ],
)
def test_how_it_looks(text, word):
    """Single quotes where they do, else `$'…'` with an escape for each byte that is not printable."""
    assert kept_word(text) == word


def test_numbers_of_shells_are_no_code():
    """A variable that a shell evaluates as arithmetic takes a number and nothing else."""
    assert is_evaluated("RANDOM")
    assert not is_evaluated("A")
    assert kept_line("COLUMNS", "80") == "export COLUMNS=80"
    with pytest.raises(Unencodable, match="evaluate it as arithmetic"):
        kept_line("RANDOM", "a[$(id)]")
