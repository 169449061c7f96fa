"""The forms in which builds write a value down: as it is or escaped, in base64, in hexadecimal, in UTF-16.

A form is a pattern, which is too slow to be tried at every byte of a store. So a form also has anchors: bytes that
stand in it whatever escapes the rest. `scan` looks for those, and only where one stands does the pattern decide.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

PLAIN, ESCAPED, BASE64, HEX, UTF16 = "plain", "escaped", "base64", "hex", "UTF-16"

LONGEST_ANCHOR = 32  # bytes; more would tell no more
_LONGEST = 8192  # characters of a value, so that a chunk, its overlap and the patterns stay small
_SHORTEST_ANCHOR = 7  # bytes, of one that is cut from a value; fewer stand everywhere, and each costs a trial
_SHORTEST_CODED = 15  # the same of base64, whose other characters have fewer spellings
_SPAN = 60  # characters of base64 or hex, in which at most one line ends: lines have 60, 64 or 76
_TRIALS = 1000  # of an anchor that stands everywhere, as zeros do; then one search of the rest is quicker
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PIECES = re.compile(r"[0-9A-Za-z_.-]+|\\+|.", re.DOTALL)  # first, what nobody escapes
_ENTITIES = {'"': "quot", "&": "amp", "'": "apos", "<": "lt", ">": "gt"}
_LETTERS = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r"}

# What is escaped is often escaped again: JSON in a derivation, a URL in a URL. Four layers make 15 backslashes.
# Those of a backslash before it have taken its own along.
_SLASHES = rb"(?:\\{1,15}|(?<=\\))"
_PERCENT = b"%(?:25){0,3}"
_AMPERSAND = b"&(?:amp;){0,3}"
_LONGEST_ESCAPE = 64  # bytes of one character in the longest spelling below
_LINE_END = (
    rb"(?:\r?\n|%s(?:r\\{1,15})?n|%s(?:u00|x)0[aA]" % (_SLASHES, _SLASHES)
    + rb"|(?:%(?:25){0,3}0[dD])?%(?:25){0,3}0[aA]|&(?:amp;){0,3}#(?:10|[xX]0?[aA]);)[ \t]{0,64}"
)
_LONGEST_LINE_END = 128
_WRAPPED = rb"(?:\s|\\{1,15}[nr])*+"


class Anchor(NamedTuple):
    """Some bytes of a form, and how many more may belong to it on either side."""

    text: bytes
    before: int
    after: int
    form: ValueForm


class ValueForm:
    """One form of a value. `how` says which; any of the `anchors` may lead to it."""

    __slots__ = ("_pattern", "_values", "anchors", "how")

    def __init__(self, how: str, pattern: bytes, values: Container[bytes] = ()) -> None:
        self.how = how
        self.anchors: list[Anchor] = []
        self._values = values
        self._pattern: bytes | re.Pattern[bytes] = pattern

    def found(self, data: bytes, anchor: Anchor) -> str:
        """How the value stands in the data, wherever the anchor does; empty if it does not."""
        match = self._match(data, anchor)
        if match is None:
            return ""
        return ESCAPED if self.how == PLAIN and match[0] not in self._values else self.how

    def _match(self, data: bytes, anchor: Anchor) -> re.Match[bytes] | None:
        at = -1
        for _ in range(_TRIALS):
            at = data.find(anchor.text, at + 1)
            if at < 0:
                return None
            end = at + len(anchor.text) + anchor.after
            if match := self._compiled().search(data, max(0, at - anchor.before), end):
                return match
        return self._compiled().search(data, max(0, at - anchor.before))

    def _compiled(self) -> re.Pattern[bytes]:
        # Once the first anchor was found: a long value's pattern takes longer to compile than most files to search.
        if isinstance(self._pattern, bytes):
            self._pattern = re.compile(self._pattern)
        return self._pattern


class _Piece(NamedTuple):
    """Characters of a value: what matches them, and the most bytes that has. `literal` if nothing escapes them."""

    pattern: bytes
    longest: int
    literal: bytes = b""


def forms(value: str) -> list[ValueForm]:
    """Every form of a value of six bytes or more, less the blanks around it; of a long one, of its middle."""
    text = _middle(value.strip(), _LONGEST)
    unix = text.replace("\r\n", "\n")  # some writers change line ends before they encode
    texts = dict.fromkeys([text, unix])
    digits = [_bytes(each).hex().encode() for each in texts]
    codings = [coding for each in texts for coding in _phases(_bytes(each))]
    wide = [each.encode(coding, "surrogatepass") for each in texts for coding in ("utf-16-le", "utf-16-be")]
    return [
        _written(unix, texts),
        *(_coded(BASE64, coding) for coding in dict.fromkeys(codings)),
        *(_coded(HEX, coding) for coding in dict.fromkeys([*digits, *map(bytes.upper, digits)])),
        *(_verbatim(UTF16, data) for data in wide),
    ]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _middle(text: str, length: int) -> str:
    start = max(0, len(text) - length) // 2
    return text[start : start + length]


def _written(text: str, texts: Collection[str]) -> ValueForm:
    """The text in UTF-8, each character as it is or as JSON, a derivation, a URL, XML or a shell has it.

    `texts` are the same with each kind of line end.
    """
    pieces = [_piece(match[0]) for match in _PIECES.finditer(text)]
    form = ValueForm(PLAIN, b"".join(piece.pattern for piece in pieces), [_bytes(one) for one in texts])
    longest = [piece.longest for piece in pieces]
    best = max(range(len(pieces)), key=lambda index: len(pieces[index].literal))
    literal = pieces[best].literal
    if len(literal) >= _SHORTEST_ANCHOR:
        form.anchors = [_cut(literal, sum(longest[:best]), sum(longest[best + 1 :]), form)]
    else:
        usual = [each for one in texts for each in _usual(one)]
        form.anchors = [_cut(each, sum(longest), sum(longest), form) for each in dict.fromkeys(usual)]
    return form


def _in_derivation(text: str) -> str:
    """As Nix prints a string of a .drv file (`printString` in its derivations.cc)."""
    return re.sub(r'["\\\n\r\t]', lambda special: "\\" + _LETTERS.get(special[0], special[0]), text)


def _in_url(safe: str) -> Callable[[str], str]:
    return lambda text: quote(_bytes(text), safe)


def _in_lower_url(safe: str) -> Callable[[str], str]:
    return lambda text: re.sub("%..", lambda escape: escape[0].lower(), quote(_bytes(text), safe))


_ALPHABETS = ("", "/", "!'()*", "!$&'()*+,/:;=?@")  # what is left alone by form encoders, Python, JavaScript, RFC 3986
_WRITERS: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: text.replace("/", r"\/"),
    _in_derivation,
    *map(_in_url, _ALPHABETS),
    *map(_in_lower_url, _ALPHABETS),
    lambda text: quote_plus(_bytes(text)),
    html.escape,
    lambda text: repr(text)[1:-1],
    lambda text: repr(_bytes(text))[2:-1],
    lambda text: text.replace("'", "'\\''"),
    lambda text: text.replace("'", """'"'"'"""),
]


def _usual(text: str) -> list[bytes]:
    """What one or two of the usual writers make of a text: where it has nothing to hold on to that all leave alone."""
    once = dict.fromkeys(write(text) for write in _WRITERS)
    return list(dict.fromkeys(_bytes(write(each)) for each in once for write in _WRITERS))


def _piece(text: str) -> _Piece:
    if re.fullmatch("[0-9A-Za-z_.-]+", text):
        return _Piece(re.escape(text.encode()), len(text), text.encode())
    if text[0] == "\\":  # several in a row: who wrote how many can't be told, so at least as many
        return _Piece(rb"(?>(?:\\|%s5[Cc]){%d,%d})" % (_PERCENT, len(text), 16 * len(text)), 144 * len(text))
    if text == "\n":
        return _Piece(_LINE_END, _LONGEST_LINE_END)
    return _Piece(b"(?:" + b"|".join(_spellings(text)) + b")", _LONGEST_ESCAPE)


def _spellings(character: str) -> list[bytes]:
    """Patterns of one character that some writer escapes."""
    data, code = _bytes(character), ord(character)
    units = re.findall("....", character.encode("utf-16-be", "surrogatepass").hex())
    found = [
        rb"\\{0,15}" + re.escape(data),
        b"".join(rb"%su(?i:%s)" % (_SLASHES, unit.encode()) for unit in units),
        b"".join(rb"%sx(?i:%02x)" % (_SLASHES, byte) for byte in data),
        b"".join(rb"%s(?i:%02x)" % (_PERCENT, byte) for byte in data),
        rb"%s#(?:0{0,4}%d|[xX]0{0,4}(?i:%x));" % (_AMPERSAND, code, code),
    ]
    if character in _LETTERS:
        found.append(_SLASHES + _LETTERS[character].encode())
    if character in _ENTITIES:
        found.append(_AMPERSAND + _ENTITIES[character].encode() + b";")
    if character == " ":
        found.append(rb"\+")
    if character == "'":
        found += [rb"'\\''", b"""'"'"'"""]
    return found


def _phases(data: bytes) -> list[bytes]:
    """The value in base64, after any number of bytes: only the characters that depend on no other byte."""
    found = []
    for before in range(3):
        coding = base64.b64encode(bytes(before) + data)
        first = (before * 8 + 5) // 6
        found.append(coding[first : (before + len(data)) * 8 // 6])
    return found


def _coded(how: str, coding: bytes) -> ValueForm:
    """Base64 or hex, of either alphabet, in lines or not, its `+` and `/` escaped or not."""
    characters = [_character(chr(byte)) for byte in coding]
    form = ValueForm(how, _WRAPPED.join(piece.pattern for piece in characters))
    around = sum(piece.longest for piece in characters) + (len(coding) // 32 + 1) * _LONGEST_LINE_END
    run = max(re.findall(b"[^+/]*", coding), key=len)
    whole = [run] if len(run) >= _SHORTEST_CODED else [*_usual(coding.decode("ascii")), coding.translate(_URL_SAFE)]
    # A line end may stand within any of these, but only within one of the two halves of a span.
    start = max(0, (len(coding) - _SPAN) // 2)
    span = coding[start : start + _SPAN]
    halves = [span[: len(span) // 2], span[len(span) // 2 :]] if len(coding) >= 2 * _SHORTEST_ANCHOR else []
    either = [text for half in halves for text in (half, half.translate(_URL_SAFE))]
    form.anchors = [_cut(text, around, around, form) for text in dict.fromkeys([*whole, *either])]
    return form


def _character(character: str) -> _Piece:
    if character not in "+/":
        return _Piece(character.encode(), 1)
    other = b"-" if character == "+" else b"_"
    return _Piece(b"(?:" + b"|".join([other, *_spellings(character)]) + b")", _LONGEST_ESCAPE)


def _verbatim(how: str, data: bytes) -> ValueForm:
    form = ValueForm(how, re.escape(data))
    form.anchors = [_cut(data, 0, 0, form)]
    return form


def _cut(literal: bytes, before: int, after: int, form: ValueForm) -> Anchor:
    """An anchor in the middle of a literal, with what is left of that on either side."""
    start = max(0, len(literal) - LONGEST_ANCHOR) // 2
    text = literal[start : start + LONGEST_ANCHOR]
    return Anchor(text, before + start, after + len(literal) - start - len(text), form)
