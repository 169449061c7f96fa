"""`envref get`, whatever its options: one variable, interpolated."""

from __future__ import annotations

import click

from envref.cli import candidates, variable
from envref.cli.files import file_options, named
from envref.cli.grammar import Command, exclusive
from envref.cli.options import format_option, profile_option


@click.command(cls=Command)
@click.argument("key", shell_complete=candidates.variables)
@profile_option
@file_options
@format_option(*variable.FORMATS)
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
    return variable.get(variable.Get(key, profile, named(file, local_file, profile_file), format_, is_real=real))
