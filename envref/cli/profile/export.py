"""`envref profile export`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import activate, candidates
from envref.cli.grammar import Command, directory
from envref.cli.options import format_option
from envref.cli.profile.known import project_of
from envref.cli.request import Request
from envref.cli.timeout import timeout_of_environment
from envref.env.shown import shown
from envref.errors import OK
from envref.formats import shells
from envref.resolve.resolution import environment_of


@click.command(cls=Command)
@click.argument("name", shell_complete=candidates.profiles)
@format_option(*shells.FORMATS, default="json")
@click.option("--resolve", is_flag=True, help="Ask the stores for what is referred to.")
def export(name: str, format_: str, *, resolve: bool) -> int:
    """Print the variables of a profile; references stay as they are unless they are to be resolved.

    Example: envref profile export staging --format shell
    """
    project = project_of(name)
    if resolve:
        limit = timeout_of_environment()
        request = Request(directory(), profile=name, format_=format_, timeout=limit, everything=True)
        return activate.activate(request)
    environment = environment_of(project)
    rendered = shells.render(format_, shown(environment).items())
    streams.write(rendered.text)
    streams.warn_each(rendered.omissions(format_))
    return OK
