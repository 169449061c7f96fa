"""What a check of the config found, and the questions that every check asks of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.errors import meant
from envref.project.config.yaml import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Collection, ItemsView
    from collections.abc import Sequence as Several

    from envref.errors import meant
    from envref.project.config.loans import Loan
from envref.project.config.yaml import Node


class Findings:
    """Faults and warnings in the order they were found. Unknown backend types are separate: `config show` allows them.

    The questions return what is usable and note what is not: a fault does not end a check.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.warnings: list[str] = []
        self.unknown_types: list[str] = []
        self.tokens: list[str] = []  # warnings that hold if git tracks the file
        self.loans: list[Loan] = []
        self.closed: list[str] = []  # profiles with `fallback: false`

    def text(self, node: Node, what: str) -> str | None:
        """A scalar's text as written; None for null. Numbers and booleans count as text too."""
        if not isinstance(node, Scalar):
            self.faults.append(node.problem(f"{what} must be text"))
            return None
        return None if node.is_null else node.text

    def boolean(self, node: Node, what: str, allowed: str = "true or false") -> bool | None:
        value = node.boolean() if isinstance(node, Scalar) else None
        if value is None:
            self.faults.append(node.problem(f"{what} must be {allowed}"))
        return value

    def items(self, node: Node, what: str) -> Several[Node]:
        """The items of a list."""
        if isinstance(node, Sequence):
            return node.items
        self.faults.append(node.problem(f"{what} must be a list"))
        return ()

    def entries(self, node: Node, what: str) -> ItemsView[str, Node]:
        """Keys and values of a mapping."""
        if isinstance(node, Mapping):
            return node.entries.items()
        self.faults.append(node.problem(f"{what} must be a mapping"))
        return {}.items()

    def warn_unknown_keys(self, mapping: Mapping, known: Collection[str], *, noun: str = "key") -> None:
        """One warning for each key that is not known, with the known one that it resembles."""
        for key, node in mapping.keys.items():
            if key not in known:
                self.warnings.append(node.problem(f'unknown {noun} "{key}"{_suggestion(key, known)}'))


def _suggestion(key: str, known: Collection[str]) -> str:
    near = meant(key, known)
    return f': did you mean "{near}"?' if near else ""
