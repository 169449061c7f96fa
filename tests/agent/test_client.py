"""The client of the agent: what it sends, and what it makes of an answer that is none."""

from __future__ import annotations

import socket
import threading

import pytest

from envref import client


def test_a_frame_of_four_mebibytes_is_sent_whole(monkeypatch):
    """As long as its length and its fields are together."""
    monkeypatch.setattr(client, "PATIENCE", 60.0)
    ours, theirs = socket.socketpair()
    body, received = b"x" * ((4 << 20) - 4), bytearray()

    def receive():
        while len(received) < 4 << 20 and (chunk := theirs.recv(1 << 20)):
            received.extend(chunk)

    thread = threading.Thread(target=receive)
    with ours, theirs:
        thread.start()
        client.Wire(ours).say(body)
        thread.join(60)
    assert bytes(received) == len(body).to_bytes(4, "big") + body


def test_more_than_an_agent_takes_is_not_sent():
    """Half of it would be worse than nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        with pytest.raises(OSError, match="more than an agent takes"):
            client.Wire(ours).say(b"x" * (client.LARGEST - 4 + 1))
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_an_answer_is_a_value_an_absence_or_an_error():
    """One that is none of them counts for nothing; nor does an address without one."""
    answers = [client.VALUE + b"v", client.ABSENT, client.ERROR + b"e", b"?"]
    assert client._sorted([b"a", b"b", b"c", b"d", b"e"], answers) == ({b"a": b"v", b"b": None}, {b"c": b"e"})
