"""Filling: a variable's pieces become its value once its references have outcomes. Plain variables don't need it."""

from __future__ import annotations

from envref.env.environment import Filled
from envref.env.interpolation import Bound, Pending, kept, required, wants_alternative
from envref.env.template import TemplateError
from envref.errors import MalformedFile
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import InvalidReference, Reference
from envref.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from envref.env.environment import Answered, Variable
    from envref.env.interpolation import Piece
    from envref.refs.outcome import Outcome

    T = TypeVar("T")


def fill(variables: Iterable[Variable], outcomes: Mapping[Reference, Outcome]) -> dict[str, Filled]:
    """What becomes of each variable; `variables` also holds all that these wait for, in merged order."""
    filled: dict[str, Filled] = {}
    bound = Bound()
    for variable in variables:
        plain = variable.plain
        if plain is not None:
            filled[variable.name] = Filled(variable, plain)
            continue
        for each in variable.stack():  # its own name means the line below it
            filled[variable.name] = _Filling(each, filled, outcomes, bound).filled()
    return filled


class _Made(Filled):
    """A variable that references may have a part in."""

    __slots__ = ("sources",)

    def __init__(self, variable: Variable) -> None:
        super().__init__(variable)
        self.sources: list[Answered] = []


class _Filling:
    """One variable on its way to a value."""

    def __init__(
        self,
        variable: Variable,
        filled: Mapping[str, Filled],
        outcomes: Mapping[Reference, Outcome],
        bound: Bound,
    ) -> None:
        self.variable = variable
        self.before = filled
        self.outcomes = outcomes
        self.bound = bound
        self.result = _Made(variable)
        self.is_secret = False

    def filled(self) -> Filled:
        self.bound.begin()
        try:
            text = self.text(self.variable.pieces)
        except TemplateError as error:
            raise MalformedFile([self.variable.entry.problem(error.offset, error.message)]) from None
        left_out = len(self.variable.pieces) == 1 and self.is_absent(self.variable.pieces[0])
        if not self.result.failed and not left_out:
            self.result.value = Secret(text) if self.is_secret else text
        return self.result

    def text(self, pieces: Iterable[Piece]) -> str:
        return "".join(self.bound.take(piece) if isinstance(piece, str) else self.piece(piece) for piece in pieces)

    def piece(self, piece: Reference | InvalidReference | Pending) -> str:
        if isinstance(piece, Pending):
            return self.interpolated(piece)
        outcome = Failed(piece) if isinstance(piece, InvalidReference) else self.outcomes[piece]
        answered = (piece, outcome)
        self.result.answers.append(answered)
        if answered not in self.result.sources:
            self.result.sources.append(answered)
        if isinstance(outcome, Found):
            if outcome.file:
                return outcome.file  # where it is, which is no secret
            self.is_secret = True
            return outcome.secret.reveal()
        if not self.is_absent(piece):
            self.result.failures.append((piece, outcome))
        return ""

    def is_absent(self, piece: Piece) -> bool:
        """Whether the piece is an optional reference to an absent secret."""
        return isinstance(piece, Reference) and piece.optional and isinstance(self.outcomes[piece], Missing)

    def interpolated(self, piece: Pending) -> str:
        source = self.before[piece.name]
        if source.sources:
            _add(self.result.sources, source.sources)
        if source.variable is self.variable.under:
            _add(self.result.answers, source.answers)
        if source.failed:
            self.fail_with(source)
            return ""
        value = source.value
        text = value.reveal() if isinstance(value, Secret) else value
        if wants_alternative(piece.operator, text):
            return self.alternative(piece)
        self.is_secret = self.is_secret or isinstance(value, Secret)
        return self.bound.take(kept(piece.operator, text), piece.offset)

    def fail_with(self, source: Filled) -> None:
        """Fails as what it interpolates did; for the line that it overrides with that line's own reasons."""
        if source.variable is not self.variable.under:
            self.result.waits_for.append(source.variable.name)
            return
        _add(self.result.failures, source.failures)
        _add(self.result.waits_for, source.waits_for)

    def alternative(self, piece: Pending) -> str:
        text = self.text(piece.alternative)
        if piece.operator.endswith("?"):
            raise MalformedFile([required(self.variable.entry, piece.offset, piece.name, text)])
        return text


def _add(found: list[T], others: Iterable[T]) -> None:
    """Adds what is not there yet: a line that uses its own name twice has each reason once."""
    found += [other for other in others if other not in found]
