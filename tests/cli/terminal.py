"""A command on a real terminal, with somebody who types."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time

from tests.arguments import PYTHONPATH
from tests.loaded import ENVREF, start_on_terminal
from tests.requirements import need_process

_PATIENCE = 30  # seconds


class Terminal:
    """`envref ARGUMENTS`, or another program, in a session of its own on a pseudo-terminal.

    `output` is all that showed up there.
    """

    def __init__(self, directory, *arguments, program=()):
        need_process()
        self.output = ""
        self._screen, keyboard = os.openpty()
        environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "TERM": "xterm"}
        if program:
            self._child = start_on_terminal([*program, *arguments], keyboard, environment, directory)
        else:
            self._child = ENVREF.on_terminal(arguments, keyboard, environment, directory)
        os.close(keyboard)

    def await_text(self, text, count=1):
        """Waits until `text` is on the screen, so many times."""
        limit = time.monotonic() + _PATIENCE
        while self.output.count(text) < count:
            if time.monotonic() > limit or not self._read():
                raise AssertionError(f"no {text!r} in {self.output!r}")

    def shown(self):
        """All that is on the screen by now."""
        while select.select([self._screen], [], [], 0)[0] and self._read():
            pass
        return self.output

    def echoes(self):
        """Whether what is typed now would show."""
        return bool(termios.tcgetattr(self._screen)[3] & termios.ECHO)

    def await_silence(self):
        """Waits until what is typed does not show: a program may ask before it turns that off."""
        limit = time.monotonic() + _PATIENCE
        while self.echoes():
            assert time.monotonic() < limit
            time.sleep(0.01)

    def resize(self, rows, columns):
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self._screen, text.encode())

    def end(self):
        """Reads until the command ends; its exit status, negative when it died of that signal."""
        while self._read():
            pass
        os.close(self._screen)
        return self._child.wait()

    def hang_up(self):
        """As a terminal's window that is closed; returns when the shell has ended."""
        os.close(self._screen)
        self._child.wait()

    def _read(self):
        try:
            ready, _, _ = select.select([self._screen], [], [], _PATIENCE)
            data = os.read(self._screen, 65536) if ready else b""
        except OSError:
            return False  # Linux says so when the last process closed the terminal
        self.output += data.decode()
        return bool(data)
