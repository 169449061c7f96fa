"""Tables and the masking of secrets: how listings look to people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence

from envref.errors import printable
from envref.formats.shells import Rendered, render
from envref.formats.text import exact_text
from envref.secret import Secret

_NARROWEST = 10  # characters of the last column on a terminal without room for it
MASK = "********"  # of fixed length, so that it reveals nothing about the value


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns two spaces apart under a header and a line of dashes; nothing when there are no rows.

    On a terminal that is too narrow the last column goes on below itself, so that the others stay columns.
    """
    cells = _printable(rows)
    if not cells:
        return ""
    *widths, last = _widths([header, *cells])
    last = min(last, _room(widths, last))
    lines = [header, ["-" * width for width in (*widths, last)], *cells]
    return "".join(_line(part, (*widths, last)) for line in lines for part in _wrapped(line, last))


def columns(rows: Iterable[Sequence[str]]) -> str:
    """The same without a header. A row stays one line, however long, because people search these line by line."""
    cells = _printable(rows)
    widths = _widths(cells)
    return "".join(_line(row, widths) for row in cells)


def _printable(rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    return [[printable(cell) for cell in row] for row in rows]


def _widths(cells: Iterable[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*cells, strict=True)]


def _room(widths: Sequence[int], wanted: int) -> int:
    """The characters that the last column may have; no limit if stdout is not a terminal."""
    if not os.isatty(1):
        return wanted
    return max(_NARROWEST, shutil.get_terminal_size().columns - sum(width + 2 for width in widths))


def _wrapped(cells: Sequence[str], width: int) -> Iterable[Sequence[str]]:
    *others, last = cells
    yield [*others, last[:width]]
    yield from ([*([""] * len(others)), last[start : start + width]] for start in range(width, len(last), width))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def for_people(variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """The plain format for a terminal: what could steer it is escaped, and a value stays one line."""
    return render("plain", [(name, printable(exact_text(name, value))) for name, value in variables])


def masked(variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """A table of the variables; a value that holds a secret shows as asterisks."""
    rows = [(name, MASK if isinstance(value, Secret) else exact_text(name, value)) for name, value in variables]
    return Rendered(table(("KEY", "VALUE"), rows), [])


def revealed(variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """The same table with every value in it."""
    rows = [(name, exact_text(name, value)) for name, value in variables]
    return Rendered(table(("KEY", "VALUE"), rows), [])
