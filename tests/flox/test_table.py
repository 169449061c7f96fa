"""The table of a Flox plugin: what is taken, what is refused, and that no message repeats a value."""

from __future__ import annotations

import json

import pytest

from envref.errors import EnvrefError, MalformedFile
from envref.flox import table as flox_table

SHAPE = 'expected a JSON object of "NAME": "ref://STORE/KEY", as flox_plugin_data envref prints it'
PLAIN = "hunter2-is-a-secret"


def entries(text):
    return [(entry.name, entry.text) for entry in flox_table.parse(text, "table.json").entries]


def lines(text):
    with pytest.raises(EnvrefError) as caught:
        flox_table.parse(text, "table.json")
    return caught.value.lines()


def test_an_object_of_references():
    """In its order; an empty one is fine."""
    assert entries('{"B": "ref://secrets/b", "A":"ref://op//Work%20Token#credential"}') == [
        ("B", "ref://secrets/b"),
        ("A", "ref://op//Work%20Token#credential"),
    ]
    assert entries(" {}\n") == entries("\ufeff{ }") == []


def test_a_reference_is_taken_literally():
    """No interpolation: `$` means nothing in it."""
    entry = flox_table.parse('{"A": "ref://secrets/$b?default=${C}"}', "t").entries[0]
    assert (entry.text, entry.interpolated) == ("ref://secrets/$b?default=${C}", False)


def test_escapes_of_json_are_undone_and_positions_count_characters():
    """A name may be on any line."""
    file = flox_table.parse('{\n  "\\u0041": "ref:\\/\\/secrets\\/é",\n  "B": "ref://x/y"\n}', "t")
    assert [(entry.name, entry.text, entry.line, entry.column) for entry in file.entries] == [
        ("A", "ref://secrets/é", 2, 3),
        ("B", "ref://x/y", 3, 3),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f"error: table.json: empty; {SHAPE}"),
        (" \n", f"error: table.json: empty; {SHAPE}"),
        ("[]", f"error: table.json:1:1: not an object; {SHAPE}"),
        ("null", f"error: table.json:1:1: not an object; {SHAPE}"),
        ('"ref://x/y"', f"error: table.json:1:1: not an object; {SHAPE}"),
        ("[" * 100_000, f"error: table.json:1:1: not an object; {SHAPE}"),
        ('{"A": "ref://x/y",\n}', None),
        ("{", None),
        ('{"A": "ref://x/y"} more', f"error: table.json:1:20: not JSON: extra data; {SHAPE}"),
        ('{"A": NOT}', f"error: table.json:1:7: not JSON: expecting value; {SHAPE}"),
    ],
    ids=range(10),
)
def test_what_is_no_object_is_refused_with_its_place(text, line):
    """And with what was expected. The wording of JSON's own complaint differs between Pythons."""
    [said] = lines(text)
    assert said == line or (line is None and said.startswith("error: table.json:") and said.endswith(SHAPE))


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ('"A": 1', 'A: not a string; write A = "ref://STORE/KEY" (one reference a variable)'),
        (f'"A": {"9" * 5000}', 'A: not a string; write A = "ref://STORE/KEY" (one reference a variable)'),
        ('"A": null', 'A: not a string; write A = "ref://STORE/KEY" (one reference a variable)'),
        (f'"A": {{"B": "{PLAIN}"}}', 'A: not a string; write A = "ref://STORE/KEY" (one reference a variable)'),
        (
            f'"A": "{PLAIN}"',
            "A: not a reference; write ref://STORE/KEY, and what is not a secret in [vars] of the manifest",
        ),
        ('"A": ""', "A: not a reference; write ref://STORE/KEY, and what is not a secret in [vars] of the manifest"),
        (
            '"A": "op://v/i/f"',
            "A: not a reference; write ref://STORE/KEY, and what is not a secret in [vars] of the manifest",
        ),
        (
            '"A": "x${ref://x/y}"',
            "A: not a reference; write ref://STORE/KEY, and what is not a secret in [vars] of the manifest",
        ),
        ('"A": "ref://x/\\u0000"', "A: the reference holds a character that is not text; write it as %XX"),
        ('"A": "ref://x/\\ud800"', "A: the reference holds a character that is not text; write it as %XX"),
        ('"1A": "ref://x/y"', 'invalid name "1A" (allowed: letters, digits, _, not starting with a digit)'),
        ('"A-B": "ref://x/y"', 'invalid name "A-B" (allowed: letters, digits, _, not starting with a digit)'),
        ('"": "ref://x/y"', 'invalid name "" (allowed: letters, digits, _, not starting with a digit)'),
        (
            '"A\\u001b[1m": "ref://x/y"',
            'invalid name "A\\x1b[1m" (allowed: letters, digits, _, not starting with a digit)',
        ),
        ('"ENVREF_X": "ref://x/y"', "ENVREF_X: names starting with ENVREF_ are reserved and can't be set from a table"),
        ('"OK": "ref://x/z"', "OK: defined twice"),
    ],
    ids=range(16),
)
def test_an_entry_that_can_not_be_one_is_named_with_its_place(member, text):
    """One line, without the value, and what to write."""
    assert lines(f'{{"OK": "ref://x/y",\n {member}}}') == [f"error: table.json:2:2: {text}"]


def test_all_entries_are_told_at_once_up_to_twenty():
    """Not one a run."""
    table = {f"A{number}": PLAIN for number in range(50)}
    told = lines(json.dumps(table))
    assert len(told) == 20
    assert PLAIN not in "".join(told)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """In a name or a reference."""
    path = tmp_path / "table"
    path.write_bytes(b'{"A": "ref://x/\xff", "B\xfe": "ref://x/y"}')
    with pytest.raises(MalformedFile) as caught:
        flox_table.read(str(path))
    assert len(caught.value.lines()) == 2


def test_a_table_has_a_largest_size(tmp_path):
    """A file of any length is not read into memory."""
    path = tmp_path / "table"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(EnvrefError, match="more than 1 MiB"):
        flox_table.read(str(path))
    member = b'{"A": "ref://x/y"}'
    path.write_bytes(member.rjust(1 << 20))
    assert [entry.name for entry in flox_table.read(str(path)).entries] == ["A"]
    path.write_bytes(member.rjust((1 << 20) + 1))
    with pytest.raises(EnvrefError, match="more than 1 MiB"):
        flox_table.read(str(path))


def test_many_entries_are_no_work():
    """Ten thousand in one go, all of them twice: linear."""
    text = "{" + ",".join(f'"A{number % 10_000}":"ref://x/y"' for number in range(20_000)) + "}"
    assert len(lines(text)) == 20
