"""The pictures in docs/pictures/, as SVG: each drawn from a text that the tests run or hold true, by `make reference`.

Text is set in the reader's own monospaced font, whose width is not known here: lines get a `textLength`, so that a
picture looks the same everywhere.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

_CHARACTER, _LINE = 8.4, 20.0  # of 14 px text, in px
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_PAPER, _INK, _DIM, _FRAME = "#0d1117", "#e6edf3", "#8b949e", "#30363d"
_GOOD, _HALF, _BAD, _KEY = "#3fb950", "#d29922", "#f85149", "#79c0ff"
_CONSOLE = re.compile(r"^```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def pictures(root: pathlib.Path) -> dict[str, str]:
    """Path below the root -> text, for every picture."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    flox = (root / "docs/flox.md").read_text(encoding="utf-8")
    return {
        "docs/pictures/terminal.svg": terminal(readme),
        "docs/pictures/reference.svg": reference(),
        "docs/pictures/flox-forms.svg": flox_forms(flox),
    }


def _drawn(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """The whole file; `title` is what a screen reader says."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    frame = f'x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"'
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONT}" font-size="14">
<!-- Made by `make reference`; setup/pictures.py draws it. -->
<title>{html.escape(title)}</title>
<rect {frame} fill="{_PAPER}" stroke="{_FRAME}"/>
{"".join(parts)}</svg>
"""


def _text(x: float, y: float, text: str, colour: str = _INK, weight: str = "") -> str:
    """One line whose left end is at x, and whose letters stand on y."""
    if not text.strip():
        return ""
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}"{bold} textLength="{len(text) * _CHARACTER:g}" '
        f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{html.escape(text)}</text>\n'
    )


def _middle(x: float, y: float, text: str, colour: str = _INK, weight: str = "") -> str:
    return _text(x - len(text) * _CHARACTER / 2, y, text, colour, weight)


# The terminal: the first session of the README


def terminal(page: str) -> str:
    """What the page's first console block shows, as a terminal does."""
    block = _CONSOLE.search(page)
    lines = block["body"].splitlines() if block else []
    width = max(map(len, lines)) * _CHARACTER + 40
    dots = [f'<circle cx="{x}" cy="20" r="6" fill="{colour}"/>\n' for x, colour in _BUTTONS]
    parts = [part for number, line in enumerate(lines) for part in _typed(line, 54 + number * _LINE)]
    return _drawn(width, 54 + len(lines) * _LINE, "A terminal: " + "; ".join(_commands(lines)), [*dots, *parts])


_BUTTONS = ((22, "#ff5f57"), (42, "#febc2e"), (62, "#28c840"))


def _commands(lines: Sequence[str]) -> list[str]:
    return [line[2:] for line in lines if line.startswith("$ ")]


def _typed(line: str, y: float) -> Iterator[str]:
    """The line: its prompt apart from what is typed, and what envref says to people apart from what it prints."""
    if line.startswith("$ "):
        yield _text(20, y, "$", _GOOD, "bold")
        yield _text(20 + 2 * _CHARACTER, y, line[2:], _INK, "bold")
        return
    yield _text(20, y, line, _HALF if line.startswith("warning:") else _DIM if line.startswith("#") else _INK)


# The path of a reference


def reference() -> str:
    """From a line of `.env` to the variable of a program; and the two ends that are not a value."""
    parts = [
        *_box(20, 60, 330, [".env, which you commit"], "DB_PASSWORD=ref://secrets/db_password"),
        *_box(20, 190, 330, [".envref.yaml: ask from top to bottom"], "1 keychain   2 vault   3 …"),
        *_box(20, 320, 330, ["a shell, or one program"], "export DB_PASSWORD='correct horse'"),
        *_arrow(185, 118, 185, 188, "one call a store"),
        *_arrow(185, 248, 185, 318, "has it: the value, to the byte", _GOOD),
        *_box(490, 130, 350, ["no store has it"], "left out, never empty; the cure is named", _HALF),
        *_box(490, 250, 350, ["a store is locked, down or says no"], "an error; never the next store's secret", _BAD),
        *_arrow(350, 210, 488, 160, "", _HALF),
        *_arrow(350, 225, 488, 280, "", _BAD),
        _text(490, 345, "?default=TEXT or ?optional says what an absent", _DIM),
        _text(490, 365, "secret becomes. An outage becomes nothing else.", _DIM),
    ]
    title = "The path of a reference: from .env over the stores, in their order, to a variable"
    head = _text(20, 36, "The path of a reference", _INK, "bold")
    return _drawn(920, 400, title, [head, *parts])


def _box(x: float, y: float, width: float, head: Sequence[str], text: str, colour: str = _KEY) -> Iterator[str]:
    yield f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="58" rx="6" fill="none" stroke="{colour}"/>\n'
    yield from (_text(x + 10, y + 22, line, colour) for line in head)
    yield _text(x + 10, y + 45, text)


def _arrow(x: float, y: float, to_x: float, to_y: float, text: str, colour: str = _DIM) -> Iterator[str]:
    yield f'<path d="M{x:g} {y:g} L{to_x:g} {to_y:g}" stroke="{colour}" stroke-width="1.5"/>\n'
    yield f'<circle cx="{to_x:g}" cy="{to_y:g}" r="3.5" fill="{colour}"/>\n'
    yield _text(x + 10, (y + to_y) / 2 + 5, text, colour)


# The Flox forms: the table of docs/flox.md


def flox_forms(page: str) -> str:
    """The table below "Which form", its cells as colours with their first words."""
    header, *rows = _table(page.partition("## Which form")[2])
    shown = [row for row in rows if set(row[1:]) & {"yes", "no"}]
    first, column = 20 + max(len(row[0]) for row in shown) * _CHARACTER + 20, 172
    width, height = first + column * (len(header) - 1), 80 + 44 * len(shown)
    parts = [_middle(first + column * (at + 0.5), 34, name, _KEY, "bold") for at, name in enumerate(header[1:])]
    for number, (what, *cells) in enumerate(shown):
        y = 72 + 44 * number
        parts += [f'<path d="M20 {y - 26} H{width - 20:g}" stroke="{_FRAME}"/>\n', _text(20, y + 5, what)]
        parts += [part for at, cell in enumerate(cells) for part in _cell(first + column * (at + 0.5), y, cell)]
    title = "Which of Flox's forms does what: the table of docs/flox.md"
    return _drawn(width, height - 22, title, parts)


def _table(text: str) -> list[list[str]]:
    """The cells of the first table in the text, without the line below its header."""
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [line.strip("|").split("|") for line in (lines[0] if lines else "").splitlines()]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows if not row[0].startswith("---")]


def _cell(x: float, y: float, text: str) -> Iterator[str]:
    """`yes` and `no` alone as a word; anything else on two lines, of which a cell holds what it can."""
    plain = {"yes": _INK, "no": _DIM, "-": _DIM}
    if text in plain:
        yield _middle(x, y + 5, text, plain[text], "bold" if text == "yes" else "")
        return
    lines = _wrapped(text)
    for number, line in enumerate(lines):
        yield _small(x, y + 14 * number - 7 * (len(lines) - 1), line)


def _small(x: float, y: float, text: str) -> str:
    return (
        f'<text x="{x:g}" y="{y + 5:g}" fill="{_HALF}" font-size="11" text-anchor="middle">{html.escape(text)}</text>\n'
    )


def _wrapped(text: str, most: int = 24) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
