"""The engine that changes TOML as text: the wanted change and no other byte, or no change at all."""

from __future__ import annotations

import copy
import tomllib

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tomlkit.exceptions import TOMLKitError

from envref.errors import EnvrefError
from envref.flox import block, toml_text
from envref.flox.manifest import HOOK, Manifest
from tests.flox.manifests import KEPT
from tests.nightly import count
from tests.requirements import oldest_and_newest

pytestmark = oldest_and_newest

PATH = ("t", "k")
NEW = ("t", "new")
# Values of every kind, some of which look like the file around them.
LITERALS = [
    "'x'",
    '"x"',
    "''",
    "'''x'''",
    "'''\n[t]\nk = 'x'\n'''",
    '"""\nx \\\n  y"""',
    '"\\u0027"',
    "0",
    "-1.5",
    "true",
    "1979-05-27",
    "[ 'x', \"x\" ]",
    "[\n  'x', # k = 'x'\n]",
    "{ a = 'x' }",
    "{}",
]
# Ways to write the key; the first ones stand above all tables.
ABOVE = [
    "t.k = V\n",
    "t = { k = V }\n",
    "t = { a = 'x', k = V, b = 0 }\n",
    "'t' . k=V # k = 'x'\n",
    "t.a = V\nt.k = V\n",
]
IN_TABLE = [
    "[t]\nk = V\n",
    '  [ t ] # [t]\n  "k"   =   V  # why\n',
    "[t]\na = V\n\nk = V\nb = 0\n",
    "[t]\n# k = V\nk = V",
]
# What else a file may hold: the same words where they mean something else. V is the same literal.
TOP = ["# [t]\n# k = V\n", "k = V\n", "u.k = V\n", "text = '''\n[t]\nk = 'x'\n'''\n", "\n"]
TABLES = [
    "[u]\nk = V\n",
    "[v]\nt.k = V\nt.new = V\n",
    "[w.t]\nk = V\nnew = V\n",
    "[t.u]\nk = V\n",
    '[x]\nk = """\n[t]\nk = 0\n"""\n',
    "[[y]]\nt = { k = V }\n[[y]]\n# [t]\n",
    "[z]\n\n",
]


@st.composite
def files(draw):
    """A TOML file with a value at PATH: the text before its literal, the literal, the text after it."""
    literal = draw(st.sampled_from(LITERALS))
    above = draw(st.lists(st.sampled_from(TOP), unique=True, max_size=3))
    tables = draw(st.lists(st.sampled_from(TABLES), unique=True, max_size=4))
    key = draw(st.sampled_from(ABOVE + IN_TABLE)).replace("k = V", "k = \0", 1).replace("k=V", "k=\0")
    key = key.replace('"k"   =   V', '"k"   =   \0').replace("# k = \0", "# k = V").replace("\nk = V", "\nk = \0")
    pieces = above if key.replace("\0", "V") in ABOVE else tables
    pieces.insert(draw(st.integers(0, len(pieces))), key)
    text = "".join(piece if piece.endswith("\n") else f"{piece}\n" for piece in above + tables)
    end = draw(st.sampled_from(["", "\n", "# the end"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text, literal = ((each).replace("\n", newline) for each in (text.replace("V", literal) + end, literal))
    before, _, after = text.partition("\0")
    assume(toml_text.read(before + literal + after) is not None and kept(before + literal + after))
    return before, literal, after


def kept(text):
    """The text; None for one that tomlkit writes otherwise, such as a date before a brace: that is never written."""
    try:
        return text if toml_text.is_kept(text) else None
    except TOMLKitError:
        return None


def with_value(data, path, value):
    changed = copy.deepcopy(data)
    table = changed
    for key in path[:-1]:
        table = table.setdefault(key, {})
    table[path[-1]] = value
    return changed


def test_the_example_of_the_docstring():
    """A value's place is found by what differs when another value stands there."""
    text = '[vars]\nB = "0"\nA = "0" # zero\n'
    assert toml_text.span(text, ("vars", "A")) == (19, 22)
    assert text[19:22] == '"0"'
    for line in text.splitlines():
        assert line in (toml_text.span.__doc__ or "")


@settings(deadline=None, max_examples=count(100, 5_000))
@given(files(), st.sampled_from(LITERALS))
def test_a_value_is_replaced_and_no_other_byte(file, literal):
    """The file reads as intended, and the texts before and after the value are the same."""
    before, old, after = file
    assert toml_text.span(before + old + after, PATH) == (len(before), len(before) + len(old))
    new = toml_text.replaced(before + old + after, PATH, literal)
    assert new == kept(before + literal + after)
    if new:
        intended = with_value(tomllib.loads(before + old + after), PATH, tomllib.loads(f"x = {literal}")["x"])
        assert tomllib.loads(new) == intended


@settings(deadline=None, max_examples=count(100, 5_000))
@given(files(), st.sampled_from(LITERALS))
def test_a_key_goes_in_and_out(file, literal):
    """The new key is the only difference, in one place; taken out again, every byte is what it was."""
    text = "".join(file)
    value = tomllib.loads(f"x = {literal}")["x"]
    new = toml_text.chosen(text, toml_text.with_key(text, NEW, literal), {NEW: value})
    assert new is not None, "no place"
    assert tomllib.loads(new) == with_value(tomllib.loads(text), NEW, value)
    assert any(new.startswith(text[:at]) and new.endswith(text[at:]) for at in range(len(text) + 1))
    assert toml_text.chosen(new, toml_text.without_key(new, NEW), {NEW: None}) == text


FRAGMENTS = [
    "",
    "#",
    "\n",
    " ",
    "x",
    "'",
    '"',
    "'''",
    "[t]\n",
    "\n[t]\n",
    "k = 0\n",
    "t.k = 0\n",
    "}",
    "]",
    "=",
    "\r",
    "\0",
]


@settings(deadline=None, max_examples=count(200, 10_000))
@given(files(), st.data())
def test_only_a_text_that_reads_as_wanted_is_chosen(file, data):
    """A file damaged anywhere is chosen if and only if it still reads as the old one with the wanted value."""
    text = "".join(file)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 8, len(text))))
    proposal = text[:start] + data.draw(st.sampled_from(FRAGMENTS)) + text[end:]
    old = tomllib.loads(text)
    value = data.draw(st.sampled_from([old["t"]["k"], 0]))
    reads = toml_text.read(proposal) == with_value(old, PATH, value) and kept(proposal)
    assert toml_text.chosen(text, [proposal], {PATH: value}) == (proposal if reads else None)


@settings(deadline=None, max_examples=count(100, 5_000))
@given(st.sampled_from(sorted(KEPT)), st.data())
def test_a_damaged_manifest_is_refused_by_name_or_edited_whole(name, data):
    """Whatever stands in it, the block is in the script and all else is the same; or an error names the file."""
    text = KEPT[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 8, len(text))))
    text = text[:start] + data.draw(st.sampled_from(FRAGMENTS)) + text[end:]
    try:
        edited = Manifest(text, "m.toml").with_block(HOOK, block.hook())
    except EnvrefError as error:
        assert error.message.startswith("m.toml:")
        return
    after = tomllib.loads(str(edited))
    assert block.find(after["hook"]["on-activate"]) is not None
    before = with_value(tomllib.loads(text), HOOK, after["hook"]["on-activate"])
    assert after == before


@pytest.mark.parametrize(
    "text",
    [
        "t = 1\n",
        "[[t]]\n",
        "[[t]]\nk = 1\n",
        "t = [{ k = 1 }]\n",
        "[t]\nnew.k = 1\n",
        "t.new.k = 1\n",
        "t = {}\n[u]\nx = '''\n[t]\n'''\n",
    ],
)
def test_a_key_that_has_no_place(text):
    """Where the table is something else, or the key is there already, no proposal is chosen, or the one that fits."""
    chosen = toml_text.chosen(text, toml_text.with_key(text, NEW, "'x'"), {NEW: "x"})
    if text.startswith("t = {}"):
        assert chosen == text.replace("{}", "{new = 'x'}")
    else:
        assert chosen is None


@example("'x'\ny = 1")
@given(st.text(max_size=20))
@settings(deadline=None, max_examples=count(50, 1_000))
def test_a_literal_is_one_value(text):
    """What is more than one value, or none, stands for nothing."""
    data = toml_text.read(f"x = {text}")
    assert toml_text.value_of(text) == (data["x"] if data is not None and list(data) == ["x"] else None)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_new_table_leaves_the_end_of_the_text_as_it_was(end):
    """A missing final line end stays missing; a table ends with one."""
    written = toml_text.with_table(f"a = 1{end}", ("x", "y"), "b = 2\n")
    assert written == f"a = 1\n\n[x.y]\nb = 2\n{end}"


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        ("Invalid value (at line 2, column 5)", (2, 5), "not valid TOML: invalid value"),
        ("Invalid value at line 2 col 5", (2, 5), "not valid TOML: invalid value"),
        ("Unclosed array (at end of document)", (3, 4), "not valid TOML: unclosed array"),
        ("Something else", (1, 1), "not valid TOML: something else"),
    ],
)
def test_a_fault_has_its_place_in_front(said, place, message):
    """However the reader puts it; without any, the beginning."""
    [problem] = toml_text.fault("a = 1\nb = [\n  x", "manifest.toml", said).problems
    assert ((problem.line, problem.column), problem.text) == (place, message)


def test_what_an_edit_may_change_is_left_out_of_the_comparison():
    """With the tables that are then empty, and nothing else; the data itself stays."""
    data = {"a": {"b": {"c": 1}, "d": 2}, "e": {"f": 3}, "g": 4}
    assert toml_text._without(data, [("a", "b", "c"), ("e", "f"), ("g",), ("none", "x"), ("a", "d", "y")]) == {
        "a": {"d": 2}
    }
    assert data["a"]["b"] == {"c": 1}
