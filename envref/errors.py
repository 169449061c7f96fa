"""EnvrefError and its kinds: a message, the cure, an exit status. The only place that composes an error's lines.

Nothing here prints. `EnvrefError.lines()` is what a person reads on stderr; the two doors
(`__main__` and `cli`) are the only places that write it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# commands.md 1.3
OK, FAILED, USAGE, PARTIAL, UNTRUSTED = 0, 1, 2, 3, 4

_EXCERPT = 100  # characters of a source line that fit an ordinary terminal
# "~" and a first "=" are not inert: a shell turns the one into a directory, zsh the other into a program's path.
_INERT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_-+=:,./")
_OPERATORS = (">>", "&&")


class EnvrefError(Exception):
    """What happened, about what, and what to do next.

    `message` is one lower-case sentence without a final full stop, composed here and never taken apart: `SUBJECT: FACT;
    ADVICE`. `subject` is what the error is about, which a report may use as a heading; `advice` is a cure within the
    sentence. `run` is a command to paste, word by word, and `hint` a sentence: they make one indented line below the
    message. With both, the hint follows the command: "run: COMMAND, then HINT". None of them may hold a secret value.
    """

    status = FAILED

    def __init__(
        self, fact: str, *, subject: str = "", advice: str = "", run: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        self.subject = subject
        self.fact = sentence("", fact, advice)
        self.message = sentence(subject, fact, advice)
        self.advice = advice
        self.run = run
        self.hint = hint
        super().__init__(self.message)

    def lines(self) -> list[str]:
        """The lines for stderr, without line ends."""
        return [f"error: {self.message}", *(f"  {cure}" for cure in self.cure())]

    def cure(self) -> list[str]:
        """The line that says what to do next; none if the message says it all."""
        return cure(self.run, self.hint)


def sentence(subject: str, fact: str, advice: str) -> str:
    """`SUBJECT: FACT; ADVICE`, without the parts that are empty."""
    return (f"{subject}: " if subject else "") + fact + (f"; {advice}" if advice else "")


def cure(run: tuple[str, ...], hint: str = "") -> list[str]:
    """What to do next, as one line or none: a command, a sentence, or both."""
    if run:
        return [f"run: {steps(run, hint)}"]
    return [f"hint: {hint}"] if hint else []


def steps(run: tuple[str, ...], hint: str = "") -> str:
    """A command and the sentence after it."""
    return pasted(run) + (f", then {hint}" if hint else "")


class Home(str):
    """A path in a command that people read: a `~/` at its start stays unquoted, so that a shell replaces it."""

    __slots__ = ()


class Operator(str):
    """A redirection or a conjunction between the words of a command. Never text that a project or store chose."""

    __slots__ = ()


def pasted(words: Iterable[str]) -> str:
    """The words as one line that a shell reads back as exactly these words. The only code that quotes commands.

    envref's own name the project that this run is about, where typing them here would not reach it (`about`).
    """
    return " ".join(map(_word, _placed(list(words))))


_place: list[str] = []  # of `about`


def about(directory: str, file: str) -> None:
    """This run is about the project of the nearest `file` around `directory`, which `-C` or a shim named."""
    _place[:] = [] if directory in (".", "") else [directory, file]


def _placed(words: list[str]) -> list[str]:
    """The words, with the project in each call of envref that would not reach it from here."""
    before = [Operator(""), *words]
    calls = [at for at, word in enumerate(words) if word == "envref" and isinstance(before[at], Operator)]
    if not calls or words[1:2] == ["-C"] or not _is_elsewhere():
        return words
    for at in reversed(calls):
        words[at + 1 : at + 1] = ["-C", os.path.abspath(_place[0])]
    return words


def _is_elsewhere() -> bool:
    """Whether a command that is typed in the current directory would be about another project, or none."""
    if not _place:
        return False
    from envref.paths import nearest

    directory, file = _place
    try:
        here = nearest(os.getcwd(), file)
    except OSError:
        return True
    return here == "" or here != nearest(os.path.realpath(directory), file)


def _word(word: str) -> str:
    if isinstance(word, Operator) and word in _OPERATORS:
        return str(word)
    if isinstance(word, Home) and (word == "~" or word.startswith("~/")):
        rest = word[2:]
        return word[:2] + (_quoted(rest) if rest else "")
    return _quoted(word)


def _quoted(word: str) -> str:
    if word and _INERT.issuperset(word) and word[0] != "=":
        return word
    if word.isprintable():
        return "'" + word.replace("'", "'\"'\"'") + "'"
    # POSIX.1-2024, bash, zsh: the only way to write a line end or a control character within one line.
    return "$'" + "".join(_in_dollar_quotes(character) for character in word) + "'"


def _in_dollar_quotes(character: str) -> str:
    if character.isprintable() and character not in "'\\":
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, for a "did you mean"; empty if none is similar."""
    import difflib

    return next(iter(difflib.get_close_matches(name, known)), "")


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
