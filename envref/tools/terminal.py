"""The terminal that envref was started from, and the one that it makes inside that for a command."""

from __future__ import annotations

import os
import signal
import termios
import tty
from fcntl import ioctl
from typing import Any

from envref.errors import EnvrefError
from envref.paths import without_waiting

_CHUNK = 65536  # bytes
_NONE = -1  # in place of a descriptor


class Terminal:
    """`screen` and `keyboard` are descriptors of the one outside, or -1; `inside` is this process's end of the other.

    The keyboard is taken while what is typed goes inside key by key: the terminal outside is raw then.
    """

    __slots__ = ("_modes", "_typed", "inside", "is_wanted", "keyboard", "screen")

    def __init__(self, screen: int, keyboard: int) -> None:
        self.screen = screen
        self.keyboard = keyboard
        self.inside = _NONE
        self.is_wanted = False  # the keyboard, which another job has
        self._modes: list[Any] | None = None  # of the terminal outside, while the keyboard is taken
        self._typed = b""

    @property
    def is_taken(self) -> bool:
        return self._modes is not None

    def open(self) -> int:
        """A terminal for the command, as the one outside: the command's end of it. Raises EnvrefError."""
        try:
            self.inside, end = os.openpty()
        except OSError as error:
            raise EnvrefError(
                f"no terminal can be had for the command: {error.strerror}", hint="without --mask it needs none"
            ) from None
        termios.tcsetattr(end, termios.TCSANOW, termios.tcgetattr(self.screen))
        self.resize()
        os.set_blocking(self.inside, False)
        return end

    def resize(self) -> None:
        """The terminal inside gets the size of the one outside; the kernel tells the command."""
        try:
            ioctl(self.inside, termios.TIOCSWINSZ, ioctl(self.screen, termios.TIOCGWINSZ, bytes(8)))
        except OSError:
            pass

    def take_keyboard(self) -> bool:
        """Reads what is typed from now on, key by key. False if this job is not the one in the foreground."""
        if self.keyboard < 0 or not self._is_in_front():
            return False
        try:
            modes = termios.tcgetattr(self.keyboard)
            tty.setraw(self.keyboard, termios.TCSADRAIN)
        except (OSError, termios.error):
            return False
        self._modes, self.is_wanted = modes, False
        self.resize()
        return True

    def _is_in_front(self) -> bool:
        """Whether the keyboard is this job's. That of a terminal which controls no job is whoever's who reads it."""
        try:
            return os.tcgetpgrp(self.keyboard) == os.getpgrp()
        except OSError:
            return True

    def give_back(self) -> None:
        """The terminal outside as it was."""
        if self._modes is None:
            return
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            termios.tcsetattr(self.keyboard, termios.TCSADRAIN, self._modes)
        except termios.error:
            pass  # it is gone
        signal.signal(signal.SIGTTOU, before)
        self._modes = None

    def readable(self) -> list[int]:
        """The keyboard, while it is taken and what is inside reads what was typed."""
        return [self.keyboard] if self.is_taken and len(self._typed) < _CHUNK else []

    def writable(self) -> list[int]:
        """The terminal inside, while it has not taken all that was typed."""
        return [self.inside] if self._typed and self.is_taken else []

    def type(self) -> bool:
        """Passes on what was typed. False if nothing will be any more: the keyboard is given back."""
        try:
            data = os.read(self.keyboard, _CHUNK)
        except OSError:
            data = b""
        if not data:
            self.give_back()
        self._typed += data
        self.pass_on()
        return bool(data)

    def pass_on(self) -> None:
        """What was typed, as much of it as the terminal inside takes."""
        try:
            self._typed = self._typed[os.write(self.inside, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:
            self._typed = b""

    def hang_up(self) -> None:
        """Nobody is inside any more."""
        self.give_back()
        self._typed = b""


def outside() -> Terminal:
    """The terminal that this process was started from, as far as it has one."""
    screen = next((number for number in (1, 2, 0) if is_terminal(number)), _NONE)
    return Terminal(screen, keyboard() if screen >= 0 else _NONE)


def keyboard() -> int:
    """A descriptor of the terminal that this process was started from, to read; -1 without one."""
    try:
        return 0 if is_terminal(0) else without_waiting("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return _NONE


def is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
