"""`envref get`: one variable, interpolated."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import activate, candidates, output
from envref.cli.files import Chosen, environment, file_options
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import format_option, profile_option
from envref.cli.request import Request
from envref.env.shown import shown
from envref.errors import FAILED, OK, EnvrefError, printable
from envref.formats import shells
from envref.resolve.report import complaints


@click.command(cls=Command)
@click.argument("key", shell_complete=candidates.variables)
@profile_option
@file_options
@format_option("plain", "json", "shell", "table")
@click.option("--resolve", "real", is_flag=True, help="Ask the stores: print the value that a program gets.")
def get(
    key: str,
    profile: str | None,
    format_: str,
    file: tuple[str, ...],
    local_file: str | None,
    profile_file: str | None,
    *,
    real: bool,
) -> int:
    """Print a variable, interpolated; references stay as they are without --resolve.

    Example: envref get APP_PORT
    """
    if real:
        exclusive(resolve=True, local_file=local_file, profile_file=profile_file)
        return _resolved(key, format_, Request(directory(), profile=profile, only=[key], strict=True, files=file))
    found = environment(profile, Chosen(file, local_file, profile_file))
    if key not in found.variables:
        raise EnvrefError(f'key "{key}" not found{found.suggestion(key)}')
    streams.write(_written(key, shown(found, [found.variables[key]])[key], format_))
    return OK


def _resolved(key: str, format_: str, request: Request) -> int:
    """Writes what `envref run` gives a program, or says why there is nothing to give."""
    resolution = activate.complete(request)
    streams.say(complaints(resolution.filled.values(), ""))
    if resolution.failed:
        return FAILED
    values = dict(resolution.values())
    if key not in values:
        hint = "its reference is optional: store the secret, or give it ?default=TEXT"
        raise EnvrefError(f"{key} has no value: its secret may be absent", hint=hint)
    streams.write(_written(key, shells.environment_text(key, values[key]), format_))
    return OK


def _written(key: str, value: str, format_: str) -> str:
    if format_ == "plain":
        return f"{printable(value) if os.isatty(1) else value}\n"
    if format_ == "json":
        return shells.json_text({"key": key, "value": value})
    if format_ == "table":
        return output.table(("KEY", "VALUE"), [(key, value)])
    rendered = shells.render("shell", [(key, value)])
    if rendered.left_out:
        raise EnvrefError(f"{key}: not a valid shell variable name")
    return rendered.text
