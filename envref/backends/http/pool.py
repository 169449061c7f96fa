"""A pool of connections to one server: several requests at once, each connection kept for the next one."""

from __future__ import annotations

from _thread import allocate_lock
from _weakref import ref  # `weakref` loads what nobody needs here

from envref.backends.http.connection import Connection, NotHttp, Unusual, is_late
from envref.backends.http.threads import begun, shared
from envref.store_errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from envref.backends.http.connection import Answer, Server

    _Job = TypeVar("_Job")
    _Result = TypeVar("_Result")

_BRIEFLY = 0.05  # seconds; a server that takes longer to answer is worth another connection


class _Waiting:
    """A request that waits for a connection: `called` is free once it has one."""

    __slots__ = ("called", "connection")

    def __init__(self) -> None:
        self.called = allocate_lock()
        self.called.acquire()
        self.connection: Connection | None = None


class Connections:
    """Connections to one server, each used by one job at a time, and kept for the next as long as somebody has this."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Connection] = []
        self._turn = allocate_lock()  # for the next two
        self._asking = 0  # connections that `ask` has
        self._waiting: list[_Waiting] = []

    def ask(self, method: str, target: str, headers: Mapping[str, str], deadline: float) -> Answer:
        """The answer over whichever connection is free first: several who ask at once take turns request by request.

        Another one is opened only where none is free for a while. Raises what `Connection.ask` raises.
        """
        connection = self._next(deadline)
        try:
            return connection.ask(method, target, headers)
        finally:
            self._pass_on(connection)

    def _next(self, deadline: float) -> Connection:
        with self._turn:
            if self._idle or not self._asking:
                self._asking += 1
                return self._taken(deadline)
            waiting = _Waiting()
            self._waiting.append(waiting)
        waiting.called.acquire(timeout=_BRIEFLY)
        with self._turn:
            if waiting.connection is None:
                self._waiting.remove(waiting)
                self._asking += 1
                return self._taken(deadline)
        waiting.connection.deadline = deadline
        return waiting.connection

    def _pass_on(self, connection: Connection) -> None:
        """To the request that waits longest; nobody who asks again comes before it."""
        with self._turn:
            if not self._waiting:
                self._asking -= 1
                self._idle.append(connection)
                return
            first = self._waiting.pop(0)
            first.connection = connection
        first.called.release()

    def side_by_side(
        self, work: Callable[[Connection, _Job], _Result], jobs: Sequence[_Job], at_once: int, deadline: float
    ) -> list[_Result | Exception]:
        """What `work` returns for each job, or the error that it raises, in the order of the jobs."""
        outcomes: dict[int, _Result | Exception] = {}
        waiting = iter(list(enumerate(jobs)))
        turn = allocate_lock()

        def worker() -> None:
            connection = self._taken(deadline)
            for index, job in shared(waiting, turn):
                try:
                    outcomes[index] = work(connection, job)
                except Exception as error:  # noqa: BLE001  handed to the caller, who is in another thread
                    outcomes[index] = error
            self._idle.append(connection)

        # The caller works too: a single job needs no thread.
        others = [begun(worker) for _ in range(min(at_once, len(jobs)) - 1)]
        worker()
        for done in others:
            done.acquire()
        try:
            return [outcomes[index] for index in range(len(jobs))]
        finally:  # an error knows where it was raised, and so what has a name here: nobody would see that nobody has it
            outcomes.clear()

    def _taken(self, deadline: float) -> Connection:
        """A connection for one job, which nobody else uses meanwhile."""
        try:
            connection = self._idle.pop()
        except IndexError:
            return Connection(self._server, deadline)
        connection.deadline = deadline
        return connection

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        self.close()


# By Server.identity, those that somebody has: the stores of one host share them, one after another or at once.
_known: dict[object, ref[Connections]] = {}
_search = allocate_lock()


def connections_to(server: Server) -> Connections:
    """The connections to the server that others have already, or new ones."""
    identity = server.identity
    if identity is None:
        return Connections(server)
    with _search:  # several stores begin at once
        known = _known.get(identity)
        connections = (known() if known else None) or Connections(server)
        _known[identity] = ref(connections)
        return connections


def judged(
    outcome: _Result | Exception, late: Callable[[], BackendError], unreached: Callable[[OSError], _Result]
) -> _Result | BackendError:
    """What a job returned, or what its error stands for. Raises Unusual for what only the store's program can judge."""
    if isinstance(outcome, BackendError) or not isinstance(outcome, Exception):
        return outcome
    if is_late(outcome):
        return late()
    if isinstance(outcome, OSError):
        return unreached(outcome)
    if isinstance(outcome, NotHttp | ValueError):
        raise Unusual("an answer that is not the service's") from None
    raise outcome
