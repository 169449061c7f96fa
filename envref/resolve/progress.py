"""Progress: a line on stderr that names the slow stores, for the person who waits at a terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from envref import questions, streams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.resolve.store import Store

_PATIENCE = 1.0  # seconds after which people wonder what is going on


class Progress:
    """A context in which stores are asked. Names a store that is still at work after a second, until it ends; if it may
    be waiting for a person, says what for.
    """

    def __init__(self, stores: Iterable[Store]) -> None:
        self._stores = stores
        self._timer = threading.Timer(_PATIENCE, self._show)
        self._timer.daemon = True
        self._cancellable = questions.Cancellable()  # a store that is asked in a thread of its own may ask the person

    def __enter__(self) -> None:
        self._cancellable.__enter__()
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._cancellable.__exit__()
        self._timer.cancel()
        streams.passing.clear()

    def _show(self) -> None:
        busy = [store for store in self._stores if store.busy]
        if not busy or questions.question.is_open:
            return
        asking = [f"{store.name}: {store.asks_person}" for store in busy if store.asks_person]
        streams.passing.show(
            f"waiting for {', '.join(asking or [store.name for store in busy])}{'' if asking else '…'}"
        )
