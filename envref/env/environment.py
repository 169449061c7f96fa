"""Environment: the project's variables, interpolated once in merged order (commands.md 5.2).

It takes two steps, because a secret is known only after its store was asked. `Environment` fills in everything plain
and keeps references, and what depends on them, as pieces; `filling` puts in the outcomes.
"""

from __future__ import annotations

from envref.env import template
from envref.errors import EnvrefError, MalformedFile, Problem, meant
from envref.refs.reference import SCHEME, InvalidReference, Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from envref.env.file import Entry
    from envref.refs.outcome import Outcome
    from envref.secret import Secret


LONGEST_VALUE = 1 << 20  # characters of an interpolated value (commands.md 5.2)
LONGEST_VALUES = 16 << 20  # of all together
DEEPEST = 1000  # variables, each of which interpolates the next


class Pending:
    """`${name}` where the name's value holds a reference: known only when the reference is resolved."""

    __slots__ = ("alternative", "name", "offset", "operator")

    def __init__(self, name: str, operator: str, alternative: Sequence[Piece], offset: int) -> None:
        self.name = name
        self.operator = operator
        self.alternative = alternative
        self.offset = offset


if TYPE_CHECKING:
    Piece = str | Reference | InvalidReference | Pending
    Answered = tuple[Reference | InvalidReference, Outcome]


class Variable:
    """A name, the line that sets it, and its value in pieces: text, references, and names that wait for references.

    `plain` is the value if it contains no reference, else None.
    """

    __slots__ = ("entry", "name", "pieces", "plain")

    def __init__(self, entry: Entry, pieces: Sequence[Piece]) -> None:
        self.name = entry.name
        self.entry = entry
        self.pieces = pieces
        self.plain = _plain(pieces)

    def references(self) -> Iterator[Reference | InvalidReference]:
        """Every reference in its own value, also those in alternatives."""
        return (piece for piece in _flat(self.pieces) if isinstance(piece, Reference | InvalidReference))

    def interpolated(self) -> Iterator[str]:
        """The names it waits for."""
        return (piece.name for piece in _flat(self.pieces) if isinstance(piece, Pending))


class Filled:
    """What became of a variable: its value, or why it has none.

    `value` is None if the variable is left out. `answers` are the references in its value with their outcomes;
    `failures` those that made it fail; `waits_for` the variables it needs that could not be resolved.
    """

    __slots__ = ("answers", "failures", "value", "variable", "waits_for")

    def __init__(self, variable: Variable, value: str | Secret | None = None) -> None:
        self.variable = variable
        self.value = value
        self.answers: list[Answered] = []
        self.failures: list[Answered] = []
        self.waits_for: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether it is left out for any reason except an absent optional secret."""
        return bool(self.failures or self.waits_for)


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
            raise template.TemplateError(offset, "the interpolated value is longer than 1 MiB")
        if self._all > LONGEST_VALUES:
            raise template.TemplateError(offset, "the interpolated values are together longer than 16 MiB")
        return text


class Environment:
    """The variables by name, in merged order. Raises MalformedFile for what can't be interpolated."""

    __slots__ = ("_ambient", "_bound", "_depth", "_depths", "variables")

    def __init__(self, entries: Iterable[Entry], ambient: Mapping[str, str] | None = None) -> None:
        self._ambient = ambient or {}
        self.variables: dict[str, Variable] = {}
        self._bound = Bound()
        self._depths: dict[str, int] = {}  # of interpolated variables: how many others stand behind each other
        self._depth = 0
        problems = []
        for entry in entries:
            try:
                self.variables[entry.name] = Variable(entry, self._pieces(entry))
            except template.TemplateError as error:
                self.variables[entry.name] = Variable(entry, ())
                problems.append(entry.problem(error.offset, error.message))
        if problems:
            raise MalformedFile(problems)

    def select(self, names: Iterable[str]) -> list[Variable]:
        """The variables of these names, in merged order. EnvrefError for a name that no file sets."""
        wanted = set(names)
        unknown = sorted(wanted.difference(self.variables))
        if unknown:
            raise EnvrefError(f'key "{unknown[0]}" not found{self.suggestion(unknown[0])}')
        return [variable for name, variable in self.variables.items() if name in wanted]

    def suggestion(self, name: str) -> str:
        """`; did you mean HOST?`, or nothing if no name is similar."""
        near = meant(name, self.variables)
        return f"; did you mean {near}?" if near else ""

    def closure(self, variables: Iterable[Variable]) -> list[Variable]:
        """These variables and all variables that they wait for, in merged order."""
        chosen = list(variables)
        wanted = {variable.name for variable in chosen}
        queue = [variable for variable in chosen if variable.plain is None]
        while queue:
            for name in queue.pop().interpolated():
                if name not in wanted:
                    wanted.add(name)
                    queue.append(self.variables[name])
        return [variable for name, variable in self.variables.items() if name in wanted]

    def shown(self, variables: Iterable[Variable], show: Callable[[str], str] = str) -> dict[str, str]:
        """The values by name, with references as `show` makes of their URIs: for commands that contact no store.

        Those that the variables wait for are there too. Raises MalformedFile for what gets too long.
        """
        texts: dict[str, str] = {}
        bound = Bound()
        # In merged order, so that what a value waits for is there before it, and is made once.
        for variable in self.closure(variables):
            plain = variable.plain
            texts[variable.name] = _shown(variable, texts, show, bound) if plain is None else plain
        return texts

    def _pieces(self, entry: Entry) -> Sequence[Piece]:
        text = entry.text
        if "$" in text and entry.interpolated:
            self._bound.begin()
            self._depth = 0
            pieces = _joined(self._expand(template.parse(text, self.variables), entry))
            self._depths[entry.name] = self._depth
        else:
            pieces = [text]
        if not pieces or not isinstance(pieces[0], str) or not pieces[0].startswith(SCHEME):
            return pieces
        if len(pieces) > 1:
            raise EnvrefError(
                "a reference cannot be built from a secret value", subject=entry.name, hint="write the reference out"
            )
        return (_reference(pieces[0]),)

    def _expand(self, parts: Iterable[template.Part], entry: Entry) -> Iterator[Piece]:
        for part in parts:
            if isinstance(part, template.Embedded):
                yield _reference(part.uri)
            elif isinstance(part, template.Interpolation):
                yield from self._interpolate(part, entry)
            else:
                yield self._bound.take(part)

    def _interpolate(self, part: template.Interpolation, entry: Entry) -> Iterable[Piece]:
        value = self._value(part.name)
        self._depth = max(self._depth, self._depths.get(part.name, 0) + 1)
        if self._depth > DEEPEST:
            raise template.TemplateError(part.offset, f"more than {DEEPEST} variables stand behind each other")
        if isinstance(value, Variable):
            return (Pending(part.name, part.operator, list(self._expand(part.alternative, entry)), part.offset),)
        if not wants_alternative(part.operator, value):
            return (self._bound.take(value or "", part.offset),)
        if part.operator == ":?":
            alternative = "".join(str(piece) for piece in self._expand(part.alternative, entry))
            raise MalformedFile([required(entry, part.offset, part.name, alternative)])
        return self._expand(part.alternative, entry)

    def _value(self, name: str) -> str | Variable | None:
        """The plain value of a name; the variable itself if its value contains a reference; or None."""
        variable = self.variables.get(name)
        if variable is None:
            return self._ambient.get(name)
        plain = variable.plain
        return variable if plain is None else plain


def wants_alternative(operator: str, value: str | None) -> bool:
    """Whether `${NAME<operator>alternative}` takes the alternative: `-` for an undefined name only."""
    return bool(operator) and (value is None or (value == "" and operator != "-"))


def _reference(uri: str) -> Reference | InvalidReference:
    try:
        return Reference.parse(uri)
    except InvalidReference as error:
        return error


def _plain(pieces: Sequence[Piece]) -> str | None:
    if len(pieces) != 1:
        return None if pieces else ""
    [only] = pieces
    return only if isinstance(only, str) else None


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


def _shown(variable: Variable, texts: Mapping[str, str], show: Callable[[str], str], bound: Bound) -> str:
    bound.begin()
    try:
        return "".join(bound.take(*_part_shown(piece, texts, show)) for piece in variable.pieces)
    except template.TemplateError as error:
        raise MalformedFile([variable.entry.problem(error.offset, error.message)]) from None


def _part_shown(piece: Piece, texts: Mapping[str, str], show: Callable[[str], str]) -> tuple[str, int]:
    """A piece's text, and where in the value it comes from."""
    if isinstance(piece, Pending):
        return texts[piece.name], piece.offset
    return (piece if isinstance(piece, str) else show(piece.uri)), 0


def _flat(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        if isinstance(piece, Pending):
            yield from _flat(piece.alternative)


def required(entry: Entry, offset: int, name: str, text: str) -> Problem:
    return entry.problem(offset, f"{name}: {text or 'required variable is not set'}")
