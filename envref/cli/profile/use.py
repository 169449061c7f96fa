"""`envref profile use`."""

from __future__ import annotations

import os

import click

from envref import atomic, streams
from envref.cli import candidates
from envref.cli.grammar import Command, directory
from envref.cli.profile.known import check_known
from envref.errors import EnvrefError, UsageError
from envref.paths import NO_HOME
from envref.project.config.document import Document
from envref.project.config.files import FILE
from envref.project.config.model import Config
from envref.project.edit import edit, preview
from envref.project.project import active, choice_path, find
from envref.project.trust.record import private_directory

_KEY = "active_profile"
_NOBODY_CHOSE = "."  # no profile has this name
_KEEPING = "keeping the active profile"


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=candidates.profiles)
@click.option("--clear", is_flag=True, help="No profile, unless one is asked for.")
def use(name: str | None, *, clear: bool) -> None:
    """Make a profile the active one, for you alone: commands use it unless another is named.

    Example: envref profile use staging
    """
    if name and clear:
        raise UsageError("either a profile name or --clear, not both")
    if not name and not clear:
        raise UsageError("profile name is required (or use --clear to deactivate)")
    path = find(directory())
    config, is_broken = _read(path)
    if name:
        check_known(name, os.path.dirname(path), config)
    if is_broken:
        edit(path, _without)
        streams.inform(f"Removed {_KEY} from {FILE}: there is no such profile")
    _keep(name or "", path, config)
    streams.warn_each(config.warnings)
    streams.inform(f'Active profile set to "{name}"' if name else "Cleared active profile")
    _warn_of_environment(name or "")


def _read(path: str) -> tuple[Config, bool]:
    """The config, and whether it has an active profile that is not there, which would be its only fault."""
    try:
        return preview(path, lambda document: document), False
    except EnvrefError:
        return preview(path, _without), True


def _without(document: Document) -> Document:
    return document.without(_KEY)


def _keep(name: str, path: str, config: Config) -> None:
    """Writes the choice down; an empty one only where the config's would count else."""
    root = os.path.dirname(path)
    if active(root, Config(active_profile=_NOBODY_CHOSE)) == (name or None):
        return
    place = choice_path(root, os.environ)
    if not place:
        raise EnvrefError(f"{_KEEPING}: no home directory", hint=NO_HOME)
    if not name and not config.active_profile:
        _forget(place)
    else:
        private_directory("profile", os.environ, _KEEPING)
        atomic.write(place, os.fsencode(f"{root}\0{name}"), mode=0o600)
    _touch(path)


def _forget(place: str) -> None:
    try:
        os.unlink(place)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EnvrefError(f"{_KEEPING}: {error.strerror}") from None


def _touch(path: str) -> None:
    """The config is what direnv watches: it loads anew. Its bytes stay, so that git sees no change."""
    try:
        os.utime(path, follow_symlinks=False)
    except OSError:
        pass  # somebody else's file: the next prompt does not see the change, the next command does


def _warn_of_environment(name: str) -> None:
    """Warns that the variable beats the choice (commands.md 1.5), or the command would seem to have no effect."""
    forced = os.environ.get("ENVREF_PROFILE")
    if forced and forced != name:
        streams.warn(f'ENVREF_PROFILE is set, so profile "{forced}" stays in effect here; run: unset ENVREF_PROFILE')
