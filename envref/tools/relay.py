"""The relay: a command whose output passes through maskers, on a terminal of its own where there is one, else by pipes.

It does what a shell expects of a job: it stops when the command stops, goes on when it is told to, ends as it ended.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from envref.errors import FAILED
from envref.tools.masker import Masker, Needles
from envref.tools.monitor import BACK, END, FRONT, STATUS, monitor
from envref.tools.terminal import is_terminal, keyboard, outside

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import NoReturn

_CHUNK = 65536  # bytes
_SHORT, _LONG = 0.05, 1.0  # seconds that a terminal waits for the rest of a needle
_SOON = 1.0  # seconds in which a command that was told to stop reports it
_MOST = 32  # chunks: more than a pipe or a terminal holds
_NOBODY = (errno.EPIPE, errno.EIO)  # reads it any more
_FEW = 4  # bytes of a beginning that are too few to wait long for
_FORWARDED = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_CHANGED = (*_FORWARDED, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD)  # here or in the monitor
_KEYS = (signal.SIGTTIN, signal.SIGTTOU)  # a command in the background wants the terminal


class _Stream:
    """What comes from `source` and goes to the descriptor `sink`; `is_screen` for the terminal of its own."""

    __slots__ = ("due", "is_screen", "masker", "sink", "source")

    def __init__(self, source: int, sink: int, needles: Needles, *, is_screen: bool) -> None:
        self.source = source
        self.sink = sink
        self.is_screen = is_screen
        self.masker = Masker(needles)
        self.due = 0.0  # when what is held is shown whatever comes; 0 for not by time


class Relay:
    """One command. `run` returns when it has ended, with its status as waitpid(2) has it."""

    def __init__(self, needles: Needles, closed: Container[int] = ()) -> None:
        self._needles = needles
        self._closed = closed  # standard descriptors that the command has closed, as the caller had
        self.fault = ""  # why output was lost
        self._ignored = [number for number in _CHANGED if signal.getsignal(number) is signal.SIG_IGN]
        signal.signal(signal.SIGCHLD, lambda *_: None)  # where it is ignored, nobody learns how a child ended
        self._streams: list[_Stream] = []
        self._terminal = outside()
        self._is_told = False  # to stop, from outside
        self._goes_on = 0.0  # until then it was told so since: `fg` can be quicker than a stop is reported
        self._orders = self._reports = self._signals = -1  # of the latter each is a byte, its number
        self._ends: list[int] = []  # what only the command needs

    def run(self, start: Callable[[], NoReturn]) -> int:
        """Starts the command by `start`, which becomes it, or says why not and exits."""
        slave = self._opened() if self._terminal.screen >= 0 else -1
        given = self._given(slave)
        orders, self._orders = os.pipe()
        self._reports, reports = os.pipe()
        self._signals, wake = os.pipe()
        for descriptor in (self._signals, wake, self._orders):
            os.set_blocking(descriptor, False)
        front = slave >= 0 and is_terminal(0) and is_terminal(1) and self._terminal.take_keyboard()
        child = os.fork()
        if child == 0:
            try:
                self._become(slave, given, (orders, reports), start, is_in_front=front)
            finally:
                os._exit(FAILED)
        for descriptor in {orders, reports, *self._ends, *([slave] if slave >= 0 else [])}:
            os.close(descriptor)
        self._listen(wake, child)
        os.write(wake, b"\0")  # the command may have ended before anybody listened
        try:
            status = self._serve(child)
        finally:
            self._terminal.give_back()
        self._order(END)
        os.close(self._orders)
        if slave >= 0:
            os.waitpid(child, 0)
        return status

    def _opened(self) -> int:
        """The command's end of its terminal."""
        slave = self._terminal.open()
        self._streams.append(_Stream(self._terminal.inside, self._terminal.screen, self._needles, is_screen=True))
        return slave

    def _given(self, slave: int) -> list[int]:
        """The command's descriptors 0, 1 and 2. Streams that are one file outside are one pipe: their order stays."""
        given = [slave if is_terminal(0) else 0]
        for number in (1, 2):
            if number in self._closed:
                given.append(number)
            elif is_terminal(number):
                given.append(slave)
            elif number == 2 and not is_terminal(1) and _is_same(1, 2):
                given.append(given[1])
            else:
                given.append(self._pipe(number))
        return given

    def _pipe(self, number: int) -> int:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._streams.append(_Stream(reading, number, self._needles, is_screen=False))
        self._ends.append(writing)
        return writing

    def _become(
        self, slave: int, given: list[int], line: tuple[int, int], start: Callable[[], NoReturn], *, is_in_front: bool
    ) -> None:
        """In the child: the monitor, or where there is no terminal the command itself."""
        os.close(self._orders)
        os.close(self._reports)

        def command() -> NoReturn:
            signal.set_wakeup_fd(-1)
            for number in _CHANGED:
                signal.signal(number, signal.SIG_IGN if number in self._ignored else signal.SIG_DFL)
            kept = [os.dup(descriptor) for descriptor in given]
            for standard, descriptor in enumerate(kept):
                os.dup2(descriptor, standard)
                if standard in self._closed:
                    os.close(standard)
            start()

        for stream in self._streams:
            os.close(stream.source)  # or the command would not learn that nobody reads it
        if slave >= 0:
            monitor(slave, line, command, is_in_front=is_in_front, only_for_command=self._ends)
        command()

    def _listen(self, wake: int, child: int) -> None:
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCONT, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        if self._terminal.inside < 0:
            self._listen_beside(child)
            return
        for number in self._forwarded():
            signal.signal(number, lambda number, _: self._order(number) if number != signal.SIGTSTP else None)
        signal.signal(signal.SIGWINCH, lambda *_: self._terminal.resize())

    def _forwarded(self) -> list[int]:
        """Not those that the caller ignores, as nohup does: they stay ignored, in the command too."""
        return [number for number in _FORWARDED if number not in self._ignored]

    def _listen_beside(self, child: int) -> None:
        """The command is in this process's own group: what a terminal's keys do reaches it already."""
        has_keys = keyboard() >= 0
        for number in self._forwarded():
            if number == signal.SIGTSTP:
                continue
            is_from_keys = has_keys and number in (signal.SIGINT, signal.SIGQUIT)
            signal.signal(number, (lambda *_: None) if is_from_keys else (lambda number, _: _kill(child, number)))

    def _order(self, order: int) -> None:
        try:
            os.write(self._orders, bytes([order]))
        except OSError:
            pass  # the monitor has ended

    def _serve(self, child: int) -> int:
        status: int | None = None
        while status is None:
            ready, writable, _ = select.select(self._readable(), self._terminal.writable(), [], self._wait())
            for stream in [each for each in self._streams if each.source in ready]:
                self._move(stream)
            if self._terminal.keyboard in ready and not self._terminal.type():
                self._order(signal.SIGHUP)
            if self._terminal.inside in writable:
                self._terminal.pass_on()
            if self._signals in ready:
                status = self._woken(child)
            if self._reports in ready:
                status = self._reported()
            self._show_overdue()
        self._drain()
        return status

    def _readable(self) -> list[int]:
        found = [stream.source for stream in self._streams] + [self._signals]
        if self._terminal.inside >= 0:
            found.append(self._reports)
        return found + self._terminal.readable()

    def _wait(self) -> float | None:
        """Seconds until something held is to be shown."""
        due = [stream.due for stream in self._streams if stream.due]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _move(self, stream: _Stream) -> bool:
        """Passes on what there is; False where nothing is there, or will be."""
        data = _read(stream.source)
        if data is None:
            return False
        if not data:
            self._show(stream, stream.masker.flush())
            self._close(stream)
            return False
        self._show(stream, stream.masker.feed(data))
        held = len(stream.masker.held)
        stream.due = time.monotonic() + (_SHORT if held < _FEW else _LONG) if held and stream.is_screen else 0.0
        return True

    def _show(self, stream: _Stream, data: bytes) -> None:
        if stream.is_screen and not self._terminal.is_taken:
            data = data.replace(b"\r\n", b"\n")  # the terminal outside adds the CR itself, while it is not raw
        while data:
            try:
                data = data[os.write(stream.sink, data) :]
            except BlockingIOError:  # another program of this terminal made it so
                select.select([], [stream.sink], [])
            except OSError as error:
                if error.errno not in _NOBODY:
                    self.fault = (error.strerror or "it failed").lower()
                self._close(stream)  # which the command learns by its next write
                return

    def _close(self, stream: _Stream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)
            os.close(stream.source)
            if stream.is_screen:
                self._terminal.hang_up()

    def _show_overdue(self) -> None:
        for stream in list(self._streams):
            if stream.due and time.monotonic() >= stream.due:
                stream.due = 0.0
                self._show(stream, stream.masker.flush())

    def _drain(self) -> None:
        """What the command wrote before it stopped or ended: no more than pipes and terminals hold."""
        for stream in list(self._streams):
            for _ in range(_MOST):
                if stream not in self._streams or not self._move(stream):
                    break
            self._show(stream, stream.masker.flush())
            stream.due = 0.0

    def _take_signals(self) -> None:
        """Hands on what came: Python calls handlers by number, SIGCONT before SIGTSTP, and here their order counts."""
        for number in _read(self._signals) or b"":
            if number == signal.SIGCONT and self._is_told:
                # A shell that waits for its vfork does not stop, but what it starts does: nobody reports that.
                self._is_told, self._goes_on = False, time.monotonic() + _SOON
                self._order(number)
            elif number == signal.SIGTSTP and signal.SIGTSTP not in self._ignored and self._terminal.inside >= 0:
                self._is_told, self._goes_on = True, 0.0
                self._order(number)

    def _woken(self, child: int) -> int | None:
        self._take_signals()
        if self._terminal.is_wanted:
            self._terminal.take_keyboard()
        if self._terminal.inside >= 0:
            return None
        ended, status = os.waitpid(child, os.WNOHANG)
        return status if ended else None

    def _reported(self) -> int | None:
        """The command's status if it has ended."""
        report = os.read(self._reports, STATUS.size)
        if not report:
            return FAILED << 8  # the monitor was killed, and the kernel hangs up the command
        [status] = STATUS.unpack(report)
        if not os.WIFSTOPPED(status):
            return int(status)
        self._stopped(os.WSTOPSIG(status))
        return None

    def _stopped(self, number: int) -> None:
        """The command stopped. Where it only wants the keyboard, it gets that; else this job stops too, until `fg`."""
        wants = number in _KEYS
        if wants and self._terminal.take_keyboard():
            self._order(FRONT)
            return
        wants = wants or self._terminal.is_taken
        self._drain()
        self._terminal.give_back()
        self._take_signals()
        if time.monotonic() >= self._goes_on:
            self._is_told = False
            _stop(number)
        self._goes_on = 0.0
        if wants and (self._terminal.take_keyboard() or number in _KEYS):
            # Still in the background, it waits for keys without stopping again and again: nobody may be there to go on.
            self._terminal.is_wanted = not self._terminal.is_taken
            self._order(FRONT)
        else:
            self._order(BACK)


def end_as(status: int) -> int:
    """The exit status of a command that ended so, or the same death for this process."""
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def _kill(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        pass


def _stop(number: int) -> None:
    """Stops this process and the others of its job, as a terminal's keys do. Returns when somebody continues it."""
    number = number if number in (*_KEYS, signal.SIGTSTP) else signal.SIGTSTP
    before = signal.signal(number, signal.SIG_DFL)
    os.killpg(os.getpgrp(), number)
    signal.signal(number, before)


def _read(descriptor: int) -> bytes | None:
    """What is there, up to some kilobytes: a terminal gives four at a time. Empty at its end, None for nothing yet."""
    found: list[bytes] = []
    size = 0
    while size < _CHUNK:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            break
        except OSError:
            data = b""  # Linux says EIO when the last process closed the terminal
        if not data:
            return b"".join(found)
        found.append(data)
        size += len(data)
    return b"".join(found) if found else None


def _is_same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False
