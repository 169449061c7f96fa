"""The gate: nothing that a project's own files could abuse is run, contacted or read before the user trusts them.

`require` stands where stores are opened (`Chain`), so that every command passes it. What needs trust is decided by
`need`, what it is given to by `meaning`, where that is kept by `record`, and what people read of it by `message`.
Most projects need none: a run of theirs loads `need` and `names`, and nothing else of this package.
"""

from __future__ import annotations

import os
import sys

from envref import streams
from envref.errors import UNTRUSTED, EnvrefError
from envref.paths import expanded, shown
from envref.project.trust.names import Name
from envref.project.trust.need import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from envref.project.project import Project
    from envref.project.trust.need import Need

VARIABLE = "ENVREF_TRUST"
_EVERYTHING = "all"

_passed: set[str] = set()  # roots: a command opens its stores more than once, and is asked and warned once


class Untrusted(EnvrefError):
    """The project asks for something that the user has not allowed. Its lines are those of security.md 5.6."""

    status = UNTRUSTED

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines[0])
        self._lines = list(lines)

    def lines(self) -> list[str]:
        return self._lines


def require(project: Project, environment: Mapping[str, str] = os.environ) -> None:
    """Returns if the project needs no trust, or has it. On a terminal the user is asked, once.

    Raises Untrusted, before anything of the project's choice was run, contacted or read.
    """
    if project.root in _passed:
        return
    wanted = needs(project, environment)
    name = Name(project, environment)
    if wanted and not is_granted(project, environment):
        _ask(project, wanted, name.others(), environment)
    elif name.others() and not _is_granted_by_environment(environment):
        used_by = ", ".join(shown(other, environment) for other in name.others())
        streams.inform(f'envref: warning: project "{name.text}" is also used by {used_by}')
    else:
        name.give()
    _passed.add(project.root)


def is_waiting(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the project needs trust and does not have it: for a command that goes on without what would need it."""
    return bool(needs(project, environment)) and not is_granted(project, environment)


def is_granted(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user allowed what the project means now: by ENVREF_TRUST, `trusted_paths` or a record."""
    if _is_granted_by_environment(environment) or _is_trusted_path(project, environment):
        return True
    from envref.project.trust import record
    from envref.project.trust.meaning import fingerprint, meaning

    wanted = fingerprint(meaning(project, environment))
    if wanted in environment.get(VARIABLE, "").replace(" ", "").split(","):
        return True
    kept = record.read(project.root, environment)
    return kept is not None and kept.granted and kept.fingerprint == wanted


def _is_granted_by_environment(environment: Mapping[str, str]) -> bool:
    return environment.get(VARIABLE) == _EVERYTHING


def _is_trusted_path(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether a directory of `trusted_paths` is the project's root, or above it. Whole names count, not beginnings."""
    root = os.path.join(project.root, "")
    return any(
        root.startswith(os.path.join(os.path.realpath(expanded(path, environment)), ""))
        for path in project.config.trusted_paths
        if os.path.isabs(path)
    )


def _ask(project: Project, wanted: list[Need], others: list[str], environment: Mapping[str, str]) -> None:
    """Asks the person at the terminal, unless they said no to just this before. Raises Untrusted without a yes."""
    from envref.project.trust import message, record
    from envref.project.trust.meaning import fingerprint, meaning

    meant = meaning(project, environment)
    kept = record.read(project.root, environment)
    refusal = Untrusted(message.refusal(project, wanted, others, meant, kept))
    denied = kept is not None and not kept.granted and kept.fingerprint == fingerprint(meant)
    if denied or not _at_terminal():
        raise refusal
    streams.say(message.request(project, wanted, others, meant, kept))
    granted = answered_yes("trust it? [y/N] ")
    _decide(project, meant, environment, granted=granted)
    if not granted:
        place = shown(project.root, environment)
        raise Untrusted([f"envref: {place} is not trusted, nothing was run or read; to allow it: envref trust"])


def answered_yes(question: str) -> bool:
    """Whether the person at the terminal says yes; anything else, and nothing, is a no."""
    streams.ask(question)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        streams.ask("\n")
    return answer.strip().lower() in ("y", "yes")


def _at_terminal() -> bool:
    """Whether there is somebody to ask: neither the question nor the answer goes through a pipe."""
    return sys.stdin is not None and sys.stdin.isatty() and os.isatty(2)


def grant(project: Project, environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user trusts the project as it is now. Raises EnvrefError where that can't be kept."""
    from envref.project.trust.meaning import meaning

    _decide(project, meaning(project, environment), environment, granted=True)


def deny(project: Project, environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user does not, so that nothing asks again until the project changes."""
    from envref.project.trust.meaning import meaning

    _decide(project, meaning(project, environment), environment, granted=False)


def _decide(project: Project, meant: Mapping[str, Any], environment: Mapping[str, str], *, granted: bool) -> None:
    from envref.project.trust import record

    record.write(project.root, meant, environment, granted=granted)
    if granted:
        Name(project, environment).give()


def kept(project: Project, environment: Mapping[str, str] = os.environ) -> AbstractContextManager[None]:
    """A context to edit the config in: a project that is trusted when it begins is trusted as edited when it ends."""
    from envref.project.trust.edit import kept as context

    return context(project, environment)
