"""`envref profile use`."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import Command, directory
from envref.cli.profile.known import check_known
from envref.errors import UsageError
from envref.paths import shown
from envref.project.config.document import Document
from envref.project.config.files import FILE
from envref.project.edit import edit, preview
from envref.project.project import find

_KEY = "active_profile"


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=candidates.profiles)
@click.option("--clear", is_flag=True, help="No profile, unless one is asked for.")
def use(name: str | None, *, clear: bool) -> None:
    """Make a profile the active one: commands use it unless another is named.

    Example: envref profile use staging
    """
    if name and clear:
        raise UsageError("either a profile name or --clear, not both")
    path = find(directory())
    if clear:
        _clear(path)
    elif name:
        _use(name, path)
    else:
        raise UsageError("profile name is required (or use --clear to deactivate)")


def _clear(path: str) -> None:
    config = edit(path, lambda document: document.without(_KEY))
    streams.inform("Cleared active profile")
    if config.active_profile is not None and config.global_path is not None:
        streams.warn(f'{shown(config.global_path)} still has {_KEY} "{config.active_profile}"')
    _warn_of_environment("")


def _use(name: str, path: str) -> None:
    # Without the old one, so that this command can mend a config whose only fault is an unknown active profile.
    check_known(name, os.path.dirname(path), preview(path, lambda document: document.without(_KEY)))
    registered: list[str] = []

    def change(document: Document) -> Document:
        configured = document.get("profiles")
        if isinstance(configured, dict) and name not in configured:
            registered.append(name)
            document = document.with_entry("profiles", name, None)
        return document.with_value(_KEY, name)

    streams.warn_each(edit(path, change).warnings)
    if registered:
        streams.inform(f'Registered profile "{name}" in {FILE}')
    streams.inform(f'Active profile set to "{name}"')
    _warn_of_environment(name)


def _warn_of_environment(name: str) -> None:
    """Warns that the variable beats the config (commands.md 1.5), or the command would seem to have no effect."""
    forced = os.environ.get("ENVREF_PROFILE")
    if forced and forced != name:
        streams.warn(f'ENVREF_PROFILE is set, so profile "{forced}" stays in effect here; run: unset ENVREF_PROFILE')
