"""What is wrong with an env file, in words: its encoding, its line ends, and text where none may be."""

from __future__ import annotations

import re

from envref.env.source import hide_words
from envref.errors import MalformedFile, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.env.source import Source

# The byte order marks of other encodings, as `surrogateescape` decodes them (Unicode 15, table 23-3); UTF-32 first,
# because its mark begins with the other's.
_MARKS = (
    ("UTF-32", ("\udcff\udcfe\0\0", "\0\0\udcfe\udcff")),
    ("UTF-16", ("\udcff\udcfe", "\udcfe\udcff")),
)
_QUOTED = re.compile(r"""=[ \t]*(?:'[^']*'|`[^`]*`|"(?:\\.|[^"\\])*")""", re.DOTALL)


def judge(source: Source, found: list[Problem], most: int) -> None:
    """Raises MalformedFile for up to `most` problems, if there are any; for one that all of the file has, for that one.

    After an unreadable character the rest of the line is not judged.
    """
    whole = _of_all(source.text)
    if whole:
        raise MalformedFile([Problem(source.file, 1, 1, whole)])
    unreadable = [source.problem(at, text, value=0, hide=hide_words) for at, text in _unreadable(source.text, most)]
    lines = {problem.line for problem in unreadable}
    problems = unreadable + [problem for problem in found if problem.line not in lines]
    if problems:
        raise MalformedFile(sorted(problems, key=lambda problem: (problem.line, problem.column))[:most])


def _of_all(text: str) -> str:
    encoding = _encoding(text)
    if encoding:
        return f"the file is {encoding}; save it as UTF-8, e.g. with iconv -f {encoding} -t UTF-8"
    if _is_of_old_macs(text):
        return "the lines end in CR alone; save it with line ends LF, e.g. with tr '\\r' '\\n'"
    return ""


def no_assignment(before: str) -> str:
    """What a line without `=` is. Behind a bare value that looks cut off, it may be the next line of that."""
    opened = sum(map(before.count, "{[")) > sum(map(before.count, "}]"))
    is_cut = before.startswith("-----BEGIN") or before.endswith("\\") or opened
    return "expected NAME=VALUE" + ("; a value of several lines needs quotes around it" if is_cut else "")


def text_after(quoted: str) -> str:
    """What text after a closing quote is; `quoted` is the value with its quotes."""
    message = "unexpected text after the closing quote"
    if quoted.startswith("'") and quoted.endswith("\\'"):
        return message + "; a backslash is literal in single quotes: use double quotes"
    if quoted.startswith("`"):
        return message + "; backticks are quotes here and run no command"
    return message


def _encoding(text: str) -> str:
    """The encoding of a text that is not UTF-8, if it can be told; of its letters, every second byte is NUL."""
    for encoding, marks in _MARKS:
        if text.startswith(marks):
            return encoding
    # Without a mark, a program that is told "UTF-16" takes its own machine's order.
    halves = {"UTF-16BE": text[::2], "UTF-16LE": text[1::2]}
    mostly_empty = (name for name, half in halves.items() if half.count("\0") * 2 > len(half))
    return next(mostly_empty, "") if len(text) > 3 else ""


def _is_of_old_macs(text: str) -> bool:
    """Whether CR is the only line end, and another line follows one; a lone CR may be in a value, and in quotes any."""
    if "\n" in text:
        return False
    lines = [line.lstrip() for line in _QUOTED.sub("=", text).split("\r")[1:]]
    return any(line.startswith("#") or "=" in line for line in lines)


def _unreadable(text: str, most: int) -> list[tuple[int, str]]:
    """Offset and name of the first characters that don't belong in a text file: NUL, and invalid UTF-8."""
    found = []
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            found.append((at, "NUL character" if character == "\0" else "invalid UTF-8"))
            if len(found) == most:
                break
    return found


def foreign(character: str) -> str:
    """What a character is that may look like one of ASCII, or like nothing: `U+0410 CYRILLIC CAPITAL LETTER A; `."""
    if character.isascii() or "\ud800" <= character <= "\udfff":
        return ""
    from unicodedata import name

    return f"U+{ord(character):04X} {name(character, 'without a name')}; "
