"""Example: the names that `.env.example` promises, compared with those that the project sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.env.file import EnvFile
from envref.project.project import env_path

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = ".env.example"


class Comparison:
    """Names of the example that the project lacks, and names of the project that the example lacks; both in order."""

    __slots__ = ("extra", "missing", "promised")

    def __init__(self, promised: Iterable[str], set_: Iterable[str]) -> None:
        self.promised = list(dict.fromkeys(promised))
        own = list(dict.fromkeys(set_))
        self.missing = [name for name in self.promised if name not in own]
        self.extra = [name for name in own if name not in self.promised]


def names_in(root: str, file: str = FILE) -> list[str]:
    """The names that the example file sets, in its order. EnvrefError when it can't be read."""
    return [entry.name for entry in EnvFile.read(env_path(root, file), file).entries]
