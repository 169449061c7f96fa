"""Client: asks this user's agent for what a store gave before, and tells it what a store gives (docs/agent.md).

Whatever is wrong with the agent, the store is asked as without it: nothing here raises, and nothing waits longer than
`PATIENCE` for an agent that does not answer.
"""

from __future__ import annotations

import _socket  # what socket would import more for
import os
import stat
import sys
import time

from envref import memory
from envref.paths import runtime_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    Start = Callable[[str], object]  # starts an agent in a folder; returns when it listens, or can't

PROTOCOL = b"2"
LARGEST = 4 * 1024 * 1024  # bytes of a frame
PATIENCE = 0.1  # seconds that an agent may take for its first answer
_LONGEST_PATH = 103 if sys.platform == "darwin" else 107  # bytes: unix(4), unix(7)
NO_SESSION = "this shell's session has no leader that it can see, so it keeps nothing for it"
_STARTS = 2  # more never helped: what ends an agent at its start ends the next one too

# The words of the protocol. A frame is its length in four bytes, then fields with NUL between them: no value has one.
GET, PUT, KEEP, REFUSE, RELEASE = b"G", b"P", b"K", b"X", b"N"
WRITE, FORGET, LEAVE, STAY, STOP, TELL = b"W", b"F", b"B", b"O", b"S", b"I"
HITS, LEAD, WAIT, ALONE, DONE = b"H", b"L", b"W", b"N", b"D"
UNKEPT = b"U"  # as LEAD, to one whose session has no leader that the agent can see: nothing is kept without an owner
# How the answer for one address begins.
VALUE, ABSENT, ERROR, UNKNOWN = b"V", b"A", b"X", b"?"

# Of <sys/un.h> on macOS, where `_socket` has no names for them. Nobody ran this there yet.
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2


class Untrustworthy(OSError):
    """Somebody else could be, or is, behind the socket; or it can't be there."""


def folder(environment: Mapping[str, str] = os.environ) -> str:
    """Where this user's agent has its socket."""
    own = runtime_directory(environment)
    if own:
        return os.path.join(own, "envref")
    shared = environment.get("TMPDIR", "") if sys.platform == "darwin" else ""  # each user's own there
    return os.path.join(shared if os.path.isabs(shared) else "/tmp", f"envref-{os.geteuid()}")  # noqa: S108  checked


def check(place: str) -> None:
    """Raises Untrustworthy unless the folder is ours alone and nobody can replace it; OSError if it is not there."""
    check_above(place)
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Untrustworthy(0, "is not a folder that only you can enter", place)


def check_above(place: str) -> None:
    """Raises Untrustworthy if others can replace what has this path; OSError if there is no place for it."""
    above = os.stat(os.path.dirname(place))
    writable = above.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not above.st_mode & stat.S_ISVTX
    if above.st_uid not in (0, os.geteuid()) or writable:
        raise Untrustworthy(0, "is in a folder where others can replace it", place)


def check_length(place: str) -> None:
    """Raises Untrustworthy if a socket can't be in that folder."""
    if len(os.fsencode(socket_path(place))) > _LONGEST_PATH:
        raise Untrustworthy(0, "has too long a path for a socket", place)


def use_of(directory: str) -> bytes:
    """What the Flox environment of a project uses the agent for: until its last shell leaves it."""
    return os.fsencode(os.path.realpath(directory))


def socket_path(place: str) -> str:
    return os.path.join(place, "s")


def peer(connection: _socket.socket) -> tuple[int, int]:
    """Process and user at the other end, as the kernel knows them; process 0 where it is hidden from here."""
    if sys.platform == "linux":
        raw = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return _number(raw[:4]), _number(raw[4:8])
    found = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID), _number(found[4:8])


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder)


def frame(fields: Sequence[bytes]) -> bytes:
    body = b"\0".join(fields)
    return len(body).to_bytes(4, "big") + body


class Wire:
    """A connection to the agent."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection

    def say(self, *fields: bytes) -> None:
        """Raises OSError if the agent does not take it in time."""
        data = frame(fields)
        if len(data) > LARGEST:
            raise OSError(0, "more than an agent takes")
        self._connection.settimeout(PATIENCE)
        self._connection.sendall(data)

    def hear(self, until: float) -> list[bytes]:
        """The fields of the next frame. Raises OSError: TimeoutError if there is none by then."""
        size = int.from_bytes(self._exactly(4, until), "big")
        if size > LARGEST:
            raise OSError(0, "its answer is too long")
        # Of a frame that has begun, the rest is on its way.
        return self._exactly(size, max(until, time.monotonic() + PATIENCE)).split(b"\0")

    def _exactly(self, size: int, until: float) -> bytes:
        data = b""
        while len(data) < size:
            self._connection.settimeout(max(0.001, until - time.monotonic()))
            more = self._connection.recv(min(size - len(data), 1 << 16))
            if not more:
                raise OSError(0, "it closed the connection")
            data += more
        return data

    def ask(self, *fields: bytes) -> list[bytes]:
        """What the agent says to that. Raises OSError."""
        self.say(*fields)
        return self.hear(time.monotonic() + 10 * PATIENCE)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(place: str) -> Wire:
    """A line to the agent in that folder. Raises OSError; Untrustworthy if it may be another user's."""
    check_length(place)
    check(place)
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(socket_path(place))
        if peer(connection)[1] != os.geteuid():
            raise Untrustworthy(0, "has the agent of another user", place)
    except BaseException:
        connection.close()
        raise
    return Wire(connection)


class Visit:
    """What the agent gave for some addresses: bytes, or None for "not there"; for others it knows an `errors` text.

    The caller asks the store for the rest; if it `leads`, others wait for what it then says.
    """

    def __init__(self, given: Mapping[bytes, bytes | None], errors: Mapping[bytes, bytes], line: Wire | None) -> None:
        self.given = given
        self.errors = errors
        self._line = line

    @property
    def leads(self) -> bool:
        return self._line is not None

    def put(self, answers: Mapping[bytes, bytes]) -> None:
        """What the store said, by address: VALUE with a value, ABSENT, or ERROR with a text for those who wait."""
        self._say(PUT, *(field for pair in answers.items() for field in pair))

    def keep(self, answers: Mapping[bytes, bytes], seconds: int) -> None:
        """The same, of what ends by itself after so many seconds."""
        self._say(KEEP, b"%d" % seconds, *(field for pair in answers.items() for field in pair))

    def refuse(self, text: bytes) -> None:
        """The store can't be used by anybody: whoever waits gets this error."""
        self._say(REFUSE, text)

    def release(self) -> None:
        """The store failed for this caller: whoever waits asks it for himself."""
        self._say(RELEASE)

    def end(self) -> None:
        """Whoever waits takes the lead, if nothing was said."""
        if self._line:
            self._line.close()
            self._line = None

    def _say(self, *fields: bytes) -> None:
        try:
            if self._line:
                self._line.say(*fields)
        except OSError:
            pass  # the agent ended, or is slow; the values are here
        finally:
            self.end()


class Late(Exception):
    """Another process is still asking the store, and this one's time is up."""


class Agent:
    """The agent of this user, started when it is first asked. `note` is what keeps it from being of use, for -v.

    `use` is what the session wants it for, until LEAVE says that this use has ended; empty for as long as the session
    lasts. `usual` are the seconds for stores of which the user's config says nothing.
    """

    def __init__(self, place: str, start: Start | None = None, use: bytes = b"", usual: int = 0) -> None:
        self.place = place
        self._start = start
        self._use = use
        self.usual = usual
        self.note = ""
        self._is_off = False

    def turn(self, head: Sequence[bytes], addresses: Sequence[bytes], until: float) -> Visit:
        """What it has for these addresses of the store that `head` describes: key, type, name, seconds to keep.

        Waits while another process asks the store. Raises Late at `until`, a time of `time.monotonic()`.
        """
        line = self._line()
        if line is None:
            return Visit({}, {}, None)
        memory.protect()  # before a value arrives
        try:
            word, *answers = self._answer(line, (GET, PROTOCOL, self._use, *head, *addresses), until)
        except OSError as error:
            line.close()
            self._give_up(error.strerror or "no answer")
            return Visit({}, {}, None)
        except BaseException:
            line.close()
            raise
        given, errors = _sorted(addresses, answers)
        leads = word in (LEAD, UNKEPT)
        if not leads:
            line.close()
        if word == UNKEPT:
            self.note = f"agent: {NO_SESSION}"
        return Visit(given, errors, line if leads else None)

    def _give_up(self, reason: str) -> None:
        """Once it could not be had, it is not tried again."""
        self.note, self._is_off = f"agent: {reason}", True

    def _answer(self, line: Wire, request: Sequence[bytes], until: float) -> list[bytes]:
        """The answer, once there is one. An agent that is to be waited for is asked each second whether it lives."""
        while True:
            line.say(*request)
            answer = line.hear(time.monotonic() + PATIENCE)
            if answer[0] != WAIT:
                return answer
            try:
                answer = line.hear(min(until, time.monotonic() + 1))
            except TimeoutError:
                if time.monotonic() >= until:
                    raise Late from None
            if answer[0] != WAIT:
                return answer

    def _line(self) -> Wire | None:
        """A line to it; None if it can't be had."""
        if self._is_off:
            return None
        for attempt in range(_STARTS + 1):
            try:
                return connect(self.place)
            except Untrustworthy as error:
                self._give_up(f"{self.place} {error.strerror}")
                return None
            except OSError as error:
                reason = error.strerror or "no answer"
                if not isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
                    break
            if self._start is None or attempt == _STARTS:
                break
            self._start(self.place)
        self._give_up(f"{self.place}: {reason}")
        return None


def _sorted(
    addresses: Sequence[bytes], answers: Sequence[bytes]
) -> tuple[dict[bytes, bytes | None], dict[bytes, bytes]]:
    """The answers by address: values and absence, and errors."""
    given: dict[bytes, bytes | None] = {}
    errors = {}
    for address, answer in zip(addresses, answers, strict=False):
        if answer[:1] == ERROR:
            errors[address] = answer[1:]
        elif answer[:1] in (VALUE, ABSENT):
            given[address] = answer[1:] if answer[:1] == VALUE else None
    return given, errors
