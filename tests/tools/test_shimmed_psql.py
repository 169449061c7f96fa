"""The real psql behind its shim, against a server on loopback that lets nobody in without the password.

The server speaks as much of PostgreSQL's protocol 3.0 as one query needs (its documentation, "Message Flow"); a
PostgreSQL 15 with scram-sha-256 was tried by hand, with the same result.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading

import pytest

from tests.requirements import first_python, need
from tests.tools.test_shim import FIRST, SEEN, SHELLS

pytestmark = first_python

PASSWORD = "l1teral-passw0rd"
_ENCRYPTION = (80877103, 80877104)  # SSLRequest, GSSENCRequest
_CLEAR_TEXT, _OK = struct.pack("!i", 3), struct.pack("!i", 0)


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self._start()
        self.wfile.write(message(b"R", _CLEAR_TEXT))
        kind, body = self._read()
        password = body.rstrip(b"\0").decode() if kind == b"p" else ""
        self.server.given.append(password)
        if password != PASSWORD:
            self.wfile.write(message(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"))
            return
        self.wfile.write(message(b"R", _OK) + message(b"Z", b"I"))
        while kind != b"X":
            kind, body = self._read()
            if kind == b"Q":
                column = b"a\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
                row = struct.pack("!hi", 1, 5) + b"shown"
                self.wfile.write(message(b"T", struct.pack("!h", 1) + column) + message(b"D", row))
                self.wfile.write(message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))

    def _start(self):
        while True:
            length, code = struct.unpack("!ii", self.rfile.read(8))
            self.rfile.read(length - 8)
            if code not in _ENCRYPTION:
                return
            self.wfile.write(b"N")

    def _read(self):
        head = self.rfile.read(5)
        if len(head) < 5:
            return b"X", b""
        return head[:1], self.rfile.read(struct.unpack("!i", head[1:])[0] - 4)


@contextlib.contextmanager
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as serving:
        serving.daemon_threads = True
        serving.given = []
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.mark.parametrize("shell", SHELLS)
def test_psql_gets_its_password_and_the_shell_does_not(app, shell):
    """By PGPASSWORD, which it reads from its environment; without the shim nobody is let in."""
    need("psql")
    need(shell)
    with server() as serving:
        ask = f"psql -w -h 127.0.0.1 -p {serving.server_address[1]} -U me -d shop -Atc 'select 1'"
        done = app.typed(f"{FIRST[shell]}; {ask}; echo ::; {SEEN}", shell=SHELLS[shell])
        shown, _, environments = done.stdout.partition("::\n")
        assert (shown, PASSWORD in environments) == ("shown\n", False), done.stderr
        assert serving.given == [PASSWORD]
        refused = app.typed(ask, shell=SHELLS[shell])
        assert (refused.returncode, refused.stdout) == (2, "")
    assert serving.given in ([PASSWORD], [PASSWORD, ""])  # libpq sends an empty one, or none
