"""What can go wrong, said once: a message, the cure, an exit status.

Nothing here prints. `EnvrefError.lines()` is what a person reads on stderr; the two doors
(`__main__` and `cli`) are the only places that write it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# commands.md 1.3
OK, FAILED, USAGE, PARTIAL, UNTRUSTED = 0, 1, 2, 3, 4

_EXCERPT = 100  # characters of a source line that fit an ordinary terminal


class EnvrefError(Exception):
    """What happened, about what, and what to do next.

    `message` is one lower-case sentence without a final full stop. `run` is a command to paste, `hint` a sentence;
    either is printed as one indented line below the message. No value of a secret belongs in any of the three.
    """

    status = FAILED

    def __init__(self, message: str, *, run: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.run = run
        self.hint = hint

    def lines(self) -> list[str]:
        """The lines for stderr, without line ends."""
        return [f"error: {self.message}", *self.cure()]

    def cure(self) -> list[str]:
        """The indented line that says what to do next; empty when the message says it all."""
        if self.run:
            return [f"  run: {self.run}"]
        return [f"  hint: {self.hint}"] if self.hint else []


class UsageError(EnvrefError):
    """A wrong option, argument or option value."""

    status = USAGE


class Problem:
    """One fault in a text file: where it is and what it is.

    `line` and `column` count from 1, columns in characters. `source` is the line itself, shown with a caret below
    the column; the caller has already hidden in it what may be a secret.
    """

    __slots__ = ("column", "file", "line", "source", "text")

    def __init__(self, file: str, line: int, column: int, text: str, source: str = "") -> None:
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.source = source

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"

    def excerpt(self) -> list[str]:
        """The source line around the column, and a caret below it."""
        if not self.source:
            return []
        start = max(0, self.column - _EXCERPT // 2)
        shown = self.source[start : start + _EXCERPT].replace("\t", " ")
        return [f"  {shown}", "  " + " " * (self.column - 1 - start) + "^"]


class MalformedFile(EnvrefError):
    """A file that can't be read as what it should be, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem], *, prefix: str = "") -> None:
        self.problems = list(problems)
        self.prefix = prefix
        super().__init__("; ".join(str(problem) for problem in self.problems))

    def lines(self) -> list[str]:
        return [line for problem in self.problems for line in (f"error: {self.prefix}{problem}", *problem.excerpt())]


class BackendError(EnvrefError):
    """What a store said instead of a value. `outcome` is its class in commands.md 7."""

    outcome = "unavailable"


class BackendDenied(BackendError):
    """No permission, or bad credentials."""

    outcome = "denied"


class BackendLocked(BackendError):
    """The store is locked, or nobody is signed in."""

    outcome = "locked"


class BackendUnavailable(BackendError):
    """The store can't be reached: no program, no bus, no network, or an answer nobody knows."""

    outcome = "unavailable"


class BackendTimeout(BackendError):
    """The store gave no answer within its time limit."""

    outcome = "timeout"


class BackendInvalid(BackendError):
    """The answer or the request breaks the contract: not UTF-8, NUL, bad JSON, no such field."""

    outcome = "invalid"


class SecretNotFound(BackendError):
    """The store answered, and has no such key. Only this lets a search go on to the next store."""

    outcome = "not_found"


def printable(text: str) -> str:
    r"""`text` on one line, with everything that could steer a terminal shown as `\x1b`.

    Escapes C0, DEL, C1 and the bidirectional controls (security.md 6), and lone surrogates.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _is_inert(character) else _escape(character) for character in text)


def _is_inert(character: str) -> bool:
    return character.isprintable() or character == "\u00a0"


def _escape(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if character in short:
        return short[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
