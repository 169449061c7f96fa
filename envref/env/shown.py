"""Shown: the values for commands that contact no store, where a reference stays what it is."""

from __future__ import annotations

from envref.env.interpolation import Bound, Pending
from envref.env.template import TemplateError
from envref.errors import MalformedFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from envref.env.environment import Environment, Variable
    from envref.env.interpolation import Piece


def shown(
    environment: Environment, variables: Iterable[Variable] | None = None, show: Callable[[str], str] = str
) -> dict[str, str]:
    """The values by name, with references as `show` makes of their URIs; of all variables, or of these.

    Those that the variables wait for are there too. Raises MalformedFile for what gets too long.
    """
    texts: dict[str, str] = {}
    bound = Bound()
    # In merged order, so that what a value waits for is there before it, and is made once.
    for variable in environment.closure(environment.variables.values() if variables is None else variables):
        plain = variable.plain
        texts[variable.name] = _shown(variable, texts, show, bound) if plain is None else plain
    return texts


def _shown(variable: Variable, texts: Mapping[str, str], show: Callable[[str], str], bound: Bound) -> str:
    text = ""
    for each in variable.stack():
        bound.begin()
        known = _Stacked(texts, each.name, text)
        try:
            text = "".join([bound.take(*taken) for piece in each.pieces for taken in _part_shown(piece, known, show)])
        except TemplateError as error:
            raise MalformedFile([each.entry.problem(error.offset, error.message)]) from None
    return text


class _Stacked:
    """The values that a line of a stack sees: those of other names, and for its own the line below it."""

    __slots__ = ("_name", "_text", "_texts")

    def __init__(self, texts: Mapping[str, str], name: str, text: str) -> None:
        self._texts = texts
        self._name = name
        self._text = text

    def of(self, name: str) -> str:
        return self._text if name == self._name else self._texts[name]


def _part_shown(piece: Piece, known: _Stacked, show: Callable[[str], str]) -> Iterator[tuple[str, int]]:
    """A piece's texts, and where in the value each comes from. Of `${SECRET:+text}` it is the text."""
    if not isinstance(piece, Pending):
        yield (piece if isinstance(piece, str) else show(piece.uri)), 0
    elif piece.operator.endswith("+"):
        for each in piece.alternative:
            yield from _part_shown(each, known, show)
    else:
        yield known.of(piece.name), piece.offset
