"""`envref audit-log`: who changed which secret, and when."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import output
from envref.cli.grammar import Command, directory
from envref.errors import UsageError
from envref.project.project import find
from envref.secrets import audit_log as log

_COLUMNS = ("timestamp", "operation", "user", "key")


@click.command("audit-log", cls=Command)
@click.option("-n", "--last", metavar="N", help="Only the last N entries.")
@click.option("-k", "--key", metavar="KEY", help="Only the entries of this key.")
@click.option("--json", "raw", is_flag=True, help="The lines of the log as they are.")
def audit_log(last: str | None, key: str | None, *, raw: bool) -> None:
    """Show who changed which secret, the last change at the end; the log holds no values.

    Example: envref audit-log --last 5 --key api_key
    """
    count = _count(last)
    found = []
    lines = log.lines(os.path.dirname(find(directory())))
    for line in lines:
        if line.entry is None:
            streams.warn(f"{log.FILE}:{line.number}:1: not a line of the audit log; skipped")
        elif key is None or line.entry.get("key") == key:
            found.append(line)
    shown = found[-count:] if count else found
    if not shown:
        streams.inform(
            "no matching audit log entries found" if key is not None and lines else "no audit log entries found"
        )
        return
    rows = [_cells(line.entry) for line in shown if line.entry is not None]
    streams.write("".join(f"{line.text}\n" for line in shown) if raw else output.columns(rows))
    streams.inform(f"{len(shown)} entries")


def _count(last: str | None) -> int:
    """How many entries to show; 0 means all."""
    if last is None:
        return 0
    if not (last.isascii() and last.isdecimal()):
        raise UsageError(f'invalid --last "{last}": must be a whole number')
    return int(last)


def _cells(entry: dict[str, str]) -> list[str]:
    return [*(entry.get(column, "-") for column in _COLUMNS), _where(entry)]


def _where(entry: dict[str, str]) -> str:
    profile = f"/{entry['profile']}" if entry.get("profile") else ""
    detail = f"  {entry['detail']}" if entry.get("detail") else ""
    return f"[{entry.get('backend', '-')}] {entry.get('project', '-')}{profile}{detail}"
