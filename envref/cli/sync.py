"""`envref sync`: secrets from one member's store to another's, through an age file that may be committed."""

from __future__ import annotations

import os

import click

from envref import atomic, streams
from envref.cli import consent, team_files
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import backend_option, profile_option
from envref.cli.secret.target import filled, target_of
from envref.errors import EnvrefError, UsageError, printable
from envref.paths import expanded, open_file, open_named
from envref.project import sealed
from envref.project.recipient import Recipient
from envref.refs.address import HISTORY
from envref.secret import Secret
from envref.secrets import identities, intake, readers, sharing, sync
from envref.secrets.scoped import doing
from envref.secrets.target import Target

_DEFAULT = f"{sealed.FILE}, or {sealed.file_of('PROFILE')}"


@click.group("sync", cls=Group)
def group() -> None:
    """Share the project's secrets with its team, encrypted."""


@group.command(cls=Command)
@click.option("--to", "to", metavar="R", multiple=True, help="age1…, ssh-ed25519 … or ssh-rsa …")
@click.option("--to-file", metavar="FILE", multiple=True, help="A file of recipients, one a line.")
@click.option("--to-team", is_flag=True, help="Every member of `team:`.")
@click.option("--yes", is_flag=True, help="Ask nothing about members that are new since the last push.")
@click.option("-f", "--file", metavar="FILE", help=f"The file to write; by default {_DEFAULT}.")
@backend_option
@profile_option
def push(
    to: tuple[str, ...],
    to_file: tuple[str, ...],
    file: str | None,
    backend: str | None,
    profile: str | None,
    *,
    to_team: bool,
    yes: bool,
) -> None:
    """Write the secrets of a scope into a file that only the recipients can read.

    Example: envref sync push --to-team
    """
    if not (to or to_file or to_team):
        raise UsageError("at least one recipient is required (use --to, --to-file, or --to-team)")
    recipients = [Recipient(text) for text in to]
    recipients += [each for name in to_file for each in sharing.recipients_of(os.path.join(directory(), name))]
    target = target_of(backend, profile)
    path, name, inside = _place(target, file)
    _check_own(name, target)
    recipients += _team(target, yes=yes) if to_team else []
    unique = list({recipient.text: recipient for recipient in recipients}.values())
    secrets = _secrets(target)
    with atomic.lock(path, inside=inside):
        content = sharing.encrypt(sync.document(secrets, target.scope), unique).encode()
        atomic.write(path, content, inside=inside)
    if file is None:
        team_files.remember(target.project.root, name, content)
    if to_team:
        _remember(target.project.root, [recipient.text for recipient in unique])
    detail = "to " + ", ".join(str(reader) for reader in unique)
    for key in secrets:
        target.log("push", key, detail)
    streams.inform(f"pushed {len(secrets)} secrets to {name} (encrypted for {len(unique)} recipients)")


def _team(target: Target, *, yes: bool) -> list[Recipient]:
    """The members' keys. Asks about those that were not there at the last push: a pull may have brought them."""
    team = target.project.config.team
    if not team:
        raise EnvrefError("no team members configured (add with: envref team add <name> <key>)")
    last = readers.known(target.project.root)
    new = [f"{name} {readers.key_of(key)}" for name, key in team.items() if readers.key_of(key) not in last]
    if new:
        streams.inform(f"new since the last push: {', '.join(map(printable, new))}")
    if new and not yes:
        _ask(len(new))
    return [Recipient(key) for key in team.values()]


def _ask(number: int) -> None:
    """Returns if the person at the terminal wants them to read the secrets."""
    if not consent.at_terminal():
        raise EnvrefError(
            "new members have to be confirmed at a terminal; nothing was pushed",
            run=_again(),
        )
    if not consent.is_yes(f"encrypt for {number} new member(s)? [y/N] "):
        raise EnvrefError("nothing was pushed", run=("envref", "team", "list"))


def _again() -> tuple[str, ...]:
    """The command as it was typed, without the question."""
    given = click.get_current_context().params
    words = [("--to-team", "--yes")]
    words += [(f"--{name}", each) for name in ("to", "to_file") for each in given[name]]
    words += [(f"--{name}", given[name]) for name in ("file", "backend", "profile") if given[name]]
    return ("envref", "sync", "push", *(word.replace("--to_file", "--to-file") for pair in words for word in pair))


def _remember(root: str, keys: list[str]) -> None:
    try:
        readers.remember(root, map(readers.key_of, keys))
    except EnvrefError as error:
        streams.warn(f"{error.message}; the next push asks again")


def _secrets(target: Target) -> dict[str, Secret]:
    """Every secret of the effective scope except the old values that rotation keeps."""
    store = target.store()
    with doing("retrieving secret"):
        found = store.get_many([key for key in target.own(store.listed()) if HISTORY not in key])
    if not found:
        raise EnvrefError(
            f'no secrets found in backend "{target.backend}" for project "{target.scope.project}"{target.of_profile}',
            hint="envref secret list shows what is where; --backend chooses another store",
        )
    return found


def _place(target: Target, file: str | None) -> tuple[str, str, str | None]:
    """Path and name of the file, and the folder that it must not leave: a file named by an option may be anywhere."""
    if file is not None:
        return os.path.join(directory(), file), file, None
    name = sealed.file_of(target.scope.profile)
    return os.path.join(target.project.root, name), name, target.project.root


def _check_own(name: str, target: Target) -> None:
    """UsageError for a file that is by its name another scope's: its secrets would be lost to whoever pulls it."""
    theirs = sealed.profile_of(os.path.basename(name))
    if theirs is not None and theirs[0] != target.scope.profile:
        own = f'profile "{theirs[0]}"' if theirs[0] else "no profile"
        raise UsageError(
            f"{name} is the file of {own}",
            hint=f"leave -f out: {sealed.file_of(target.scope.profile)} is for these secrets; or give another name",
        )


def _to_read(target: Target, file: str | None) -> tuple[str, str]:
    """Path and name of the file to pull. A profile's secrets may still be in the file that all profiles once shared."""
    path, name, _ = _place(target, file)
    shared = os.path.join(target.project.root, sealed.FILE)
    if file is None and not os.path.lexists(path) and os.path.lexists(shared):
        return shared, sealed.FILE
    return path, name


@group.command(cls=Command)
@click.option(
    "-i",
    "--identity",
    metavar="FILE",
    help="Your private key, of age or SSH; by default $AGE_IDENTITY, or one in ~/.ssh.",
)
@click.option("-f", "--file", metavar="FILE", help=f"The file to read; by default {_DEFAULT}.")
@backend_option
@profile_option
@click.option("--force", is_flag=True, help="Overwrite values that differ.")
@click.option("--any-project", is_flag=True, help="Take the secrets of another project or profile.")
def pull(
    identity: str | None,
    file: str | None,
    backend: str | None,
    profile: str | None,
    *,
    force: bool,
    any_project: bool,
) -> None:
    """Store the secrets of a file that was pushed to you; what your store has already stays.

    Example: envref sync pull -i ~/.age/key.txt
    """
    target = filled(backend, profile)
    path, name = _to_read(target, file)
    content = sealed.read(path, name, open_named if file else open_file)
    keys = [os.path.join(directory(), expanded(identity))] if identity else identities.fitting(content)
    if not keys:
        raise UsageError("identity file is required (use --identity or set AGE_IDENTITY)")
    bundle = sync.read(team_files.opened(content, keys, name), name)
    if not any_project:
        bundle.check(target.scope, name)
    intake.take(bundle, name, target, force=force)
    if file is None:
        team_files.remember(target.project.root, name, content)
