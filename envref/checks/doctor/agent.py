"""Doctor's check of the agent: whether activations use it, or do without for a reason that only -v says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref import client
from envref.agent import report
from envref.checks.doctor.finding import from_error
from envref.errors import EnvrefError
from envref.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.checks.doctor.case import Case
    from envref.checks.doctor.finding import Finding


def unusable_agent(case: Case) -> Iterator[Finding]:
    """One of another version or user, one that does not answer, a folder that others can enter or replace.

    Where the user's own config wants none, it is no concern of the project's.
    """
    config, place = case.project.config, client.folder()
    if not any(map(config.agent_seconds, config.backends)):
        return
    try:
        report.read(place)
    except EnvrefError as error:
        yield from_error(shown(place), error)
