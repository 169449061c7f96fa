"""`envref run`, whatever its options: a child process with the project's variables in its environment."""

from __future__ import annotations

import os

import click

from envref.cli import candidates, child
from envref.cli.files import files_option
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import LOCKED_ALONE, all_option, locked_option, only_option, profile_option, timeout_option
from envref.cli.request import Request
from envref.cli.run_request import Run, is_lenient
from envref.errors import UsageError


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@profile_option
@click.option("--strict", is_flag=True, help="Start nothing if anything is unresolved (the default).")
@click.option("--partial", is_flag=True, help="Start it without what is unresolved.")
@only_option
@all_option
@files_option
@locked_option
@click.option("--keep-env", is_flag=True, help="Variables that are set already keep their value.")
@click.option("--pristine", is_flag=True, help="Of the caller's environment, only PATH, HOME and the like.")
@click.option("--mask", is_flag=True, help="Replace secret values in what the command prints by ***.")
@timeout_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=candidates.program)
def run(
    profile: str | None,
    only: list[str],
    file: tuple[str, ...],
    timeout: float | None,
    command: tuple[str, ...],
    *,
    locked: bool,
    strict: bool,
    partial: bool,
    keep_env: bool,
    pristine: bool,
    everything: bool,
    mask: bool,
) -> int:
    """Run a command with the project's variables.

    Example: envref run --only DATABASE_URL -- ./migrate.sh
    """
    exclusive(strict=strict, partial=partial)
    exclusive(all=everything, only=only)
    if locked and file:
        raise UsageError(LOCKED_ALONE)
    request = Request(
        directory(),
        profile=profile,
        only=only,
        timeout=timeout,
        files=file,
        keep=keep_env,
        locked=locked or None,
        everything=everything,
    )
    lenient = partial or (not strict and is_lenient(os.environ))
    wanted = Run(request, command, lenient=lenient, pristine=pristine)
    if not mask:
        return child.run(wanted)
    from envref.cli import masked

    return masked.run(wanted)
