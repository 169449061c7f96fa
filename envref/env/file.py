"""EnvFile: a `.env` file read losslessly (docs/env-files.md), and layered.

The file is its text; an `Entry` is an assignment that knows its place in that text. `edit` changes files, `fault` words
what is wrong with one.
"""

from __future__ import annotations

import os

from envref.env.source import BOM, LARGEST, Source, hide_runs, hiding
from envref.errors import EnvrefError, Problem, printable
from envref.paths import is_regular, open_unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader

# The one grammar of NAME, and what messages say about it. Every other module asks `is_name` or `is_shell_name`.
# envref's own begin with these, and no file may set them: settings, marks for its children, and what its scripts keep
# in the user's shell, which evaluates some as arithmetic.
RESERVED = ("ENVREF_", "_ENVREF_", "_envref_", "__envref_")
ALLOWED = "allowed: letters, digits, _ . -, not starting with . or -"
SHELL_ALLOWED = "allowed: letters, digits, _, not starting with a digit"

# A value of these only is what it says, wherever it stands.
_LITERAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+,=?&;~$")
_BLANKS = " \t"
_EXPORT = ("export ", "export\t")
_LINE_END = " \t\r"
_QUOTES = {"'": "single-quoted", '"': "double-quoted", "`": "backtick-quoted"}
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r", "\\t": "\t"}  # the backslash first: `edit` writes by it
LITERAL_DOLLAR = "\\$"  # in double quotes and unquoted; a template has `$$` for it
_MOST_PROBLEMS = 20
_LONGEST_SHOWN = 40  # characters of an invalid name


def is_shell_name(text: str) -> bool:
    """`[A-Za-z_][A-Za-z0-9_]*`: what every shell can set. For ASCII, that is what Python calls an identifier."""
    return text.isascii() and text.isidentifier()


def is_name(text: str) -> bool:
    """`[A-Za-z0-9_][A-Za-z0-9_.-]*`: what an env file may define, and what `${…}` may name."""
    if not text.isascii():
        return False
    if text.isidentifier():
        return True
    return text[:1] not in ".-" and f"_{text}".replace(".", "_").replace("-", "_").isidentifier()


def reserved(name: str) -> str:
    """The beginning that makes the name envref's own; empty if none does."""
    return next((each for each in RESERVED if name.startswith(each)), "")


class Entry:
    """One assignment. `text` is the value with quotes and escapes undone, before interpolation.

    `quote` is `'`, `"`, a backtick, or empty. `at` is the offset of the name in the file, `start` and `end` enclose
    the value with its quotes.
    """

    __slots__ = ("_source", "at", "end", "name", "quote", "start", "text")

    def __init__(self, source: Source, name: str, at: int, *, start: int, end: int, text: str, quote: str = "") -> None:
        self._source = source
        self.name = name
        self.at = at
        self.start = start
        self.end = end
        self.text = text
        self.quote = quote

    def __repr__(self) -> str:
        return f"<Entry {self.name}>"

    @property
    def file(self) -> str:
        return self._source.file

    @property
    def line(self) -> int:
        return self._source.position(self.at)[0]

    @property
    def column(self) -> int:
        """Where the name begins."""
        return self._source.position(self.at)[1]

    @property
    def exported(self) -> bool:
        """Whether `export` stands before the name."""
        return bool(self._source.text[self._source.line_start(self.at) : self.at].strip(_BLANKS))

    @property
    def interpolated(self) -> bool:
        """Whether `$` means something in this value."""
        return self.quote in ("", '"')

    @property
    def template(self) -> str:
        """The value for `template.parse`; only for one that is interpolated."""
        return self.text if self.quote else _undollared(self.text)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, in the file, of the character at `offset` of `text`."""
        return self._source.position(self._offset(offset))

    def problem(self, offset: int, text: str) -> Problem:
        """The fault `text` at the character at `offset` of the value; what may be a secret is hidden in it."""
        return self._source.problem(self._offset(offset), text, value=self.start, hide=hiding(self.name))

    def _offset(self, offset: int) -> int:
        at = self.start + len(self.quote)
        for _ in range(offset):
            at += self._width(at)
        return at

    def _width(self, at: int) -> int:
        """How many characters of the file make the value's character at `at`."""
        pair = self._source.text[at : at + 2]
        return 2 if pair == "\r\n" or (self.quote == '"' and pair in ESCAPES) else 1


class EnvFile:
    """A `.env` file. `str()` of it is its text, to the byte."""

    __slots__ = ("_last", "entries", "source", "warnings")

    def __init__(self, source: Source, entries: list[Entry], warnings: list[Problem]) -> None:
        self.source = source
        self._last = {entry.name: entry for entry in entries}
        self.entries = entries
        self.warnings = warnings

    @classmethod
    def parse(cls, text: str, file: str = ".env") -> EnvFile:
        """The file that holds `text`; `file` is its name in messages. Raises MalformedFile."""
        source = Source(text, file)
        reader = _FileReader(source)
        reader.read()
        if reader.problems or not _is_readable(text):
            _judge(source, reader.problems)
        return cls(source, reader.entries, reader.warnings)

    @classmethod
    def read(cls, path: str, file: str, patience: float | None = None) -> EnvFile:
        """The file at `path`; `file` is its name in messages. Raises EnvrefError, also as MalformedFile.

        A pipe is read, once and to its end, if that comes within `patience` seconds; without, a pipe is refused.
        """
        try:
            with open_unread(path) as opened:
                data = _whole(opened) if is_regular(opened) else _of_pipe(opened.fileno(), patience)
        except OSError as error:
            if os.path.islink(path):
                raise _of_link(error, path, file) from None
            raise EnvrefError(_reason(error), subject=file) from None
        return cls.decoded(data, file)

    @classmethod
    def decoded(cls, data: bytes, file: str) -> EnvFile:
        """The file that holds these bytes. A byte that isn't UTF-8 is reported with its position."""
        return cls.parse(data.decode("utf-8", "surrogateescape"), file)

    def __str__(self) -> str:
        return self.source.text

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.source.file

    def get(self, name: str) -> Entry | None:
        """The last assignment of `name`."""
        return self._last.get(name)


def merge(files: Iterable[EnvFile]) -> list[Entry]:
    """The entries that count, in merged order: the last one of each name, at the place of the first."""
    return list({entry.name: entry for file in files for entry in file.entries}.values())


class _FileReader:
    """One pass over a file's text. It goes on after a problem, to find all of them."""

    __slots__ = ("entries", "last", "problems", "source", "text", "warnings")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.entries: list[Entry] = []
        self.last: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def read(self) -> None:
        start = int(self.text.startswith(BOM))
        while start < len(self.text):
            start = self._line(start) + 1

    def _line(self, start: int) -> int:
        """Reads the line at `start`, or several lines if the value spans them; returns where it ends."""
        end = self.source.line_end(start)
        line = self.text[start:end]
        head, equals, tail = line.partition("=")
        # Most lines are as plain as this.
        if equals and _LITERAL.issuperset(tail) and is_shell_name(head) and not head.startswith(RESERVED):
            self._add(Entry(self.source, head, start, start=end - len(tail), end=end, text=tail))
            return end
        return self._any_line(start, end, line)

    def _any_line(self, start: int, end: int, line: str) -> int:
        head, equals, tail = line.rstrip(_LINE_END).partition("=")
        left = head.strip(_BLANKS)
        if not equals or left.startswith("#"):
            self._without_value(start, left)
            return end
        name = left[7:].lstrip(_BLANKS) if left.startswith(_EXPORT) else left
        at = start + len(head.rstrip(_BLANKS)) - len(name)
        value = start + len(head) + 1
        if name.startswith(RESERVED) or not is_name(name):
            self._refuse_name(name, at, value)
        content = tail.lstrip(_BLANKS)
        if content[:1] in _QUOTES:
            return self._quoted(name, at, value + len(tail) - len(content))
        self._unquoted(name, at, value, tail)
        return end

    def _refuse_name(self, name: str, at: int, value: int) -> None:
        index, text = name_fault(name) or (0, "")
        self._refuse(at + index, text, value=value if name.startswith(RESERVED) else 0, name=name)

    def _without_value(self, start: int, left: str) -> None:
        if not left or left.startswith("#"):
            return
        offset = self.text.index(left, start)
        name = left[7:].lstrip(_BLANKS)
        if left.startswith(_EXPORT) and not name_fault(name):
            self._warn(offset, f'"export {name}" without a value is ignored')
            return
        self._refuse(offset, self._no_assignment(), value=0)

    def _no_assignment(self) -> str:
        from envref.env.fault import no_assignment

        last = self.entries[-1] if self.entries else None
        return no_assignment(last.text if last and not last.quote else "")

    def _unquoted(self, name: str, at: int, value: int, tail: str) -> None:
        content = tail[: _comment(tail)] if "#" in tail else tail
        text = content.strip(_BLANKS)
        start = value + content.find(text)
        self._add(Entry(self.source, name, at, start=start, end=start + len(text), text=text))

    def _quoted(self, name: str, at: int, opening: int) -> int:
        quote = self.text[opening]
        closing = _closing(self.text, quote, opening + 1)
        if closing < 0:
            self._refuse(opening, f"unterminated {_QUOTES[quote]} value", value=opening, name=name)
            return len(self.text)
        text = self.text[opening + 1 : closing].replace("\r\n", "\n")
        if quote == '"':
            text = _unescaped(text)
        self._add(Entry(self.source, name, at, start=opening, end=closing + 1, text=text, quote=quote))
        return self._after_quote(name, opening, closing + 1)

    def _after_quote(self, name: str, opening: int, after: int) -> int:
        end = self.source.line_end(after)
        rest = self.text[after:end].rstrip(_LINE_END)
        follows = rest.lstrip(_BLANKS)
        if follows and not follows.startswith("#"):
            offset = after + len(rest) - len(follows)
            self._refuse(offset, _text_after(self.text, opening, after), value=opening, name=name)
        return end

    def _add(self, entry: Entry) -> None:
        name = entry.name
        if name in self.last:
            self._again(entry)
        self.last[name] = entry.at
        self.entries.append(entry)

    def _again(self, entry: Entry) -> None:
        if entry.interpolated and appends(entry):
            return
        line, _ = self.source.position(self.last[entry.name])
        again = f"(previously defined on line {line}, using latest value)"
        self._warn(entry.at, f'duplicate key "{entry.name}" {again}')

    def _warn(self, offset: int, text: str) -> None:
        self.warnings.append(Problem(self.source.file, *self.source.position(offset), text))

    def _refuse(self, offset: int, text: str, *, value: int, name: str = "") -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(self.source.problem(offset, text, value=value, hide=hiding(name)))


def _is_readable(text: str) -> bool:
    """Whether it looks like UTF-8 text with the line ends of this age. The way back to bytes is the fast way to see."""
    if "\0" in text or ("\r" in text and "\n" not in text):
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _judge(source: Source, found: list[Problem]) -> None:
    from envref.env.fault import judge

    judge(source, found, _MOST_PROBLEMS)


def name_fault(name: str) -> tuple[int, str] | None:
    """Where `name` has its first invalid character, and what to say; None for a good name."""
    if is_name(name):
        own = reserved(name)
        return (0, f"{name}: names starting with {own} are reserved and can't be set from a file") if own else None
    if not name:
        return 0, 'empty name before "="'
    from envref.env.fault import foreign

    at = _stranger(name)
    shown = printable(hide_runs(name)[:_LONGEST_SHOWN])
    return at, f'invalid name "{shown}" ({foreign(name[at])}{ALLOWED})'


def _stranger(text: str) -> int:
    """Where the first character is that makes a text not a name."""
    if not is_name(text[:1]):
        return 0
    return next(at for at, character in enumerate(text) if not is_name(f"_{character}"))


def _comment(tail: str) -> int:
    """Where the first `#` after a blank is, in the text after the `=`; its length if there is none."""
    found = [at for at in (tail.find(" #"), tail.find("\t#")) if at >= 0]
    return min(found, default=len(tail))


def _closing(text: str, quote: str, start: int) -> int:
    """The offset of the closing quote, -1 without one. Linear: a value may be megabytes of escapes."""
    end = text.find(quote, start)
    if quote != '"':
        return end
    slash = text.find("\\", start)
    while 0 <= slash < end:
        start = slash + 2
        if end < start:  # the quote itself was escaped
            end = text.find(quote, start)
        slash = text.find("\\", start)
    return end


def _unescaped(raw: str) -> str:
    pieces: list[str] = []
    start = 0
    while (slash := raw.find("\\", start)) >= 0:
        pair = raw[slash : slash + 2]
        pieces += (raw[start:slash], _dollars(raw[start:slash]) if pair == LITERAL_DOLLAR else ESCAPES.get(pair, pair))
        start = slash + 2
    return "".join(pieces) + raw[start:]


def _undollared(text: str) -> str:
    r"""The text of an unquoted value with `$$` for each `\$`; no other backslash means anything there."""
    if LITERAL_DOLLAR not in text:
        return text
    *parts, last = text.split(LITERAL_DOLLAR)
    return "".join([part + _dollars(part) for part in parts]) + last


def _dollars(before: str) -> str:
    """`$$`, the template's literal `$`. One more ends a pair where the text before it ends in half of one."""
    odd = (len(before) - len(before.rstrip("$"))) % 2
    return "$$$" if odd else "$$"


def appends(entry: Entry) -> bool:
    """Whether a value uses its own name, and so means the line that it overrides."""
    for opening in (f"${entry.name}", f"${{{entry.name}"):
        _, found, after = entry.text.partition(opening)
        if found and not is_name(after[:1]):
            return True
    return False


def _text_after(text: str, opening: int, after: int) -> str:
    from envref.env.fault import text_after

    return text_after(text[opening:after])


def _of_pipe(descriptor: int, patience: float | None) -> bytes:
    from envref.env.pipe import received

    return received(descriptor, patience)


def _whole(opened: BufferedReader) -> bytes:
    """What a regular file holds. Raises OSError for one that would take all memory."""
    if os.fstat(opened.fileno()).st_size > LARGEST:
        raise OSError(0, f"larger than {LARGEST >> 20} MiB")
    return opened.read()


def _of_link(error: OSError, path: str, file: str) -> EnvrefError:
    """The error about a link that can't be read: most often it leads nowhere, and its own name alone would puzzle."""
    if not isinstance(error, FileNotFoundError):
        return EnvrefError(_reason(error), subject=file)
    fact = f"it is a symlink to {printable(os.readlink(path))}, which does not exist"
    return EnvrefError(fact, subject=file, hint="delete the link, or make that file")


def _reason(error: OSError) -> str:
    """The system's reason, as the end of a sentence: `no such file or directory`."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
