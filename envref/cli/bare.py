"""`envref bare`: a command without the project's secrets, and with the shims of some tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref.cli import child
from envref.cli.grammar import Command, directory
from envref.cli.options import profile_option
from envref.errors import FAILED, EnvrefError, UsageError, meant
from envref.fresh import seen
from envref.project import shimmed
from envref.project.project import NoProject
from envref.resolve.resolution import environment_of, load
from envref.tools import bare as bared
from envref.tools import shims

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.project.project import Project


@click.command("bare", cls=Command, context_settings={"allow_interspersed_args": False})
@profile_option
@click.option("--allow", metavar="TOOL", multiple=True, help="A tool of tools: that gets its variables all the same.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def bare(profile: str | None, allow: tuple[str, ...], command: tuple[str, ...]) -> int:
    """Run a command without the secrets that an activation put into this shell.

    It is no boundary: the command runs as you, and can ask envref as you can.

    Example: envref bare --allow gh -- assistant
    """
    coerced = child.coerced_locale()
    allowed = [tool for text in allow for tool in text.split(",")]
    names = bared.names_seen(os.environ)
    folder = ""
    try:
        project = load(directory(), profile or seen.profile_of(os.environ))
    except NoProject:
        if allowed:
            raise
    else:
        names += bared.names_of(project, environment_of(project))
        folder = _shims(project, profile, allowed)
    names += map(os.fsdecode, (*child.PASSPHRASE, *(() if allowed else (child.PASSPHRASE_FILE,))))
    environment = bared.bare(os.environb, names, folder)
    if coerced:
        environment.pop(b"LC_CTYPE", None)
    os.environ["PATH"] = os.fsdecode(environment.get(b"PATH", os.fsencode(os.defpath)))  # where the command is found
    child.become(command, environment)
    return FAILED


def _shims(project: Project, profile: str | None, allowed: Iterable[str]) -> str:
    """The folder with the shims of just these tools; empty for none."""
    known = shimmed.tools(project.config)
    for tool in allowed:
        if not tool:
            raise UsageError('empty name in "--allow"')
        if tool not in known:
            near = meant(tool, known)
            guess = f'; did you mean "{near}"?' if near else ""
            raise EnvrefError(f"{tool} is not under tools: in .envref.yaml{guess}", run=("envref", "shim"))
    return shims.write(project, profile, allowed)
