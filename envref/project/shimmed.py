"""Which tools of a project have shims, and how the folders of these are called (docs/adr/0039-shims.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.project.config.model import VARIABLES

if TYPE_CHECKING:
    from envref.project.config.model import Config

_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")


def tools(config: Config) -> list[str]:
    """The tools that get variables in their environment."""
    return [tool for tool, ways in config.tools.items() if VARIABLES in ways]


def stem(config: Config) -> str:
    """How the names of the project's folders begin, on every machine: an undo in a manifest goes by it."""
    return "".join(each if each in _INERT else "_" for each in config.project)[:64] + "-"
