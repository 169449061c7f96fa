"""Onboarding: what a new member of a team still has to provide (commands.md 2.20)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from envref.checks import example
from envref.checks.example import Comparison
from envref.refs.outcome import Missing
from envref.refs.reference import Reference

if TYPE_CHECKING:
    from envref.resolve.resolution import Resolution


class AbsentSecret(NamedTuple):
    """A secret that no store has: the first variable that needs it, and the reference to it."""

    name: str
    reference: Reference


def wanted(resolution: Resolution) -> list[AbsentSecret]:
    """Every absent secret once, in the order of the variables.

    Secrets whose store failed are skipped: the store may still have them.
    """
    found: dict[tuple[str | None, str], AbsentSecret] = {}
    for filled in resolution.filled.values():
        for reference, outcome in filled.failures:
            if isinstance(reference, Reference) and isinstance(outcome, Missing) and not outcome.is_there:
                found.setdefault(
                    (reference.store, reference.foreign or reference.key), AbsentSecret(filled.variable.name, reference)
                )
    return list(found.values())


def missing_keys(resolution: Resolution) -> list[str]:
    """Names of the example file that no env file sets."""
    root = resolution.project.root
    if not os.path.lexists(os.path.join(root, example.FILE)):
        return []
    own = [entry.name for entry in resolution.project.entries]
    return Comparison(example.names_in(root), own).missing
