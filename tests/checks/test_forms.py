"""forms, scan: a value is found in whatever form a build wrote it, wherever it begins; nothing else is."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import os
import random
import shlex
import time
from urllib.parse import quote, quote_plus

import hypothesis
import pytest
from hypothesis import strategies as st

from envref.checks import forms, scan
from envref.checks.scan import Scan
from tests.nightly import count

PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQ/FAASCBKcwggSj+gEAAoIBAQ\n" * 3 + "-----END…\n"
DRAWN = st.text(st.one_of(st.sampled_from("aZ09_-.\\\"'/+ $\n\té€😀&<%?#"), st.characters(codec="utf-8")), min_size=6)
VALUES = st.one_of(st.sampled_from([PEM, "correct-horse-battery", r"\\\n\"", "#$%^&*!@"]), DRAWN).filter(
    lambda text: len(text.strip().encode()) >= 6
)


def derivation(text):
    """As printString in Nix's derivations.cc writes it."""
    for special, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(special, escape)
    return f'"{text}"'


def lower(text):
    return "".join(part if index % 2 else part.lower() for index, part in enumerate(text.split("%")))


def in_base64(before, *, url_safe=False, padded=True):
    def write(text):
        encoded = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(os.urandom(before) + text.encode())
        return encoded if padded else encoded.rstrip(b"=")

    return write


WRITERS = {
    "plain": (str.encode, {"plain"}),
    **{f"base64, phase {phase}": (in_base64(phase), {"base64"}) for phase in range(3)},
    **{f"base64, URL-safe, {phase}": (in_base64(phase, url_safe=True, padded=False), {"base64"}) for phase in range(3)},
    "base64 in JSON": (lambda text: json.dumps(in_base64(0)(text).decode()).replace("/", "\\/").encode(), {"base64"}),
    "base64 in a URL": (lambda text: quote(in_base64(1)(text), "").encode(), {"base64"}),
    "JSON": (lambda text: json.dumps(text).encode(), {"plain", "escaped"}),
    "JSON in UTF-8, slashes escaped": (
        lambda text: json.dumps(text, ensure_ascii=False).replace("/", "\\/").encode(),
        {"plain", "escaped"},
    ),
    "a derivation": (lambda text: derivation(text).encode(), {"plain", "escaped"}),
    "JSON in a derivation": (lambda text: derivation(json.dumps(text)).encode(), {"plain", "escaped"}),
    "a URL": (lambda text: quote(text, "").encode(), {"plain", "escaped"}),
    "a URL's path": (lambda text: quote(text).encode(), {"plain", "escaped"}),
    "JavaScript's encodeURIComponent": (lambda text: quote(text, "!'()*").encode(), {"plain", "escaped"}),
    "a URL in a URL": (lambda text: quote(quote(text, ""), "").encode(), {"plain", "escaped"}),
    "a form": (lambda text: quote_plus(text).encode(), {"plain", "escaped"}),
    "XML": (lambda text: html.escape(text).encode(), {"plain", "escaped"}),
    "a shell": (lambda text: shlex.quote(text).encode(), {"plain", "escaped"}),
    "hex": (lambda text: text.encode().hex().encode(), {"hex"}),
    "upper-case hex": (lambda text: text.encode().hex().upper().encode(), {"hex"}),
    "UTF-16, little end first": (lambda text: text.encode("utf-16-le"), {"UTF-16"}),
    "UTF-16, big end first": (lambda text: text.encode("utf-16-be"), {"UTF-16"}),
}


@contextlib.contextmanager
def small_chunks():
    """Files are read 64 bytes at a time, so that everything lies on a border of two reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_CHUNK", 64)
        yield


@hypothesis.settings(max_examples=count(150, 20_000), deadline=None)
@hypothesis.given(
    how=st.sampled_from(sorted(WRITERS)), value=VALUES, before=st.integers(0, 200), seed=st.integers(0, 9)
)
def test_a_value_is_found_in_every_form_at_any_place(how, value, before, seed):
    """Whatever characters it has, and whatever stands before and behind it."""
    write, named = WRITERS[how]
    noise = random.Random(seed)
    data = noise.randbytes(before) + write(value) + noise.randbytes(40)
    with small_chunks():
        assert Scan([("KEY", value)]).text(data).get("KEY") in named


@pytest.mark.parametrize("how", WRITERS)
def test_each_form_of_some_values_across_the_border_of_reads(how):
    """The same with values that were wrong once, at each place around a border."""
    write, named = WRITERS[how]
    for value in (
        PEM,
        "correct-horse-battery",
        'a"b\\c\r\nd/é',
        "0~0000",
        "000\r\n0",
        "#$%^&*!@",
        "0\\\x1f000",
        "ab\\\ncd",
    ):
        search = Scan([("KEY", value)])
        for before in range(0, 64, 5):
            with small_chunks():
                assert search.text(bytes(before) + write(value) + b"\0").get("KEY") in named


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n    ", b"\\n"])
def test_base64_may_be_in_lines(width, line_end):
    """`base64`, PEM and MIME break it every 64 or 76 characters, wherever that is in the value."""
    search = Scan([("KEY", "correct-horse-battery"), ("PEM", PEM)])
    for before in range(60):
        text = base64.b64encode(os.urandom(before) + b"correct-horse-battery" + os.urandom(80) + PEM.encode())
        lines = line_end.join(text[start : start + width] for start in range(0, len(text), width))
        assert search.text(lines) == {"KEY": "base64", "PEM": "base64"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("tok+en=1234567", r"tok\u002Ben\u003d1234567"),  # Gson, and Go with its upper-case digits
        ("a<b>c-correct-horse", r"a\u003cb\u003ec-correct-horse"),
        ("correct horse", "correct%20horse"),
        ("correct horse", "correct+horse"),
        ("pass%word-x", "pass%2525word-x"),
        ("pass/word-x", "pass%2fword-x"),
        ("one-line 12\ntwo", "  key: |\n    one-line 12\n    two"),
        ("one-line 12\ntwo", "one-line 12\r\ntwo"),
        ("one-line 12\r\ntwo", "one-line 12\ntwo"),
        ("  padded-value \n", "x=padded-value;"),
        ("it's-correct-horse", r"'it'\''s-correct-horse'"),
        ("naïve-password", r"na\xc3\xafve-password"),
        ("a\\b\\\\c-correct", r"a\\\\b\\\\\\\\c-correct"),
    ],
)
def test_spellings_of_other_writers(value, text):
    """What has no writer in Python's library."""
    how = "plain" if value.strip().replace("\r", "") in text else "escaped"
    assert Scan([("KEY", value)]).text(text.encode()) == {"KEY": how}


def test_the_form_is_named():
    """As it is, or escaped: the reader then knows what to search for."""
    search = Scan([("KEY", 'correct"horse')])
    assert search.text(b'x correct"horse') == {"KEY": "plain"}
    assert search.text(rb"x correct\"horse") == {"KEY": "escaped"}


def test_one_pass_finds_every_value():
    """Also two with one name, and one within another."""
    search = Scan([("A", "correct-horse"), ("B", "horse-battery"), ("A", "x7Kp2qLm9v"), ("C", "not-in-there")])
    assert search.text(b"correct-horse-battery") == {"A": "plain", "B": "plain"}
    assert search.text(b"x7Kp2qLm9v") == {"A": "plain"}


def test_what_is_almost_the_value_is_not_found():
    """One other byte anywhere: the anchor alone decides nothing."""
    value = 'correct "horse" battery/42'
    search = Scan([("KEY", value)])
    for write, _ in WRITERS.values():
        for at in range(len(value)):
            assert search.text(write(value[:at] + "~" + value[at + 1 :])) == {}


def test_random_bytes_hold_nothing():
    """Twenty values of the shortest kind, in bytes, base64 and hex that are not theirs."""
    noise = random.Random(7)
    values = [(f"K{number}", "".join(noise.choices("abcXYZ0123456789+/#", k=6 + number % 9))) for number in range(20)]
    search = Scan(values)
    data = noise.randbytes(count(1, 200) * 1_000_000)
    assert search.text(data) == search.text(base64.b64encode(data)) == search.text(data.hex().encode()) == {}


def test_an_anchor_that_stands_everywhere_costs_no_more_than_a_search():
    """Megabytes of zeros, and a value that is zeros but for its end; measured: 0.1 s."""
    search = Scan([("KEY", "0" * 20 + "#x")])
    begun = time.process_time()
    assert search.text(b"0" * 2_000_000) == {}
    assert time.process_time() - begun < 2
    assert search.text(b"0" * 2_000_000 + b"#x") == {"KEY": "plain"}


@pytest.mark.parametrize("zeros", [900, 1006, 1012])
def test_no_number_of_look_alikes_hides_a_value(zeros):
    """Also where the last place that is tried stands right before it, and what belongs to it reaches far."""
    value = "#$%^&*!@()0000000"
    assert Scan([("KEY", value)]).text(b"0" * zeros + value.encode()) == {"KEY": "plain"}


def test_a_long_value_is_looked_for_by_its_middle():
    """8192 characters of it: what is kept from one read to the next stays small."""
    value = random.Random(3).randbytes(50_000).hex()
    search = Scan([("KEY", value)])
    assert search._overlap < 200_000
    assert search.text(value.encode()) == {"KEY": "plain"}
    assert search.text(value[:50_000].encode()) == {}


def test_a_hundred_values_cost_no_more_than_one():
    """An anchor more is a word more in a set; measured: 100 to 500 MB/s, by the shortest anchor."""
    data = random.Random(5).randbytes(4_000_000)

    def seconds(number):
        search = Scan([(f"K{each}", random.Random(each).randbytes(20).hex()) for each in range(number)])
        begun = time.process_time()
        assert search.text(data) == {}
        return time.process_time() - begun

    assert seconds(100) < 4 * seconds(1) + 0.1


@pytest.mark.parametrize("length", range(6, 12))
def test_base64_is_looked_for_by_what_depends_on_the_value_alone(length):
    """At each phase as many characters as there are, whatever bytes are beside it."""
    value = bytes(range(200, 200 + length))
    for phase, coding in enumerate(forms._phases(value)):
        sides = [(bytes([one]) * (3 + phase), bytes([two]) * 3) for one in (0, 255) for two in (0, 255)]
        around = [base64.b64encode(one + value + two) for one, two in sides]
        place = around[0].index(coding)
        assert {text[place : place + len(coding)] for text in around} == {coding}
        assert len({text[place - 1] for text in around}) > 1 or phase == 0
        assert len({text[place + len(coding)] for text in around}) > 1


def anchors(value, how="plain"):
    """Text, and the bytes before and behind it that may belong to the value."""
    [form] = [each for each in forms.forms(value) if each.how == how][:1]
    return [(each.text, each.before, each.after) for each in form.anchors]


def test_an_anchor_is_what_nobody_escapes():
    """The longest of it, or 32 bytes from its middle; beside it there is room for every escape."""
    assert anchors("a-correct-horse") == [(b"a-correct-horse", 0, 0)]
    assert anchors('a"b-correct c') == [(b"b-correct", 1 + 64, 64 + 1)]
    assert anchors("\\\\\n.-correct") == [(b".-correct", 2 * 144 + 128, 0)]
    assert anchors("0123456789" * 4) == [(b"4567890123" * 3 + b"45", 4, 4)]
    assert anchors("0123456789" * 4 + "x") == [(b"4567890123" * 3 + b"45", 4, 5)]


def test_bytes_that_nobody_escapes_have_one_place():
    """UTF-16 stands as it is."""
    text = "correct-horse".encode("utf-16-le")
    assert anchors("correct-horse", "UTF-16") == [(text, 0, 0)]
    long = ("correct-horse" * 2).encode("utf-16-le")
    assert anchors("correct-horse" * 2, "UTF-16") == [(long[10:42], 10, 10)]


@pytest.mark.parametrize(("backslashes", "is_found"), [(1, False), (2, True), (31, True), (32, True), (33, False)])
def test_backslashes_are_doubled_at_most_four_times(backslashes, is_found):
    """Nobody can tell how many of several in a row are the value's; fewer than it has are not it."""
    search = Scan([("KEY", "correct\\\\horse")])
    for one in ("\\", "%5c", "%2525255C"):
        assert bool(search.text(f"correct{one * backslashes}horse".encode())) == is_found
        assert bool(Scan([("KEY", "\\\\-correct")]).text(f"{one * backslashes}-correct".encode())) == (backslashes > 1)


@pytest.mark.parametrize("letter", ["b", "t", "n", "f", "r"])
def test_a_control_character_may_be_a_letter(letter):
    """As JSON and C write it, once or twice escaped."""
    character = json.loads(f'"\\{letter}"')
    search = Scan([("KEY", f"correct{character}horse")])
    for slashes in ("\\", "\\\\", "\\" * 4):
        assert search.text(f"correct{slashes}{letter}horse".encode()) == {"KEY": "escaped"}


def test_nothing_is_read_after_the_last_value_was_found():
    """A file may be large."""
    reads = []

    class File:
        def read(self, size):
            reads.append(size)
            return b"correct-horse, x7Kp2qLm9v"

    assert Scan([("A", "correct-horse"), ("B", "x7Kp2qLm9v")]).file(File()) == {"A": "plain", "B": "plain"}
    assert reads == [scan._CHUNK]
