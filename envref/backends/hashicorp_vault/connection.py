"""Many entries over one connection to the server: two hundred times as fast as the program (stores.md 6)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from envref.backends.command import LARGEST_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.backends.hashicorp_vault.endpoint import Endpoint

_SMALLEST = 0.001  # seconds; a time-out of 0 would mean "don't block"


class Unusual(Exception):
    """The way to the server, or its answer, is out of the ordinary: the program has to ask."""


class Refused(Exception):
    """The mount can't be read. The server's words, as the program would print them."""


class Reply(NamedTuple):
    """An entry as JSON, or else what the server said, in the manner of the program's errors."""

    entry: bytes | None
    words: str = ""


def read_many(
    server: Endpoint, mount: str, paths: Sequence[str], deadline: float
) -> tuple[dict[str, Reply], str | None]:
    """The replies by path, and why the others have none: None when the time was up. Raises Unusual and Refused."""
    try:
        connection = _Connection(server, deadline)
    except (OSError, ValueError):
        raise Unusual from None
    reading = _Reading(connection, mount)
    # In a thread: neither a name service nor a server that sends a byte a second heeds a deadline.
    worker = threading.Thread(target=reading.run, args=(paths,), daemon=True)
    worker.start()
    worker.join(max(0.0, deadline - time.monotonic()))
    replies, failure = dict(reading.replies), reading.failure
    connection.abandon()
    if isinstance(failure, Refused):
        raise failure
    # A certificate that Python does not accept may be fine for the program.
    if isinstance(failure, Unusual | ssl.SSLError | UnicodeError):
        raise Unusual from None
    if failure is None or time.monotonic() >= deadline:
        return replies, None
    return replies, f'GET "{server.url}": {_reason(failure)}'


class _Connection(http.client.HTTPConnection):
    """Opened on the first request, and again after an answer that closes it; until the deadline."""

    def __init__(self, server: Endpoint, deadline: float) -> None:
        super().__init__(server.host, server.port)
        self.server = server
        self._deadline = deadline
        self._tls = server.tls()

    def connect(self) -> None:
        """Straight to the server. Whatever it answers, nothing here follows a redirect."""
        stream = socket.create_connection((self.host, self.port), max(_SMALLEST, self._deadline - time.monotonic()))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = self.server.server_name
        self.sock = stream if self._tls is None else self._tls.wrap_socket(stream, server_hostname=name)

    def read(self, target: str) -> tuple[int, bytes]:
        """Status and body. OSError, HTTPException, and Unusual for a redirect."""
        if time.monotonic() >= self._deadline:
            raise TimeoutError
        self.request("GET", target, headers=self.server.headers())
        response = self.getresponse()
        body = response.read(LARGEST_OUTPUT + 1)
        if len(body) > LARGEST_OUTPUT:
            raise Unusual
        if response.length:  # bytes that were announced and did not come
            raise ConnectionResetError
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            raise Unusual
        return response.status, body

    def abandon(self) -> None:
        """Ends a read that another thread is waiting in."""
        stream = self.sock
        if stream is not None:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            stream.close()


class _Reading:
    """The replies so far, and what ended the reading before the last path."""

    def __init__(self, connection: _Connection, mount: str) -> None:
        self.replies: dict[str, Reply] = {}
        self.failure: Exception | None = None
        self._connection = connection
        self._mount = mount

    def run(self, paths: Sequence[str]) -> None:
        """Never raises: it is the whole of a thread."""
        try:
            self._check_mount()
            for path in paths:
                self.replies[path] = self._entry(f"{self._mount}/data/{path}")
        except (OSError, ValueError, http.client.HTTPException, Unusual, Refused) as error:
            self.failure = error

    def _check_mount(self) -> None:
        """What the program asks first: at a mount of version 1, or at none, every path would look absent."""
        target = _target(f"sys/internal/ui/mounts/{self._mount}")
        status, body = self._connection.read(target)
        if status != HTTPStatus.OK:
            raise Refused(self._words(target, status, _members(body)))
        mount = _members(_members(body).get("data"))
        options = _members(mount.get("options"))
        if (options.get("version"), mount.get("path")) != ("2", f"{self._mount}/"):
            raise Unusual

    def _entry(self, name: str) -> Reply:
        target = _target(name)
        status, body = self._connection.read(target)
        if status == HTTPStatus.OK:
            return Reply(body)
        answer = _members(body)
        if status == HTTPStatus.NOT_FOUND and answer.get("data"):
            return Reply(body)  # of a version that is deleted and can be undeleted
        if status == HTTPStatus.NOT_FOUND and answer.get("errors") == []:
            return Reply(None, f"No value found at {name}")
        return Reply(None, f"Error reading {name}: {self._words(target, status, answer)}")

    def _words(self, target: str, status: int, answer: dict[str, object]) -> str:
        errors = answer.get("errors")
        said = "".join(f" * {error}" for error in errors) if isinstance(errors, list) else ""
        return f"URL: GET {self._connection.server.url}{target} Code: {status}. Errors:{said}"


def _target(path: str) -> str:
    return f"/v1/{quote(path)}"


def _members(value: object) -> dict[str, object]:
    """Of a JSON object, or of its text; none of anything else."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _reason(failure: Exception) -> str:
    if isinstance(failure, socket.gaierror) and failure.errno == socket.EAI_NONAME:
        return "no such host"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror.lower()
    if isinstance(failure, OSError):
        return "the connection ended before the answer"
    return "the answer is not HTTP"
