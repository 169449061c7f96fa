"""`envref profile list`."""

from __future__ import annotations

import os
from typing import TypedDict

import click

from envref import streams
from envref.cli.grammar import Command, directory
from envref.cli.options import format_option
from envref.errors import printable
from envref.formats import shells
from envref.project.project import Project, configured, profiles


class ListedProfile(TypedDict):
    """A profile in `--format json`."""

    name: str
    file: str
    active: bool
    in_config: bool
    exists: bool


@click.command("list", cls=Command)
@format_option("plain", "json")
def list_(format_: str) -> None:
    """List the project's profiles; a star marks the one in effect.

    Example: envref profile list --format json
    """
    project = configured(directory())
    streams.warn_each(project.warnings)
    rows = _rows(project)
    if format_ == "json":
        streams.write(shells.json_text(rows))
        return
    if not rows:
        streams.inform("no profiles found")
    streams.write("".join(f"{printable(_line(row))}\n" for row in rows))


def _rows(project: Project) -> list[ListedProfile]:
    return [
        {
            "name": name,
            "file": file,
            "active": name == project.profile,
            "in_config": name in project.config.profiles,
            "exists": os.path.lexists(os.path.join(project.root, file)),
        }
        for name, file in profiles(project.root, project.config).items()
    ]


def _line(row: ListedProfile) -> str:
    marker = "* " if row["active"] else "  "
    on_disk = "file" if row["exists"] else "no file"
    found = f"config, {on_disk}" if row["in_config"] else on_disk
    return f"{marker}{row['name']:<20} {row['file']} ({found})"
