"""needles: which values are secrets, and the forms in which tools print one."""

from __future__ import annotations

import types

import pytest

from envref.refs.outcome import Found, Missing
from envref.secret import Secret
from envref.tools import needles

URL = "postgres://u:hunter-2@h/d"


def filled(name, value, *outcomes):
    sources = [(None, outcome) for outcome in outcomes]
    return types.SimpleNamespace(value=value, sources=sources, variable=types.SimpleNamespace(name=name))


def test_a_value_of_a_store_is_a_secret_and_so_is_what_it_is_part_of():
    """By the first variable that has it. A default stands in the files, and plain text is none."""
    found = [
        filled("URL", Secret(URL), Found(Secret("hunter-2"), "op")),
        filled("PASSWORD", Secret("hunter-2"), Found(Secret("hunter-2"), "op")),
        filled("DEFAULT", Secret("in the file"), Found(Secret("in the file"))),
        filled("FAILED", None, Found(Secret("given"), "op"), Missing("no")),
        filled("FILE", "/run/x", Found(Secret("in it"), "op")),
        filled("PLAIN", "text"),
    ]
    resolution = types.SimpleNamespace(filled={each.variable.name: each for each in found})
    assert needles.values(resolution) == {URL: "URL", "hunter-2": "URL", "given": "FAILED", "in it": "FILE"}


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("one\ntwo\n", [b"one\ntwo\n", b"one\r\ntwo\r\n", b"one\ntwo", b"one\r\ntwo"]),
        ("one\r\ntwo", [b"one\r\ntwo", b"one\ntwo"]),
        ("a/b\u20ac", [b"a/b\xe2\x82\xac", b"a/b\\u20ac", b"a\\/b\\u20ac", b"a\\/b\xe2\x82\xac", b"a%2fb%e2%82%ac"]),
        ("pass word", [b"pass+word", b"pass%20word", b"7061737320776f7264"]),
        ("eight of\nit", [b"eight of"]),
        # as Go 1, node 18 and the sources of Gson and .NET's JavaScriptEncoder have them
        ("a&b<c", [b"a\\u0026b\\u003cc", b"a\\u0026b\\u003Cc", b"a&b%3Cc"]),
        ("it's=\u20ac", [b"it\\u0027s\\u003d\\u20ac", "it\\u0027s\\u003d\u20ac".encode(), b"it\\u0027s=\\u20AC"]),
        ('say "\\+"', [b"say \\u0022\\\\\\u002B\\u0022"]),
        ("a+$=;,@:/x", [b"a+$=;,%40%3A%2Fx", b"a+$=%3B%2C@:%2Fx", b"a+$=;,@:/x", b"a+$%3D%3B,%40%3A%2Fx"]),
        ("tilde~ *", [b"tilde%7E+*", b"tilde~%20*", b"tilde~%20%2A"]),
    ],
)
def test_a_secret_is_looked_for_as_it_may_be_written(secret, written):
    """With the line ends of a file and of a terminal, in JSON, in URLs, and a long line alone."""
    assert set(written) <= set(needles.needles([secret]))


def test_what_is_too_short_is_not_looked_for():
    """It would garble every output: a value of three letters, a line of seven, a form of three bytes."""
    assert needles.needles(["abc"]) == []
    assert b"a line." not in needles.needles(["a line.\nanother line"])
    assert b"another line" in needles.needles(["a line.\nanother line"])
    assert all(len(needle) >= 4 for needle in needles.needles(["abcd"]))
    assert b"abcd" in needles.needles(["abcd"])
