"""`envref audit-log`: who changed which secret, and when; with --reads, who read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import output
from envref.cli.grammar import Command, directory
from envref.errors import UsageError
from envref.project.log import place
from envref.project.project import find
from envref.resolve.reads import KIND, READ
from envref.secrets import audit_log as log

if TYPE_CHECKING:
    from envref.project.log import Line

_COLUMNS = ("timestamp", "operation", "user", "key")


@click.command("audit-log", cls=Command)
@click.option("-n", "--last", metavar="N", help="Only the last N entries.")
@click.option("-k", "--key", metavar="KEY", help="Only the entries of this key.")
@click.option("--reads", is_flag=True, help="Who read a secret, where audit_log: {reads: true} has that logged.")
@click.option("--json", "raw", is_flag=True, help="The lines of the log as they are.")
@click.option("--path", is_flag=True, help="Where the log is, and nothing else.")
def audit_log(last: str | None, key: str | None, *, reads: bool, raw: bool, path: bool) -> None:
    """Show who changed which secret, the last change at the end; the log holds no values.

    Example: envref audit-log --last 5 --key api_key
    """
    count = _count(last)
    root = os.path.dirname(find(directory()))
    if path:
        streams.write(f"{place(root, KIND if reads else log.CHANGES)}\n")
        return
    lines = log.read(root) if reads else log.changes(root)
    shown = _chosen(lines, key)[-count:]
    if not shown:
        streams.inform(
            "no matching audit log entries found" if key is not None and lines else "no audit log entries found"
        )
        return
    rows = [_cells(line.entry) for line in shown if line.entry is not None]
    streams.write("".join(f"{line.text}\n" for line in shown) if raw else output.columns(rows))
    streams.inform(f"{len(shown)} entries")


def _chosen(lines: list[Line], key: str | None) -> list[Line]:
    """The entries of the key by their time; warns of lines that are none."""
    found = []
    for line in lines:
        if line.entry is None:
            streams.warn(f"{line.file}:{line.number}:1: not a line of the audit log; skipped")
        elif key is None or line.entry.get("key") == key:
            found.append(line)
    return sorted(found, key=lambda line: (line.entry or {}).get("timestamp", ""))


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
    detail = _asker(entry) if entry.get("operation") == READ else entry.get("detail")
    return f"[{entry.get('backend', '-')}] {entry.get('project', '-')}{profile}" + (f"  {detail}" if detail else "")


def _asker(entry: dict[str, str]) -> str:
    """Which command of envref it was, and the program that called it."""
    return f"{entry.get('command') or '-'}, called by {entry.get('parent') or '-'}"
