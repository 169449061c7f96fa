"""Interpolation: what a value with a live `$` is made of, once the variables above it are known.

Most projects have no such value, so that an activation loads this only where there is one.
"""

from __future__ import annotations

from envref.env import template
from envref.env.file import appends
from envref.env.template import TemplateError
from envref.errors import EnvrefError, MalformedFile, Problem
from envref.refs.reference import SCHEME, InvalidReference, Reference, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from envref.env.file import Entry, EnvFile

    Piece: TypeAlias = "str | Reference | InvalidReference | Pending"

    V: TypeAlias = Any  # a variable, of which this file needs to know `plain` only


LONGEST_VALUE = 1 << 20  # characters of an interpolated value (commands.md 5.2)
LONGEST_VALUES = 16 << 20  # of all together
DEEPEST = 1000  # variables, each of which interpolates the next


class Pending:
    """`${name}` where the name's value holds a reference: known only when the reference is resolved.

    The name of the variable itself means the value that its line overrides.
    """

    __slots__ = ("alternative", "name", "offset", "operator")

    def __init__(self, name: str, operator: str, alternative: Sequence[Piece], offset: int) -> None:
        self.name = name
        self.operator = operator
        self.alternative = alternative
        self.offset = offset


class Bound:
    """How long interpolated values may get, each and together: forty lines can else ask for all memory there is."""

    __slots__ = ("_all", "_value")

    def __init__(self) -> None:
        self._all = 0
        self._value = 0

    def begin(self) -> None:
        """Another value."""
        self._value = 0

    def take(self, text: str, offset: int = 0) -> str:
        """The text, which what is at `offset` adds to the value. Raises TemplateError before it is too long."""
        self._value += len(text)
        self._all += len(text)
        if self._value > LONGEST_VALUE:
            raise TemplateError(offset, "the interpolated value is longer than 1 MiB")
        if self._all > LONGEST_VALUES:
            raise TemplateError(offset, "the interpolated values are together longer than 16 MiB")
        return text


class Interpolator:
    """Makes variables of lines with a live `$`, one after the other, in merged order.

    `variables` are those above, `make` makes one of a line, its pieces and what it overrides, `unset` collects the
    substitutions by nothing.
    """

    __slots__ = ("_ambient", "_bound", "_depth", "_depths", "_files", "_lines", "_make", "_variables", "unset")

    def __init__(
        self,
        files: Sequence[EnvFile],
        variables: Mapping[str, V],
        ambient: Mapping[str, str],
        make: Callable[[Entry, Sequence[Piece], V | None], V],
    ) -> None:
        self._files = files
        self._variables = variables
        self._ambient = ambient
        self._make = make
        self._lines: dict[str, list[Entry]] = {}  # every assignment of each name, once one needs what it overrides
        self.unset: list[tuple[Entry, template.Interpolation]] = []
        self._bound = Bound()
        self._depths: dict[str, int] = {}  # of interpolated variables: how many others stand behind each other
        self._depth = 0

    def variable(self, entry: Entry) -> V:
        """The variable of a line; TemplateError for one that means nothing."""
        return self._live(entry, self._overridden(entry) if appends(entry) else None)

    def _live(self, entry: Entry, under: V | None) -> V:
        self._bound.begin()
        self._depth = 0
        parts = template.parse(entry.template, self._variables, entry.name)
        pieces = _joined(self._expand(parts, entry, under))
        self._depths[entry.name] = self._depth
        if pieces and isinstance(pieces[0], str) and pieces[0].startswith(SCHEME):
            pieces = [_only_reference(pieces, entry)]
        return self._make(entry, pieces, None if under is None or under.plain is not None else under)

    def _overridden(self, entry: Entry) -> V | None:
        """What the line means by its own name: the value of the line that it overrides; None where there is none."""
        under = None
        for each in self._needed(entry):
            try:
                under = self._live(each, under) if each.interpolated else self._literal(each)
            except TemplateError as error:
                raise MalformedFile([each.problem(error.offset, error.message)]) from None
        return under

    def _needed(self, entry: Entry) -> list[Entry]:
        """The lines below it, down to the first that does not use its own name; lowest first."""
        if not self._lines:
            for each in (each for file in self._files for each in file.entries):
                self._lines.setdefault(each.name, []).append(each)
        needed = []
        for each in reversed(self._lines[entry.name][:-1]):
            needed.append(each)
            if not (each.interpolated and appends(each)):
                break
        return needed[::-1]

    def _literal(self, entry: Entry) -> V:
        text = entry.text
        return self._make(entry, (parsed(text) if text.startswith(SCHEME) else text,), None)

    def _expand(self, parts: Iterable[template.Part], entry: Entry, under: V | None) -> Iterator[Piece]:
        for part in parts:
            if isinstance(part, template.Embedded):
                yield parsed(part.uri)
            elif isinstance(part, template.Interpolation):
                yield from self._interpolate(part, entry, under)
            else:
                yield self._bound.take(part)

    def _interpolate(self, part: template.Interpolation, entry: Entry, under: V | None) -> Iterable[Piece]:
        value = self._value(part.name, under if part.name == entry.name else self._variables.get(part.name))
        self._depth = max(self._depth, self._depths.get(part.name, 0) + 1)
        if self._depth > DEEPEST:
            raise TemplateError(part.offset, f"more than {DEEPEST} variables stand behind each other")
        operator = part.operator
        if value is not None and not isinstance(value, str):
            return (Pending(part.name, operator, list(self._expand(part.alternative, entry, under)), part.offset),)
        if value is None and not operator:
            self.unset.append((entry, part))
        if not wants_alternative(operator, value):
            return (self._bound.take(kept(operator, value), part.offset),)
        if operator.endswith("?"):
            alternative = "".join(str(piece) for piece in self._expand(part.alternative, entry, under))
            raise MalformedFile([required(entry, part.offset, part.name, alternative)])
        return self._expand(part.alternative, entry, under)

    def _value(self, name: str, variable: V | None) -> str | V | None:
        """The plain value of a name's variable; the variable itself if its value contains a reference; or None."""
        if variable is None:
            return self._ambient.get(name)
        plain = variable.plain
        return variable if plain is None else plain


def wants_alternative(operator: str, value: str | None) -> bool:
    """Whether `${NAME<operator>alternative}` takes the alternative. With a colon, an empty value is as none."""
    is_there = bool(value) if operator.startswith(":") else value is not None
    return bool(operator) and is_there == operator.endswith("+")


def kept(operator: str, value: str | None) -> str:
    """What stands there if it does not."""
    return "" if operator.endswith("+") else value or ""


def _only_reference(pieces: Sequence[Piece], entry: Entry) -> Reference | InvalidReference:
    """The reference that the whole value is."""
    if len(pieces) > 1:
        raise EnvrefError(
            "a reference cannot be built from a secret value", subject=entry.name, hint="write the reference out"
        )
    return parsed(str(pieces[0]))


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces with neighbouring texts joined."""
    joined: list[Piece] = []
    texts: list[str] = []  # adding each to the last would be quadratic
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        joined += (*_one(texts), piece)
        texts.clear()
    return [*joined, *_one(texts)]


def _one(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts as one, or none where nothing is in them."""
    text = "".join(texts)
    return (text,) if text else ()


def required(entry: Entry, offset: int, name: str, text: str) -> Problem:
    return entry.problem(offset, f"{name}: {text or 'required variable is not set'}")
