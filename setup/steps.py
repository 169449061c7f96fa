"""Steps of a set-up, run side by side: each waits for the network most of its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from setup.failure import NotSetUp

if TYPE_CHECKING:
    from collections.abc import Callable


def at_once(*steps: Callable[[], object]) -> None:
    """Runs all steps; when all have ended, ends the program with the text of every failure."""
    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        ended = [pool.submit(step) for step in steps]
    failures = [failure for each in ended if (failure := each.exception())]
    unforeseen = [failure for failure in failures if not isinstance(failure, NotSetUp)]
    if unforeseen:
        raise unforeseen[0]
    if failures:
        raise NotSetUp("\n".join(map(str, failures)))
