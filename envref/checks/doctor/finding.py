"""Finding: one thing that is wrong, where it is, and what mends it. It has no place that could hold a value."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envref.errors import EnvrefError, Problem

_CORRECT = "correct this line; whatever reads the file stops at it"
_UNKNOWN_CURE = "ask the store's own program what it needs"


@dataclass(frozen=True)
class Finding:
    """`subject` is a file as messages call it, or another thing, e.g. `backend "team"`.

    `run` is a command to paste and `hint` a sentence: a finding has one of them. `line` and `column` count from 1; they
    are 0 where there is none. `key` is the variable it is about.
    """

    subject: str
    message: str
    run: str = ""
    hint: str = ""
    line: int = 0
    column: int = 0
    key: str = ""

    def lines(self) -> list[str]:
        """What a person reads below the subject. A cure that the message says already is not repeated."""
        where = f"line {self.line}: " if self.line else ""
        return [f"  {where}{self.message}", *self._cure()]

    def _cure(self) -> list[str]:
        if self.run:
            return [f"    run: {self.run}"]
        return [] if self.hint in self.message else [f"    hint: {self.hint}"]


def from_problem(problem: Problem) -> Finding:
    """A fault that a file can't be read with."""
    return Finding(problem.file, problem.text, hint=_CORRECT, line=problem.line, column=problem.column)


def from_error(subject: str, error: EnvrefError, hint: str = _UNKNOWN_CURE) -> Finding:
    """An error with its cure: its own, else what its sentence says after a semicolon, else `hint`."""
    if error.run:
        return Finding(subject, error.message, run=error.run)
    said = error.message.rpartition("; ")[2] if "; " in error.message else hint
    return Finding(subject, error.message, hint=error.hint or said)


def pasted(path: str, directory: str) -> str:
    """A path as a command takes it that is typed in `directory`."""
    return shlex.quote(os.path.relpath(path, directory))
