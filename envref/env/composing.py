"""Composing: the value of a variable that interpolates others, or holds a reference among other text.

Most references are the whole of their value, so that an activation loads this only where one is not.
"""

from __future__ import annotations

from envref.env.filling import Filling
from envref.env.interpolation import Bound, Pending, kept, required, wants_alternative
from envref.env.template import TemplateError
from envref.errors import MalformedFile
from envref.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from envref.env.environment import Filled, Variable
    from envref.env.interpolation import Piece
    from envref.refs.outcome import Outcome
    from envref.refs.reference import Reference

    T = TypeVar("T")


class Composer:
    """Composes variables in merged order: `filled` are those before, by name. All have one bound for their length."""

    def __init__(self, filled: dict[str, Filled], outcomes: Mapping[Reference, Outcome]) -> None:
        self._filled = filled
        self._outcomes = outcomes
        self._bound = Bound()

    def compose(self, variable: Variable) -> None:
        """Adds what becomes of the variable."""
        for each in variable.stack():  # its own name means the line below it
            self._filled[variable.name] = _Composing(each, self._filled, self._outcomes, self._bound).filled()


class _Composing(Filling):
    """One variable on its way to a value."""

    def __init__(
        self,
        variable: Variable,
        before: Mapping[str, Filled],
        outcomes: Mapping[Reference, Outcome],
        bound: Bound,
    ) -> None:
        super().__init__(variable, outcomes)
        self.before = before
        self.bound = bound

    def filled(self) -> Filled:
        self.bound.begin()
        try:
            return super().filled()
        except TemplateError as error:
            raise MalformedFile([self.variable.entry.problem(error.offset, error.message)]) from None

    def text(self, pieces: Iterable[Piece]) -> str:
        return "".join(self._piece(piece) for piece in pieces)

    def _piece(self, piece: Piece) -> str:
        if isinstance(piece, str):
            return self.bound.take(piece)
        return self._interpolated(piece) if isinstance(piece, Pending) else self.referenced(piece)

    def _interpolated(self, piece: Pending) -> str:
        source = self.before[piece.name]
        if source.sources:
            _add(self.result.sources, source.sources)
        if source.variable is self.variable.under:
            _add(self.result.answers, source.answers)
        if source.failed:
            self._fail_with(source)
            return ""
        value = source.value
        text = value.reveal() if isinstance(value, Secret) else value
        if wants_alternative(piece.operator, text):
            return self._alternative(piece)
        self.is_secret = self.is_secret or isinstance(value, Secret)
        return self.bound.take(kept(piece.operator, text), piece.offset)

    def _fail_with(self, source: Filled) -> None:
        """Fails as what it interpolates did; for the line that it overrides with that line's own reasons."""
        if source.variable is not self.variable.under:
            self.result.waits_for.append(source.variable.name)
            return
        _add(self.result.failures, source.failures)
        _add(self.result.waits_for, source.waits_for)

    def _alternative(self, piece: Pending) -> str:
        text = self.text(piece.alternative)
        if piece.operator.endswith("?"):
            raise MalformedFile([required(self.variable.entry, piece.offset, piece.name, text)])
        return text


def _add(found: list[T], others: Iterable[T]) -> None:
    """Adds what is not there yet: a line that uses its own name twice has each reason once."""
    found += [other for other in others if other not in found]
