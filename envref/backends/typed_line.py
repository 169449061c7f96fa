"""A line typed at the terminal without echo, also by somebody who suspends the question and comes back.

`getpass` of the standard library leaves the echo on then, because the shell turned it on meanwhile.
"""

from __future__ import annotations

import os
import select
import termios
from typing import TYPE_CHECKING

from envref import questions

if TYPE_CHECKING:
    from typing import BinaryIO

_LOOK = 0.1  # seconds between two looks at the terminal's modes
_CHUNK = 65536  # bytes; a terminal hands over a line at a time
_LOCAL = 3  # where tcgetattr has the local modes


def typed(prompt: str) -> str:
    """The line, after the prompt. EOFError when there is none; OSError or termios.error without a terminal."""
    with questions.question, _terminal() as terminal:
        return _asked(terminal.fileno(), prompt)


def _terminal() -> BinaryIO:
    """The process's own terminal, else standard input."""
    try:
        return open("/dev/tty", "r+b", buffering=0)
    except OSError:
        return open(0, "r+b", buffering=0, closefd=False)


def _asked(terminal: int, prompt: str) -> str:
    before = termios.tcgetattr(terminal)
    try:
        _hide(terminal)
        os.write(terminal, prompt.encode())
        return _line(terminal, prompt)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        os.write(terminal, b"\n")


def _line(terminal: int, prompt: str) -> str:
    """What is typed until the line's end, or until Ctrl-D where nothing was typed."""
    text = b""
    while not text.endswith(b"\n"):
        _wait(terminal, prompt)
        chunk = os.read(terminal, _CHUNK)
        if not chunk and not text:
            raise EOFError
        if not chunk:
            break
        text += chunk
    return os.fsdecode(text).removesuffix("\n")


def _wait(terminal: int, prompt: str) -> None:
    """Returns when the terminal has something to hand over. Who suspended the question and comes back sees it again.

    A look at the terminal's modes tells so: the signal for it may reach a thread that waits for something else.
    """
    while not select.select([terminal], [], [], _LOOK)[0]:
        if _hide(terminal):
            os.write(terminal, prompt.encode())


def _hide(terminal: int) -> bool:
    """Turns the echo off, and drops what was typed before; whether it was on."""
    modes = termios.tcgetattr(terminal)
    if not modes[_LOCAL] & termios.ECHO:
        return False
    modes[_LOCAL] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, modes)
    return True
