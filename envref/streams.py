"""stdin, stdout and stderr, each of which may be closed: data in one write, messages escaped. Nothing else writes."""

from __future__ import annotations

import os
import sys

from envref.errors import FAILED, EnvrefError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_STDOUT, _STDERR = 1, 2

# How much is said on stderr (commands.md 1.1); the click door sets it from -q, -v and --debug.
QUIET, NORMAL, VERBOSE, DEBUG = -1, 0, 1, 2
level = NORMAL
colour = True  # --no-color takes it away, on every stream

_STYLES = {"error:": "1;31", "warning:": "33", "  run:": "36", "  hint:": "36"}  # SGR codes (ECMA-48)
_CLEAR_LINE = "\r\x1b[K"


class _Passing:
    """A line on stderr that says what envref waits for, without a line end: the next output replaces it."""

    __slots__ = ("shown",)

    def __init__(self) -> None:
        self.shown = False

    def show(self, text: str) -> None:
        """Writes the line, if stderr is a terminal that no other program has for itself."""
        if watched() and not _is_taken():
            ask(printable(text))
            self.shown = True

    def clear(self) -> None:
        """Removes the line."""
        if self.shown:
            ask("")


passing = _Passing()


def given() -> bytes:
    """All of stdin; nothing where the caller closed it."""
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def write(text: str) -> None:
    """`text` to stdout, all of it. A closed pipe ends the process silently, by SIGPIPE where there is one.

    Raises EnvrefError for any other failure, e.g. a full disk.
    """
    _flushed(sys.stdout)
    try:
        _write(_STDOUT, text.encode("utf-8", "surrogateescape"))
    except BrokenPipeError:
        _end_by_sigpipe()
    except OSError as error:
        raise EnvrefError(f"writing stdout: {error.strerror}") from None


def complain(error: EnvrefError) -> None:
    """The error's lines on stderr."""
    say(error.lines())


def warn(text: str) -> None:
    """A warning on stderr, unless -q."""
    if level != QUIET:
        say([f"warning: {text}"])


def warn_each(texts: Iterable[str]) -> None:
    """Warns about each, as `warn` does."""
    for text in texts:
        warn(text)


def inform(text: str) -> None:
    """An informational line on stderr, unless -q."""
    if level != QUIET:
        say([text])


def detail(text: str) -> None:
    """With -v, says on stderr what was done."""
    if level >= VERBOSE:
        say([text])


def debugging() -> bool:
    """Whether --debug or ENVREF_DEBUG=1 asks for traces."""
    return level == DEBUG or os.environ.get("ENVREF_DEBUG", "") not in ("", "0")


def say(lines: Iterable[str]) -> None:
    """Lines on stderr in one write, control characters escaped; on a terminal their first words are coloured."""
    painted = is_coloured(_STDERR)
    shown = [printable(line) for line in lines]
    ask("".join([f"{_painted(line) if painted else line}\n" for line in shown]))


def _painted(line: str) -> str:
    label = next((label for label in _STYLES if line.startswith(label)), "")
    return f"{styled(label, _STYLES[label])}{line[len(label) :]}" if label else line


def styled(text: str, code: str) -> str:
    """The text between SGR codes: for a stream that `is_coloured`."""
    return f"\x1b[{code}m{text}\x1b[0m"


def is_coloured(descriptor: int) -> bool:
    """Whether a stream, by its descriptor, shows colours (commands.md 1.2)."""
    wanted = colour and "NO_COLOR" not in os.environ and os.environ.get("TERM", "dumb") != "dumb"
    return wanted and os.isatty(descriptor)


def ask(text: str) -> None:
    """Writes text to stderr as it is, e.g. a question: adds no line end, and -q does not hide it."""
    before, passing.shown = (_CLEAR_LINE if passing.shown else ""), False
    try:
        _write(_STDERR, (before + text).encode())
    except OSError:
        pass  # nobody reads it; the exit status still counts


def watched() -> bool:
    """Whether somebody may be looking at stderr while a command works."""
    return level != QUIET and os.isatty(_STDERR)


def has_terminal() -> bool:
    """Whether a terminal is there, at which a person may be: as standard input, or as stderr."""
    return any(map(os.isatty, (0, _STDERR)))


def _is_taken() -> bool:
    """Whether another program reads the terminal without echo, as a pinentry does: then it owns the screen."""
    try:
        import termios
    except ImportError:  # Windows; the name would be missing where its error is named
        return False
    try:
        return not termios.tcgetattr(_STDERR)[3] & termios.ECHO
    except termios.error:
        return False


def shown_to_people() -> bool:
    """Whether stdout is a terminal, or the same file as stderr: not a place for code that a shell should evaluate."""
    try:
        return os.isatty(_STDOUT) or os.path.sameopenfile(_STDOUT, _STDERR)
    except OSError:
        return False


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _flushed(stream: object) -> None:
    flush = getattr(stream, "flush", None)
    if flush:
        flush()


def _end_by_sigpipe() -> None:
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(FAILED)
