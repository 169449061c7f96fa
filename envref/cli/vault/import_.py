"""`envref vault import`."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

import click

from envref import streams
from envref.backends.vault import lifecycle
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.vault.export import VERSION
from envref.cli.vault.target import opened, vault_options
from envref.errors import EnvrefError, UsageError
from envref.fresh import stamp
from envref.paths import open_named
from envref.refs.address import check_key
from envref.secret import Secret

_LARGEST = 64 << 20  # bytes of a document


@click.command("import", cls=Command)
@vault_options
@click.option("--file", metavar="FILE", help="Read this file instead of standard input.")
@click.option("--no-overwrite", is_flag=True, help="Keep the values that are there.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--stdin", is_flag=True, help="Read standard input (the default).")
def import_(
    backend: str | None, path: str | None, file: str | None, *, no_overwrite: bool, dry_run: bool, stdin: bool
) -> None:
    """Store the secrets of an export, all or none.

    Example: envref vault import < vault-backup.json
    """
    exclusive(file=file, stdin=stdin)
    secrets = _secrets(_read(file))
    number = len(secrets)
    with opened(backend, path) as vault:
        if dry_run:
            difference = lifecycle.compare(vault.file, secrets)
        elif no_overwrite:
            difference = lifecycle.import_new(vault.file, secrets)
        else:
            difference = lifecycle.import_all(vault.file, secrets)
    if no_overwrite:
        difference, secrets = (
            lifecycle.ImportPlan(difference.new, []),
            {key: secrets[key] for key in difference.new},
        )
    if not difference.new and not difference.changed:
        streams.inform(_nothing(number))
        return
    if not dry_run:
        stamp.tell()
    done = "would import" if dry_run else "imported"
    counts = f"{len(difference.new)} new, {len(difference.changed)} changed"
    streams.inform(f"{done} {len(secrets)} secrets from {file or 'stdin'} ({counts})")


def _nothing(number: int) -> str:
    return f"nothing to import: {number} {'secret is' if number == 1 else 'secrets are'} there already"


def _read(file: str | None) -> bytes:
    if file is None:
        if os.isatty(0):
            raise UsageError("reading import file: standard input is a terminal", hint="use < FILE or --file FILE")
        return b"" if sys.stdin is None else sys.stdin.buffer.read(_LARGEST + 1)
    try:
        with open_named(os.path.join(directory(), file)) as source:
            return source.read(_LARGEST + 1)
    except OSError as error:
        raise EnvrefError(f"reading import file: {file}: {error.strerror}") from None


def _secrets(raw: bytes) -> dict[str, Secret]:
    """The secrets of an export by full key. EnvrefError for anything that `vault export` does not write."""
    if len(raw) > _LARGEST:
        _refuse(f"larger than {_LARGEST >> 20} MiB")
    document = _parsed(raw)
    if not isinstance(document, dict) or "version" not in document:
        _refuse("not an export of a vault")
    if document["version"] != VERSION:
        raise EnvrefError(
            f"unsupported export version {json.dumps(document['version'])} (expected {VERSION})",
            hint="export it again with this version of envref",
        )
    secrets = document.get("secrets")
    if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
        _refuse('"secrets" is not a mapping of keys to text')
    return {_checked(key): Secret(value) for key, value in secrets.items()}


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse("not UTF-8 text")
    except json.JSONDecodeError as error:
        _refuse(f"{error.lineno}:{error.colno}: not JSON")  # the error itself carries the document
    except RecursionError:
        _refuse("nested too deeply")


def _checked(key: str) -> str:
    """A full key: PROJECT/KEY or PROJECT/PROFILE/KEY."""
    try:
        check_key(key)
    except UsageError as error:
        _refuse(error.message)
    if "/" not in key:
        _refuse(f'key "{key}" has no project')
    return key


def _refuse(reason: str) -> NoReturn:
    raise EnvrefError(f"reading import file: {reason}", hint="envref vault export writes such a file") from None
