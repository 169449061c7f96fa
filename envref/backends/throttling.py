"""Another try for a store that says it is asked too often; never for one that does not answer (ST-F3)."""

from __future__ import annotations

import time

from envref.store_errors import BackendTimeout, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    _Asked = TypeVar("_Asked")
    _Outcome = TypeVar("_Outcome")

TRIES = 3
_FIRST = 0.5  # seconds that the first pause is shorter than; each further one may be twice as long


class Throttled(BackendUnavailable):
    """The store limits how often it is asked."""


def patiently(
    ask: Callable[[Sequence[_Asked]], list[_Outcome]],
    asked: Sequence[_Asked],
    deadline: float,
    pause_of: Callable[[_Outcome], float | None],
    *,
    tries: int = TRIES,
) -> list[_Outcome]:
    """What `ask` answers, in the order of `asked`; whatever is throttled is asked again, at most `tries` times in all.

    `pause_of` gives the seconds that the store wants to be left alone (0 if it does not say), None for an answer that
    is not about throttling. Pauses have full jitter, so that many shells don't come back together. There is none that
    would outlast the deadline, and an answer that does not come in time leaves the refusal, which says more.
    """
    outcomes = ask(asked)
    for attempt in range(1, tries):
        pauses = {index: pause for index, each in enumerate(outcomes) if (pause := pause_of(each)) is not None}
        if not pauses:
            break
        import random  # a fifth of what a hundred plain variables cost

        # Not for cryptography: S311 is about that.
        pause = max(pauses.values(), default=0.0) + random.uniform(0, _FIRST * 2 ** (attempt - 1))  # noqa: S311
        if time.monotonic() + pause >= deadline:
            break
        time.sleep(pause)
        answers = ask([asked[index] for index in pauses])
        for index, answer in zip(pauses, answers, strict=True):
            outcomes[index] = outcomes[index] if isinstance(answer, BackendTimeout) else answer
    return outcomes
