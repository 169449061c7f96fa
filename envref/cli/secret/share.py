"""`envref secret share`."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli.grammar import directory
from envref.cli.secret.lookup import look_up
from envref.cli.secret.target import keyed, target_of
from envref.errors import UsageError
from envref.project.recipient import Recipient
from envref.secrets import audit_log, sharing


@keyed("share")
@click.option("--to", "recipients", metavar="RECIPIENT", multiple=True, help="age1…, ssh-ed25519 … or ssh-rsa …")
@click.option("--to-file", metavar="FILE", help="A file of recipients, one a line.")
def share(key: str, backend: str | None, profile: str | None, recipients: tuple[str, ...], to_file: str | None) -> None:
    """Print a secret as age ciphertext that only the recipients can read.

    Example: envref secret share api_key --to-file recipient.pub > api_key.age
    """
    readers = _readers(recipients, to_file)
    target = target_of(backend, profile)
    found = look_up(key, target)
    sealed = sharing.encrypt(found.secret, readers)
    detail = "to " + ", ".join(str(reader) for reader in readers)
    where = found.backend or target.backend
    audit_log.record(
        target.project.root, audit_log.Event("share", key, where, target.scope.project, found.scope, detail)
    )
    streams.write(sealed)


def _readers(recipients: tuple[str, ...], to_file: str | None) -> list[Recipient]:
    if recipients and to_file is not None:
        raise UsageError("--to and --to-file are mutually exclusive")
    if to_file is not None:
        return sharing.recipients_of(os.path.join(directory(), to_file))
    if not recipients:
        raise UsageError("either --to or --to-file is required")
    return [Recipient(text) for text in recipients]
