"""A pool of connections to one server: several requests at once, each connection kept for the next one."""

from __future__ import annotations

from _thread import allocate_lock

from envref.backends.http.connection import Connection, NotHttp, Unusual, is_late
from envref.backends.http.threads import begun, shared
from envref.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from envref.backends.http.connection import Server

    _Job = TypeVar("_Job")
    _Result = TypeVar("_Result")


class Connections:
    """Connections to one server, each used by one job at a time, and kept for the next."""

    def __init__(self, server: Server, deadline: float) -> None:
        self._server = server
        self._deadline = deadline
        self._idle: list[Connection] = []

    def side_by_side(
        self, work: Callable[[Connection, _Job], _Result], jobs: Sequence[_Job], at_once: int
    ) -> list[_Result | Exception]:
        """What `work` returns for each job, or the error that it raises, in the order of the jobs."""
        outcomes: dict[int, _Result | Exception] = {}
        waiting = iter(list(enumerate(jobs)))
        turn = allocate_lock()

        def worker() -> None:
            connection = self._idle.pop() if self._idle else Connection(self._server, self._deadline)
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
        return [outcomes[index] for index in range(len(jobs))]

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


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
