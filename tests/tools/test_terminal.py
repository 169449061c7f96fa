"""The terminal outside, here one end of a pair, and the one that is made inside it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios

import pytest

from envref.errors import EnvrefError
from envref.tools.terminal import Terminal, is_terminal

SIZE = struct.Struct("4H")


@pytest.fixture
def pair():
    """`(fingers, outside)`: what a person types into, and the terminal that envref would have been started from."""
    fingers, end = os.openpty()
    terminal = Terminal(end, end)
    yield fingers, terminal
    for descriptor in {fingers, end, terminal.inside} - {-1}:
        os.close(descriptor)


def size_of(descriptor):
    return SIZE.unpack(fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(SIZE.size)))


def test_the_terminal_inside_is_as_the_one_outside(pair):
    """Its size and its modes; and its size again when that changes."""
    _, terminal = pair
    modes = termios.tcgetattr(terminal.screen)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal.screen, termios.TCSANOW, modes)
    fcntl.ioctl(terminal.screen, termios.TIOCSWINSZ, SIZE.pack(33, 99, 0, 0))
    end = terminal.open()
    try:
        assert size_of(end) == (33, 99, 0, 0)
        assert not termios.tcgetattr(end)[3] & termios.ECHO
        fcntl.ioctl(terminal.screen, termios.TIOCSWINSZ, SIZE.pack(20, 50, 0, 0))
        terminal.resize()
        assert size_of(end) == (20, 50, 0, 0)
    finally:
        os.close(end)


def test_what_is_typed_goes_inside_as_long_as_the_keyboard_is_taken(pair):
    """Key by key, Ctrl-C too; afterwards the terminal outside is as it was."""
    fingers, terminal = pair
    before = termios.tcgetattr(terminal.keyboard)
    end = terminal.open()
    try:
        assert (terminal.readable(), terminal.writable()) == ([], [])
        terminal.is_wanted = True
        assert terminal.take_keyboard()
        assert (terminal.is_taken, terminal.is_wanted) == (True, False)
        assert terminal.readable() == [terminal.keyboard]
        modes = termios.tcgetattr(end)
        modes[3] &= ~(termios.ICANON | termios.ISIG)
        termios.tcsetattr(end, termios.TCSANOW, modes)
        os.write(fingers, b"ab\x03")
        assert terminal.type()
        assert os.read(end, 16) == b"ab\x03"
        terminal.give_back()
        assert not terminal.is_taken
        assert termios.tcgetattr(terminal.keyboard) == before
    finally:
        os.close(end)


def test_at_the_keyboard_s_end_the_terminal_is_given_back(pair, monkeypatch):
    """Whoever closed the window types no more."""
    _, terminal = pair
    os.close(terminal.open())
    assert terminal.take_keyboard()

    def read(*_):
        raise OSError(errno.EIO, "gone")

    monkeypatch.setattr(os, "read", read)
    assert not terminal.type()
    assert not terminal.is_taken


def test_what_a_full_terminal_does_not_take_waits(pair, monkeypatch):
    """It is written once there is room, or forgotten when nobody is inside any more."""
    fingers, terminal = pair
    os.close(terminal.open())
    assert terminal.take_keyboard()
    os.write(fingers, b"abc")

    def write(*_):
        raise BlockingIOError

    with monkeypatch.context() as full:
        full.setattr(os, "write", write)
        assert terminal.type()
    assert terminal.writable() == [terminal.inside]
    terminal.hang_up()
    assert (terminal.writable(), terminal.is_taken) == ([], False)


def test_without_a_keyboard_nothing_is_taken():
    """As where the terminal is only what the output goes to."""
    terminal = Terminal(-1, -1)
    assert not terminal.take_keyboard()
    assert terminal.readable() == []


def test_a_keyboard_that_is_no_terminal_is_not_taken():
    """Nor is a descriptor that is closed a terminal."""
    reading, writing = os.pipe()
    try:
        assert not Terminal(-1, reading).take_keyboard()
        assert not is_terminal(reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert not is_terminal(-1)


def test_a_system_without_terminals_says_so(pair, monkeypatch):
    """All of them are in use."""
    _, terminal = pair

    def openpty():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "openpty", openpty)
    with pytest.raises(EnvrefError, match="no terminal can be had for the command: No space left on device"):
        terminal.open()
