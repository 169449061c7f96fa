"""`envref profile`: the sets of overrides that a project has for its environments (commands.md 2.9)."""

from __future__ import annotations

import click

from envref.cli.grammar import Group

_COMMANDS = {
    "create": "envref.cli.profile.create:create",
    "diff": "envref.cli.profile.diff:diff",
    "export": "envref.cli.profile.export:export",
    "list": "envref.cli.profile.list:list_",
    "use": "envref.cli.profile.use:use",
}


@click.group(cls=Group, lazy=_COMMANDS)
def profile() -> None:
    """Switch, make and compare the project's profiles."""
