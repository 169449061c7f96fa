"""What commands tell an agent beside asking it, over a pair of sockets in the place of its own."""

from __future__ import annotations

import socket
import types

import pytest

from envref import client
from envref.agent import tell
from envref.client import DONE, FORGET, HITS, PROTOCOL, STOP, WRITE, Untrustworthy

# What connecting meets, and whether an agent is there then.
ERRORS = [
    (FileNotFoundError(2, "none"), False),
    (ConnectionRefusedError(111, "refused"), False),
    (PermissionError(13, "denied"), True),
    (TimeoutError(), True),
    (Untrustworthy(0, "is not ours"), False),
]


class Place:
    """Where an agent is: `answers` are its words, one for each connection; None closes that one at once."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.ends = []

    def connect(self, place):
        assert place == "/place"
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        if answer is not None:
            theirs.sendall(client.frame((answer,)))
        theirs.shutdown(socket.SHUT_WR)
        return client.Wire(ours)

    def heard(self, number):
        """All that was said on this connection, and whether it is closed by now."""
        self.ends[number].settimeout(0)
        data = b""
        try:
            while more := self.ends[number].recv(1 << 16):
                data += more
        except BlockingIOError:
            return data[4:].split(b"\0"), False
        return data[4:].split(b"\0"), True


@pytest.fixture
def place(monkeypatch):
    """Makes such a place."""
    made = []

    def make(*answers):
        made.append(Place(answers))
        monkeypatch.setattr(tell, "connect", made[-1].connect)
        return made[-1]

    yield make
    for each in made:
        for end in each.ends:
            end.close()


def test_an_agent_has_nothing_of_a_store_while_it_is_written(place):
    """It is told before, and the line stays open until the store is written."""
    there = place(DONE)
    with tell.Writing("vault", "/place") as writing:
        assert writing.is_safe
        assert there.heard(0) == ([WRITE, PROTOCOL, b"vault"], False)
    assert there.heard(0)[1]


def test_an_agent_that_could_not_be_told_may_have_the_old_value(place):
    """One of another version, or that is killed at that moment; the line is closed."""
    for answer in (HITS, None):
        there = place(answer, None)
        with tell.Writing("vault", "/place") as writing:
            assert not writing.is_safe
            assert [there.heard(number)[1] for number in (0, 1)] == [True, True]


@pytest.mark.parametrize(("error", "is_there"), ERRORS)
def test_where_no_agent_can_be_reached(place, error, is_there):
    """It matters only where one may be that serves somebody here."""
    place(error)
    assert tell.is_there("/place") == is_there
    place(error, error)
    with tell.Writing("vault", "/place") as writing:
        assert writing.is_safe != is_there
    place(error)
    assert not tell.tell("/place", FORGET)


def test_the_place_is_the_user_s_own(place, monkeypatch):
    """Unless another one is named."""
    there = place(DONE)
    monkeypatch.setattr(tell, "folder", lambda: "/place")
    with tell.Writing("vault"):
        assert len(there.ends) == 1


@pytest.mark.parametrize(("answer", "is_done"), [(DONE, True), (HITS, False), (None, False)])
def test_what_is_told_is_done_or_not(place, answer, is_done):
    """By its own word; the line is closed either way."""
    there = place(answer)
    assert tell.tell("/place", FORGET, b"vault") == is_done
    assert there.heard(0) == ([FORGET, b"vault"], True)
    there = place(None)
    assert tell.is_there("/place")
    assert there.heard(0) == ([b""], True)


@pytest.mark.parametrize(("word", "answer"), [(STOP, DONE), (FORGET, DONE), (STOP, HITS)])
def test_the_end_of_an_agent_is_waited_for(monkeypatch, word, answer):
    """It closes the line last, when its socket has gone; nothing else is waited for so."""
    said = []

    class Line:
        def ask(self, *fields):
            said.append(fields)
            return [answer]

        def hear(self, until):
            said.append("waits")
            assert until == 1001  # ten times what it may take to answer
            raise OSError(0, "it closed the connection")

        def close(self):
            said.append("closed")

    monkeypatch.setattr(tell, "connect", lambda _: Line())
    monkeypatch.setattr(tell, "time", types.SimpleNamespace(monotonic=lambda: 1000))
    assert tell.tell("/place", word) == (answer == DONE)
    assert said == [(word,), *(["waits"] if (word, answer) == (STOP, DONE) else []), "closed"]
