"""How much of the tests each Python runs; tests/requirements.py says what a scope leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from setup.interpreters import Interpreter


def scope_of(interpreter: Interpreter, tested: Sequence[Interpreter]) -> str:
    """`everything` for the first, `envref` for the oldest and the newest, `inside` for those between.

    What differs between two Pythons differs most between the ends: a name that is gone, a warning that is an error.
    Those between run all that runs in the tests' own process; their commands as processes are run at night.
    """
    if interpreter == tested[0]:
        return "everything"
    versions = [each.version for each in tested]
    return "envref" if interpreter.version in (min(versions), max(versions)) else "inside"
