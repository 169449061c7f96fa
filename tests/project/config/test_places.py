"""Where things are in a config's text: each place is marked with a bar in the texts below."""

from __future__ import annotations

import pytest

from envref.project.config.places import Extent, Places
from envref.project.config.yaml import parse


def marked(text):
    """The text without its bars, and where they were."""
    pieces = text.split("|")
    bars = [sum(map(len, pieces[:number])) for number in range(1, len(pieces))]
    return "".join(pieces), bars


def read(text):
    """The text's places, its top mapping, and its bars."""
    plain, bars = marked(text)
    return Places(plain), parse(plain.encode(), "f"), bars


@pytest.mark.parametrize(
    "text",
    [
        "|a: 1|\n|b: 2|\n",
        "|a:|\n|b:|   \n",
        "|a:\n  x: 1\n  y: 2| # c\n|b:\n  - 1\n  -   2|\n\n",
        "|a: {\n  x: 1\n}|\n|b: [1,\n2]|\n",
        "|a: {}|\n|b: []|\n",
        "|a  :|\n|b   : 2|\n",
        "{|a: 1|, |b: 2|}\n",
        "{|a|, |b: {x: 1}|}\n",
        "|a:\n  x:\n    y:|\n|b: ~|\n",
    ],
)
def test_each_entry(text):
    """From its key to the end of its value, which for a block is the end of its last child; else to its colon."""
    places, top, bars = read(text)
    assert [at for extent in places.all_of(top) for at in extent] == bars


@pytest.mark.parametrize(
    "text", ["a:\n  - |1|\n  - |x: 2\n    y: 3| # c\n", "a: [|1|, |{x: 2}|]\n", "a: 1\n", "a: []\n", "a:\n-||\n- |b|\n"]
)
def test_each_item(text):
    """Of a list; of what is none there are none."""
    places, top, bars = read(text)
    assert [at for extent in places.all_of(top.entries["a"]) for at in extent] == bars


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  |- 1\n  |- 2\n",
        "a:\n|- - 1\n  - 2\n|- 3\n",
        "a:\n  |-\n  |-\n  |-",
        "a:\n  |- x: 1\n    # - no\n\n  |-   y: 2\n",
        "a:\n  |- '\n   - no'\n  |- 2\n",
    ],
)
def test_each_dash(text):
    """On a line of its own, but for the first; neither in a comment, nor in an item before."""
    places, top, bars = read(text)
    items = top.entries["a"]
    assert [places.dash(items, index) for index in range(len(items.items))] == bars


@pytest.mark.parametrize("text", ["a:\n  - 1\r  - 2\n", "a:\n  - 1\r  - 2\n  - 3\n", "a:\n- 1\r- 2\n- 3\n"])
def test_a_dash_on_a_line_that_only_yaml_knows(text):
    """A carriage return ends a line there: neither nowhere, nor the dash of another item."""
    places, top, _ = read(text)
    assert places.dash(top.entries["a"], 1) is None


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a: 1|\n|b: 2\n", 1),
        ("a: 1|\n # one deeper\n|b: 2\n", 1),
        ("a: 1|\n|# as deep\nb: 2\n", 1),
        ("a: 1|\n\n  # blank lines between\n|\n# c\nb: 2\n", 1),
        ("a: 1|\n# as deep\n  # deeper, below it\n|b: 2\n", 1),
        ("a: 1|\n|b: 2\n  # of b\n", 1),
        ("a:\n  x: 1|\n|  # as deep\n # less\n", 3),
        ("a:\n  x: 1|\n   # deeper|", 3),
        ("a: 1|", 1),
    ],
)
def test_below_an_entry(text, column):
    """Below the comments that are indented deeper: those are its own."""
    plain, bars = marked(text)
    assert Places(plain).below(Extent(0, bars[0]), column) == bars[-1] if len(bars) > 1 else len(plain)


@pytest.mark.parametrize("text", ["a|  # c\n  # d\n\n|, b", "a||, b", "a||#c\n", "a|  |"])
def test_what_means_nothing_is_skipped(text):
    """Blanks, line ends, and comments behind a blank."""
    plain, (start, end) = marked(text)
    assert Places(plain).skip(start) == end


@pytest.mark.parametrize(
    "text",
    ["|||\n|a: 1\n", "\n||a: 1|\n|b: 2\n", "a: 1\n|b:| 2|\r\n|c: 3\n", "|a:| 1||", "a: 1\n||||"],
)
def test_the_line_around(text):
    """Where it starts; a place in it; where its own characters end; where the next one starts."""
    plain, (start, at, end, after) = marked(text)
    places = Places(plain)
    assert (places.line_start(at), places.line_end(at), places.next_line(at)) == (start, end, after)


@pytest.mark.parametrize("text", ["a: 1|\n|b: 2\n", "a: >\n  x\n||b: 2\n", "|\n|a: 1\n", "a: 1||", "a: 1\n||"])
def test_the_line_below_a_value(text):
    """A block scalar ends with its last line."""
    plain, (end, below) = marked(text)
    assert Places(plain).line_after(end) == below


@pytest.mark.parametrize(
    ("text", "is_first", "is_last", "indent"),
    [
        ("  |a|  # c\n", True, True, "  "),
        ("\t|a|\t#c\n", True, True, "\t"),
        ("|a|\nb\n", True, True, ""),
        ("|a|#c\n", True, False, ""),
        ("|a| b\n", True, False, ""),
        ("|a|,\n", True, False, ""),
        ("- |a|  \n", False, True, "  "),
        ("b\n{ |a| }\n", False, False, "  "),
    ],
)
def test_what_is_beside_it_on_its_line(text, is_first, is_last, indent):
    """Nothing before it, and nothing but a comment behind it."""
    plain, (start, end) = marked(text)
    places = Places(plain)
    assert (places.is_first(start), places.is_last(end), places.indent(start)) == (is_first, is_last, indent)
    assert places.has_own_lines(start, end) == (is_first and is_last)
