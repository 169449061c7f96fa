"""`envref secret get`, whatever its options."""

from __future__ import annotations

import click

from envref.cli.grammar import directory
from envref.cli.options import format_option
from envref.cli.secret import reading
from envref.cli.secret.target import keyed


@keyed("get")
@click.option("--raw", is_flag=True, help="Leave control characters as they are, on a terminal too.")
@click.option("-n", "no_newline", is_flag=True, help="No line end after the value.")
@format_option(*reading.FORMATS)
def get(key: str, backend: str | None, profile: str | None, format_: str, *, raw: bool, no_newline: bool) -> int:
    """Print a secret: the profile's, else the project's. KEY may be a whole reference: ref://…

    Example: envref secret get api_key --profile staging
    """
    return reading.get(
        reading.SecretGet(
            key,
            directory(),
            backend=backend,
            profile=profile,
            format_=format_,
            is_raw=raw,
            no_newline=no_newline,
        )
    )
