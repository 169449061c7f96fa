"""Asked: what a tool asks `envref credential` for, and the closed grammar of its hot door."""

from __future__ import annotations

from envref.cli import words
from envref.cli.request import VALUES as COMMON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMAND = "credential"
_VALUES = {word: name for word, name in COMMON.items() if name == "directory"}
_OPERATIONS = {"aws": 0, "cargo": 0, "docker": 1, "git": 1, "kubectl": 0}  # how many words say what is to be done


class Asked:
    """Which tool asks, about the project of which directory (None: here), and its word for what is to be done."""

    __slots__ = ("directory", "operation", "tool")

    def __init__(self, tool: str, directory: str | None, operation: str = "") -> None:
        self.tool = tool
        self.directory = directory
        self.operation = operation

    @property
    def place(self) -> str:
        """Where to look for the project."""
        return "." if self.directory is None else self.directory


def parse(arguments: Sequence[str]) -> Asked | None:
    """What a whole command line asks; None for anything unusual or wrong, which the click door takes."""
    given = words.read(arguments, (), _VALUES, mixed=True)
    if given is None or given.rest[:1] != [_COMMAND] or len(given.rest) < 2 or "" in given.last().values():
        return None
    _, tool, *rest = given.rest
    if len(rest) != _OPERATIONS.get(tool) or "--" in arguments:
        return None
    return Asked(tool, given.last().get("directory"), *rest)
