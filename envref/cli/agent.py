"""`envref agent`: the process that keeps what stores gave, as long as a shell uses it (docs/agent.md)."""

from __future__ import annotations

import os
import time

import click

from envref import client, streams
from envref.agent.start import start as start_agent
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import format_option
from envref.cli.output import table
from envref.errors import FAILED, OK, EnvrefError, printable
from envref.formats import shells
from envref.paths import open_ours, shown

_PATIENCE = 1.0  # seconds
_STARTING = 10.0  # the same, for a person who asked for it and waits
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
    if not client.tell(place, client.STAY):
        raise EnvrefError("the agent did not start", subject=shown(place), hint=_cure(place))
    streams.inform(f"agent started at {shown(place)}")


@agent.command(cls=Command)
@format_option("plain", "json")
def status(format_: str) -> int:
    """Show what the agent keeps: stores, numbers and ages, never a value. Fails if there is no agent.

    Example: envref agent status
    """
    place = client.folder()
    told = _told(place)
    if told is None:
        if client.is_there(place):
            raise _silent(place)
        streams.write(shells.json_text(None) if format_ == "json" else "")
        streams.inform("no agent is running")
        return FAILED
    version, process, seconds, owners, *rows = told
    stores = [row.split("\t") for row in rows]
    for store in stores:
        store[0] = store[0].partition(" ")[0]  # an unlock session has its vault's number there
    if format_ == "json":
        streams.write(shells.json_text(_report((version, process, seconds, owners), stores)))
        return OK
    streams.write(f"version {version}, process {process}, for {_span(int(seconds))}, used by {owners or 'no shell'}\n")
    streams.write(table(_HEADER, [(name, kind, *counts, _span(int(age))) for kind, name, *counts, age in stores]))
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
    if client.tell(place, word, *more):
        streams.inform(done)
        return OK
    if client.is_there(place):
        raise _silent(place)
    streams.inform("no agent is running")
    return OK


def _told(place: str) -> list[str] | None:
    try:
        with client.connect(place) as line:
            line.say(client.TELL)
            return [field.decode(errors="replace") for field in line.hear(time.monotonic() + _PATIENCE)[1:]]
    except client.Untrustworthy as error:
        raise EnvrefError(f"{error.strerror}", subject=shown(place), hint=_cure(place)) from None
    except OSError:
        return None


def _report(facts: tuple[str, str, str, str], stores: list[list[str]]) -> dict[str, object]:
    version, process, seconds, owners = facts
    names = ("type", "name", "values", "absent", "shells", "waiting", "oldest")
    return {
        "version": version,
        "process": int(process),
        "seconds": int(seconds),
        "shells": [int(owner) for owner in owners.split()],
        "stores": [{name: _number(text) for name, text in zip(names, row, strict=True)} for row in stores],
    }


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else printable(text)


def _span(seconds: int) -> str:
    """`75s` up to two minutes, then `12m`, then `3h`."""
    unit, letter = (1, "s") if seconds < 120 else (60, "m") if seconds < 7200 else (3600, "h")
    return f"{seconds // unit}{letter}"


def _cure(place: str) -> str:
    if os.path.lexists(place):
        return "remove it, then try again"
    return "set XDG_RUNTIME_DIR to a folder of your own, with a short path"


def _silent(place: str) -> EnvrefError:
    """The error of an agent that is there and does not answer; its lock says which process it is."""
    try:
        with open_ours(os.path.join(place, "lock")) as file:
            process = file.read(20).decode("ascii", "replace").strip()
    except OSError:
        process = ""
    run = ("kill", "-9", process) if process.isdecimal() else ()
    hint = "" if run else "end its process"
    return EnvrefError("the agent does not answer", subject=shown(place), run=run, hint=hint)
