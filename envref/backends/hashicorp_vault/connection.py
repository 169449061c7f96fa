"""Many entries over one connection to the server: two hundred times as fast as the program (stores.md 6)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from envref.backends.answer import answered
from envref.backends.command import LARGEST_OUTPUT
from envref.backends.hashicorp_vault.complaints import Login, refusal, unreachable
from envref.backends.hashicorp_vault.entry import KvEntry, KvPlace, latest_revision, parsed, unversioned
from envref.backends.throttling import patiently
from envref.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envref.backends.hashicorp_vault.endpoint import Endpoint

_Told = TypeVar("_Told")
_SMALLEST = 0.001  # seconds; a time-out of 0 would mean "don't block"


class Unusual(Exception):
    """The way to the server, or its answer, is not one that envref handles: the store has to use the program."""


Reply = KvEntry | BackendError
Revised = str | BackendError


def read_many(
    server: Endpoint, mount: str, places: Sequence[KvPlace], deadline: float, login: Login
) -> dict[KvPlace, Reply]:
    """What the server says of each place: the entry, or why there is none. A place is left out when time was up.

    Raises Unusual, and BackendError where the mount can't be read.
    """
    return _replies(server, mount, places, deadline, login, _Reader.entry)


def revisions(
    server: Endpoint, mount: str, places: Sequence[KvPlace], deadline: float, login: Login
) -> dict[KvPlace, Revised]:
    """The revision of the latest version at each place, from the metadata; empty where that is deleted."""
    return _replies(server, mount, places, deadline, login, _Reader.revision)


def _replies(
    server: Endpoint,
    mount: str,
    places: Sequence[KvPlace],
    deadline: float,
    login: Login,
    question: Callable[[_Reader[_Told], KvPlace, int], _Told],
) -> dict[KvPlace, _Told | BackendError]:
    try:
        connection = _Connection(server, deadline)
    except (OSError, ValueError):
        raise Unusual from None
    reader = _Reader(connection, mount, deadline, login, question)
    # In a thread: a slow name service, or a server that sends a byte a second, does not respect a deadline.
    worker = threading.Thread(target=reader.run, args=(places,), daemon=True)
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
    return {**dict.fromkeys(places, unreachable(server.url, failed)), **replies}


class Answer(NamedTuple):
    """Status and body, and for how long the server wants to be left alone, in its own words."""

    status: int
    body: bytes
    retry_after: str

    def pause(self) -> float | None:
        """The seconds to wait before another try (RFC 9110, 10.2.3); None for an answer about something else."""
        if self.status != HTTPStatus.TOO_MANY_REQUESTS:
            return None
        return float(self.retry_after) if self.retry_after.isdecimal() else 0.0


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

    def read(self, target: str) -> Answer:
        """The server's answer. OSError, HTTPException, and Unusual for a redirect."""
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
        return Answer(response.status, body, response.headers.get("Retry-After", ""))

    def abandon(self) -> None:
        """Ends a read that another thread is waiting for."""
        stream = self.sock
        if stream is not None:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            stream.close()


class _Reader(Generic[_Told]):
    """The replies so far, and what ended the reading before the last path."""

    def __init__(
        self,
        connection: _Connection,
        mount: str,
        deadline: float,
        login: Login,
        question: Callable[[_Reader[_Told], KvPlace, int], _Told],
    ) -> None:
        self._question = question
        self.replies: dict[KvPlace, _Told | BackendError] = {}
        self.failed: Exception | None = None
        self._connection = connection
        self._mount = mount
        self._deadline = deadline
        self._login = login

    def run(self, places: Sequence[KvPlace]) -> None:
        """The body of a thread, so it never raises."""
        try:
            engine = self._engine()
            for place in places:
                self.replies[place] = answered(self._question, self, place, engine)
        except (OSError, ValueError, http.client.HTTPException, Unusual, BackendError) as error:
            self.failed = error

    def _engine(self) -> int:
        """The version of the mount's KV engine. Looked up first, as the program does: else every path would look
        absent.
        """
        target = _target(f"sys/internal/ui/mounts/{self._mount}")
        answer = self._read(target)
        if answer.status != HTTPStatus.OK:
            raise self._refusal(target, answer)
        mount = _members(_members(answer.body).get("data"))
        version = _members(mount.get("options")).get("version")
        if version not in ("1", "2") or mount.get("path") != f"{self._mount}/":
            raise Unusual
        return int(str(version))

    def entry(self, place: KvPlace, engine: int) -> KvEntry:
        """Raises BackendError where there is none."""
        inner = f"data/{place.path}" if engine == 2 else place.path
        target = _target(f"{self._mount}/{inner}")
        answer = self._read(target if place.version is None else f"{target}?version={place.version}")
        # 404 with data means a deleted version that can be undeleted.
        is_deleted = answer.status == HTTPStatus.NOT_FOUND and bool(_members(answer.body).get("data"))
        if answer.status != HTTPStatus.OK and not is_deleted:
            raise self._refusal(target, answer, place.path)
        return parsed(place.path, answer.body, engine)

    def revision(self, place: KvPlace, engine: int) -> str:
        """The revision of the latest version. Raises BackendError where there is none."""
        if engine == 1:
            raise unversioned(place.path)
        target = _target(f"{self._mount}/metadata/{place.path}")
        answer = self._read(target)
        if answer.status != HTTPStatus.OK:
            raise self._refusal(target, answer, place.path)
        return latest_revision(place.path, answer.body)

    def _read(self, target: str) -> Answer:
        (answer,) = patiently(
            lambda targets: [self._connection.read(each) for each in targets], [target], self._deadline, Answer.pause
        )
        return answer

    def _refusal(self, target: str, answer: Answer, path: str = "") -> BackendError:
        errors = _members(answer.body).get("errors")
        listed = [str(error) for error in errors] if isinstance(errors, list) else None
        url, named = self._connection.server.url, {"mount": self._mount, "path": path}
        return refusal(url, target, answer.status, listed, **named, login=self._login)


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
