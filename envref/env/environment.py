"""Environment: the project's variables, interpolated once in merged order (commands.md 5.2).

It takes two steps, because a secret is known only after its store was asked. `Environment` fills in everything plain
and keeps references, and what depends on them, as pieces; `filling` puts in the outcomes.
"""

from __future__ import annotations

from envref import SCHEME
from envref.env.file import merge
from envref.errors import EnvrefError, MalformedFile, meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.env.file import Entry, EnvFile
    from envref.env.interpolation import Interpolator, Piece
    from envref.env.template import Interpolation
    from envref.errors import Problem
    from envref.refs.outcome import Outcome
    from envref.refs.reference import InvalidReference, Reference
    from envref.secret import Secret


if TYPE_CHECKING:
    Answered = tuple[Reference | InvalidReference, Outcome]


class Variable:
    """A name, the line that sets it, and its value in pieces: text, references, and names that wait for references.

    `plain` is the value if it contains no reference, else None. `under` is what its line overrides, where the value
    interpolates that and it holds a reference. `is_reference`: its line is one reference, as most are that are not
    plain, so nothing in it has to be looked for.
    """

    __slots__ = ("entry", "is_reference", "name", "pieces", "plain", "under")

    def __init__(self, entry: Entry, pieces: Sequence[Piece], under: Variable | None = None) -> None:
        self.name = entry.name
        self.entry = entry
        self.pieces = pieces
        self.plain = _plain(pieces)
        self.under = under
        self.is_reference = False

    def stack(self) -> list[Variable]:
        """What it overrides, as far as its value needs that, lowest first; itself last."""
        stack = [self]
        while stack[-1].under is not None:
            stack.append(stack[-1].under)
        return stack[::-1]

    def references(self) -> Iterator[Reference | InvalidReference]:
        """Every reference in its own value, also those in alternatives."""
        if self.is_reference:
            return iter(self.pieces)  # type: ignore[arg-type]  # one reference
        from envref.refs.reference import InvalidReference, Reference

        return (piece for piece in self._every() if isinstance(piece, Reference | InvalidReference))

    def interpolated(self) -> Iterator[str]:
        """The names it waits for."""
        if self.is_reference:
            return iter(())
        from envref.refs.reference import InvalidReference, Reference

        return (piece.name for piece in self._every() if not isinstance(piece, str | Reference | InvalidReference))

    def _every(self) -> Iterator[Piece]:
        return (piece for variable in self.stack() for piece in _flat(variable.pieces))


class Filled:
    """What became of a variable: its value, or why it has none.

    `value` is None if the variable is left out. `answers` are the references in its value with their outcomes;
    `failures` those that made it fail; `waits_for` the variables it needs that could not be resolved. `sources` are the
    references that had a part in it, also by way of other variables.
    """

    answers: Sequence[Answered] = ()
    failures: Sequence[Answered] = ()
    sources: Sequence[Answered] = ()
    waits_for: Sequence[str] = ()
    __slots__ = ("value", "variable")

    def __init__(self, variable: Variable, value: str | Secret | None = None) -> None:
        self.variable = variable
        self.value = value

    @property
    def failed(self) -> bool:
        """Whether it is left out for any reason except an absent optional secret."""
        return bool(self.failures or self.waits_for)


class Environment:
    """The variables by name, in merged order. Raises MalformedFile for what can't be interpolated.

    `ambient` is what a name means that no line sets; `kept` has the values of names whose lines don't count.
    `unset` are the substitutions by nothing, each with its line.
    """

    __slots__ = ("_ambient", "_files", "_interpolator", "_kept", "_problems", "unset", "variables")

    def __init__(
        self,
        files: Sequence[EnvFile],
        ambient: Mapping[str, str] | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        self._files = files
        self._ambient = ambient or {}
        self._kept = kept or {}
        self.variables: dict[str, Variable] = {}
        self.unset: list[tuple[Entry, Interpolation]] = []
        self._interpolator: Interpolator | None = None
        self._problems: list[Problem] = []
        for entry in merge(files):
            self.variables[entry.name] = self._variable(entry)
        if self._problems:
            raise MalformedFile(self._problems)

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
            return Variable(entry, (self._kept[entry.name],))
        if "$" in text and entry.interpolated:
            return self._live(entry)
        return _referring(entry, text) if text.startswith(SCHEME) else Variable(entry, (text,))

    def _live(self, entry: Entry) -> Variable:
        from envref.env.interpolation import Interpolator
        from envref.env.template import TemplateError

        if self._interpolator is None:
            self._interpolator = Interpolator(self._files, self.variables, self._ambient, Variable)
            self.unset = self._interpolator.unset
        try:
            made: Variable = self._interpolator.variable(entry)
        except TemplateError as error:
            self._problems.append(entry.problem(error.offset, error.message))
            return Variable(entry, ())
        return made


def _referring(entry: Entry, text: str) -> Variable:
    from envref.refs.reference import parsed

    variable = Variable(entry, (parsed(text),))
    variable.is_reference = True
    return variable


def _plain(pieces: Sequence[Piece]) -> str | None:
    if len(pieces) != 1:
        return None if pieces else ""
    [only] = pieces
    return only if isinstance(only, str) else None


def _flat(pieces: Iterable[Piece]) -> Iterator[Piece]:
    from envref.refs.reference import InvalidReference, Reference

    for piece in pieces:
        yield piece
        if not isinstance(piece, str | Reference | InvalidReference):
            yield from _flat(piece.alternative)
