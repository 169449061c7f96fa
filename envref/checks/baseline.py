"""A baseline: findings that somebody looked at already, as an earlier report (`envref audit --format json`) lists them.

It names files and variables, and holds no value nor anything made of one: whoever reads it learns no secret. So a new
value of a known variable is known too.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from envref.errors import EnvrefError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.checks.audit import PlainSecret

_HINT = "write one with envref audit --format json"


def new(found: Iterable[PlainSecret], text: bytes, name: str) -> list[PlainSecret]:
    """The findings that the baseline `text` doesn't have; lines may have moved. EnvrefError if it is no report."""
    known = Counter(_rows(text, name))
    fresh = []
    for finding in found:
        row = (finding.file, finding.key)
        if known[row]:
            known[row] -= 1
        else:
            fresh.append(finding)
    return fresh


def _rows(text: bytes, name: str) -> list[tuple[str, str]]:
    try:
        return [(row["file"], row["key"]) for row in json.loads(text)]
    except json.JSONDecodeError as error:
        fact = f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg}"
        raise EnvrefError(fact, hint=_HINT) from None
    except (KeyError, TypeError, RecursionError, UnicodeDecodeError):
        raise EnvrefError(f"{name}: not a report of envref audit", hint=_HINT) from None
