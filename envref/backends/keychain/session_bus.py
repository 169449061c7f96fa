"""SessionBus: a connection to the session bus of a Linux desktop, on which every wait ends at one deadline.

It sends all questions of a kind before it reads the first answer, and ends a wait without a thread.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, Message, new_method_call  # type: ignore[import-untyped]
from jeepney.bus import get_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import DBusConnection, prep_socket  # type: ignore[import-untyped]
from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]

from envref.paths import runtime_directory

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

_MOMENT = 0.1  # seconds
_AT_ONCE = 100  # questions sent and not yet answered; a bus without a desktop's limits allows 128

GONE = {
    "org.freedesktop.Secret.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownMethod",
    "org.freedesktop.DBus.Error.UnknownObject",
}


class NoBus(Exception):
    """There is no session bus, or its address leads nowhere."""


class SessionBus(DBusConnection):  # type: ignore[misc]
    """A connection whose every wait ends at one deadline, with TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._deadline = deadline
        super().__init__(sock)

    def receive(self, *, timeout: float | None = None) -> Message:  # noqa: ARG002  # jeepney's callers pass none
        return super().receive(timeout=self._left())

    def send(self, message: Message, serial: int | None = None) -> None:
        self.sock.settimeout(self._left())
        super().send(message, serial)

    send_message = send

    def say(self, message: Message) -> None:
        """Sends a message to which no answer is awaited, even when time is up."""
        self.sock.settimeout(_MOMENT)
        super().send(message)

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """A part of the conversation that ends earlier than the rest."""
        deadline = self._deadline
        if seconds is not None:
            self._deadline = min(deadline, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._deadline = deadline

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def ask(self, address: DBusAddress, method: str, signature: str | None = None, *body: object) -> tuple[Any, ...]:
        (answer,) = self.ask_all([new_method_call(address, method, signature, body)])
        return answer

    def ask_all(self, messages: Sequence[Message]) -> list[tuple[Any, ...]]:
        """The answers in the order of the questions."""
        return [unwrap_msg(reply) for reply in self._replies(messages)]

    def ask_existing(self, messages: Sequence[Message]) -> list[tuple[Any, ...]]:
        """The answers without those about objects that are gone."""
        replies = self._replies(messages)
        return [unwrap_msg(reply) for reply in replies if reply.header.fields.get(HeaderFields.error_name) not in GONE]

    def _replies(self, messages: Sequence[Message]) -> Iterator[Message]:
        for start in range(0, len(messages), _AT_ONCE):
            serials = [self._post(message) for message in messages[start : start + _AT_ONCE]]
            replies: dict[int, Message] = {}
            while len(replies) < len(serials):
                reply = self.receive()
                answered = reply.header.fields.get(HeaderFields.reply_serial)
                if answered is not None:  # a signal answers nothing
                    replies[answered] = reply
            yield from (replies[serial] for serial in serials)

    def _post(self, message: Message) -> int:
        serial: int = next(self.outgoing_serial)
        self.send(message, serial)
        return serial


def connect(deadline: float) -> SessionBus:
    """A connection to the session bus. NoBus when there is none, TimeoutError when it does not answer."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    try:
        return SessionBus(prep_socket(get_bus(_address()), timeout=left), deadline)
    except (ValueError, RuntimeError, StopIteration):  # there is no address, or jeepney can't connect to any
        raise NoBus from None


def _address() -> str:
    """The bus that the environment names, else the one where other programs look for it too."""
    directory = runtime_directory()
    standard = f"unix:path={directory}/bus" if directory else ""
    return os.environ.get("DBUS_SESSION_BUS_ADDRESS") or standard
