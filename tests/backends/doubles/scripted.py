"""A server on loopback that says what a test wrote down, to the byte."""

from __future__ import annotations

import contextlib
import json
import socket
import threading


def http(body, *, status="200 OK", more=""):
    """An answer, to the byte."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@contextlib.contextmanager
def scripts():
    """A way to start servers, each with its answers; all end with it."""
    started = []

    def start(*answers, tls=None):
        started.append(Script(answers, tls))
        return started[-1]

    yield start
    for server in started:
        server.close()


_PATIENCE = 10  # seconds for a thread that was woken


class Script:
    """A server that gives each request the next of `answers`, then closes. An answer may be a list of parts:
    bytes, seconds to wait, and None for the end of the connection.

    `requests` are those it got. An answer that says so ends its connection. `tls` is its side of TLS, if it has any.
    """

    def __init__(self, answers, tls=None):
        self._tls = tls
        self.requests = []
        self._answers = iter(answers)
        self._talking = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError), self._secured(connection) as talking:
                self._talk(talking)

    def _secured(self, connection):
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def _talk(self, connection):
        self._talking = connection
        while request := connection.recv(65536):
            self.requests.append(request.decode())
            answer = next(self._answers, None)
            if answer is None:
                return
            for part in answer if isinstance(answer, list) else [answer]:
                if part is None:
                    return
                if isinstance(part, (int, float)):
                    self._ended.wait(part)
                else:
                    connection.sendall(part)
            if isinstance(answer, bytes) and b"Connection: close" in answer:
                return

    def close(self):
        """Ends the thread too: left in `accept`, it would take a connection of whoever gets the descriptor next."""
        self._ended.set()
        with contextlib.suppress(OSError):  # macOS: nobody is connected
            self._listener.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, AttributeError):  # nobody was, or is any more
            self._talking.shutdown(socket.SHUT_RDWR)  # a store may keep it
        self._listener.close()
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()
