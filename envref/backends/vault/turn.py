"""Turns at scrypt: as many processes at a time as there are processors, each with an end.

A derivation takes 128 MiB and a third of a second of a processor: sixty at once would need 8 GB, and each would take
longer than any of them may.
"""

from __future__ import annotations

import _thread
import fcntl
import os
import time

from envref import streams
from envref.backends.answer import no_answer
from envref.paths import make_private, state_path, without_links
from envref.store_errors import BackendTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_QUEUE = 120.0  # seconds that a process waits for those before it
_PATIENCE = 1.0  # seconds after which somebody wonders


class Turn:
    """One derivation, of a call from `started` to `deadline`, of `time.monotonic()`.

    The time in the queue is not the vault's: it is added to both.
    """

    def __init__(self, started: float, deadline: float) -> None:
        self.deadline = deadline
        self._started = started
        self._began = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()
        self._given_up = False
        self._outcome: bytes | BaseException = b""

    def take(self, derive: Callable[[], bytes]) -> bytes:
        """What `derive` returns, or raises. BackendTimeout at the deadline; an interrupt ends the wait at once.

        It works in a thread, because nothing else can leave a C function: who gives up leaves it behind.
        """
        asked = time.monotonic()
        self._began.acquire()
        self._ended.acquire()
        _thread.start_new_thread(self._work, (derive,))
        try:
            self._wait_for_turn()
            waited = time.monotonic() - asked
            self.deadline += waited
            if not self._ended.acquire(timeout=_bounded(self.deadline - time.monotonic())):
                raise no_answer("vault", self._started + waited, self.deadline)
        except BaseException:
            self._given_up = True
            raise
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def _wait_for_turn(self) -> None:
        if self._began.acquire(timeout=_PATIENCE):
            return
        streams.passing.show("vault: waiting for other processes that open theirs…")
        if not self._began.acquire(timeout=LONGEST_QUEUE):
            raise BackendTimeout(
                f"vault: no turn within {LONGEST_QUEUE:g} s: many processes open vaults at once", hint="try again"
            )

    def _work(self, derive: Callable[[], bytes]) -> None:
        slot = _slot()
        try:
            if slot >= 0:
                fcntl.flock(slot, fcntl.LOCK_EX)
            self._began.release()
            self._outcome = b"" if self._given_up else derive()
        except BaseException as error:  # noqa: BLE001  it is raised where the outcome is waited for
            self._outcome = error
        finally:
            if slot >= 0:
                os.close(slot)
            self._ended.release()


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), _thread.TIMEOUT_MAX)


def _slot() -> int:
    """A descriptor of the file whose lock is the turn; -1 where none can be had, and then there is no queue.

    Each process has its file by its number, so that nobody overtakes anybody by trying them all.
    """
    folder = state_path("turns")
    try:
        if not folder or make_private(folder):
            return -1
        place = os.path.join(folder, str(os.getpid() % (os.cpu_count() or 1)))
        return without_links(place, os.O_RDWR | os.O_CREAT)
    except OSError:
        return -1
