"""Report: what the agent says of itself, and what is wrong with one that does not: for `agent status` and doctor."""

from __future__ import annotations

import os
from typing import NamedTuple

from envref import __version__, client
from envref.agent.tell import is_there
from envref.errors import EnvrefError, printable
from envref.paths import open_ours, shown

ELSEWHERE = "set XDG_RUNTIME_DIR to a folder of your own, with a short path"


class AgentStatus(NamedTuple):
    """An agent of this version. `session` is the leader of the asking session as it sees it, 0 for none.

    `shells` are those that use it. Of each store: type, name, values, absent ones, shells, who waits, and the seconds
    since the oldest came.
    """

    version: str
    process: int
    seconds: int
    session: int
    shells: list[int]
    stores: list[tuple[str, str, int, int, int, int, int]]


def read(place: str) -> AgentStatus | None:
    """What the agent in that folder says; None if there is none.

    Raises EnvrefError for one that can't be trusted, does not answer, or is of another version.
    """
    try:
        with client.connect(place) as line:
            _, version, *facts = [field.decode(errors="replace") for field in line.ask(client.TELL)]
    except client.Untrustworthy as error:
        raise untrusted(place, error.strerror or "") from None
    except (OSError, ValueError):
        if is_there(place):
            raise silent(place) from None
        return None
    if version != __version__:
        raise _other(place, f"the agent is of version {printable(version)}, this is {__version__}")
    try:
        process, seconds, session, shells, *rows = facts
        numbers = [int(shell) for shell in shells.split()]
        return AgentStatus(version, int(process), int(seconds), int(session), numbers, _stores(rows))
    except ValueError:  # two that are being developed have one version
        raise _other(place, "the agent speaks otherwise than this envref") from None


def _other(place: str, fact: str) -> EnvrefError:
    return EnvrefError(fact, subject=shown(place), run=("envref", "agent", "stop"))


def _stores(rows: list[str]) -> list[tuple[str, str, int, int, int, int, int]]:
    found = []
    for row in rows:
        kind, name, *numbers = row.split("\t")
        values, absent, shells, waiting, oldest = map(int, numbers)
        # An unlock session has its vault's number behind its type.
        found.append((printable(kind.partition(" ")[0]), printable(name), values, absent, shells, waiting, oldest))
    return found


def untrusted(place: str, fact: str) -> EnvrefError:
    """The error of a folder that others made, or could. Where it is ours, a new one is made in its place."""
    is_ours = os.path.lexists(place) and os.lstat(place).st_uid == os.geteuid()
    try:
        client.check_length(place)
        client.check_above(place)
    except OSError:
        is_ours = False  # whatever is made there can be replaced again
    if is_ours:
        return EnvrefError(fact, subject=shown(place), run=("rm", "-r", place))
    return EnvrefError(fact, subject=shown(place), hint=ELSEWHERE)


def silent(place: str) -> EnvrefError:
    """The error of an agent that is there and does not answer; its lock says which process it is."""
    try:
        with open_ours(os.path.join(place, "lock")) as file:
            process = file.read(20).decode("ascii", "replace").strip()
    except OSError:
        process = ""
    run = ("kill", "-9", process) if process.isdecimal() else ()
    hint = "" if run else "end its process"
    return EnvrefError("the agent does not answer", subject=shown(place), run=run, hint=hint)
