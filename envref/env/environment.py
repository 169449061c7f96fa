"""Environment: the project's variables, interpolated once in merged order (commands.md 5.2).

It takes two steps, because a secret is known only after its store was asked. `Environment` fills in everything plain
and keeps references, and what depends on them, as pieces; `filling` puts in the outcomes.
"""

from __future__ import annotations

from envref.env import template
from envref.env.file import appends, merge
from envref.errors import EnvrefError, MalformedFile, Problem, meant
from envref.refs.reference import SCHEME, InvalidReference, Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.env.file import Entry, EnvFile
    from envref.refs.outcome import Outcome
    from envref.secret import Secret


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


if TYPE_CHECKING:
    Piece = str | Reference | InvalidReference | Pending
    Answered = tuple[Reference | InvalidReference, Outcome]


class Variable:
    """A name, the line that sets it, and its value in pieces: text, references, and names that wait for references.

    `plain` is the value if it contains no reference, else None. `under` is what its line overrides, where the value
    interpolates that and it holds a reference.
    """

    __slots__ = ("entry", "name", "pieces", "plain", "under")

    def __init__(self, entry: Entry, pieces: Sequence[Piece], under: Variable | None = None) -> None:
        self.name = entry.name
        self.entry = entry
        self.pieces = pieces
        self.plain = _plain(pieces)
        self.under = under

    def stack(self) -> list[Variable]:
        """What it overrides, as far as its value needs that, lowest first; itself last."""
        stack = [self]
        while stack[-1].under is not None:
            stack.append(stack[-1].under)
        return stack[::-1]

    def references(self) -> Iterator[Reference | InvalidReference]:
        """Every reference in its own value, also those in alternatives."""
        return (piece for piece in self._every() if isinstance(piece, Reference | InvalidReference))

    def interpolated(self) -> Iterator[str]:
        """The names it waits for."""
        return (piece.name for piece in self._every() if isinstance(piece, Pending))

    def _every(self) -> Iterator[Piece]:
        return (piece for variable in self.stack() for piece in _flat(variable.pieces))


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
    """The variables by name, in merged order. Raises MalformedFile for what can't be interpolated.

    `ambient` is what a name means that no line sets; `kept` has the values of names whose lines don't count.
    `unset` are the substitutions by nothing, each with its line.
    """

    __slots__ = ("_ambient", "_bound", "_depth", "_depths", "_files", "_kept", "_lines", "unset", "variables")

    def __init__(
        self,
        files: Sequence[EnvFile],
        ambient: Mapping[str, str] | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        self._files = files
        self._ambient = ambient or {}
        self._kept = kept or {}
        self._lines: dict[str, list[Entry]] = {}  # every assignment of each name, once one needs what it overrides
        self.variables: dict[str, Variable] = {}
        self.unset: list[tuple[Entry, template.Interpolation]] = []
        self._bound = Bound()
        self._depths: dict[str, int] = {}  # of interpolated variables: how many others stand behind each other
        self._depth = 0
        problems = []
        for entry in merge(files):
            try:
                self.variables[entry.name] = self._variable(entry)
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

    def _variable(self, entry: Entry) -> Variable:
        text = entry.text
        if entry.name in self._kept:
            return Variable(entry, [self._kept[entry.name]])
        if "$" in text and entry.interpolated:
            return self._live(entry, self._overridden(entry) if appends(entry) else None)
        return Variable(entry, (_reference(text),) if text.startswith(SCHEME) else (text,))

    def _live(self, entry: Entry, under: Variable | None) -> Variable:
        self._bound.begin()
        self._depth = 0
        parts = template.parse(entry.template, self.variables, entry.name)
        pieces = _joined(self._expand(parts, entry, under))
        self._depths[entry.name] = self._depth
        if pieces and isinstance(pieces[0], str) and pieces[0].startswith(SCHEME):
            pieces = [_only_reference(pieces, entry)]
        return Variable(entry, pieces, None if under is None or under.plain is not None else under)

    def _overridden(self, entry: Entry) -> Variable | None:
        """What the line means by its own name: the value of the line that it overrides; None where there is none."""
        if not self._lines:
            for each in (each for file in self._files for each in file.entries):
                self._lines.setdefault(each.name, []).append(each)
        needed = []
        for each in reversed(self._lines[entry.name][:-1]):
            needed.append(each)
            if not (each.interpolated and appends(each)):
                break
        under = None
        for each in reversed(needed):
            try:
                under = self._live(each, under) if each.interpolated else self._variable(each)
            except template.TemplateError as error:
                raise MalformedFile([each.problem(error.offset, error.message)]) from None
        return under

    def _expand(self, parts: Iterable[template.Part], entry: Entry, under: Variable | None) -> Iterator[Piece]:
        for part in parts:
            if isinstance(part, template.Embedded):
                yield _reference(part.uri)
            elif isinstance(part, template.Interpolation):
                yield from self._interpolate(part, entry, under)
            else:
                yield self._bound.take(part)

    def _interpolate(self, part: template.Interpolation, entry: Entry, under: Variable | None) -> Iterable[Piece]:
        value = self._value(part.name, under if part.name == entry.name else self.variables.get(part.name))
        self._depth = max(self._depth, self._depths.get(part.name, 0) + 1)
        if self._depth > DEEPEST:
            raise template.TemplateError(part.offset, f"more than {DEEPEST} variables stand behind each other")
        operator = part.operator
        if isinstance(value, Variable):
            return (Pending(part.name, operator, list(self._expand(part.alternative, entry, under)), part.offset),)
        if value is None and not operator:
            self.unset.append((entry, part))
        if not wants_alternative(operator, value):
            return (self._bound.take(kept(operator, value), part.offset),)
        if operator.endswith("?"):
            alternative = "".join(str(piece) for piece in self._expand(part.alternative, entry, under))
            raise MalformedFile([required(entry, part.offset, part.name, alternative)])
        return self._expand(part.alternative, entry, under)

    def _value(self, name: str, variable: Variable | None) -> str | Variable | None:
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


def _reference(uri: str) -> Reference | InvalidReference:
    try:
        return Reference.parse(uri)
    except InvalidReference as error:
        return error


def _only_reference(pieces: Sequence[Piece], entry: Entry) -> Reference | InvalidReference:
    """The reference that the whole value is."""
    if len(pieces) > 1:
        raise EnvrefError(
            "a reference cannot be built from a secret value", subject=entry.name, hint="write the reference out"
        )
    return _reference(str(pieces[0]))


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


def _flat(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        if isinstance(piece, Pending):
            yield from _flat(piece.alternative)


def required(entry: Entry, offset: int, name: str, text: str) -> Problem:
    return entry.problem(offset, f"{name}: {text or 'required variable is not set'}")
