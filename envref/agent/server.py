"""Server: what the agent does: one loop over a socket, guests and owners; a method a word of the protocol.

It ends with its last owner, when nothing is kept any more, when its folder is gone, and when it is told to.
"""

from __future__ import annotations

import _socket
import os
import select

from envref import __version__, client
from envref.agent.guest import Guest, now
from envref.agent.kept import Kept
from envref.agent.owners import Owners, session_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_GUESTS = 128
_LARGEST_INPUT = 32 * 1024 * 1024  # bytes of all frames that have not ended
_LARGEST_OUTPUT = 32 * 1024 * 1024  # bytes of all answers that were not taken yet
_TICK = 5.0  # seconds between two looks at clock and folder
_STALE = 5.0  # seconds for a frame to end, and for an answer to be taken
_LONGEST_LEAD = 900.0  # seconds; a store may take 600
_FIRST = 2.0  # seconds in which somebody has to come


class AgentServer:
    """Serves the folder `place`, to whose socket it listens. `_guests` are by descriptor."""

    def __init__(self, listening: _socket.socket, place: str) -> None:
        self._listening = listening
        self._path = client.socket_path(place)
        self._made = _identity(self._path)
        self._poll = select.poll()
        self._poll.register(listening, select.POLLIN)
        self._guests: dict[int, Guest] = {}
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
            for descriptor, _ in self._poll.poll(int(_TICK * 1000) if self._is_used() else 100):
                self._happened(descriptor)
            if now() - self._looked >= (_TICK if self._is_used() else 0):
                self._look()

    def _is_used(self) -> bool:
        return bool(self._kept or self._guests or self._staying)

    def _is_over(self) -> bool:
        return self._is_told_to_stop or not (self._is_used() or now() < self._started + _FIRST)

    def _happened(self, descriptor: int) -> None:
        """Something came from there, or can be sent there, or is over."""
        if descriptor == self._listening.fileno():
            self._accept()
        elif guest := self._guests.get(descriptor):
            is_there = guest.read()
            if not (self._understand(guest) and is_there):
                self._close(guest)
            self._flush()
        else:
            for owner in self._owners.ended(descriptor):
                self._end_owner(owner)

    def _accept(self) -> None:
        try:
            # What `socket.accept` calls, without `socket` and all that it imports.
            descriptor, _ = self._listening._accept()  # type: ignore[attr-defined]  # noqa: SLF001
        except OSError:
            return
        new = _socket.socket(fileno=descriptor)
        try:
            process, user = client.peer(new)
        except OSError:  # macOS does not tell it of one that is gone
            process, user = 0, -1
        if user != os.geteuid() or len(self._guests) >= MOST_GUESTS:
            new.close()
            return
        new.settimeout(0)
        self._guests[descriptor] = Guest(new, process)
        self._poll.register(descriptor, select.POLLIN)

    def _understand(self, guest: Guest) -> bool:
        """Does what the frames say; False if one makes no sense, or all together are too long."""
        try:
            for word, *fields in guest.frames():
                _WORDS[word](self, guest, fields)
        except (ValueError, KeyError, IndexError):
            return False
        return sum(len(each.input) for each in self._guests.values()) <= _LARGEST_INPUT

    def do_get(self, guest: Guest, fields: Sequence[bytes]) -> None:
        version, use, key, kind, name, seconds, *addresses = fields
        _require_version(version)
        guest.use = use
        self._find_owner(guest)
        guest.is_engaged = True
        self._kept.get(guest, key, (kind.decode(), name.decode()), int(seconds), addresses)

    def do_put(self, guest: Guest, fields: Sequence[bytes]) -> None:
        self._kept.put(guest, dict(zip(fields[::2], fields[1::2], strict=True)))

    def do_keep(self, guest: Guest, fields: Sequence[bytes]) -> None:
        seconds, *pairs = fields
        self._kept.put(guest, dict(zip(pairs[::2], pairs[1::2], strict=True)), int(seconds))

    def do_refuse(self, guest: Guest, fields: Sequence[bytes]) -> None:
        self._kept.refuse(guest, fields[0])

    def do_release(self, guest: Guest, _fields: Sequence[bytes]) -> None:
        self._kept.release(guest)

    def do_write(self, guest: Guest, fields: Sequence[bytes]) -> None:
        guest.is_engaged = True
        self._kept.writing(guest, fields[1].decode())
        guest.say(client.DONE)

    def do_forget(self, guest: Guest, fields: Sequence[bytes]) -> None:
        self._kept.forget(fields[0].decode() if fields else None)
        guest.say(client.DONE)

    def do_leave(self, guest: Guest, fields: Sequence[bytes]) -> None:
        [use] = fields
        if use:
            self._kept.end_use(use)
        guest.say(client.DONE)

    def do_stay(self, guest: Guest, _fields: Sequence[bytes]) -> None:
        self._find_owner(guest)
        self._staying |= {guest.owner} - {0}
        guest.say(client.DONE)

    def do_stop(self, guest: Guest, _fields: Sequence[bytes]) -> None:
        self._is_told_to_stop = True
        guest.say(client.DONE)

    def do_tell(self, guest: Guest, _fields: Sequence[bytes]) -> None:
        owners = b" ".join(str(owner).encode() for owner in sorted(self._kept.owners() | self._staying))
        rows = ["\t".join(map(str, row)).encode() for row in self._kept.report()]
        self._find_owner(guest)
        facts = (__version__, os.getpid(), int(now() - self._started), guest.owner)
        guest.say(client.DONE, *(str(fact).encode() for fact in facts), owners, *rows)

    def _find_owner(self, guest: Guest) -> None:
        """The owner is what the kernel says, never what the client does."""
        owner = session_of(guest.process)
        guest.owner = owner if owner and self._owners.add(owner) else 0

    def _flush(self) -> None:
        """Sends what there is to say, to whomever; one that is gone, or takes too little, may give others the lead."""
        pending = [each for each in self._guests.values() if each.output]
        while pending:
            for guest in pending:
                if not guest.write() or self._output() > _LARGEST_OUTPUT:
                    self._close(guest)
            left = [each for each in self._guests.values() if each.output]
            for guest in {*left, *pending} & {*self._guests.values()}:
                self._poll.modify(guest.socket, select.POLLIN | (select.POLLOUT if guest.output else 0))
            pending = [each for each in left if each not in pending]

    def _output(self) -> int:
        return sum(len(each.output) for each in self._guests.values())

    def _close(self, guest: Guest) -> None:
        descriptor = guest.socket.fileno()
        del self._guests[descriptor]
        self._poll.unregister(descriptor)
        guest.socket.close()
        self._kept.left(guest)

    def _end_owner(self, owner: int) -> None:
        self._owners.remove(owner)
        self._staying.discard(owner)
        for guest in self._guests.values():
            guest.owner = 0 if guest.owner == owner else guest.owner
        self._kept.end_owner(owner)

    def _look(self) -> None:
        """What no descriptor tells: time, owners without one, owners of nothing, the folder."""
        self._looked = now()
        self._kept.expire()
        for owner in self._owners.ended():
            self._end_owner(owner)
        used = {*self._kept.owners(), *self._staying, *(each.owner for each in self._guests.values())}
        for owner in set(self._owners) - used:
            self._owners.remove(owner)
        for guest in list(self._guests.values()):
            limit = _LONGEST_LEAD if guest.is_engaged and not (guest.input or guest.output) else _STALE
            if now() - guest.touched > limit:
                self._close(guest)
        self._flush()
        self._is_told_to_stop |= _identity(self._path) != self._made


_WORDS: Mapping[bytes, Callable[[AgentServer, Guest, Sequence[bytes]], None]] = {
    client.GET: AgentServer.do_get,
    client.PUT: AgentServer.do_put,
    client.KEEP: AgentServer.do_keep,
    client.REFUSE: AgentServer.do_refuse,
    client.RELEASE: AgentServer.do_release,
    client.WRITE: AgentServer.do_write,
    client.FORGET: AgentServer.do_forget,
    client.LEAVE: AgentServer.do_leave,
    client.STAY: AgentServer.do_stay,
    client.STOP: AgentServer.do_stop,
    client.TELL: AgentServer.do_tell,
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
