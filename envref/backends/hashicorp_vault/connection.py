"""Many entries over one connection to the server: two hundred times as fast as the program (stores.md 6)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from envref.backends.command import LARGEST_OUTPUT
from envref.backends.hashicorp_vault.complaints import refusal, unreachable
from envref.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.backends.hashicorp_vault.endpoint import Endpoint

_SMALLEST = 0.001  # seconds; a time-out of 0 would mean "don't block"


class Unusual(Exception):
    """The way to the server, or its answer, is not one that envref handles: the store has to use the program."""


def read_many(server: Endpoint, mount: str, paths: Sequence[str], deadline: float) -> dict[str, bytes | BackendError]:
    """What the server says of each path: the entry as JSON, or why there is none. A path is left out when time was up.

    Raises Unusual, and BackendError where the mount can't be read.
    """
    try:
        connection = _Connection(server, deadline)
    except (OSError, ValueError):
        raise Unusual from None
    reader = _Reader(connection, mount)
    # In a thread: a slow name service, or a server that sends a byte a second, does not respect a deadline.
    worker = threading.Thread(target=reader.run, args=(paths,), daemon=True)
    worker.start()
    worker.join(max(0.0, deadline - time.monotonic()))
    replies, failed = dict(reader.replies), reader.failed
    connection.abandon()
    if isinstance(failed, BackendError):
        raise failed
    # The program may accept a certificate that Python does not.
    if isinstance(failed, Unusual | ssl.SSLError | UnicodeError):
        raise Unusual from None
    if failed is None or time.monotonic() >= deadline:
        return replies
    return {**dict.fromkeys(paths, unreachable(server.url, failed)), **replies}


class _Connection(http.client.HTTPConnection):
    """A connection until the deadline, opened on the first request, and again after an answer that closes it."""

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
        if response.length:  # fewer bytes came than were announced
            raise ConnectionResetError
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            raise Unusual
        return response.status, body

    def abandon(self) -> None:
        """Ends a read that another thread is waiting for."""
        stream = self.sock
        if stream is not None:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            stream.close()


class _Reader:
    """The replies so far, and what ended the reading before the last path."""

    def __init__(self, connection: _Connection, mount: str) -> None:
        self.replies: dict[str, bytes | BackendError] = {}
        self.failed: Exception | None = None
        self._connection = connection
        self._mount = mount

    def run(self, paths: Sequence[str]) -> None:
        """The body of a thread, so it never raises."""
        try:
            self._check_mount()
            for path in paths:
                self.replies[path] = self._entry(path)
        except (OSError, ValueError, http.client.HTTPException, Unusual, BackendError) as error:
            self.failed = error

    def _check_mount(self) -> None:
        """Checks the mount first, as the program does: without one of version 2, every path would look absent."""
        target = _target(f"sys/internal/ui/mounts/{self._mount}")
        status, body = self._connection.read(target)
        if status != HTTPStatus.OK:
            raise self._refusal(target, status, _members(body))
        mount = _members(_members(body).get("data"))
        options = _members(mount.get("options"))
        if (options.get("version"), mount.get("path")) != ("2", f"{self._mount}/"):
            raise Unusual

    def _entry(self, path: str) -> bytes | BackendError:
        target = _target(f"{self._mount}/data/{path}")
        status, body = self._connection.read(target)
        answer = {} if status == HTTPStatus.OK else _members(body)
        # 404 with data means a deleted version that can be undeleted.
        if status == HTTPStatus.OK or (status == HTTPStatus.NOT_FOUND and answer.get("data")):
            return body
        return self._refusal(target, status, answer, path)

    def _refusal(self, target: str, status: int, answer: dict[str, object], path: str = "") -> BackendError:
        errors = answer.get("errors")
        listed = [str(error) for error in errors] if isinstance(errors, list) else None
        return refusal(self._connection.server.url, target, status, listed, mount=self._mount, path=path)


def _target(path: str) -> str:
    return f"/v1/{quote(path)}"


def _members(value: object) -> dict[str, object]:
    """The members of a JSON object, or of its text; none for anything else."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
