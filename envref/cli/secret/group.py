"""`envref secret`: the secrets themselves, in the project's backends."""

from __future__ import annotations

import click

from envref.cli.grammar import Group

_COMMANDS = {
    "copy": "envref.cli.secret.copy:copy",
    "delete": "envref.cli.secret.delete:delete",
    "generate": "envref.cli.secret.generate:generate",
    "get": "envref.cli.secret.get:get",
    "list": "envref.cli.secret.list:list_",
    "rotate": "envref.cli.secret.rotate:rotate",
    "set": "envref.cli.secret.set:set_",
    "share": "envref.cli.secret.share:share",
}


@click.group(cls=Group, lazy=_COMMANDS)
def secret() -> None:
    """Store, read and manage the project's secrets."""
