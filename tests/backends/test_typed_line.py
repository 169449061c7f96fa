"""A line typed at a terminal: unseen, whole, and asked for again after a suspension."""

from __future__ import annotations

import os
import select
import termios
import threading
import types

import pytest

from envref.backends import typed_line
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

ECHO_IN = 3  # where tcgetattr has the local modes


class Person:
    """Somebody at a terminal of their own, who does `steps` once the prompt is there; `shown` is what they see."""

    def __init__(self, *steps):
        self.master, self.device = os.openpty()
        self.shown, self._steps = b"", [*steps]
        self._thread = threading.Thread(target=self._act, daemon=True)
        self._thread.start()

    def _act(self):
        while self._steps:
            prompts = 1 + self.shown.count(b"Say: ")
            while self.shown.count(b"Say: ") < prompts:
                self.shown += os.read(self.master, 1000)
            self._steps.pop(0)(self)

    def types(self, raw):
        os.write(self.master, raw)

    def comes_back(self):
        """As a shell leaves the terminal: with the echo on."""
        modes = termios.tcgetattr(self.device)
        modes[ECHO_IN] |= termios.ECHO
        termios.tcsetattr(self.device, termios.TCSANOW, modes)

    def echoes(self):
        return bool(termios.tcgetattr(self.device)[ECHO_IN] & termios.ECHO)

    def leave(self):
        """All that was shown."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        os.set_blocking(self.master, False)
        try:
            self.shown += os.read(self.master, 1000)
        except BlockingIOError:
            pass
        os.close(self.master)
        os.close(self.device)
        return self.shown


@pytest.fixture
def sits(monkeypatch):
    """A person who does these steps, at the terminal of this process."""
    monkeypatch.setattr(typed_line, "_LOOK", 0.005)

    def sits(*steps):
        person = Person(*steps)
        monkeypatch.setattr(typed_line, "_terminal", lambda: os.fdopen(os.dup(person.device), "r+b", buffering=0))
        return person

    return sits


@pytest.mark.parametrize(
    ("raw", "text"), [(b"s3cret \n", "s3cret "), (b"\n", ""), (b"half\x04\x04", "half"), ("grün\n".encode(), "grün")]
)
def test_what_is_typed_is_not_shown(sits, raw, text):
    """To the line's end, which is shown, or to Ctrl-D; afterwards the terminal shows what is typed again."""
    person = sits(lambda person: person.types(raw))
    assert typed_line.typed("Say: ") == text
    assert person.echoes()
    assert person.leave() == b"Say: \r\n"


def test_an_end_is_no_empty_line(sits):
    """Ctrl-D where nothing was typed."""
    person = sits(lambda person: person.types(b"\x04"))
    with pytest.raises(EOFError):
        typed_line.typed("Say: ")
    assert person.echoes()
    assert person.leave() == b"Say: \r\n"


def test_who_comes_back_sees_the_question_again(sits):
    """And types unseen: the shell had turned the echo on meanwhile."""
    person = sits(lambda person: person.comes_back(), lambda person: person.types(b"s3cret\n"))
    assert typed_line.typed("Say: ") == "s3cret"
    assert person.leave() == b"Say: Say: \r\n"


def test_what_was_typed_before_the_question_is_dropped(sits):
    """It was seen, and meant for something else."""
    person = sits(lambda person: person.types(b"s3cret\n"))
    person.types(b"early\n")
    assert select.select([person.device], [], [], 60)[0], "a terminal hands on what is typed when it likes"
    assert typed_line.typed("Say: ") == "s3cret"
    assert b"s3cret" not in person.leave()


def test_a_terminal_that_shows_nothing_is_left_so(sits):
    """As somebody set it."""
    person = sits(lambda person: person.types(b"s3cret\n"))
    modes = termios.tcgetattr(person.device)
    modes[ECHO_IN] &= ~termios.ECHO
    termios.tcsetattr(person.device, termios.TCSANOW, modes)
    assert typed_line.typed("Say: ") == "s3cret"
    assert not person.echoes()
    assert person.leave() == b"Say: \r\n"


@pytest.mark.parametrize("has_one", [True, False])
def test_it_is_the_process_s_own_terminal(monkeypatch, has_one):
    """Else standard input, which stays open."""
    opened = []

    def open_(place, mode, **how):
        opened.append((place, mode, how))
        if place == "/dev/tty" and not has_one:
            raise OSError
        return types.SimpleNamespace()

    monkeypatch.setattr(typed_line, "open", open_, raising=False)
    typed_line._terminal()
    own = ("/dev/tty", "r+b", {"buffering": 0})
    assert opened == [own] if has_one else [own, (0, "r+b", {"buffering": 0, "closefd": False})]
