"""Questions to the person at the terminal: a hidden value, a confirmation (commands.md 2.7, security.md P11)."""

from __future__ import annotations

import sys

from envref import questions, streams
from envref.backends.typed_line import typed
from envref.errors import EnvrefError, printable
from envref.secret import Secret

_LONGEST_LINE = 4095  # bytes; a terminal silently drops the rest of a longer line


def at_terminal() -> bool:
    """Whether a person can be asked: standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def hidden(question: str) -> Secret:
    """One line, typed at the terminal device without echo. EnvrefError without a terminal, or for too long a line."""
    try:
        line = typed(question)
    except EOFError:
        raise EnvrefError(
            "reading secret value: no input provided", hint="give it on standard input: … | envref secret set KEY"
        ) from None
    if len(line.encode("utf-8", "surrogateescape")) >= _LONGEST_LINE:
        raise EnvrefError(
            f"reading secret value: a terminal cuts a line at {_LONGEST_LINE} bytes", hint="use stdin: … < FILE"
        )
    return Secret(line)


def confirmed(question: str) -> bool:
    """Whether the answer is yes, from the terminal or from standard input. EnvrefError if there is no answer."""
    with questions.question:
        streams.ask(printable(question))
        answer = sys.stdin.readline() if sys.stdin is not None else ""
    if not answer:
        raise EnvrefError("reading confirmation: no input provided", hint="--force asks nothing")
    return answer.strip().lower() in ("y", "yes")
