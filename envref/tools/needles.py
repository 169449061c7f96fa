"""Needles: what of a secret value is looked for in a program's output: itself, and the forms that tools print it in."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from envref.refs.outcome import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.env.environment import Filled
    from envref.resolve.resolution import Resolution

SHORTEST = 4  # characters; shorter values occur in ordinary words, and hiding those would garble every output
_SHORTEST_LINE = 8  # characters of a line of a longer value: `{` and `]` say nothing
# What writers of URLs leave alone: RFC 3986, a path's; JavaScript's encodeURIComponent, encodeURI and a URL's password;
# Go's url.UserPassword, PathEscape and paths (each run)
_SAFE = ("", "/", "!'()*", ";,/?:@&=+$!'()*#", "!$&'()*+,", "$&+,;=", "$&+:=@", "$&+,/:;=@")
# What JSON's writers escape as well, for HTML: Go's and Rails' (Go was run), Gson's (JsonWriter.htmlSafe), .NET's
_LINES = "\u2028\u2029"
_FOR_HTML = tuple(
    {ord(each): form % ord(each) for each in characters}
    for form, characters in (("\\u%04x", "<>&" + _LINES), ("\\u%04x", "<>&='" + _LINES), ("\\u%04X", "<>&'+`"))
)
_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")
_PHASES = ((0, 0), (1, 2), (2, 3))  # bytes before the value, and how many characters those have a part in (RFC 4648)


def values(resolution: Resolution) -> dict[str, str]:
    """The secret values of a resolution, each with the name of a variable that has it.

    A default stands in the files for all to read, and is no secret.
    """
    found: dict[str, str] = {}
    for filled in resolution.filled.values():
        for secret in _secrets(filled):
            found.setdefault(secret, filled.variable.name)
    return found


def _secrets(filled: Filled) -> Iterator[str]:
    """The whole value, and what each store gave for it: a password within a URL is printed alone as well."""
    given = [outcome for _, outcome in filled.sources if isinstance(outcome, Found) and outcome.backend is not None]
    for outcome in given:
        yield outcome.secret.reveal()
    if filled.value is not None and not isinstance(filled.value, str) and given:
        yield filled.value.reveal()


def needles(secrets: Iterable[str]) -> list[bytes]:
    """What is to be looked for; too short values have none."""
    made = [needle for secret in secrets if len(secret) >= SHORTEST for needle in _of(secret)]
    return list(dict.fromkeys(needle for needle in made if len(needle) >= SHORTEST))


def _of(secret: str) -> Iterator[bytes]:
    raw = _bytes(secret)
    yield raw
    yield from _broken(secret)
    lines = [line for line in secret.splitlines() if len(line) >= _SHORTEST_LINE] if "\n" in secret else []
    for text in (secret, *lines):
        yield _bytes(text)
        yield from _escaped(text)
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for before, touched in _PHASES:
        yield from _base64(raw, before, touched)


def _broken(secret: str) -> Iterator[bytes]:
    """With the line ends of a terminal."""
    if "\n" in secret:
        yield _bytes(secret.replace("\r\n", "\n").replace("\n", "\r\n"))
        yield _bytes(secret.replace("\r\n", "\n"))
        yield _bytes(secret.rstrip("\n"))
        yield _bytes(secret.rstrip("\n").replace("\r\n", "\n").replace("\n", "\r\n"))


def _escaped(text: str) -> Iterator[bytes]:
    """As JSON and URLs have it."""
    plain = text.encode("utf-8", "replace").decode()
    yield from (written.encode() for written in (*_as_json(plain), *_in_urls(plain)))


def _as_json(plain: str) -> Iterator[str]:
    """Within a string, with and without letters beyond ASCII."""
    for is_ascii in (True, False):
        escaped = json.dumps(plain, ensure_ascii=is_ascii)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield from (escaped.translate(table) for table in _FOR_HTML)
        # as .NET has it, whose quotes are no `\"`
        capitals = _ESCAPE.sub(lambda found: "\\u" + found[0][2:].upper(), escaped)
        yield capitals
        yield capitals.replace('\\"', "\\u0022").translate(_FOR_HTML[-1])


def _in_urls(plain: str) -> Iterator[str]:
    if quote(plain, safe="") == plain and "~" not in plain:
        return  # most tokens are the same everywhere
    for safe in _SAFE:
        for written in (quote(plain, safe=safe), quote_plus(plain, safe=safe)):
            # forms of HTML, as Java's URLEncoder and JavaScript's URLSearchParams write them, escape the tilde
            for each in (written, written.replace("~", "%7E")):
                yield each
                yield _lower_escapes(each)


def _lower_escapes(text: str) -> str:
    first, *rest = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _base64(raw: bytes, before: int, touched: int) -> Iterator[bytes]:
    """The characters that no byte around the value has a part in, in both alphabets."""
    whole = (before + len(raw)) * 8 // 6
    usual = base64.b64encode(bytes(before) + raw)[touched:whole]
    yield usual
    yield usual.translate(bytes.maketrans(b"+/", b"-_"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
