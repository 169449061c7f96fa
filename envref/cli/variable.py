"""One variable: what `envref get` is asked for, the closed grammar of its hot door, and what both doors write.

This file imports nothing that a plain variable does not need.
"""

from __future__ import annotations

import os

from envref import streams
from envref.cli.chosen import Chosen, loaded
from envref.cli.request import VALUES as COMMON
from envref.errors import FAILED, OK, EnvrefError, printable
from envref.resolve.resolution import environment_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.env.environment import Environment

FORMATS = ("plain", "json", "shell", "table")
_RESOLVE = "--resolve"
_VALUES = {"--format": "format", **{word: name for word, name in COMMON.items() if name in ("directory", "profile")}}
GRAMMAR = {_RESOLVE, *_VALUES}


class Get:
    """Which variable of which files, and how it is written. `is_real` asks the stores."""

    __slots__ = ("files", "format", "is_real", "key", "profile")

    def __init__(self, key: str, profile: str | None, files: Chosen, format_: str, *, is_real: bool) -> None:
        self.key = key
        self.profile = profile
        self.files = files
        self.format = format_
        self.is_real = is_real


def parse(arguments: Sequence[str]) -> Get | None:
    """What `get` with these words prints; None for anything unusual or wrong, which the click door takes."""
    from envref.cli import words

    given = words.read(arguments, (_RESOLVE,), _VALUES, mixed=True)
    if given is None or len(given.rest) != 1:
        return None
    once = given.last()
    format_ = once.get("format", FORMATS[0]).lower()
    if format_ not in FORMATS or "" in once.values():
        return None
    files = Chosen(once.get("directory", "."))
    return Get(given.rest[0], once.get("profile"), files, format_, is_real=_RESOLVE in given.options)


def get(wanted: Get) -> int:
    """Prints the variable; returns the exit status. Raises EnvrefError."""
    return _resolved(wanted) if wanted.is_real else _as_written(wanted)


def _as_written(wanted: Get) -> int:
    found = environment_of(loaded(wanted.profile, wanted.files))
    if wanted.key not in found.variables:
        raise EnvrefError(f'key "{wanted.key}" not found{found.suggestion(wanted.key)}')
    streams.write(_written(wanted, _shown(found, wanted.key)))
    return OK


def _shown(found: Environment, key: str) -> str:
    variable = found.variables[key]
    if variable.plain is not None:
        return variable.plain
    from envref.env.shown import shown

    return shown(found, [variable])[key]


def _resolved(wanted: Get) -> int:
    """Writes what `envref run` gives a program, or says why there is nothing to give."""
    from envref.cli.activate import complete
    from envref.cli.request import Request
    from envref.formats.text import environment_text

    files = wanted.files
    request = Request(files.directory, profile=wanted.profile, only=[wanted.key], strict=True, files=files.file)
    request.life = "session"
    resolution = complete(request)
    if resolution.failed:
        from envref.resolve.report import complaints

        streams.say(complaints(resolution.filled.values(), ""))
        return FAILED
    values = dict(resolution.values())
    if wanted.key not in values:
        hint = "its reference is optional: store the secret, or give it ?default=TEXT"
        raise EnvrefError(f"{wanted.key} has no value: its secret may be absent", hint=hint)
    streams.write(_written(wanted, environment_text(wanted.key, values[wanted.key])))
    return OK


def _written(wanted: Get, value: str) -> str:
    key, format_ = wanted.key, wanted.format
    if format_ == "plain":
        return f"{printable(value) if os.isatty(1) else value}\n"
    from envref.formats import shells

    if format_ == "json":
        return shells.json_text({"key": key, "value": value})
    if format_ == "table":
        from envref.cli import output

        return output.table(("KEY", "VALUE"), [(key, value)])
    rendered = shells.render("shell", [(key, value)])
    if rendered.left_out:
        raise EnvrefError(f"{key}: not a valid shell variable name")
    return rendered.text
