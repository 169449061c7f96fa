"""Source: the text of a file, the line and column of an offset, and what part of the text a message may show."""

from __future__ import annotations

from envref.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BOM = "\ufeff"
LARGEST = 64 << 20  # bytes: an archive may hold a file of terabytes, of holes; a pipe's writer may never end
# Parts of names whose values no message shows. More than `audit` calls a secret: hiding too much costs little.
SECRET_WORDS = ("SECRET", "PASS", "PWD", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "DSN", "SALT")

_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=-")
_SHORTEST_TOKEN = 16  # this many characters in a row may be a secret


def newline(text: str) -> str:
    """The line end that most lines of a text have: text added to a file gets the same."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


class Source:
    """The text of a file, and the line and column of an offset."""

    __slots__ = ("file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file

    def line_start(self, offset: int) -> int:
        """The offset of the first character of the line; a BOM doesn't count."""
        return self.text.rfind("\n", 0, offset) + 1 or int(self.text.startswith(BOM))

    def line_end(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column from 1, columns in characters."""
        return self.text.count("\n", 0, offset) + 1, offset - self.line_start(offset) + 1

    def problem(self, offset: int, text: str, *, value: int, hide: Callable[[str], str]) -> Problem:
        """The fault at `offset`, with its line; `hide` covers what follows the offset `value`."""
        start = self.line_start(offset)
        line = self.text[start : self.line_end(offset)].rstrip("\r")
        shown = max(0, value - start)
        source = "".join(map(_visible, line[:shown] + hide(line[shown:])))
        return Problem(self.file, *self.position(offset), text, source)


def hiding(name: str) -> Callable[[str], str]:
    """The function that hides the value of a variable of this name in a message."""
    upper = name.upper()
    return hide_words if any(word in upper for word in SECRET_WORDS) else hide_runs


def hide_words(text: str) -> str:
    """Every letter and digit as `*`."""
    return "".join("*" if character.isalnum() else character for character in text)


def hide_runs(text: str) -> str:
    """Each long run of the characters that tokens are made of as `*`."""
    shown: list[str] = []
    run = ""
    for character in text + "\n":
        if character in _TOKEN:
            run += character
            continue
        shown += (run if len(run) < _SHORTEST_TOKEN else "*" * len(run), character)
        run = ""
    return "".join(shown)[:-1]


def _visible(character: str) -> str:
    """Replaces characters one for one, so that columns stay right."""
    return character if character.isprintable() or character == "\t" else "?"
