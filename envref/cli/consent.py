"""Consent: how the person at the terminal is asked whether a project may do what it asks for (security.md 5.6)."""

from __future__ import annotations

import os
import sys

from envref import questions, streams
from envref.errors import pasted
from envref.paths import shown
from envref.project.trust.agreement import is_granted_beforehand
from envref.project.trust.gate import Untrusted, check, deny, grant, refusal
from envref.project.trust.names import Name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.project.project import Project

QUESTION = "trust it? [y/N] "


def require(project: Project) -> None:
    """Returns if the project needs no trust, or has it. On a terminal asks the person, and keeps the answer.

    Raises Untrusted, before anything of the project's choice was run, contacted or read.
    """
    try:
        check(project)
    except Untrusted as refused:
        _ask(project, refused)
        return
    tell_of_others(project)


def agree(project: Project) -> None:
    """The same for a project that is to export into a shell and that nobody has agreed to (`trust/agreement`)."""
    _ask(project, refusal(project))


def tell_of_others(project: Project) -> None:
    """Warns where other directories use the project's name, and so its secrets."""
    name = Name(project)
    if name.others() and not is_granted_beforehand(project):
        used_by = ", ".join(map(shown, name.others()))
        fact = f'project "{name.text}" is also used by {used_by}'
        streams.inform(f"envref: warning: {fact}; if that is meant, run: {pasted(('envref', 'trust'))}")


def _ask(project: Project, refused: Untrusted) -> None:
    """Raises what was refused unless the person at the terminal allows it; the answer is kept."""
    if not refused.question or not at_terminal():
        raise refused from None
    streams.say(refused.question)
    if is_yes(QUESTION):
        grant(project, refused.meant)
        return
    deny(project, refused.meant)
    place, cure = shown(project.root), pasted(("envref", "trust"))
    raise Untrusted([f"envref: {place} is not trusted, nothing was run or read; to allow it: {cure}"])


def is_yes(question: str) -> bool:
    """Whether the person at the terminal says yes; anything else means no, also an empty line."""
    with questions.question:
        streams.ask(question)
        answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        streams.ask("\n")
    return answer.strip().lower() in ("y", "yes")


def at_terminal() -> bool:
    """Whether a person can be asked: neither the question nor the answer goes through a pipe."""
    return sys.stdin is not None and sys.stdin.isatty() and os.isatty(2)
