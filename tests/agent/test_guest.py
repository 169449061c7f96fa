"""One connection to the agent, over a pair of sockets: what has come, and what goes."""

from __future__ import annotations

import socket
import types

import pytest

from envref import client
from envref.agent import guest as agent_guest
from envref.agent.guest import Guest


@pytest.fixture
def clock(monkeypatch):
    """What the guest takes for the time."""
    found = types.SimpleNamespace(now=1000.0)
    monkeypatch.setattr(agent_guest, "now", lambda: found.now)
    return found


@pytest.fixture
def pair(clock):
    """A guest, and the other end of its connection."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield Guest(ours, 7), theirs


def test_one_that_said_nothing_owns_nothing(pair):
    """And there is nothing for it."""
    guest, _ = pair
    assert (guest.process, guest.owner, guest.use, guest.is_engaged) == (7, 0, b"", False)
    assert (guest.read(), guest.frames(), guest.write()) == (True, [], True)


def test_frames_are_taken_as_they_end(pair, clock):
    """In whatever pieces they come; the last one's end is when it was last heard of, and half a one is not."""
    guest, theirs = pair
    data = client.frame((b"one", b"", b"x")) + client.frame((b"",)) + client.frame((b"three",))
    found = []
    for number, byte in enumerate(data[:-1]):
        clock.now = 2000.0 + number
        theirs.sendall(bytes([byte]))
        assert guest.read()
        found += guest.frames()
    assert found == [[b"one", b"", b"x"], [b""]]
    assert (guest.touched, bytes(guest.input)) == (2000.0 + data.index(b"three") - 5, data[-9:-1])
    theirs.sendall(data[-1:] + data)
    assert guest.read()
    assert guest.frames() == [[b"three"], [b"one", b"", b"x"], [b""], [b"three"]]
    assert not guest.input


@pytest.mark.parametrize("more", [0, 1])
def test_a_frame_has_an_end(pair, more):
    """The length says that it is too long: nobody waits for the rest."""
    guest, theirs = pair
    theirs.sendall((client.LARGEST + more).to_bytes(4, "big"))
    assert guest.read()
    if more:
        with pytest.raises(ValueError):  # noqa: PT011  without a word: nobody reads it
            guest.frames()
    else:
        assert guest.frames() == []


def test_what_is_said_goes_as_far_as_it_is_taken(pair, clock):
    """The rest is kept, in order."""
    guest, theirs = pair
    clock.now = 1005.0
    said = [b"%d" % number * 50_000 for number in range(10)]
    for each in said:
        guest.say(client.HITS, each)
    assert guest.touched == 1005.0
    received = b""
    while guest.write():
        received += theirs.recv(1 << 20)
        if not guest.output:
            break
    theirs.setblocking(False)
    while len(received) < 10 * 4 + 10 * 2 + sum(map(len, said)):
        received += theirs.recv(1 << 20)
    assert received == b"".join(client.frame((client.HITS, each)) for each in said)


def test_one_that_has_gone_is_known(pair):
    """What came before is still read."""
    guest, theirs = pair
    theirs.sendall(b"\0\0")
    theirs.close()
    guest.say(client.DONE)
    assert not guest.write()
    assert [guest.read(), guest.read(), bytes(guest.input)] == [True, False, b"\0\0"]


def test_one_that_was_ended_is_known(pair):
    """What it had not read yet makes that an error."""
    guest, theirs = pair
    guest.socket.sendall(b"unread")
    theirs.close()
    assert not guest.read()
