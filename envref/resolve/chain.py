"""Chain: the project's stores in the order they are asked, behind the gate."""

from __future__ import annotations

import time

from envref.resolve.store import Store, Stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.client import Agent
    from envref.project.project import Project


class ProjectStores(Stores):
    """The stores of a project: for code that needs their names for a secret and asks none. `kind` is what each is."""

    __slots__ = ()

    kind: type[Store] = Store

    def __init__(self, project: Project, timeout: float | None = None) -> None:
        started, backends = time.monotonic(), project.config.backends
        if not any(backend.borrowed for backend in backends):
            super().__init__(self.kind(backend, project.root, timeout, started) for backend in backends)
            _log(self, project)
            return
        from envref.resolve.loan import Desk  # only few projects have such a store
        from envref.resolve.resolve import Scope

        desk = Desk(Scope.of(project))
        super().__init__(self.kind(backend, project.root, timeout, started, desk.open) for backend in backends)
        # A credential is a value, whatever these stores are asked for.
        own = (Store(backend, project.root, timeout, started, desk.open) for backend in backends)
        lenders: Stores = self if self.kind is Store else Stores(own)
        desk.serve(lenders)
        for stores in {self, lenders}:
            _log(stores, project)


def _log(stores: Stores, project: Project) -> None:
    """Lets the stores tell of each read, where the config asks for it (docs/adr/0040)."""
    if not project.config.logs_reads:
        return
    from envref.resolve.reads import Reads

    reads = Reads(project)
    for store in stores:
        store.reads = reads


def _check(project: Project) -> None:
    from envref.project.trust.gate import check

    check(project)


class Chain(ProjectStores):
    """The stores that may be asked. A project that needs trust and does not have it gets no Chain.

    Making one raises Untrusted then, so all use of a store passes the gate. The command line's `gate` asks the person
    at the terminal, so the stores' time begins after it.
    """

    __slots__ = ()

    def __init__(
        self, project: Project, timeout: float | None = None, gate: Callable[[Project], object] = _check
    ) -> None:
        gate(project)
        super().__init__(project, timeout)


class VariableChain(Chain):
    """The stores, asked for variables: they ask for a passphrase only if standard input is a terminal too
    (commands.md 2.2).
    """

    __slots__ = ()

    def __init__(
        self,
        project: Project,
        timeout: float | None = None,
        gate: Callable[[Project], object] = _check,
        agent: Agent | None = None,
    ) -> None:
        super().__init__(project, timeout, gate)
        for store in self:
            store.asks_beside_data = False
        if agent:
            self._remember(agent, project)

    def _remember(self, agent: Agent, project: Project) -> None:
        """Lets the agent keep what the user wants kept (docs/agent.md)."""
        from envref.resolve.remembered import Remembered

        scope = project.config.project, project.profile
        for backend in project.config.backends:
            store, seconds = self.get(backend.name), project.config.agent_seconds(backend, agent.usual)
            if store and seconds:
                store.memory = Remembered(agent, seconds, scope)
