"""Server: the process that is the agent. One socket in a folder that only its user can enter, one loop, memory only.

Started by `start`, with an empty environment. It ends with its last owner, when nothing is kept any more, when its
folder is gone, and when it is told to.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import resource
import select
import signal
import sys
import time

from envref import __version__, client, memory
from envref.agent.kept import Kept
from envref.agent.owners import Owners, session_of
from envref.paths import open_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MOST_CONNECTIONS = 128
_BACKLOG = 256  # a system may allow less
_LARGEST_INPUT = 32 * 1024 * 1024  # bytes of all frames that have not ended
_LARGEST_OUTPUT = 32 * 1024 * 1024  # bytes of all answers that were not taken yet
_TICK = 5.0  # seconds between two looks at clock and folder
_STALE = 5.0  # seconds for a frame to end, and for an answer to be taken
_LONGEST_LEAD = 900.0  # seconds; a store may take 600
_FIRST = 2.0  # seconds in which somebody has to come
_DUMPABLE = 3  # PR_GET_DUMPABLE

# Seconds, those of a suspended machine too. On macOS this clock does not stand still either.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    return time.clock_gettime(_CLOCK)


class Guest:
    """One client. `owner` is the leader of its session, 0 where that is not known or has ended; `use` as it said."""

    def __init__(self, connection: _socket.socket, process: int) -> None:
        self.socket = connection
        self.process = process
        self.owner = 0
        self.use = b""
        self.touched = now()
        self.is_engaged = False  # it leads, waits or writes
        self.input = bytearray()
        self.output = bytearray()

    def say(self, *fields: bytes) -> None:
        self.output += client.frame(fields)
        self.touched = now()

    def read(self) -> bool:
        """Takes what has come; False at its end."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.input += data
        return bool(data)

    def write(self) -> bool:
        """Sends what the other end takes now; False if it is gone."""
        try:
            while self.output:
                del self.output[: self.socket.send(self.output)]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def frames(self) -> list[list[bytes]]:
        """The frames that have ended. Raises ValueError for one that is too long."""
        found = []
        while len(self.input) >= 4:
            size = int.from_bytes(self.input[:4], "big")
            if size > client.LARGEST:
                raise ValueError
            if len(self.input) < 4 + size:
                break
            found.append(bytes(self.input[4 : 4 + size]).split(b"\0"))
            del self.input[: 4 + size]
            self.touched = now()
        return found


class Daemon:
    """The loop over the socket, its connections and the owners."""

    def __init__(self, listening: _socket.socket, place: str) -> None:
        self._listening = listening
        self._path = client.socket_path(place)
        self._made = _identity(self._path)
        self._poll = select.poll()
        self._poll.register(listening, select.POLLIN)
        self._connections: dict[int, Guest] = {}
        self._kept = Kept(now)
        self._owners = Owners(self._poll)
        self._staying: set[int] = set()  # owners who want it even with nothing kept
        self._started = now()
        self._looked = 0.0
        self._is_told_to_stop = False

    def run(self) -> None:
        """Serves until there is a reason to end."""
        try:
            self._serve()
        finally:
            if _identity(self._path) == self._made:  # where the folder was removed, another agent may be there by now
                os.unlink(self._path)

    def _serve(self) -> None:
        while not self._is_over():
            for descriptor, event in self._poll.poll(int(_TICK * 1000) if self._is_used() else 100):
                self._happened(descriptor, event)
            if now() - self._looked >= (_TICK if self._is_used() else 0):
                self._look()

    def _is_used(self) -> bool:
        return bool(self._kept or self._connections or self._staying)

    def _is_over(self) -> bool:
        return self._is_told_to_stop or not (self._is_used() or now() < self._started + _FIRST)

    def _happened(self, descriptor: int, event: int) -> None:
        if descriptor == self._listening.fileno():
            self._accept()
            return
        connection = self._connections.get(descriptor)
        if connection is None:
            for owner in self._owners.ended(descriptor):
                self._end_owner(owner)
            return
        is_there = connection.read() if event & ~select.POLLOUT else True
        if not (self._understand(connection) and is_there):
            self._close(connection)
        self._flush()

    def _accept(self) -> None:
        try:
            # What `socket.accept` calls, without `socket` and all that it imports.
            descriptor, _ = self._listening._accept()  # type: ignore[attr-defined]  # noqa: SLF001
        except OSError:
            return
        new = _socket.socket(fileno=descriptor)
        process, user = client.peer(new)
        if user != os.geteuid() or len(self._connections) >= _MOST_CONNECTIONS:
            new.close()
            return
        new.settimeout(0)
        self._connections[descriptor] = Guest(new, process)
        self._poll.register(descriptor, select.POLLIN)

    def _understand(self, connection: Guest) -> bool:
        """Does what the frames say; False if one makes no sense, or all together are too long."""
        try:
            for word, *fields in connection.frames():
                _WORDS[word](self, connection, fields)
        except (ValueError, KeyError, IndexError):
            return False
        return sum(len(each.input) for each in self._connections.values()) <= _LARGEST_INPUT

    def do_get(self, connection: Guest, fields: Sequence[bytes]) -> None:
        version, use, key, kind, name, seconds, *addresses = fields
        _require_version(version)
        connection.use = use
        self._find_owner(connection)
        connection.is_engaged = True
        self._kept.get(connection, key, (kind.decode(), name.decode()), int(seconds), addresses)

    def do_put(self, connection: Guest, fields: Sequence[bytes]) -> None:
        self._kept.put(connection, dict(zip(fields[::2], fields[1::2], strict=True)))

    def do_keep(self, connection: Guest, fields: Sequence[bytes]) -> None:
        seconds, *pairs = fields
        self._kept.put(connection, dict(zip(pairs[::2], pairs[1::2], strict=True)), int(seconds))

    def do_refuse(self, connection: Guest, fields: Sequence[bytes]) -> None:
        self._kept.refuse(connection, fields[0])

    def do_release(self, connection: Guest, _fields: Sequence[bytes]) -> None:
        self._kept.release(connection)

    def do_write(self, connection: Guest, fields: Sequence[bytes]) -> None:
        connection.is_engaged = True
        self._kept.writing(connection, fields[1].decode())
        connection.say(client.DONE)

    def do_forget(self, connection: Guest, fields: Sequence[bytes]) -> None:
        self._kept.forget(fields[0].decode() if fields else None)
        connection.say(client.DONE)

    def do_leave(self, connection: Guest, fields: Sequence[bytes]) -> None:
        [use] = fields
        if use:
            self._kept.end_use(use)
        connection.say(client.DONE)

    def do_stay(self, connection: Guest, _fields: Sequence[bytes]) -> None:
        self._find_owner(connection)
        self._staying |= {connection.owner} - {0}
        connection.say(client.DONE)

    def do_stop(self, connection: Guest, _fields: Sequence[bytes]) -> None:
        self._is_told_to_stop = True
        connection.say(client.DONE)
        connection.write()

    def do_tell(self, connection: Guest, _fields: Sequence[bytes]) -> None:
        owners = b" ".join(str(owner).encode() for owner in sorted(self._kept.owners() | self._staying))
        rows = ["\t".join(map(str, row)).encode() for row in self._kept.report()]
        self._find_owner(connection)
        facts = (__version__, os.getpid(), int(now() - self._started), connection.owner)
        connection.say(client.DONE, *(str(fact).encode() for fact in facts), owners, *rows)

    def _find_owner(self, connection: Guest) -> None:
        """The owner is what the kernel says, never what the client does."""
        owner = session_of(connection.process)
        connection.owner = owner if owner and self._owners.add(owner) else 0

    def _flush(self) -> None:
        """Sends what there is to say, to whomever; one that is gone, or takes too little, may give others the lead."""
        pending = [each for each in self._connections.values() if each.output]
        while pending:
            for connection in pending:
                if not connection.write() or self._output() > _LARGEST_OUTPUT:
                    self._close(connection)
            left = [each for each in self._connections.values() if each.output]
            for connection in {*left, *pending} & {*self._connections.values()}:
                self._poll.modify(connection.socket, select.POLLIN | (select.POLLOUT if connection.output else 0))
            pending = [each for each in left if each not in pending]

    def _output(self) -> int:
        return sum(len(each.output) for each in self._connections.values())

    def _close(self, connection: Guest) -> None:
        descriptor = connection.socket.fileno()
        if self._connections.pop(descriptor, None) is None:
            return
        self._poll.unregister(descriptor)
        connection.socket.close()
        self._kept.left(connection)

    def _end_owner(self, owner: int) -> None:
        self._owners.remove(owner)
        self._staying.discard(owner)
        for connection in self._connections.values():
            connection.owner = 0 if connection.owner == owner else connection.owner
        self._kept.end_owner(owner)

    def _look(self) -> None:
        """What no descriptor tells: time, owners without one, owners of nothing, the folder."""
        self._looked = now()
        self._kept.expire()
        for owner in self._owners.ended():
            self._end_owner(owner)
        used = {*self._kept.owners(), *self._staying, *(each.owner for each in self._connections.values())}
        for owner in set(self._owners) - used:
            self._owners.remove(owner)
        for connection in list(self._connections.values()):
            limit = _LONGEST_LEAD if connection.is_engaged and not (connection.input or connection.output) else _STALE
            if now() - connection.touched > limit:
                self._close(connection)
        self._flush()
        self._is_told_to_stop |= _identity(self._path) != self._made


_WORDS: Mapping[bytes, Callable[[Daemon, Guest, Sequence[bytes]], None]] = {
    client.GET: Daemon.do_get,
    client.PUT: Daemon.do_put,
    client.KEEP: Daemon.do_keep,
    client.REFUSE: Daemon.do_refuse,
    client.RELEASE: Daemon.do_release,
    client.WRITE: Daemon.do_write,
    client.FORGET: Daemon.do_forget,
    client.LEAVE: Daemon.do_leave,
    client.STAY: Daemon.do_stay,
    client.STOP: Daemon.do_stop,
    client.TELL: Daemon.do_tell,
}


def _require_version(version: bytes) -> None:
    if version != client.PROTOCOL:
        raise ValueError


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def serve(place: str) -> None:
    """Becomes the agent of the folder, in the background. Returns if there is one already; raises OSError."""
    protect()
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
        protect()
        os.chdir("/")
        os.ftruncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())  # for who has to end an agent that does not answer
        Daemon(listening, place).run()
    finally:
        os._exit(0)  # without a trace, which might hold a value


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


def main() -> None:
    """What `start` runs, with the folder as the only argument; descriptors 0 to 2 are /dev/null."""
    os.closerange(3, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.setsid()
    serve(os.fsdecode(os.fsencode(sys.argv[1])))
