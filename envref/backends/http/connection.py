"""One kept connection to a store's server: its limits of time and bytes, TLS, and what is not followed (ADR 30).

Whatever is out of the ordinary raises `Unusual`, and the store's own program decides. Neither `http.client` nor `email`
is loaded, and `ssl` (with `socket`) for HTTPS alone.
"""

from __future__ import annotations

import _socket as sockets  # `socket` makes enums of its constants, which takes longer than a request
import sys
import time
from errno import ETIMEDOUT

from envref.backends.http.threads import begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

    Resolved = tuple[int, int, int, str, tuple[object, ...]]

LARGEST_BODY = 16 * 1024 * 1024  # bytes; a longer answer is Unusual
_LARGEST_HEAD = 64 * 1024  # bytes of the status line and the headers
_CHUNK = 64 * 1024
_LONG = "a long answer"
_SMALLEST = 0.001  # seconds; a time-out of 0 would mean "don't block"
_ENDLESS = float("inf")  # seconds
_MOMENT = 0.3  # seconds that one of several addresses gets before the next is tried, as Go gives it
_REDIRECTS = range(300, 400)
_SWITCHING = 101
_NO_CONTENT = 204
TOO_MANY_REQUESTS = 429


class Unusual(Exception):
    """The way to the server, or its answer, is not one that envref handles: the store has to use its program.

    Its text says what is not, after the name of the program in what `-v` prints.
    """


class NotHttp(Exception):
    """What came back is no HTTP."""


class Server:
    """Where to connect to. `tls` makes the settings of TLS, on the first connection; None is plain HTTP.

    `name` is what the certificate must be for, if that is not the host. `patience` is how many seconds a connection
    may take, and how many each wait for more of an answer; the deadline alone limits both by default.
    """

    __slots__ = ("addresses", "host", "is_default_port", "name", "patience", "port", "tls")

    def __init__(
        self,
        host: str,
        port: int,
        tls: Callable[[], ssl.SSLContext] | None,
        name: str = "",
        patience: tuple[float, float] = (_ENDLESS, _ENDLESS),
    ) -> None:
        self.host = host
        self.patience = patience
        self.port = port
        self.tls = tls
        self.name = name or host
        self.is_default_port = port == (443 if tls else 80)
        self.addresses: Sequence[Resolved] = ()  # as they were looked up for the first connection

    @property
    def identity(self) -> object:
        """The same for servers between which a connection makes no difference; None if nobody can tell."""
        trusted = () if self.tls is None else getattr(self.tls, "identity", None)
        return None if trusted is None else (self.host, self.port, self.name, self.patience, self.tls is None, trusted)

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.is_default_port else f"{host}:{self.port}"


class Answer:
    """Status, headers by their names in lower case, and body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def pause(self) -> float | None:
        """The seconds to wait before another try (RFC 9110, 10.2.3); None for an answer about something else."""
        if self.status != TOO_MANY_REQUESTS:
            return None
        after = self.headers.get("retry-after", "")
        if not after or (after.isascii() and after.isdecimal()):
            return float(after or 0)
        from envref.backends.http.date import moment

        until, now = moment(after), moment(self.headers.get("date", ""))
        # By the server's own clock, if it says what that shows.
        return 0.0 if until is None else max(0.0, until - (time.time() if now is None else now))


class Connection:
    """A connection, opened by the first request, and again after an answer that closes it. Each request ends by the
    `deadline` that is set then.
    """

    def __init__(self, server: Server, deadline: float) -> None:
        self.server = server
        self.deadline = deadline
        self._stream: sockets.socket | None = None
        self._context: ssl.SSLContext | None = None
        self._received: bytes
        self._is_begun: bool  # whether anything came for the request

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The server's answer. Raises OSError, NotHttp, ValueError for what no header can hold, and Unusual."""
        request = _request(method, target, {"Host": self.server.authority, **headers}, body)
        is_kept = self._stream is not None
        try:
            return self._exchange(request)
        except ConnectionError:
            # A server may close a connection that it left open before; what it never answered may be asked again.
            if not is_kept or self._is_begun:
                raise
        return self._exchange(request)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _exchange(self, request: bytes) -> Answer:
        self._received, self._is_begun = b"", False
        try:
            stream = self._stream = self._stream or self._connected()
            stream.settimeout(self._left(self.server.patience[1]))
            stream.sendall(request)
            answer, is_kept = self._answer()
        except BaseException as failed:
            self.close()
            _refuse_untrusted(failed)
            if is_late(failed) and time.monotonic() < self.deadline:
                raise TimeoutError(ETIMEDOUT, "the server takes too long") from None
            raise
        if not is_kept:
            self.close()
        return answer

    def _connected(self) -> sockets.socket:
        """A stream to the first of the host's addresses that can be reached.

        Of several, each gets a moment before any gets long: one that is silent costs little (as in RFC 8305).
        """
        server = self.server
        known = waiting = server.addresses = server.addresses or _addresses(server.host, server.port, self._left())
        failed: OSError = ConnectionRefusedError()
        for most in (_MOMENT, _ENDLESS) if len(known) > 1 else (_ENDLESS,):
            silent = []
            for index, resolved in enumerate(waiting):
                fair = self._left() / (len(waiting) - index)
                try:
                    stream = self._opened(resolved, min(fair, most))
                except OSError as error:
                    failed = error
                    if isinstance(error, TimeoutError):
                        silent.append(resolved)
                else:
                    server.addresses = (resolved, *(each for each in known if each is not resolved))
                    return stream
            waiting = silent
        raise failed

    def _opened(self, resolved: Resolved, most: float) -> sockets.socket:
        """A stream to one address, which may take so many seconds to be there."""
        family, kind, protocol, _, address = resolved
        stream = sockets.socket(family, kind, protocol)
        try:
            stream.settimeout(self._left(min(most, self.server.patience[0])))
            stream.connect(address)
            stream.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            return self._secured(stream)
        except BaseException:
            stream.close()
            raise

    def _secured(self, stream: sockets.socket) -> sockets.socket:
        if self.server.tls is None:
            return stream
        import socket

        try:
            self._context = self._context or self.server.tls()
        except (OSError, ValueError):
            raise Unusual("files for TLS that can't be used") from None
        whole = socket.socket(stream.family, stream.type, stream.proto, stream.detach())
        whole.settimeout(self._left(self.server.patience[0]))
        try:
            return self._context.wrap_socket(whole, server_hostname=self.server.name)
        except BaseException:
            whole.close()
            raise

    def _left(self, most: float = _ENDLESS) -> float:
        """The seconds left, up to so many; TimeoutError for none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return max(_SMALLEST, min(left, most))

    def _answer(self) -> tuple[Answer, bool]:
        """The answer, and whether the connection may be used again."""
        status, version, headers = self._head()
        while status < 200:
            if status == _SWITCHING:  # to what nobody asked for: no answer follows
                raise NotHttp
            status, version, headers = self._head()
        if status in _REDIRECTS:
            raise Unusual("a redirect")
        said = headers.get("connection", "").lower()
        is_kept = "close" not in said and (version == b"1.1" or "keep-alive" in said)
        if headers.get("content-encoding", "").lower() not in ("", "identity"):
            raise Unusual("a coding of the answer")
        if status == _NO_CONTENT:
            return Answer(status, headers, b""), is_kept
        if "transfer-encoding" in headers:
            return Answer(status, headers, self._chunks(headers["transfer-encoding"])), is_kept
        if "content-length" in headers:
            return Answer(status, headers, self._exactly(_length(headers["content-length"]))), is_kept
        return Answer(status, headers, self._rest()), False

    def _head(self) -> tuple[int, bytes, dict[str, str]]:
        end = self._until(b"\r\n\r\n", _LARGEST_HEAD)
        status, *lines = end.split(b"\r\n")
        start, _, rest = status.partition(b" ")
        number = rest[:3]
        if start not in (b"HTTP/1.1", b"HTTP/1.0") or not number.isdigit() or rest[3:4].strip():
            raise NotHttp
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.decode("latin-1").partition(":")
            known = headers.setdefault(name.lower(), value.strip())
            # Two lengths: the one that counts here may not be the one that counts for a proxy between (RFC 9112, 6.3).
            if not colon or (name.lower() in ("content-length", "transfer-encoding") and known != value.strip()):
                raise NotHttp
        return int(number), start[5:], headers

    def _chunks(self, coding: str) -> bytes:
        if coding.lower() != "chunked":
            raise Unusual("a coding of the answer")
        whole = bytearray()
        while size := _size(self._until(b"\r\n", _LARGEST_HEAD)):
            whole += self._exactly(size, LARGEST_BODY - len(whole))
            if self._exactly(2) != b"\r\n":
                raise NotHttp
        while self._until(b"\r\n", _LARGEST_HEAD):  # trailers
            pass
        return bytes(whole)

    def _exactly(self, size: int, most: int = LARGEST_BODY) -> bytes:
        if size > most:
            raise Unusual(_LONG)
        parts, missing = [self._received], size - len(self._received)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        whole = b"".join(parts)
        self._received = whole[size:]
        return whole[:size]

    def _rest(self) -> bytes:
        parts, size = [self._received], len(self._received)
        while part := self._receive():
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise Unusual(_LONG)
        return b"".join(parts)

    def _until(self, end: bytes, most: int) -> bytes:
        """What comes before `end`, which is taken off too."""
        while end not in self._received:
            if len(self._received) > most:
                raise NotHttp
            self._received += self._more()
        found, _, self._received = self._received.partition(end)
        return found

    def _more(self) -> bytes:
        part = self._receive()
        if not part:
            raise ConnectionResetError  # fewer bytes came than were announced
        return part

    def _receive(self) -> bytes:
        stream = self._stream
        if stream is None:
            raise ConnectionResetError
        stream.settimeout(self._left(self.server.patience[1]))
        part = stream.recv(_CHUNK)
        self._is_begun = self._is_begun or bool(part)
        return part


def is_late(failed: BaseException) -> bool:
    """Whether the deadline ended it. A system that gives up a connection by itself says so with a number."""
    return isinstance(failed, TimeoutError) and failed.errno is None


def is_sendable(text: str) -> bool:
    """Whether a header can hold the text."""
    return text.isascii() and (text.isprintable() or not text) and " " not in text


def _refuse_untrusted(failed: BaseException) -> None:
    """Raises Unusual where TLS failed, e.g. for a certificate: the program may accept what Python does not."""
    ssl = sys.modules.get("ssl")
    if ssl is not None and isinstance(failed, ssl.SSLError):
        raise Unusual("a certificate that Python does not accept") from None


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request. ValueError for a line that would end early, or hold another."""
    if body or method == "POST":
        headers = {**headers, "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in {**headers, "Accept-Encoding": "identity"}.items()]
    if not is_sendable(target) or not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("a header that no request can hold")
    return "\r\n".join((f"{method} {target} HTTP/1.1", *lines, "", "")).encode("ascii") + body


def _length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise NotHttp
    return int(text)


def _size(line: bytes) -> int:
    """The size of a chunk; extensions stand behind a semicolon."""
    digits = line.partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > 8:
        raise NotHttp
    return int(digits, 16)


def _addresses(host: str, port: int, left: float) -> Sequence[Resolved]:
    """What the name service says within that time; it respects no time-out, so a thread of its own waits for it."""
    found: list[Sequence[Resolved] | Exception] = []

    def look_up() -> None:
        try:
            # As bytes: for text, Python loads what turns other scripts into it.
            found.append(sockets.getaddrinfo(host.encode("ascii"), port, 0, sockets.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    if _is_numeric(host):
        look_up()
    elif not begun(look_up).acquire(timeout=left):
        raise TimeoutError
    (answer,) = found
    if isinstance(answer, UnicodeError):
        raise Unusual("the name of the host") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _is_numeric(host: str) -> bool:
    """Whether no name service is needed."""
    return ":" in host or not host.strip("0123456789.")
