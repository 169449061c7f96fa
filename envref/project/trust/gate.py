"""The gate: nothing that a project's own files could abuse is run, contacted or read before the user trusts them.

`Chain` calls `check` before it opens stores, so every command passes it. `need` decides what needs trust, `meaning`
what trust is given to, `record` keeps it, `message` is what people read; `cli/consent` asks the question. Most projects
need no trust: their runs load `need` and `names`, and nothing else here.
"""

from __future__ import annotations

import os

from envref.errors import UNTRUSTED, EnvrefError, pasted
from envref.project.trust.agreement import is_granted_beforehand, is_pinned
from envref.project.trust.names import Name
from envref.project.trust.need import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from envref.project.project import Project


class Untrusted(EnvrefError):
    """The project asks for something that the user has not allowed. Its lines are those of security.md 5.6.

    `question` are the lines to show before asking a person; empty if they already refused the project as it is. `meant`
    is what they are about: a yes is to that, and to nothing else.
    """

    status = UNTRUSTED

    def __init__(
        self, lines: Sequence[str], question: Sequence[str] = (), meant: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(lines[0])
        self._lines = list(lines)
        self.question = list(question)
        self.meant = meant or {}

    def lines(self) -> list[str]:
        return self._lines


def check(project: Project, environment: Mapping[str, str] = os.environ) -> Name:
    """The project's Name, if the project needs no trust or has it; records the project under it if nobody else has it.

    Raises Untrusted before anything that the project chose is run, contacted or read.
    """
    wanted = needs(project, environment)
    name = Name(project, environment)
    if wanted and not is_granted(project, environment):
        raise refusal(project, environment)
    if not name.others():
        name.give()
    return name


def refusal(project: Project, environment: Mapping[str, str] = os.environ) -> Untrusted:
    """Why the project may not do what it asks for, or export into a shell; `question` is empty if its user said no."""
    from envref.project.trust import message, record
    from envref.project.trust.meaning import meaning

    wanted, others = needs(project, environment), Name(project, environment).others()
    meant = meaning(project, environment)
    kept = record.read(project.root, environment)
    question = [] if kept and kept.refuses(meant) else message.request(project, wanted, others, meant, kept)
    return Untrusted(message.refusal(project, wanted, others, meant, kept), question, meant)


def is_waiting(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the project needs trust and does not have it, for a command that can go on without."""
    return bool(needs(project, environment)) and not is_granted(project, environment)


def is_granted(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user allowed what the project means now: by ENVREF_TRUST, `trusted_paths` or a record."""
    if is_granted_beforehand(project, environment):
        return True
    from envref.project.trust import record
    from envref.project.trust.meaning import meaning

    meant = meaning(project, environment)
    kept = record.read(project.root, environment)
    return is_pinned(meant, environment) or (kept is not None and kept.allows(meant))


def grant(project: Project, meant: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user trusts the project to mean what they were shown.

    Raises Untrusted if it means something else by now, EnvrefError if that can't be saved.
    """
    from envref.paths import shown
    from envref.project.project import configured
    from envref.project.trust import record
    from envref.project.trust.meaning import meaning

    if meaning(configured(project.root, project.profile, environment), environment) != meant:
        place = shown(project.root)
        again = pasted(("envref", "trust"))
        raise Untrusted([f"envref: {place} changed while you were asked, nothing was run or read; look again: {again}"])
    record.write(project.root, meant, environment, granted=True)
    Name(project, environment).give()


def deny(project: Project, meant: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> None:
    """Records that the user does not trust it, so that nothing asks again until the project changes."""
    from envref.project.trust import record

    record.write(project.root, meant, environment, granted=False)
