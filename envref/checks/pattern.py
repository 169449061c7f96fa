"""Patterns: the regular expressions of a schema, which may be hostile, and the processor time that they share.

A pattern means what it means to Python's `re` (docs/validation.md), which also says what is wrong with it. The library
`regex` does the search, because it takes a time limit: docs/adr/0015-patterns.md.
"""

from __future__ import annotations

import math
import re
import time
import warnings

LONGEST = 1000  # characters of a pattern
LIMIT = 1.0  # seconds of processor time for the patterns of a schema; ordinary ones take microseconds
_MOST_COPIES = 100_000  # of a pattern's parts: 30 MB

_MULTILINE = re.compile(r"\(\?[a-z]*m")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?!(?:[0-9]+|[0-9]*,[0-9]*)\})|\$", re.DOTALL)
_COUNT = re.compile(r"(?P<group>(?<=[)\s]))?\{(?P<times>[0-9]+)(?:,[0-9]*)?\}")


class InvalidPattern(Exception):
    """The text is not a usable pattern; the message says why."""


class TooSlow(Exception):
    """The processor time of the patterns is used up."""


class Patience:
    """The processor time that is left: LIMIT from now on. A busy machine uses none of it up."""

    def __init__(self) -> None:
        self._end = time.process_time() + LIMIT

    def left(self) -> float:
        """Seconds, more than 0; raises TooSlow when none are left."""
        seconds = self._end - time.process_time()
        if seconds <= 0:
            raise TooSlow
        return seconds


def check(pattern: str, patience: Patience) -> None:
    """Raises InvalidPattern for a wrong pattern, TooSlow when the time is up.

    A pattern that Python only warns about, e.g. `[[:alpha:]]`, does not mean what its author thinks; it is wrong too.
    """
    if len(pattern) > LONGEST:
        raise InvalidPattern(f"longer than {LONGEST} characters")
    patience.left()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern, re.ASCII)
        except (re.error, OverflowError, Warning) as error:
            raise InvalidPattern(_lowered(error)) from None
        except RecursionError:
            raise InvalidPattern("nested too deeply") from None
    if _copies(pattern) > _MOST_COPIES:
        raise InvalidPattern(f"its repeats multiply to more than {_MOST_COPIES}")


def is_found(pattern: str, text: str, patience: Patience) -> bool:
    """Whether the pattern, which passed `check`, occurs in the text. Raises TooSlow when the time is up.

    Raises InvalidPattern if the library refuses a pattern that Python accepts.
    """
    import regex

    try:
        compiled = regex.compile(_exact(pattern), regex.VERSION0 | regex.ASCII)
        return compiled.search(text, timeout=patience.left()) is not None
    except TimeoutError:
        raise TooSlow from None
    except regex.error as error:
        raise InvalidPattern(_lowered(error)) from None
    except RecursionError:
        raise InvalidPattern("nested too deeply") from None


def _exact(pattern: str) -> str:
    r"""The pattern with `$` as the end of the value alone, and each `{` that repeats nothing as itself.

    Python's `$` also matches before a last line end, which would let a value with a stray one pass. To Python `a{e}`
    means these four characters, to the library it means "about an a".
    """
    dollar = "$" if _MULTILINE.search(pattern) else r"\Z"
    return _TOKEN.sub(lambda match: {"$": dollar, "{": r"\{"}.get(match[0], match[0]), pattern)


def _copies(pattern: str) -> int:
    """At least how many parts the library makes of the pattern: `((a{1000}){1000}){1000}` would fill the memory.

    A count that stands behind a group may multiply all others; behind a blank it may do so in a verbose pattern.
    """
    counts = [(match["group"], max(1, int(match["times"]))) for match in _COUNT.finditer(pattern)]
    single = len(pattern) + sum(times for group, times in counts if group is None)
    return single * math.prod(times for group, times in counts if group is not None)


def _lowered(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
