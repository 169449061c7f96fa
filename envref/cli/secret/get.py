"""`envref secret get`."""

from __future__ import annotations

import sys

import click

from envref import streams
from envref.cli.options import format_option
from envref.cli.secret.lookup import look_up
from envref.cli.secret.target import keyed, target_of
from envref.errors import printable
from envref.formats import shells


@keyed("get")
@click.option("--raw", is_flag=True, help="Leave control characters as they are, on a terminal too.")
@click.option("-n", "no_newline", is_flag=True, help="No line end after the value.")
@format_option("plain", "json")
def get(key: str, backend: str | None, profile: str | None, format_: str, *, raw: bool, no_newline: bool) -> None:
    """Print a secret: the profile's, else the project's. KEY may be a whole reference: ref://…

    Example: envref secret get api_key --profile staging
    """
    found = look_up(key, target_of(backend, profile))
    value = found.secret.reveal()
    if format_ == "json":
        streams.write(shells.json_text({"key": key, "value": value}))
        return
    shown = value if raw or not sys.stdout.isatty() else _readable(value)
    streams.write(shown if no_newline else f"{shown}\n")


def _readable(value: str) -> str:
    """The value with escapes in place of what could steer a terminal; its line ends stay."""
    return "\n".join(printable(line) for line in value.split("\n"))
