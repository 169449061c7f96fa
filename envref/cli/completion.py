"""`envref completion`: the script that completes commands, options, and the names in `candidates`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import Command
from envref.cli.scripts import SCRIPTS
from envref.errors import UsageError


@click.command(cls=Command)
@click.argument("shell", metavar="|".join(SCRIPTS), shell_complete=candidates.choice(*SCRIPTS))
def completion(shell: str) -> None:
    """Print a script that lets a shell complete envref's commands, options and names.

    Example: envref completion bash > /etc/bash_completion.d/envref
    """
    if shell not in SCRIPTS:
        raise UsageError(f'unsupported shell "{shell}": valid shells are {", ".join(SCRIPTS)}')
    streams.write(SCRIPTS[shell])
