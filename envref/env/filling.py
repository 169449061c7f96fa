"""Filling: references become a variable's value once they have outcomes. Plain variables don't need it."""

from __future__ import annotations

from envref.env.environment import Filled
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import InvalidReference, Reference
from envref.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.env.environment import Answered, Variable
    from envref.env.interpolation import Piece
    from envref.refs.outcome import Outcome


class _Made(Filled):
    """A variable that references may have a part in."""

    __slots__ = ("answers", "failures", "sources", "waits_for")

    def __init__(self, variable: Variable) -> None:
        super().__init__(variable)
        self.answers: list[Answered] = []
        self.failures: list[Answered] = []
        self.sources: list[Answered] = []
        self.waits_for: list[str] = []


class Filling:
    """One variable on its way to a value; each of its pieces is a reference."""

    def __init__(self, variable: Variable, outcomes: Mapping[Reference, Outcome]) -> None:
        self.variable = variable
        self.outcomes = outcomes
        self.result = _Made(variable)
        self.is_secret = False

    def filled(self) -> Filled:
        """What became of it."""
        pieces = self.variable.pieces
        text = self.text(pieces)
        left_out = len(pieces) == 1 and self._is_absent(pieces[0])
        if not self.result.failed and not left_out:
            self.result.value = Secret(text) if self.is_secret else text
        return self.result

    def text(self, pieces: Iterable[Piece]) -> str:
        """The pieces as text. What none was found for is empty, and noted in the result."""
        return "".join([self.referenced(piece) for piece in pieces if isinstance(piece, (Reference, InvalidReference))])

    def referenced(self, piece: Reference | InvalidReference) -> str:
        """What a reference gives."""
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
        if not self._is_absent(piece):
            self.result.failures.append((piece, outcome))
        return ""

    def _is_absent(self, piece: Piece) -> bool:
        """Whether the piece is an optional reference to an absent secret."""
        return isinstance(piece, Reference) and piece.optional and isinstance(self.outcomes[piece], Missing)
