"""Places: what names a server, and which requests a credential of it is for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envref.project.place import parse


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "https://", "*.example.com", "exam ple.com", "user@example.com", "https://a:b@example.com", "a_b.c"),
        *("git+https://example.com", "sparse+ftp://example.com", "[::1", "[]", "[::1]x", "[::g]"),
        *("ftp://example.com", "example.com:0", "example.com:65536", "example.com:x", "example.com?x", "example.com#x"),
        *(
            "example.com/a/../b",
            "example.com/a//b",
            "example.com/%61",
            "-x.com",
            "example.com\nx",
            "é.com",
            "a.com/\u202e",
        ),
    ],
)
def test_what_is_no_place(text):
    """A pattern, a user, a path that a server reads as another: none of them."""
    assert parse(text) is None


# The grammar of a place, as an expression: what `parse` reads by hand.
GRAMMAR = re.compile(
    r"(?:(?:sparse|registry)\+)?(?:(https?)://)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::([0-9]{1,5}))?(/[A-Za-z0-9._~/%+-]*)?",
    re.ASCII,
)
PIECES = st.sampled_from(
    [*"abZ.-:/[]+0159%~@é\n\r ?#_*", "sparse+", "registry+", "http", "https", "://", "::1", "65535", "65536", "..", "²"]
)


@given(st.lists(PIECES, max_size=10).map("".join))
def test_a_place_is_what_the_grammar_says(text):
    """Or its path or port means nothing: then it is none either."""
    found, place = GRAMMAR.fullmatch(text), parse(text)
    if not found:
        assert place is None
        return
    scheme, host, port, path = found.groups()
    scheme, path = scheme or "https", (path or "").strip("/")
    number = int(port or {"https": 443, "http": 80}[scheme])
    parts = path.removesuffix(".git").removesuffix("/").split("/") if path not in ("", ".git") else []
    if "%" in path or {"", ".", ".."} & set(parts) or not 0 < number < 1 << 16:
        assert place is None
        return
    assert (place.scheme, place.host, place.port, place.text) == (scheme, host.lower(), number, text)
    assert place.path == path.removesuffix(".git").removesuffix("/")


COVERED = [
    ("github.com", "https://github.com"),
    ("GitHub.com", "https://github.com/team/app"),
    ("https://github.com:443/", "https://github.com"),
    ("github.com/team", "https://github.com/team/app"),
    ("github.com/team/", "https://github.com/team"),
    ("sparse+https://index.example/a/", "https://index.example/a/"),
    ("github.com/team/app.git", "https://github.com/team/app"),
    ("github.com/team/app", "https://github.com/team/app.git/"),
    ("github.com/team", "https://github.com/team/app.git/.git"),
    ("http://127.0.0.1:80", "http://127.0.0.1/x"),
    ("[::1]:8443", "https://[::1]:8443/x"),
    ("sparse", "https://sparse/x"),
]
NOT_COVERED = [
    ("github.com", "http://github.com"),
    ("github.com", "https://github.com:444"),
    ("github.com", "https://github.com.evil.example"),
    ("github.com", "https://evil.example/github.com"),
    ("github.com", "https://www.github.com"),
    ("github.com/team", "https://github.com"),
    ("github.com/team", "https://github.com/teams/app"),
    ("http://github.com", "https://github.com"),
]


@pytest.mark.parametrize(("place", "asked"), COVERED)
def test_a_place_covers_itself_and_what_is_below(place, asked):
    assert parse(place).covers(parse(asked))


@pytest.mark.parametrize(("place", "asked"), NOT_COVERED)
def test_a_place_covers_nothing_else(place, asked):
    """Another scheme, port, host or path."""
    assert not parse(place).covers(parse(asked))


def test_an_address_of_ipv6_is_in_brackets():
    """As in every URL."""
    place = parse("http://[2001:db8::1]:8080/team")
    assert (place.host, place.port, place.path) == ("[2001:db8::1]", 8080, "team")
    assert place.server == "http://[2001:db8::1]:8080"


def test_a_url_for_git_keeps_what_was_written():
    """git takes `app` and `app.git` for two."""
    assert parse("GitHub.com/team/app.git/").url == "https://github.com/team/app.git"
    assert parse("https://github.com:443").url == "https://github.com"


@pytest.mark.parametrize("server", ["https://index.docker.io/v1/", "registry-1.docker.io", "docker.io"])
def test_docker_hub_has_several_names(server):
    assert parse("docker.io").is_registry_of(parse(server))
    assert not parse("docker.io").is_registry_of(parse("ghcr.io"))
    assert not parse("127.0.0.1:5000").is_registry_of(parse("127.0.0.1:5001"))


def test_crates_io_has_several_addresses():
    """Those of cargo's own documentation; any other index has one."""
    io = parse("crates.io")
    assert io.is_crates_io
    for index in ("sparse+https://index.crates.io/", "https://github.com/rust-lang/crates.io-index"):
        assert io.is_index_of(parse(index)), index
    assert not io.is_index_of(parse("https://index.example/"))
    own = parse("index.example/a")
    assert not own.is_crates_io
    assert own.is_index_of(parse("https://index.example/a/config.json"))
    assert not own.is_index_of(parse("https://index.crates.io/"))
