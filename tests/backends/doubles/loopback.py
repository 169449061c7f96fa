"""A double's server on a loopback port: what the doubles of web services share."""

from __future__ import annotations

import http.server
import threading


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # A store's pool of programs connects all at once. With the library's 5, a busy machine drops one of them, and its
    # program gives up before it has tried for the third time.
    request_queue_size = 128
    accepted = 0

    def process_request(self, request, client_address):
        self.accepted += 1
        super().process_request(request, client_address)


class LoopbackService:
    """A context in which a subclass answers at `endpoint`. `stopped` is set when it ends: nothing may wait longer."""

    def __init__(self):
        self.stopped = threading.Event()

    @property
    def connections(self):
        """How many were accepted so far."""
        return self._server.accepted

    def handler(self):
        """The class that answers one connection."""
        raise NotImplementedError

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), self.handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
