"""`envref completion`: the script that completes commands, options and names, and its place."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import Command
from envref.cli.scripts import SCRIPTS
from envref.errors import UsageError


@click.command(cls=Command)
@click.option("--install", is_flag=True, help="Put the script where the shell finds it; by default that of SHELL.")
@click.argument("shell", metavar=f"[{'|'.join(SCRIPTS)}]", required=False, shell_complete=candidates.choice(*SCRIPTS))
def completion(shell: str | None, *, install: bool) -> None:
    """Print a script that lets a shell complete envref's commands, options and names.

    Example: envref completion --install
    """
    if shell is not None and shell not in SCRIPTS:
        raise UsageError(f'unsupported shell "{shell}": valid shells are {", ".join(SCRIPTS)}')
    if install:
        from envref.cli import installing

        installing.install(shell)
        return
    if shell is None:
        raise UsageError(f"for which shell? one of {', '.join(SCRIPTS)}", run=("envref", "completion", "--install"))
    streams.write(SCRIPTS[shell])
