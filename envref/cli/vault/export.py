"""`envref vault export`."""

from __future__ import annotations

import datetime
import os

import click

from envref import atomic, streams
from envref.backends.vault import lifecycle
from envref.cli.grammar import Command, directory
from envref.cli.vault.target import opened, project_around, vault_options
from envref.errors import EnvrefError
from envref.formats import shells
from envref.project.recipient import Recipient
from envref.refs.address import Address
from envref.secret import Secret
from envref.secrets import sharing

VERSION = 1  # of the export's JSON, which the Go ancestor reads too


@click.command("export", cls=Command)
@vault_options
@click.option("--file", metavar="FILE", help="Write this new file, readable by its owner only.")
@click.option("--to", "recipients", metavar="RECIPIENT", multiple=True, help="Encrypt to age1… or an SSH key.")
@click.option("--force", is_flag=True, help="Overwrite FILE; print plain secrets on a terminal.")
@click.option("--stdout", is_flag=True, hidden=True, expose_value=False)
def export(
    backend: str | None, path: str | None, file: str | None, recipients: tuple[str, ...], *, force: bool
) -> None:
    """Print every secret of the vault as JSON.

    Example: envref vault export > vault-backup.json
    """
    readers = [Recipient(text) for text in recipients]
    target = None if file is None else os.path.join(directory(), file)
    if not force:
        _refuse(target, file, plain=not readers)
    with opened(backend, path) as vault:
        text = _document(lifecycle.export(vault.file))
    _log(vault.name)
    if readers:
        text = sharing.encrypt(Secret(text), readers)
    else:
        streams.warn("this output contains plaintext secrets")
    if target is None:
        streams.write(text)
    else:
        _write(target, text)


def _log(backend: str) -> None:
    """Where the project here has reads logged, a line for the whole vault: its secrets may be other projects' too."""
    around = project_around(required=False)
    if around is not None and around.config.logs_reads:
        from envref.resolve.reads import Reads

        Reads(around).add(backend, [Address("", "", foreign="*")])


def _refuse(target: str | None, file: str | None, *, plain: bool) -> None:
    if target is None:
        if plain and os.isatty(1):
            raise EnvrefError("refusing to show all secrets on a terminal", hint="redirect it, or give --force")
    elif os.path.lexists(target):
        raise EnvrefError(f'refusing to overwrite "{file}"', hint="give --force to overwrite it")


def _document(secrets: dict[str, Secret]) -> str:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return shells.json_text(
        {
            "version": VERSION,
            "exported_at": now.isoformat().replace("+00:00", "Z"),
            "secrets": {key: value.reveal() for key, value in secrets.items()},
        }
    )


def _write(target: str, text: str) -> None:
    try:
        os.chmod(target, 0o600)  # overwriting would keep the old file's mode
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EnvrefError(f"writing {os.path.basename(target)}: {error.strerror}") from None
    atomic.write(target, text.encode(), mode=0o600)
