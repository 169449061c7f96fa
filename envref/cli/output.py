"""Tables and the masking of secrets: how listings look to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envref.errors import printable
from envref.secret import Secret
from envref.shells import Rendered, exact_text

MASK = "********"  # of fixed length, so that it says nothing of the value


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns two spaces apart under a header and a line of dashes; nothing when there are no rows."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = [header, ["-" * width for width in widths], *cells]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def masked(variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """A table of the variables, each value with a secret in it as asterisks."""
    rows = [(name, MASK if isinstance(value, Secret) else exact_text(name, value)) for name, value in variables]
    return Rendered(table(("KEY", "VALUE"), rows), [])


def revealed(variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """The same table with every value in it."""
    rows = [(name, exact_text(name, value)) for name, value in variables]
    return Rendered(table(("KEY", "VALUE"), rows), [])
