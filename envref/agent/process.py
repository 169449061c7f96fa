"""Process: becomes the agent, in the background: alone in its folder, with nothing of its starter, read by nobody.

Run by `start`, with an empty environment.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import resource
import signal
import sys

from envref import client, memory
from envref.agent.owners import MOST
from envref.agent.server import MOST_GUESTS, AgentServer
from envref.paths import open_lock

_BACKLOG = 256  # connections that wait to be accepted; a system may allow less
_DUMPABLE = 3  # PR_GET_DUMPABLE


def serve(place: str) -> None:
    """Becomes the agent of the folder, in the background. Returns if there is one already; raises OSError."""
    protect()  # what a fork makes is as closed as this
    client.check(place)
    lock = open_lock(os.path.join(place, "lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held for life: the kernel gives it up after kill -9 too
    except OSError:
        return
    listening = _listening(client.socket_path(place))
    if os.fork():
        os._exit(0)  # whoever started it may connect now
    try:
        os.chdir("/")
        _sign(lock)
        AgentServer(listening, place).run()
    finally:
        os._exit(0)  # without a trace, which might hold a value


def _sign(lock: int) -> None:
    """Says which process this is, for who has to end one that does not answer. A full disk is no reason to end."""
    try:
        os.ftruncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())
    except OSError:
        pass


def protect() -> None:
    """Nobody may read this process, no core of it is written. Raises OSError where that can't be had."""
    memory.protect()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        from envref import libc

        if libc.call("prctl", _DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(0, "this process can be read by others")


def _listening(path: str) -> _socket.socket:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    found = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    before = os.umask(0o177)
    found.bind(path)
    os.umask(before)
    found.listen(_BACKLOG)
    found.settimeout(0)
    return found


def _make_room(most: int) -> None:
    """Whoever started it may have few descriptors; an agent has one for each guest and owner."""
    wanted = MOST_GUESTS + MOST + 32
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def main() -> None:
    """What `start` runs, with the folder as the only argument; descriptors 0 to 2 are /dev/null."""
    _make_room(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    os.closerange(3, 1 << 16)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.setsid()
    serve(os.fsdecode(os.fsencode(sys.argv[1])))
