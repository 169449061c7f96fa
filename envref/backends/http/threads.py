"""Work in threads of its own, by what threading itself is made of."""

from __future__ import annotations

from _thread import LockType, allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    _Job = TypeVar("_Job")


def begun(work: Callable[[], None]) -> LockType:
    """A lock that is free once the work is done, in a thread of its own, or here where there is none to be had."""
    done = allocate_lock()
    done.acquire()

    def thread() -> None:
        try:
            work()
        finally:
            done.release()

    try:
        start_new_thread(thread, ())
    except RuntimeError:  # the system has no more of them
        thread()
    return done


def shared(waiting: Iterator[_Job], turn: LockType) -> Iterable[_Job]:
    """The jobs that no other thread took."""
    while True:
        with turn:
            job = next(waiting, None)
        if job is None:
            return
        yield job
