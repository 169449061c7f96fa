"""The monitor: the leader of a terminal's session between envref and a command, so that the command's group can stop.

Without it that group is orphaned, and the kernel discards Ctrl-Z (POSIX.1-2024, 11.1.4; seen). It reports what becomes
of the command, and does to its group what it is told.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import termios
from fcntl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

# Orders; any other byte is the number of a signal for the group.
FRONT, BACK, END = 253, 254, 255
STATUS = struct.Struct("i")
_IGNORED = tuple(getattr(signal, f"SIG{name}") for name in ("INT", "QUIT", "TSTP", "TTIN", "TTOU", "PIPE", "HUP"))


def monitor(
    terminal: int,
    line: tuple[int, int],
    start: Callable[[], NoReturn],
    *,
    is_in_front: bool,
    only_for_command: list[int],
) -> NoReturn:
    """Leads a session on the terminal, starts the command in a group of its own, and ends by END or with the orders.

    `line` are the descriptors of orders and reports. `start` has to give the command its signals back: some are ignored
    here. A group that is not in front stops when it reads the terminal or changes its modes, which is reported.
    """
    os.setsid()
    ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)  # SIGHUP of a terminal that is gone too: the orders end then
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    command = os.fork()
    if command == 0:
        os.setpgid(0, 0)
        if is_in_front:
            os.tcsetpgrp(terminal, os.getpid())
        start()
    for descriptor in only_for_command:
        os.close(descriptor)
    try:
        os.setpgid(command, command)  # whoever is first
    except OSError:
        pass
    orders, reports = line
    _serve(terminal, orders, reports, woken, command)


def _serve(terminal: int, orders: int, reports: int, woken: int, command: int) -> NoReturn:
    while True:
        ready, _, _ = select.select([orders, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _report(reports, command)
        if orders in ready:
            told = os.read(orders, 512)
            if not told:
                _signal(command, signal.SIGHUP)
                _signal(command, signal.SIGCONT)
                os._exit(1)
            for order in told:
                _obey(order, terminal, command)


def _obey(order: int, terminal: int, command: int) -> None:
    if order in (FRONT, BACK, END):
        try:
            os.tcsetpgrp(terminal, command if order == FRONT else os.getpid())
        except OSError:
            pass  # the group has ended
    if order == END:
        os._exit(0)  # the kernel hangs up the group in front: this one, and not what the command left behind
    _signal(command, signal.SIGCONT if order in (FRONT, BACK) else order)


def _report(reports: int, command: int) -> None:
    try:
        ended, status = os.waitpid(command, os.WNOHANG | os.WUNTRACED)
    except ChildProcessError:
        return
    if ended:
        os.write(reports, STATUS.pack(status))


def _signal(command: int, number: int) -> None:
    try:
        os.killpg(command, number)
    except OSError:
        pass
