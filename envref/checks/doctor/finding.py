"""Finding: one thing that is wrong, where it is, and what mends it. No field of it can hold a value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envref.errors import cure

if TYPE_CHECKING:
    from envref.errors import EnvrefError, Problem

_CORRECT = "correct this line; whatever reads the file stops at it"
_UNKNOWN_CURE = "ask the store's own program what it needs"


@dataclass(frozen=True)
class Finding:
    """`subject` is a file's name in messages, or another thing, e.g. `backend "team"`.

    `run` and `hint` are as in an error; a finding has at least one of them. `is_said` means that the message gives the
    hint already. A note is no fault: it does not count. `line` and `column` count from 1; 0 means none. `key` is the
    variable.
    """

    subject: str
    message: str
    run: tuple[str, ...] = ()
    hint: str = ""
    is_said: bool = False
    is_note: bool = False
    line: int = 0
    column: int = 0
    key: str = ""

    def lines(self) -> list[str]:
        """The lines to print below the subject. A cure that is already in the message is not repeated."""
        where = f"line {self.line}: " if self.line else ""
        cures = [] if self.is_said else cure(self.run, self.hint)
        return [f"  {where}{self.message}", *(f"    {each}" for each in cures)]


def from_problem(problem: Problem) -> Finding:
    """A Finding of a fault that keeps a file from being read."""
    return Finding(problem.file, problem.text, hint=_CORRECT, line=problem.line, column=problem.column)


def from_error(subject: str, error: EnvrefError, hint: str = _UNKNOWN_CURE) -> Finding:
    """A Finding of an error with the error's cure, else `hint`. The finding's subject replaces the error's."""
    if error.run or error.hint:
        return Finding(subject, error.fact, run=error.run, hint=error.hint)
    return Finding(subject, error.fact, hint=error.advice or hint, is_said=bool(error.advice))


def typed(path: str, directory: str) -> str:
    """A path as a word of a command to type in `directory`."""
    path = os.path.relpath(path, directory)
    return f"./{path}" if path.startswith("-") else path
