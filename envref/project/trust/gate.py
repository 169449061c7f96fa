"""The gate: nothing that a project's own files could abuse is run, contacted or read before the user trusts them.

`Chain` calls `check` before it opens stores, so every command passes it. `need` decides what needs trust, `meaning`
what trust is given to, `record` keeps it, `message` is what people read; `cli/consent` asks the question. Most projects
need no trust: their runs load `need` and `names`, and nothing else here.
"""

from __future__ import annotations

import os

from envref.errors import UNTRUSTED, EnvrefError
from envref.paths import expanded
from envref.project.trust.names import Name
from envref.project.trust.need import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from envref.project.project import Project
    from envref.project.trust.need import Need

VARIABLE = "ENVREF_TRUST"
_EVERYTHING = "all"


class Untrusted(EnvrefError):
    """The project asks for something that the user has not allowed. Its lines are those of security.md 5.6.

    `question` are the lines to show before asking a person; empty if they already refused the project as it is.
    """

    status = UNTRUSTED

    def __init__(self, lines: Sequence[str], question: Sequence[str] = ()) -> None:
        super().__init__(lines[0])
        self._lines = list(lines)
        self.question = list(question)

    def lines(self) -> list[str]:
        return self._lines


def check(project: Project, environment: Mapping[str, str] = os.environ) -> Name:
    """The project's Name, if the project needs no trust or has it; records the project under it if nobody else has it.

    Raises Untrusted before anything that the project chose is run, contacted or read.
    """
    wanted = needs(project, environment)
    name = Name(project, environment)
    if wanted and not is_granted(project, environment):
        raise _refusal(project, wanted, name.others(), environment)
    if not name.others():
        name.give()
    return name


def _refusal(project: Project, wanted: list[Need], others: list[str], environment: Mapping[str, str]) -> Untrusted:
    from envref.project.trust import message, record
    from envref.project.trust.meaning import fingerprint, meaning

    meant = meaning(project, environment)
    kept = record.read(project.root, environment)
    denied = kept is not None and not kept.granted and kept.fingerprint == fingerprint(meant)
    question = [] if denied else message.request(project, wanted, others, meant, kept)
    return Untrusted(message.refusal(project, wanted, others, meant, kept), question)


def is_waiting(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the project needs trust and does not have it, for a command that can go on without."""
    return bool(needs(project, environment)) and not is_granted(project, environment)


def is_granted(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user allowed what the project means now: by ENVREF_TRUST, `trusted_paths` or a record."""
    if is_granted_by_environment(environment) or _is_trusted_path(project, environment):
        return True
    from envref.project.trust import record
    from envref.project.trust.meaning import fingerprint, meaning

    wanted = fingerprint(meaning(project, environment))
    if wanted in environment.get(VARIABLE, "").replace(" ", "").split(","):
        return True
    kept = record.read(project.root, environment)
    return kept is not None and kept.granted and kept.fingerprint == wanted


def is_granted_by_environment(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether ENVREF_TRUST allows everything."""
    return environment.get(VARIABLE) == _EVERYTHING


def _is_trusted_path(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether a directory of `trusted_paths` is the project's root or above it. Whole names count, not beginnings."""
    root = os.path.join(project.root, "")
    return any(
        root.startswith(os.path.join(os.path.realpath(expanded(path, environment)), ""))
        for path in project.config.trusted_paths
        if os.path.isabs(path)
    )


def grant(project: Project, environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user trusts the project as it is now. Raises EnvrefError if that can't be saved."""
    from envref.project.trust.meaning import meaning

    _decide(project, meaning(project, environment), environment, granted=True)


def deny(project: Project, environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user does not trust it, so that nothing asks again until the project changes."""
    from envref.project.trust.meaning import meaning

    _decide(project, meaning(project, environment), environment, granted=False)


def _decide(project: Project, meant: Mapping[str, Any], environment: Mapping[str, str], *, granted: bool) -> None:
    from envref.project.trust import record

    record.write(project.root, meant, environment, granted=granted)
    if granted:
        Name(project, environment).give()
