"""Another try: for what is throttled and nothing else, few times, never past the deadline."""

from __future__ import annotations

import random
import time

import pytest

from envref.backends import throttling
from envref.backends.throttling import TRIES, patiently
from envref.store_errors import BackendTimeout


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that are made; none takes time. The jitter is always the longest."""
    made = []
    monkeypatch.setattr(throttling.time, "sleep", made.append)
    monkeypatch.setattr(random, "uniform", lambda low, high: low + high)
    return made


class Store:
    """Refuses each name as often as `refusals` says; an answer after that is the name in capitals."""

    def __init__(self, **refusals):
        self.refusals = refusals
        self.asked = []

    def __call__(self, names):
        self.asked.append(list(names))
        return [self.answer(name) for name in names]

    def answer(self, name):
        self.refusals[name] -= 1
        return 1.5 if self.refusals[name] >= 0 else name.upper()


def pause_of(outcome):
    return outcome if isinstance(outcome, float) else None


def asked(store, *names, left=60, **options):
    return patiently(store, names, time.monotonic() + left, pause_of, **options)


def test_only_what_is_throttled_is_asked_again(pauses):
    """Once more each time, in the order of the question; the others keep their answers."""
    store = Store(a=0, b=2, c=1)
    assert asked(store, "a", "b", "c") == ["A", "B", "C"]
    assert store.asked == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_the_pause_is_the_stores_and_a_jitter_that_grows(pauses):
    """Full jitter of up to half a second, then of up to one, on top of what the store asks for."""
    asked(Store(a=9), "a")
    assert pauses == [1.5 + 0.5, 1.5 + 1.0]


def test_it_ends_after_three_tries(pauses):
    """Or after as many as the user wants; the refusal is the outcome."""
    store = Store(a=9)
    assert asked(store, "a") == [1.5]
    assert len(store.asked) == TRIES == 3
    for tries in (1, 5):
        store = Store(a=9)
        asked(store, "a", tries=tries)
        assert len(store.asked) == tries


def test_no_pause_outlasts_the_deadline(pauses):
    """The refusal comes at once, and says more than a time-out would."""
    store = Store(a=1)
    assert asked(store, "a", left=1.9) == [1.5]
    assert (pauses, len(store.asked)) == ([], 1)


def test_a_second_try_that_has_no_time_leaves_the_refusal(pauses):
    """What the store said is worth more than that it said nothing later."""
    answers = [[2.0], [BackendTimeout("late")]]
    assert patiently(lambda _: answers.pop(0), ["a"], time.monotonic() + 60, pause_of, tries=2) == [2.0]


def test_nothing_asked_is_nothing_answered(pauses):
    """No pause either."""
    assert asked(Store()) == []
    assert pauses == []
