"""`envref credential`: answers tools that ask for a credential, and writes the setting that has them ask."""

from __future__ import annotations

import click

from envref.cli.grammar import Group, directory, exclusive
from envref.errors import UsageError

_COMMANDS = {
    "aws": "envref.cli.credential.commands:aws",
    "cargo": "envref.cli.credential.commands:cargo",
    "docker": "envref.cli.credential.commands:docker",
    "git": "envref.cli.credential.commands:git",
    "kubectl": "envref.cli.credential.commands:kubectl",
}


@click.group(cls=Group, lazy=_COMMANDS)
@click.option("--setup", "tool", type=click.Choice(sorted(_COMMANDS)), help="Show the setting that has the tool ask.")
@click.option("--write", is_flag=True, help="With --setup: write it into the tool's own config.")
@click.option("--remove", is_flag=True, help="With --setup: take it out of the tool's own config.")
@click.pass_context
def credential(context: click.Context, tool: str | None, *, write: bool, remove: bool) -> None:
    """Answer a tool that asks for a credential, in the tool's own protocol.

    Example: envref credential --setup git --write
    """
    if tool is None:
        if write or remove:
            raise UsageError(f"--{'write' if write else 'remove'} needs --setup TOOL")
        return
    exclusive(write=write, remove=remove)
    if context.invoked_subcommand is not None:
        raise UsageError("either --setup TOOL or a tool's command, not both")
    if remove:
        from envref.cli.credential.removal import remove_from

        remove_from(tool, directory())
    else:
        from envref.cli.credential.setup import setup

        setup(tool, directory(), is_written=write)
    context.exit(0)
