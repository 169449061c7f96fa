"""`envref secret share`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import directory
from envref.cli.secret.lookup import look_up
from envref.cli.secret.target import keyed, target_of
from envref.errors import EnvrefError, UsageError, printable
from envref.project.config.files import FILE as CONFIG
from envref.project.project import configured
from envref.project.recipient import Recipient
from envref.secrets import audit_log, readers, sharing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.secrets.target import Target


@keyed("share")
@click.option(
    "--to",
    "recipients",
    metavar="RECIPIENT",
    multiple=True,
    shell_complete=candidates.members,
    help="age1…, ssh-ed25519 …, ssh-rsa … or a member.",
)
@click.option("--to-file", metavar="FILE", help="A file of recipients, one a line.")
def share(key: str, backend: str | None, profile: str | None, recipients: tuple[str, ...], to_file: str | None) -> None:
    """Print a secret as age ciphertext that only the recipients can read.

    Example: envref secret share api_key --to-file recipient.pub > api_key.age
    """
    named = _named(recipients, to_file)
    target = target_of(backend, profile)
    chosen = [each if isinstance(each, Recipient) else _member(each, target, key) for each in named]
    found = look_up(key, target)
    sealed = sharing.encrypt(found.secret, chosen)
    detail = "to " + ", ".join(str(each) for each in chosen)
    where = found.backend or target.backend
    audit_log.record(
        target.project.root, audit_log.Event("share", key, where, target.scope.project, found.scope, detail)
    )
    streams.write(sealed)


def _named(recipients: tuple[str, ...], to_file: str | None) -> list[Recipient | str]:
    """The recipients that the options name, members by their names."""
    if recipients and to_file is not None:
        raise UsageError("--to and --to-file are mutually exclusive")
    if to_file is not None:
        return list(sharing.recipients_of(os.path.join(directory(), to_file)))
    if not recipients:
        raise UsageError("either --to or --to-file is required")
    members = _team()
    return [text if text in members else _of_key(text, members) for text in recipients]


def _of_key(text: str, members: Mapping[str, str]) -> Recipient:
    """The recipient whose key this is. UsageError; about what may be a member's name, it has those there are."""
    try:
        return Recipient(text)
    except UsageError as error:
        if " " in text or text.startswith(("age1", "AGE-", "ssh-")):
            raise
        known = f"its members are {', '.join(map(printable, members))}" if members else "it has none yet"
        raise UsageError(error.message, hint=f"the team has no member of that name: {known}") from None


def _team() -> Mapping[str, str]:
    try:
        return configured(directory()).config.team
    except EnvrefError:
        return {}  # `target_of` says what is wrong with the config


def _member(name: str, target: Target, secret: str) -> Recipient:
    """A member's key. A pull may have brought it, so that it has to be one that this user added or pushed to."""
    recipient = Recipient(target.project.config.team[name])
    if readers.key_of(recipient.text) not in readers.known(target.project.root):
        raise EnvrefError(
            f"{printable(name)}: nobody here has added or pushed to the key that {CONFIG} has for them",
            run=("envref", "secret", "share", secret, "--to", recipient.text),
        )
    return recipient
