"""A real Redis server in memory, on a free port of 127.0.0.1: the store that docs/adding-a-store.md adds."""

from __future__ import annotations

import socket
import subprocess
import time

from tests.requirements import need

_PATIENCE = 20  # seconds; ready after 0.1 on a quiet machine


class RedisServer:
    """The server, running. `port` is text, as an option is."""

    def __init__(self, directory):
        self._directory = directory
        self._password = []

    def __enter__(self):
        server = need("redis-server")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = str(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [server, "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--dir", str(self._directory)],
            stdout=subprocess.DEVNULL,
        )
        patience = time.monotonic() + _PATIENCE
        while self.ask("PING") != "PONG":
            assert self._process.poll() is None
            assert time.monotonic() < patience
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def ask(self, *words):
        """One command, past envref; what it prints."""
        command = [need("redis-cli"), "--no-auth-warning", "-p", self.port, *self._password, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def require(self, password):
        """From now on, only who knows the password is served."""
        self.ask("CONFIG", "SET", "requirepass", password)
        self._password = ["-a", password]

    def reset(self):
        """Nothing stored, no password."""
        self.ask("FLUSHALL")
        self.ask("CONFIG", "SET", "requirepass", "")
        self._password = []
