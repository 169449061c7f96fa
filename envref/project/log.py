"""Log: a file of JSON lines in the user's state directory, for each project: who changed or read which secret.

It is the user's own, outside of the project: a repository can neither hold nor forge it, and git never sees it
(docs/adr/0040). No line holds a value.
"""

from __future__ import annotations

import json
import os
import pwd
import time

from envref import atomic, streams
from envref.digest import digest
from envref.errors import EnvrefError
from envref.paths import NO_HOME, shown, state_path
from envref.project.trust.record import private_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BufferedReader

_FOLDER = "audit"
_LONGEST_NAME = 100  # bytes of the project's directory that people recognize the file by
_KEEPING = "keeping the audit log"


class Line:
    """A line of a log: the file's name as messages show it, its number, from 1, its text, and its entry, None if the
    text is not one.
    """

    __slots__ = ("entry", "file", "number", "text")

    def __init__(self, file: str, number: int, text: str) -> None:
        self.file = file
        self.number = number
        self.text = text
        self.entry = _parsed(text)


def place(root: str, kind: str, environment: Mapping[str, str] = os.environ) -> str:
    """The path of a log of the project at `root`, a real path: `shop-0123456789abcdef.log`. EnvrefError without HOME.

    `kind` is what the name ends in.
    """
    name = os.fsdecode(os.fsencode(os.path.basename(root))[:_LONGEST_NAME])
    path = state_path(_FOLDER, f"{name}-{digest(os.fsencode(root))[:16]}{kind}", environment=environment)
    if not path:
        raise EnvrefError(f"{_KEEPING}: no home directory", hint=NO_HOME)
    return path


def add(root: str, kind: str, entries: Iterable[Mapping[str, str | None]], *, largest: int = 0) -> None:
    """Adds a line for each entry, with the time and the user; members that are None are left out.

    A failure to write is a warning, not an error. A log that would grow beyond `largest` bytes begins anew, and the
    full one is kept as `….1`.
    """
    head = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "user": _user()}
    texts = [json.dumps({**head, **_given(entry)}, separators=(",", ":")) for entry in entries]
    try:
        path = place(root, kind)
        private_directory(_FOLDER, os.environ, _KEEPING)
        atomic.append_line(path, "\n".join(texts), mode=0o600, largest=largest)
    except EnvrefError as error:
        streams.warn(f"audit log: {error.message}")


def lines(opened: BufferedReader, path: str) -> list[Line]:
    """The lines of an opened log, oldest first, without blank ones; closes it."""
    with opened:
        texts = opened.read().decode("utf-8", "replace").split("\n")
    name = shown(path)
    return [Line(name, number, text) for number, text in enumerate(texts, 1) if text.strip()]


def _given(entry: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in entry.items() if text is not None}


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
