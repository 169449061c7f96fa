"""`envref list`."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import output
from envref.cli.files import environment, file_options, named
from envref.cli.grammar import Command
from envref.cli.options import format_option, profile_option
from envref.env.shown import shown
from envref.errors import printable
from envref.formats import shells

HIDDEN = "ref://***"


@click.command("list", cls=Command)
@profile_option
@file_options
@format_option("plain", "json", "shell", "table")
@click.option(
    "--show-references",
    "--show-secrets",
    "show_references",
    is_flag=True,
    help="Show the references themselves; never a value.",
)
def listing(
    profile: str | None,
    format_: str,
    file: tuple[str, ...],
    local_file: str | None,
    profile_file: str | None,
    *,
    show_references: bool,
) -> None:
    """List the project's variables, interpolated; no store is asked.

    Example: envref list --format table
    """
    found = environment(profile, named(file, local_file, profile_file))
    rows = list(shown(found, show=str if show_references else _hidden).items())
    if format_ == "table":
        streams.write(output.table(("KEY", "VALUE"), rows))
        return
    if format_ == "plain" and os.isatty(1):
        rows = [(name, printable(text)) for name, text in rows]
    rendered = shells.render(format_, rows)
    streams.write(rendered.text)
    streams.warn_each(rendered.omissions(format_))


def _hidden(_uri: str) -> str:
    """What stands for every reference."""
    return HIDDEN
