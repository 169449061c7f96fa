"""Progress: a line on stderr that names the slow stores, for the person who waits at a terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from envref import streams

if TYPE_CHECKING:
    from envref.resolve.chain import Chain

_PATIENCE = 1.0  # seconds after which people wonder what is going on


class Progress:
    """A context in which stores are asked. Names a store that is still at work after a second, until it ends."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._timer = threading.Timer(_PATIENCE, self._show)
        self._timer.daemon = True
        self._cancellable = streams.Cancellable()  # a store that is asked in a thread of its own may ask the person

    def __enter__(self) -> None:
        self._cancellable.__enter__()
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._cancellable.__exit__()
        self._timer.cancel()
        streams.passing.clear()

    def _show(self) -> None:
        busy = [store.name for store in self._chain if store.busy]
        if busy and not streams.question.is_open:
            streams.passing.show(f"waiting for {', '.join(busy)}…")
