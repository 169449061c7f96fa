"""The values that a tool gets: those of a project that somebody here has agreed to, and nobody is asked.

The tool has standard input and output, and may be started anywhere.
"""

from __future__ import annotations

from envref import streams
from envref.cli import activate
from envref.cli.timeout import timeout_of_environment
from envref.errors import EnvrefError, about
from envref.formats.text import environment_text
from envref.project.config.files import FILE
from envref.project.trust.agreement import is_agreed, is_settled
from envref.resolve import resolution as resolutions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from envref.project.project import Project


def agreed(directory: str) -> Project:
    """The project around the directory, its env files read. Raises Untrusted, before a store is asked, for one that
    nobody has agreed to as it is now: what it gives to whom is its own choice.
    """
    about(directory, FILE)
    project = resolutions.load(directory)
    if not is_agreed(project):
        from envref.project.trust.gate import refusal

        raise refusal(project)
    return resolutions.load(directory) if project.unread else project


def values(project: Project, names: Sequence[str], may_lack: Container[str] = ()) -> list[str]:
    """The values of these variables. EnvrefError, with what is wrong on stderr, unless all are there; empty text for
    one that may lack.
    """
    environment = resolutions.environment_of(project)
    chosen = environment.select(names)
    is_locked = project.config.locked
    stores = activate.locked_stores(project, environment.closure(chosen)) if is_locked else None
    found = resolutions.resolved(
        project, environment, chosen, timeout_of_environment(), _gate, activate.agent_of, stores
    )
    if found.failed:
        from envref.resolve.report import complaints

        streams.say(complaints(found.filled.values(), ""))
        raise EnvrefError(f"no value for {', '.join(names)}", hint="the lines above say why")
    given = {name: environment_text(name, value) for name, value in found.values()}
    for name in names:
        if not given.get(name) and name not in may_lack:
            raise EnvrefError(f"{name} has no value", hint="store its secret, or set it in an env file")
    return [given.get(name, "") for name in names]


def _gate(project: Project) -> None:
    """What the stores have to pass; a state that has its seal has passed it."""
    if is_settled(project):
        return
    from envref.project.trust.gate import check

    check(project)
