"""What stands in front of a server and counts who comes."""

from __future__ import annotations

import socket
import threading


class Relay:
    """A port, or a socket, in front of another one. It counts the connections, and the requests of HTTP in them."""

    def __init__(self, family, here, there):
        self.connections = self.requests = 0
        self._family = family
        self._there = there
        self._listening = socket.create_server(here, family=family, backlog=128)
        self.address = self._listening.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listening.close()

    def _serve(self):
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.socket(self._family)
            far.connect(self._there)
            for one, other, counted in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass_on, args=(one, other, counted), daemon=True).start()

    def _pass_on(self, one, other, counted):
        while chunk := _received(one):
            self.requests += chunk.count(b" HTTP/1.1\r\n") * counted
            other.sendall(chunk)
        for each in (one, other):
            each.close()


def _received(connection):
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""
