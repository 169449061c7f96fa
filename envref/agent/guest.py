"""Guest: one connection to the agent: what has come of its frames, and what there is to say to it."""

from __future__ import annotations

import time

from envref import client

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

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
