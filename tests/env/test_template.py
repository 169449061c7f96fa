"""What `$` means in a value: the table of commands.md 5.2, row by row."""

from __future__ import annotations

import sys
import time

import pytest

from envref.env.template import BAD_SUBSTITUTION, Embedded, TemplateError, parse

KNOWN = {"A", "my-var", "a.b"}


def shape(parts):
    """The parts as plain tuples; offsets are proved by a test of their own."""
    return tuple(part if isinstance(part, str) else _described(part) for part in parts)


def _described(part):
    if isinstance(part, Embedded):
        return ("ref", part.uri)
    return (part.name, part.operator, shape(part.alternative)) if part.operator else (part.name,)


ROWS = [
    ("", ()),
    ("plain ref://x {y}", ("plain ref://x {y}",)),
    ("$A", (("A",),)),
    ("}${A}", ("}", ("A",))),
    ("a$A.b", ("a", ("A",), ".b")),
    ("$A_1b-c", (("A_1b",), "-c")),
    ("${A}b", (("A",), "b")),
    ("${undefined}", (("undefined",),)),
    ("${x.y}", (("x.y",),)),
    ("${my-var}", (("my-var",),)),
    ("${other-var}", (("other", "-", ("var",)),)),
    ("${A:-b}", (("A", ":-", ("b",)),)),
    ("${A-b}", (("A", "-", ("b",)),)),
    ("${A:?b c}", (("A", ":?", ("b c",)),)),
    ("${A:?}", (("A", ":?", ()),)),
    ("${A:-}", (("A", ":-", ()),)),
    ("${A:-b-c:?d}", (("A", ":-", ("b-c:?d",)),)),
    ("${A-b:-c}", (("A", "-", ("b:-c",)),)),
    ("${a.b-c}", (("a.b", "-", ("c",)),)),
    ("${A:-$B}", (("A", ":-", (("B",),)),)),
    ("${A:-x${B-${C}}y}z", (("A", ":-", ("x", ("B", "-", (("C",),)), "y")), "z")),
    ("${A:-${my-var}}", (("A", ":-", (("my-var",),)),)),
    ("${A:-${ref://s/k}}", (("A", ":-", (("ref", "ref://s/k"),)),)),
    ("${A:-$$}", (("A", ":-", ("$",)),)),
    ("${A:-$${B}}", (("A", ":-", ("${B",)), "}")),
    ("x${ref://s/k?default=a-b#f}y", ("x", ("ref", "ref://s/k?default=a-b#f"), "y")),
    ("${ref://s/${k}}", (("ref", "ref://s/${k"), "}")),
    ("$$A", ("$A",)),
    ("$$$A", ("$", ("A",))),
    ("$${A}", ("${A}",)),
    ("cost $5 $", ("cost $5 $",)),
    ("$(A) $-", ("$(A) $-",)),
    ("\\$A", ("\\", ("A",))),
    ("${", ("${",)),
    ("${A", ("${A",)),
    ("${A:-${B}", ("${A:-", ("B",))),
    ("${ref://s/k $A", ("${ref://s/k ", ("A",))),
    ("${A:-b\nc}", (("A", ":-", ("b\nc",)),)),
    ("$ä", ("$ä",)),
]


@pytest.mark.parametrize(("text", "parts"), ROWS)
def test_a_substitution_means_what_the_table_says(text, parts):
    """Every row of the table of commands.md 5.2, and the sentences below it."""
    assert shape(parse(text, KNOWN)) == parts


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("x${}", 1),
        ("${a b}", 0),
        ("${1}", 0),
        ("${-x}", 0),
        ("${:-x}", 0),
        ("${A:b}", 0),
        ("${A\n}", 0),
        ("${!A}", 0),
        ("${ ref://s/k}", 0),
        ("${a${A}}", 0),
        ("ab${A:-c${d e}}", 8),
    ],
)
def test_any_other_content_of_braces_is_an_error(text, offset):
    """The error points at the `$`; its text shows nothing of the value, which may be a secret."""
    with pytest.raises(TemplateError) as caught:
        parse(text, KNOWN)
    assert caught.value.offset == offset
    assert caught.value.message == BAD_SUBSTITUTION
    assert " :- - :+ + :? or ? " in BAD_SUBSTITUTION  # what works, said to whoever tried another


def test_offsets_are_those_of_the_dollars():
    """Counted in the whole text, also inside an alternative."""
    outer, text, embedded = parse("${A:-b$C}d${ref://s/k}", KNOWN)
    assert (outer.offset, outer.alternative[1].offset, text, embedded.offset) == (0, 6, "d", 10)


def nested(depth):
    return "${A-" * depth + "}" * depth


def test_sixteen_levels_are_allowed():
    """The limit of commands.md 5.2."""
    part = parse(nested(16), ())
    for _ in range(15):
        (part,) = (part[0].alternative,)
    assert part[0].alternative == ()


def test_seventeen_levels_are_not():
    """The error points at the first substitution that is too deep."""
    with pytest.raises(TemplateError, match=r"^substitutions are nested more than 16 deep$") as caught:
        parse(nested(17), ())
    assert caught.value.offset == 16 * len("${A-")


def test_a_hostile_value_takes_no_quadratic_time():
    """Half a million openings that nothing closes are plain text, at once."""
    text = "${A:-" * 500_000
    assert parse(text, ()) == (text,)


def _seconds(text):
    """Of processor time, while something like a debugger or a coverage tool looks at every line."""

    def tracer(*_):
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    started = time.process_time()
    try:
        parse(text, ())
    finally:
        sys.settrace(before)
    return time.process_time() - started


def test_a_hostile_value_takes_no_quadratic_time_under_a_tracer():
    """CPython adds to a text in place only where nobody looks: four times the text is some four times the work."""
    short = min(_seconds("${A:-" * 20_000) for _ in range(2))
    long = min(_seconds("${A:-" * 80_000) for _ in range(2))
    assert long < 9 * short
