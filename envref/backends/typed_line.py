"""A line typed at the terminal without echo, also by somebody who suspends the question and comes back."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from envref import streams

if TYPE_CHECKING:
    from types import FrameType


def typed(prompt: str) -> str:
    """The line, after the prompt. EOFError when there is none; OSError or termios.error without a terminal."""
    from getpass import getpass

    with streams.question, _Resumed(prompt):
        return getpass(prompt)


class _Resumed:
    """A context in which Ctrl-Z and `fg` ask again, without echo: the shell turned it on meanwhile.

    Only the main thread can do this.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        self._before: Any = None

    def __enter__(self) -> None:
        try:
            self._before = signal.signal(signal.SIGCONT, self._ask_again)
        except (AttributeError, ValueError):  # no such signal here, or another thread
            pass

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGCONT, self._before)

    def _ask_again(self, _number: int, _frame: FrameType | None) -> None:
        import termios

        try:
            with open("/dev/tty", "r+b", buffering=0) as terminal:
                modes = termios.tcgetattr(terminal)
                modes[3] &= ~termios.ECHO
                termios.tcsetattr(terminal, termios.TCSAFLUSH, modes)
                terminal.write(self._prompt.encode())
        except (OSError, termios.error):
            pass  # what reads the line says what is wrong with the terminal
