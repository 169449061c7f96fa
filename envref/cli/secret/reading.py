"""One secret: what `envref secret get` is asked for, the closed grammar of its hot door, and what both doors write.

This file imports nothing that reading a secret does not need.
"""

from __future__ import annotations

import os

from envref import streams
from envref.cli import words
from envref.cli.request import VALUES as COMMON
from envref.errors import OK, EnvrefError, about, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.secrets.read_target import ReadTarget

FORMATS = ("plain", "json")
_FLAGS = ("--raw", "-n")
_VALUES = {
    "--format": "format",
    "-b": "backend",
    "--backend": "backend",
    **{word: name for word, name in COMMON.items() if name in ("directory", "profile")},
}
GRAMMAR = {*_FLAGS, *_VALUES}


class SecretGet:
    """Which secret, from where, and how it is written. `is_raw` leaves control characters alone; `end` follows it."""

    __slots__ = ("backend", "directory", "end", "format", "is_raw", "key", "profile")

    def __init__(
        self,
        key: str,
        directory: str,
        *,
        backend: str | None,
        profile: str | None,
        format_: str,
        is_raw: bool,
        no_newline: bool,
    ) -> None:
        self.key = key
        self.directory = directory
        self.backend = backend
        self.profile = profile
        self.format = format_
        self.is_raw = is_raw
        self.end = "" if no_newline else "\n"


def parse(arguments: Sequence[str]) -> SecretGet | None:
    """What `secret get` with these words prints; None for anything unusual or wrong, which the click door takes."""
    given = words.read(arguments, _FLAGS, _VALUES, mixed=True)
    if given is None or len(given.rest) != 1:
        return None
    once, flags = given.last(), given.options
    format_ = once.get("format", FORMATS[0]).lower()
    if format_ not in FORMATS or "" in once.values():
        return None
    return SecretGet(
        given.rest[0],
        once.get("directory", "."),
        backend=once.get("backend"),
        profile=once.get("profile"),
        format_=format_,
        is_raw="--raw" in flags,
        no_newline="-n" in flags,
    )


def get(wanted: SecretGet) -> int:
    """Prints the secret; returns the exit status. Raises EnvrefError."""
    from envref.cli.secret.lookup import look_up

    value = look_up(wanted.key, _source(wanted)).secret.reveal()
    if wanted.format == "json":
        from envref.formats import shells

        if not _is_text(value):
            raise EnvrefError(f'"{wanted.key}" holds bytes, which JSON has no text for', hint="leave --format json out")

        streams.write(shells.json_text({"key": wanted.key, "value": value}))
        return OK
    shown = value if wanted.is_raw or not os.isatty(1) else _readable(value)
    streams.write(f"{shown}{wanted.end}")
    return OK


def _is_text(value: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in value)


def _source(wanted: SecretGet) -> ReadTarget:
    """Where the options lead; prints the project's warnings. A person at the terminal is asked for trust."""
    from envref.cli.consent import require
    from envref.cli.timeout import timeout_of_environment
    from envref.project.config.files import FILE
    from envref.project.project import configured
    from envref.secrets.read_target import ReadTarget

    about(wanted.directory, FILE)
    project = configured(wanted.directory, wanted.profile)
    streams.warn_each(project.warnings)
    return ReadTarget(project, wanted.backend, timeout_of_environment(), require)


def _readable(value: str) -> str:
    """The value with escapes in place of what could steer a terminal; its line ends stay."""
    return "\n".join(printable(line) for line in value.split("\n"))
