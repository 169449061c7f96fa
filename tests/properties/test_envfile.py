"""What holds for every `.env` file: nothing is lost in reading, and an edit is exact."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from envref.env import template
from envref.env.edit import with_value, without
from envref.env.file import EnvFile
from envref.errors import MalformedFile
from tests.nightly import count
from tests.requirements import oldest_and_newest

pytestmark = oldest_and_newest

EVERY = hypothesis.settings(max_examples=count(150, 20_000), deadline=None)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
NAMES = st.builds(
    lambda first, rest: first + rest, st.sampled_from(LETTERS), st.text(LETTERS + "0123456789.-", max_size=8)
).filter(lambda name: not name.startswith("ENVREF_"))
FEW_NAMES = st.sampled_from(["A", "B", "my-var", "export", "x.y"])

# What a grammar stumbles over, often; everything else, sometimes.
AWKWARD = st.sampled_from([*"'\"`\\$#=% \t\n\r{}nrt", "\r\n", "$$", "${", " #", "\\\\", '\\"', "\ufeff", "é"])
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
VALUES = st.lists(AWKWARD | AWKWARD | CHARACTERS, max_size=12).map("".join)

BLANKS = st.text(" \t", max_size=2)
PLAIN = st.text("ab1#$\\'\"`=é", max_size=6).filter(lambda text: text[:1] not in tuple("'\"`"))
QUOTED = st.one_of(
    VALUES.map(lambda text: "'" + text.replace("'", "") + "'"),
    VALUES.map(lambda text: "`" + text.replace("`", "") + "`"),
    VALUES.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
)
ASSIGNMENTS = st.tuples(
    BLANKS, st.sampled_from(["", "export ", "export\t "]), FEW_NAMES, BLANKS, st.just("="), BLANKS, PLAIN | QUOTED,
    st.sampled_from(["", " ", " # comment = 'x", "\t#"]),
).map("".join)  # fmt: skip
OTHERS = st.sampled_from(["", "  ", "# A=1", " # 'x", "export A", "\r", "JUSTKEY", "A='x' y", "#\r"])
LINE_ENDS = st.sampled_from(["\n", "\n", "\r\n"])
FILES = st.builds(
    lambda bom, lines, last: bom + "".join(line + end for line, end in lines) + last,
    st.sampled_from(["", "", "\ufeff"]),
    st.lists(st.tuples(ASSIGNMENTS | ASSIGNMENTS | OTHERS, LINE_ENDS), max_size=6),
    ASSIGNMENTS | st.just(""),
)


def parsed(text):
    try:
        return EnvFile.parse(text)
    except MalformedFile:
        hypothesis.reject()


@EVERY
@hypothesis.given(FILES)
def test_a_plain_line_is_read_as_any_line(text):
    """The short way for most lines finds what the grammar's own way does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("envref.env.file._LITERAL", frozenset())
        slow = seen_of(text)
    assert seen_of(text) == slow


def seen_of(text):
    """Everything that reading a text gives."""
    try:
        file = EnvFile.parse(text)
    except MalformedFile as error:
        return error.lines()
    entries = [(each.name, each.at, each.start, each.end, each.text, each.quote) for each in file.entries]
    return entries, list(map(str, file.warnings))


def literal(entry):
    """The value of an entry that was written literally, after interpolation."""
    return "".join(template.parse(entry.text, ())) if entry.interpolated else entry.text


def seen(file, name):
    """What is not to change when `name` is edited: all entries but the last of that name."""
    last = file.get(name)
    return [(entry.name, entry.text, entry.quote, entry.exported) for entry in file.entries if entry is not last]


@EVERY
@hypothesis.given(FILES)
def test_a_file_that_is_read_is_the_text_it_was_read_from(text):
    """To the character, whatever the line ends, blanks and comments."""
    assert str(parsed(text)) == text


@EVERY
@hypothesis.given(st.text())
def test_any_text_is_read_or_refused_with_positions(text):
    """Nothing else is raised, and every position lies in the file."""
    try:
        assert str(EnvFile.parse(text)) == text
    except MalformedFile as error:
        lines = text.split("\n")
        assert all(1 <= problem.column <= len(lines[problem.line - 1]) + 1 for problem in error.problems)


@EVERY
@hypothesis.given(FILES, FEW_NAMES | NAMES, VALUES)
def test_an_edit_sets_one_value_and_nothing_else(text, name, value):
    """The value reads back exactly; all bytes around it and all other entries stay."""
    before = parsed(text)
    after = with_value(before, name, value)
    assert literal(after.get(name)) == value
    assert seen(after, name) == seen(before, name)
    old = before.get(name)
    head, tail = (text[: old.start], text[old.end :]) if old else (text, "")
    assert str(after).startswith(head)
    assert str(after).endswith(tail)


@EVERY
@hypothesis.given(FILES, FEW_NAMES | NAMES, VALUES)
def test_a_template_is_kept_as_given(text, name, value):
    """`--expand` writes exactly the text that is interpolated later."""
    entry = with_value(parsed(text), name, value, expand=True).get(name)
    assert (entry.text, entry.quote) == (value, '"')


@EVERY
@hypothesis.given(st.dictionaries(NAMES, VALUES, max_size=6), st.sampled_from(["", "# c\r\n", "# c\n", "\ufeff"]))
def test_what_is_written_is_read_back(values, start):
    """Any names and values, in order, in one file."""
    file = EnvFile.parse(start)
    for name, value in values.items():
        file = with_value(file, name, value)
    again = EnvFile.parse(str(file))
    assert [(entry.name, literal(entry)) for entry in again.entries] == list(values.items())


@EVERY
@hypothesis.given(FILES, FEW_NAMES)
def test_removal_leaves_all_else(text, name):
    """No assignment of the name is left, and every other is as it was."""
    before = parsed(text)
    after = without(before, name)
    assert after.get(name) is None
    assert seen(after, name) == [row for row in seen(before, "") if row[0] != name]


@EVERY
@hypothesis.given(FILES)
def test_every_character_of_a_value_is_found_in_the_file(text):
    """The position of a character leads to it, or to the escape or line end it is written as."""
    lines = text.removeprefix("\ufeff").split("\n")
    for entry in parsed(text).entries:
        for offset, character in enumerate(entry.text):
            line, column = entry.position(offset)
            written = (lines[line - 1] + "\n")[column - 1 :]
            assert written[0] == character or written.startswith(("\\", "\r\n"))
