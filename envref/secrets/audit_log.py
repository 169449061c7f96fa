"""The audit log: a file of who changed which secret, where and when. Never a value (commands.md 3.6).

Every command that writes, deletes or shares a secret calls `record` once for each, after the store has answered.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterator
from io import TextIOWrapper
from typing import NamedTuple

from envref import atomic, streams
from envref.errors import EnvrefError
from envref.paths import open_in_place

FILE = ".envref.audit.log"


class Event(NamedTuple):
    """What happened to a secret. `key` is without project and profile; `detail` is for people, e.g. `from shop`."""

    operation: str
    key: str
    backend: str
    project: str
    profile: str | None = None
    detail: str | None = None


def record(root: str, event: Event) -> None:
    """Adds a line to the log of the project at `root`. A failure to write is a warning, not an error."""
    try:
        atomic.append_line(os.path.join(root, FILE), _line(event), mode=0o600)
    except EnvrefError as error:
        streams.warn(f"audit log: {error.message}")


class Line(NamedTuple):
    """A line of the log: its number, from 1, its text, and its entry, None if the text is not one."""

    number: int
    text: str
    entry: dict[str, str] | None


def lines(root: str) -> list[Line]:
    """The lines of the log, oldest first, without blank ones. EnvrefError for a log that can't be read."""
    try:
        with TextIOWrapper(open_in_place(os.path.join(root, FILE)), encoding="utf-8", errors="replace") as opened:
            texts = opened.read().split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EnvrefError(f"reading {FILE}: {error.strerror}") from None
    return [Line(number, text, _parsed(text)) for number, text in enumerate(texts, 1) if text.strip()]


def entries(root: str) -> Iterator[dict[str, str]]:
    """The log's entries, oldest first. Lines that are not entries are left out; an unreadable log has none."""
    try:
        yield from (line.entry for line in lines(root) if line.entry is not None)
    except EnvrefError:
        return


def profiles(root: str) -> set[str]:
    """The profiles that the log names."""
    return {entry["profile"] for entry in entries(root) if entry.get("profile")}


def _line(event: Event) -> str:
    head = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "user": _user()}
    members = {name: text for name, text in event._asdict().items() if text is not None}
    return json.dumps({**head, **members}, separators=(",", ":"))


def _user() -> str:
    """Who the system says it is: LOGNAME and USER are for anybody to set, an env file too."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())  # a container may run as a user without a name


def _parsed(line: str) -> dict[str, str] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not all(isinstance(text, str) for text in entry.values()):
        return None
    return entry
