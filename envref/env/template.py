"""What `$` means in a value: `$NAME`, `${NAME:-text}`, `${ref://…}` (commands.md 5.2), parsed to parts.

Parts are plain text (`str`), `Interpolation` and `Embedded`. This module doesn't know the values; its callers fill them
in.
"""

from __future__ import annotations

from envref.env.file import is_name, is_shell_name
from envref.errors import EnvrefError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import TypeAlias

    Part: TypeAlias = "str | Interpolation | Embedded"

OPERATORS = (":-", ":?", ":+", "-", "?", "+")

_DEEPEST = 16  # commands.md 5.2
BAD_SUBSTITUTION = (
    'bad substitution "${…}" (use single quotes or $$ for literal text); '
    "a name may have :- - :+ + :? or ? and a text behind it"
)


class TemplateError(EnvrefError):
    """`message` is wrong with the substitution at `offset`, counted in characters of the parsed text."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class Interpolation:
    """`$NAME`, `${NAME}` or `${NAME<operator>alternative}`.

    `operator` is empty or one of `OPERATORS`; `alternative` holds the parts after it. `offset` is that of the `$`.
    """

    __slots__ = ("alternative", "name", "offset", "operator")

    def __init__(self, name: str, offset: int, operator: str = "", alternative: tuple[Part, ...] = ()) -> None:
        self.name = name
        self.offset = offset
        self.operator = operator
        self.alternative = alternative


class Embedded:
    """`${ref://…}`: `uri` is the text between the braces, `offset` that of the `$`."""

    __slots__ = ("offset", "uri")

    def __init__(self, uri: str, offset: int) -> None:
        self.uri = uri
        self.offset = offset


def parse(text: str, known: Container[str], own: str | None = None) -> tuple[Part, ...]:
    """The parts of an unquoted or double-quoted value; two texts never follow each other; empty for empty text.

    `known` holds the names that are visible here, besides the variable's `own`: `${my-var}` is the variable `my-var` if
    that is one of them, else `my` with the alternative `var`. Raises TemplateError.
    """
    if "$" not in text:
        return (text,) if text else ()
    return _Parser(text, known, own).parts(0, len(text), depth=0)


class _Parser:
    """The text, and what is known about it while it is parsed."""

    __slots__ = ("closings", "known", "own", "text")

    def __init__(self, text: str, known: Container[str], own: str | None) -> None:
        self.text = text
        self.known = known
        self.own = own
        self.closings = _closings(text)

    def parts(self, start: int, end: int, *, depth: int) -> tuple[Part, ...]:
        found: list[Part] = []
        literal: list[str] = []
        for part in self._scan(start, end, depth):
            if isinstance(part, str):
                literal.append(part)
                continue
            found += (*_joined(literal), part)
            literal.clear()
        return (*found, *_joined(literal))

    def _scan(self, start: int, end: int, depth: int) -> Iterator[Part]:
        while (dollar := self.text.find("$", start, end)) >= 0:
            yield self.text[start:dollar]
            part, start = self._part(dollar, end, depth)
            yield part
        yield self.text[start:end]

    def _part(self, dollar: int, end: int, depth: int) -> tuple[Part, int]:
        """What the `$` at `dollar` stands for, and where the text goes on."""
        after = dollar + 1
        if self.text.startswith("$", after, end):
            return "$", after + 1
        if dollar in self.closings:
            closing = self.closings[dollar]
            return self._braces(dollar, closing, depth + 1), closing + 1
        stop = _word_end(self.text, after, end)
        if stop == after:
            return "$", after
        return Interpolation(self.text[after:stop], dollar), stop

    def _braces(self, dollar: int, closing: int, depth: int) -> Part:
        content = self.text[dollar + 2 : closing]
        if content in self.known or content == self.own:
            return Interpolation(content, dollar)
        if content.startswith("ref://"):
            return Embedded(content, dollar)
        name, operator = _split(content)
        if not is_name(name) or name.isdigit():  # to a shell, `${1}` is an argument
            raise TemplateError(dollar, BAD_SUBSTITUTION)
        if depth > _DEEPEST:
            raise TemplateError(dollar, f"substitutions are nested more than {_DEEPEST} deep")
        start = dollar + 2 + len(name) + len(operator)
        return Interpolation(name, dollar, operator, self.parts(start, closing, depth=depth))


def _joined(literal: list[str]) -> tuple[str, ...]:
    """Neighbouring texts as one text, or none if they are empty. Appending them one by one would be quadratic."""
    text = "".join(literal)
    return (text,) if text else ()


def _split(content: str) -> tuple[str, str]:
    """The name and the operator in a text between braces; without an operator all of it is the name."""
    found = [(at, operator) for operator in OPERATORS if (at := content.find(operator)) >= 0]
    if not found:
        return content, ""
    at, operator = min(found)
    return content[:at], operator


def _word_end(text: str, start: int, end: int) -> int:
    """The end of the longest shell name at `start`; `start` itself when there is none."""
    at = start
    while at < end and is_shell_name(f"_{text[at]}" if at > start else text[at]):
        at += 1
    return at


def _closings(text: str) -> dict[int, int]:
    """Where the `}` of each `${` is, by the offset of the `$`; an unclosed `${` is left out.

    One pass for the whole text: searching for each brace separately is quadratic for a hostile value.
    """
    closings: dict[int, int] = {}
    unclosed: list[int] = []
    dollar, brace = text.find("$"), text.find("}")
    while brace >= 0:
        if 0 <= dollar < brace:
            dollar = text.find("$", _after_dollar(text, dollar, brace, unclosed))
            continue
        if unclosed:
            closings[unclosed.pop()] = brace
        brace = text.find("}", brace + 1)
    return closings


def _after_dollar(text: str, dollar: int, brace: int, unclosed: list[int]) -> int:
    """Notes a `${` at `dollar`; returns where the next `$` may be."""
    if text.startswith("$$", dollar):
        return dollar + 2
    if text.startswith("${", dollar):
        unclosed.append(dollar)
    # An embedded reference ends at the first "}", whatever it holds.
    return brace if text.startswith("${ref://", dollar) else dollar + 1
