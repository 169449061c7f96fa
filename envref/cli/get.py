"""`envref get`: one variable, interpolated."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import candidates, output
from envref.cli.files import Chosen, environment, file_options
from envref.cli.grammar import Command
from envref.cli.options import format_option, profile_option
from envref.env.shown import shown
from envref.errors import EnvrefError, printable
from envref.formats import shells


@click.command(cls=Command)
@click.argument("key", shell_complete=candidates.variables)
@profile_option
@file_options
@format_option("plain", "json", "shell", "table")
def get(
    key: str, profile: str | None, format_: str, file: tuple[str, ...], local_file: str | None, profile_file: str | None
) -> None:
    """Print a variable, interpolated; references stay as they are.

    Example: envref get APP_PORT
    """
    found = environment(profile, Chosen(file, local_file, profile_file))
    if key not in found.variables:
        raise EnvrefError(f'key "{key}" not found{found.suggestion(key)}')
    streams.write(_written(key, shown(found, [found.variables[key]])[key], format_))


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
