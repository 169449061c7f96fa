"""Tell: what commands tell this user's agent, beside asking it: that a store is written, what to forget, to stop."""

from __future__ import annotations

import time

from envref.client import DONE, PATIENCE, PROTOCOL, STOP, WRITE, Untrustworthy, Wire, connect, folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

UNTOLD = "the agent may still have the old value; run: envref agent forget"


class Writing:
    """A context in which a store of this type is written: meanwhile the agent has nothing of such stores.

    It forgets them before, and an answer that was asked for before is not kept afterwards. No agent, no effect.
    """

    is_safe: bool  # False: there is an agent, which could not be told

    def __init__(self, kind: str, place: str = "") -> None:
        self._kind = kind
        self._place = place
        self._line: Wire | None = None

    def __enter__(self) -> Self:
        place = self._place or folder()
        self._line = _told(place, WRITE, PROTOCOL, self._kind.encode())
        self.is_safe = bool(self._line) or not is_there(place)
        return self

    def __exit__(self, *_: object) -> None:
        if self._line:
            self._line.close()


def is_there(place: str) -> bool:
    """Whether an agent holds the socket there, well or not: none that ended does."""
    try:
        connect(place).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError as error:
        return not isinstance(error, Untrustworthy)  # of that one nobody here is served
    return True


def tell(place: str, *fields: bytes) -> bool:
    """Tells the agent in that folder something, e.g. FORGET; whether there is one that did it."""
    line = _told(place, *fields)
    if line:
        if fields[0] == STOP:
            _await_end(line)
        line.close()
    return line is not None


def _await_end(line: Wire) -> None:
    """Waits until the agent has closed the line, which is the last that it does: then its socket is gone too."""
    try:
        line.hear(time.monotonic() + 10 * PATIENCE)
    except OSError:
        pass


def _told(place: str, *fields: bytes) -> Wire | None:
    line = None
    try:
        line = connect(place)
        if line.ask(*fields)[0] == DONE:
            return line
    except OSError:
        pass
    if line:
        line.close()
    return None
