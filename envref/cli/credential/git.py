"""`envref credential git`: a helper of git-credential."""

from __future__ import annotations

import sys

import click

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.cli.grammar import Command, directory
from envref.tools import credential

_GET, _ERASE = "get", "erase"


@click.command(cls=Command)
@click.argument("operation")
def git(operation: str) -> None:
    """Answer git: the password of a server that the project names. store and erase change nothing.

    Example: envref credential git get < request
    """
    asked = credential.asked_by_git(sys.stdin.read())
    place = credential.place_of_git(asked)
    if place is None or operation not in (_GET, _ERASE):
        return  # gitcredentials(7): what a helper does not know, it ignores
    project = agreed(directory())
    names = credential.find(project.config, "git", place)
    if names and operation == _ERASE:
        streams.inform(f"envref: {place.server} refused the value of {names[-1]}; nothing was erased")
    elif names:
        streams.write(credential.for_git(values(project, names), asked))
