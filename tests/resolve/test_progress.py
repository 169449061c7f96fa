"""A store that takes long is named to the person who waits."""

from __future__ import annotations

import threading
import time
import types

import pytest

from envref import questions, streams
from envref.resolve import progress


@pytest.fixture
def shown(monkeypatch):
    """The lines that a person saw; a store is long at work as soon as it is asked."""
    found = []
    monkeypatch.setattr(progress, "_PATIENCE", 0.01)
    line = types.SimpleNamespace(show=found.append, clear=lambda: found.append(""))
    monkeypatch.setattr(streams, "passing", line)
    return found


def stores(asks_person="", **busy):
    return [types.SimpleNamespace(name=name, busy=each, asks_person=asks_person) for name, each in busy.items()]


def waited(chain, seconds, shown):
    """What was shown until the stores had answered, and after that."""
    with progress.Progress(chain):
        limit = time.monotonic() + seconds
        while not shown and time.monotonic() < limit:
            time.sleep(0.01)
    return shown


def test_stores_that_are_still_at_work_are_named(shown):
    """Until they end: the line is taken back."""
    assert waited(stores(op=True, vault=False, pass_=True), 30, shown) == ["waiting for op, pass_…", ""]


def test_a_store_that_asks_a_person_says_what_for(shown):
    """Not that it is slow."""
    assert waited(stores("unlock 1Password", op=True), 30, shown) == ["waiting for op: unlock 1Password", ""]


def test_nobody_is_named_when_all_have_answered(shown):
    """Nor is a question overwritten."""
    assert waited(stores(op=False), 0.2, shown) == [""]


def test_a_question_is_not_overwritten(shown, monkeypatch):
    """A person reads it."""
    monkeypatch.setattr(questions, "question", types.SimpleNamespace(is_open=True))
    assert waited(stores(op=True), 0.2, shown) == [""]


def test_nothing_is_shown_after_the_stores_had_answered(shown, monkeypatch):
    """The clock is stopped with them, and no end of a program waits for it."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.3)
    chain = stores(op=True)
    with progress.Progress(chain) as _:
        [clock] = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
        assert clock.daemon
    clock.join(30)
    assert shown == [""]
