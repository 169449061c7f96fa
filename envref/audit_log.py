"""The audit log: who changed which secret, where and when. Never a value (commands.md 3.6).

Every command that writes, deletes or passes on a secret calls `record` once a secret, after the store has answered.
"""

from __future__ import annotations

import getpass
import json
import os
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple

from envref import atomic, streams
from envref.errors import EnvrefError

FILE = ".envref.audit.log"
# A log is no link and no pipe: a repository must not make envref read elsewhere, or wait.
_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OPERATIONS = ("set", "delete", "generate", "rotate", "copy", "import", "share", "push", "export", "trust")


class Event(NamedTuple):
    """What happened to a secret. `key` is without project and profile; `detail` is for people, e.g. `from shop`."""

    operation: str
    key: str
    backend: str
    project: str
    profile: str | None = None
    detail: str | None = None


def record(root: str, event: Event) -> None:
    """Adds a line to the log of the project at `root`. What keeps it from being written is a warning, no error."""
    try:
        atomic.append_line(os.path.join(root, FILE), _line(event), mode=0o600)
    except EnvrefError as error:
        streams.warn(f"audit log: {error.message}")


def entries(root: str) -> Iterator[dict[str, str]]:
    """The lines of the log, oldest first. Lines that are no entry are left out; without a log there are none."""
    try:
        log = os.open(os.path.join(root, FILE), _OPEN_READ)
        with open(log, encoding="utf-8", errors="replace") as opened:
            lines = opened.read().splitlines() if stat.S_ISREG(os.fstat(log).st_mode) else []
    except OSError:
        return
    for line in lines:
        entry = _parsed(line)
        if entry is not None:
            yield entry


def profiles(root: str) -> set[str]:
    """The profiles that the log names."""
    return {entry["profile"] for entry in entries(root) if entry.get("profile")}


def _line(event: Event) -> str:
    head = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "user": _user()}
    members = {name: text for name, text in event._asdict().items() if text is not None}
    return json.dumps({**head, **members}, separators=(",", ":"))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a container may run as a user without a name


def _parsed(line: str) -> dict[str, str] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not all(isinstance(text, str) for text in entry.values()):
        return None
    return entry
