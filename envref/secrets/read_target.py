"""ReadTarget: where a command reads secrets: a project's, at one scope, in one of its stores or in the chain of them.

This file imports nothing that reading one secret does not need.
"""

from __future__ import annotations

from envref.resolve.chain import Chain
from envref.resolve.resolve import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.project.project import Project
    from envref.resolve.resolution import Gate


class ReadTarget:
    """A project's secrets at the effective scope, in the given backend or in the first one.

    `timeout` is seconds a store may take, None for its own. `gate` raises for a project whose stores may not be asked.
    """

    def __init__(self, project: Project, backend: str | None, timeout: float | None, gate: Gate) -> None:
        self.project = project
        self.scope = Scope.of(project)
        self.given_backend = backend
        self._timeout = timeout
        # Asks a person for trust before anything else, and only once.
        self.backend = Chain(project, self._timeout, gate).store(backend).name

    def chain(self) -> Chain:
        """The project's stores. Their time begins now, so a command asks the person first."""
        return Chain(self.project, self._timeout)
