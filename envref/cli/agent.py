"""`envref agent`: the process that keeps what stores gave, as long as a shell uses it (docs/agent.md)."""

from __future__ import annotations

import click

from envref import client, streams
from envref.agent import report
from envref.agent.start import start as start_agent
from envref.agent.tell import is_there, tell
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import format_option
from envref.cli.output import table
from envref.errors import FAILED, OK, EnvrefError
from envref.formats import shells
from envref.paths import shown

_STARTING = 10.0  # seconds, for a person who asked for it and waits
_HEADER = ("STORE", "TYPE", "VALUES", "ABSENT", "SHELLS", "WAITING", "OLDEST")


@click.group(cls=Group)
def agent() -> None:
    """Keep what stores gave in memory, as long as a shell uses it."""


@agent.command(cls=Command)
def start() -> None:
    """Start the agent now; it stays until this shell ends.

    Example: envref agent start
    """
    place = client.folder()
    start_agent(place, _STARTING)
    if not tell(place, client.STAY):
        report.read(place)  # says what is wrong with the folder, if that is the reason
        raise EnvrefError("the agent did not start", subject=shown(place), hint=report.ELSEWHERE)
    streams.inform(f"agent started at {shown(place)}")
    found = report.read(place)
    if found and not found.session:
        streams.inform(f"note: {client.NO_SESSION}")


@agent.command(cls=Command)
@format_option("plain", "json")
def status(format_: str) -> int:
    """Show what the agent keeps: stores, numbers and ages, never a value. Fails if there is no agent.

    Example: envref agent status
    """
    found = report.read(client.folder())
    if found is None:
        streams.write(shells.json_text(None) if format_ == "json" else "")
        streams.inform("no agent is running")
        return FAILED
    if format_ == "json":
        streams.write(shells.json_text(_as_json(found)))
        return OK
    users = " ".join(map(str, found.shells)) or "no shell"
    head = f"version {found.version}, process {found.process}, for {_span(found.seconds)}, used by {users}\n"
    rows = [(name, kind, *map(str, counts), _span(oldest)) for kind, name, *counts, oldest in found.stores]
    streams.write(head + table(_HEADER, rows))
    if not found.session:
        streams.inform(f"note: {client.NO_SESSION}")
    return OK


@agent.command(cls=Command)
def forget() -> int:
    """Drop everything that the agent keeps; the next activation asks the stores.

    Example: envref agent forget
    """
    return _do(client.FORGET, "the agent forgot everything")


@agent.command(cls=Command)
def leave() -> int:
    """Drop what only this project's Flox environment used. Flox calls it when the last shell has left.

    Example: envref agent leave --project ~/app
    """
    return _do(client.LEAVE, "the agent dropped what only this environment used", client.use_of(directory()))


@agent.command(cls=Command)
def stop() -> int:
    """End the agent, and all that it keeps.

    Example: envref agent stop
    """
    return _do(client.STOP, "agent stopped")


def _do(word: bytes, done: str, *more: bytes) -> int:
    place = client.folder()
    if tell(place, word, *more):
        streams.inform(done)
        return OK
    if is_there(place):
        raise report.silent(place)
    streams.inform("no agent is running")
    return OK


def _as_json(found: report.AgentStatus) -> dict[str, object]:
    names = ("type", "name", "values", "absent", "shells", "waiting", "oldest")
    return {**found._asdict(), "stores": [dict(zip(names, row, strict=True)) for row in found.stores]}


def _span(seconds: int) -> str:
    """`75s` up to two minutes, then `12m`, then `3h`."""
    unit, letter = (1, "s") if seconds < 120 else (60, "m") if seconds < 7200 else (3600, "h")
    return f"{seconds // unit}{letter}"
