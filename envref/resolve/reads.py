"""Reads: a line in the user's log for each secret that was read, where a config asks for it (docs/adr/0040).

`audit_log: {reads: true}`. What the agent had counts as well; what a store has not, or refuses, is not read.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from envref.project import log
from envref.secret import Secret, Unread
from envref.store_errors import BackendError, HoldsBytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envref.project.project import Project
    from envref.refs.address import Address
    from envref.refs.outcome import Answer

KIND = "-reads.log"  # what the name of the file ends in
LARGEST = 1 << 20  # bytes of the log, which then begins anew; the one before is kept
READ = "read"
# Commands whose next word is a command too. What else stands there may be anything, a value as well.
GROUPS = frozenset(("agent", "backend", "config", "credential", "profile", "secret", "sync", "team", "vault"))
_SHIM = ("shim", "--call")  # what a shim's script calls, with the tool's name and, behind `--`, its arguments
_WITH_VALUES = ("-C", "--project")  # options that may stand before the command
_SHELLS = ("sh", "dash", "bash", "zsh", "fish", "ksh", "mksh", "tcsh", "csh", "nu", "pwsh")
_MOST_NAMES = 3
_FIRST = 1  # the system's own process, which takes over those whose caller ended


class Reads:
    """The log of a project's reads, by this process."""

    __slots__ = ("_command", "_parent", "_project", "_root")

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._project = project.config.project
        self._command = command(sys.argv[1:])
        self._parent = caller(os.getppid())

    def note(self, backend: str, answers: Mapping[Address, Answer]) -> None:
        """Adds a line for each answer that is a value."""
        self.add(backend, [address for address, answer in answers.items() if _is_value(answer)])

    def add(self, backend: str, addresses: Sequence[Address]) -> None:
        """Adds a line for each address."""
        if addresses:
            log.add(self._root, KIND, (self._entry(backend, address) for address in addresses), largest=LARGEST)

    def _entry(self, backend: str, address: Address) -> dict[str, str | None]:
        name = address.key if address.foreign is None else address.foreign
        return {
            "operation": READ,
            "key": name if address.field is None else f"{name}#{address.field}",
            "backend": backend,
            "project": address.project or self._project,
            "profile": address.profile,
            "command": self._command,
            "parent": self._parent,
        }


def _is_value(answer: Answer) -> bool:
    if isinstance(answer, BackendError):
        return isinstance(answer, HoldsBytes)
    return isinstance(answer, Secret) and not isinstance(answer, Unread)


def command(words: Sequence[str]) -> str:
    """The envref command that these words are, `secret get`; of `run` and of a shim the program too. Nothing else of
    them: they may hold a value.
    """
    if tuple(words[:2]) == _SHIM:
        return f"shim {''.join(words[2:3])}"
    found = _commands(words)
    first = next(found, "")
    if not _is_word(first):
        return ""
    if first == "run":
        return f"run {_child(words)}".rstrip()
    second = next(found, "") if first in GROUPS else ""
    return f"{first} {second}" if _is_word(second) else first


def _commands(words: Sequence[str]) -> Iterator[str]:
    """The words that are no options."""
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUES:
            next(rest, "")
        elif not word.startswith("-"):
            yield word


def _is_word(text: str) -> bool:
    return bool(text) and text.isascii() and text.replace("-", "").isalpha()


def _child(words: Sequence[str]) -> str:
    """The program that `run` starts, without its directory and its arguments; empty where no `--` shows which it is."""
    return os.path.basename("".join(words[words.index("--") + 1 :][:1])) if "--" in words else ""


def caller(process: int) -> str:
    """The name of the process's program; of a shell also who started it, `sh < git`. Empty if nobody says."""
    from envref.backends.callers import upward

    names: list[str] = []
    for number, name in upward(process):
        if number == _FIRST:
            break
        names += [name] if name else []
        if len(names) == _MOST_NAMES or (names and names[-1] not in _SHELLS):
            break
    return " < ".join(names)
