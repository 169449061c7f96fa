"""A real Redis server in memory, on a free port of 127.0.0.1: the store that docs/adding-a-store.md adds."""

from __future__ import annotations

import socket
import subprocess
import time

from tests.requirements import need

_TRIES = 5  # ports; another program may take one between the look and the start
_PATIENCE = 20  # seconds; ready after 0.1 on a quiet machine


class RedisServer:
    """The server, running. `port` is text, as an option is."""

    def __init__(self, directory):
        self._directory = directory
        self._password = []

    def __enter__(self):
        assert any(self._started() for _ in range(_TRIES)), "no port was free"
        return self

    def _started(self):
        """Whether the server that was started here is the one that answers."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = str(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [need("redis-server"), "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--dir", self._directory],
            stdout=subprocess.DEVNULL,
        )
        patience = time.monotonic() + _PATIENCE
        while self._process.poll() is None:
            if f"process_id:{self._process.pid}" in self.ask("INFO", "server").splitlines():
                return True
            assert time.monotonic() < patience, "redis-server did not get ready"
            time.sleep(0.02)
        return False

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
