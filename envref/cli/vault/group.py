"""`envref vault`: the local vault as a whole (commands.md 2.8)."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.backends.vault import age, lifecycle, passphrase
from envref.cli.grammar import Command, Group, directory
from envref.cli.vault.target import agent_for, create, opened, vault_options
from envref.errors import UsageError
from envref.fresh import stamp
from envref.paths import shown
from envref.project.config import duration

_COMMANDS = {
    "export": "envref.cli.vault.export:export",
    "import": "envref.cli.vault.import_:import_",
}
_LONGEST_SESSION = 30 * 86400  # seconds


@click.group(cls=Group, lazy=_COMMANDS)
def vault() -> None:
    """Manage the local encrypted vault."""


@vault.command(cls=Command)
@vault_options
@click.option("--work-factor", metavar="N", help="Cost of a passphrase guess: 2^N KiB, 15 to 20 (17).")
def init(backend: str | None, path: str | None, work_factor: str | None) -> None:
    """Create the vault, behind a passphrase.

    Example: envref vault init
    """
    factor = _checked_factor(work_factor)
    if factor < age.DEFAULT_WORK_FACTOR:
        usual = age.DEFAULT_WORK_FACTOR
        streams.warn(
            f"with a work factor of {factor} a guess costs 1/{1 << usual - factor} of what it does with {usual}"
        )
    with opened(backend, path) as target:
        create(target, factor)


@vault.command(cls=Command)
@vault_options
def lock(backend: str | None, path: str | None) -> None:
    """Close the vault to every process until `vault unlock`, and end unlock sessions.

    Example: envref vault lock
    """
    with opened(backend, path) as target:
        lifecycle.lock(target.file)
        streams.inform(f"vault locked at {shown(target.file.path)}")


@vault.command(cls=Command)
@vault_options
@click.option("--ttl", metavar="D", help="Stay unlocked without the passphrase for this long, e.g. 30m or 8h.")
def unlock(backend: str | None, path: str | None, ttl: str | None) -> None:
    """Open a locked vault.

    Example: envref vault unlock --ttl 8h
    """
    session = _checked_duration(ttl)
    with opened(backend, path) as target:
        keeping = agent_for(backend, path) if session else None
        lifecycle.unlock(target.file, session, keeping)
        if keeping and keeping.note:
            streams.detail(keeping.note)
        streams.inform(f"vault unlocked at {shown(target.file.path)}")


@vault.command(cls=Command)
@vault_options
def passwd(backend: str | None, path: str | None) -> None:
    """Change the passphrase; the stored values stay as they are.

    Example: envref vault passwd
    """
    with opened(backend, path) as target:
        lifecycle.prove_passphrase(target.file)
        lifecycle.change_passphrase(target.file, passphrase.chosen_anew(target.warnings))
        streams.inform(f"vault passphrase changed at {shown(target.file.path)}")


@vault.command(cls=Command)
@vault_options
def rekey(backend: str | None, path: str | None) -> None:
    """Give the vault a new key and encrypt every value again.

    Example: envref vault rekey
    """
    with opened(backend, path) as target:
        count = lifecycle.rekey(target.file)
        stamp.tell()
        streams.inform(f"vault rekeyed at {shown(target.file.path)} ({count} secrets)")
        streams.inform("hint: if a copy of the old file leaked, rotate the secrets themselves")


@vault.command(cls=Command)
@vault_options
def upgrade(backend: str | None, path: str | None) -> None:
    """Convert the vault of an older envref.

    Example: envref vault upgrade
    """
    with opened(backend, path) as target:
        done = "upgraded" if lifecycle.upgrade(target.file) else "is up to date"
        streams.inform(f"vault {done} at {shown(target.file.path)}")


@vault.command(cls=Command)
@vault_options
@click.argument("file")
def backup(backend: str | None, path: str | None, file: str) -> None:
    """Copy the vault, still encrypted, to FILE; never overwrites.

    Example: envref vault backup vault-2026.db
    """
    with opened(backend, path) as target:
        lifecycle.backup(target.file, os.path.join(directory(), file))
        streams.inform(f"vault {shown(target.file.path)} copied to {file}")


def _checked_factor(text: str | None) -> int:
    if text is None:
        return age.DEFAULT_WORK_FACTOR
    if not text.isdecimal() or int(text) not in age.WORK_FACTORS:
        raise UsageError(f'invalid work factor "{text}": must be 15 to 20')
    return int(text)


def _checked_duration(text: str | None) -> int:
    """Seconds; 0 without a duration."""
    if text is None:
        return 0
    seconds = duration.seconds(text)
    if not 0 < seconds <= _LONGEST_SESSION:
        raise UsageError(f'invalid duration "{text}": must be a number with s, m, h or d, at most 30d')
    return seconds
