"""ServerPlace: a server, or a part of one, that a credential is for: `github.com`, `http://127.0.0.1:8080/team`."""

from __future__ import annotations

_PORTS = {"https": 443, "http": 80}
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_DIGITS = frozenset("0123456789")
_HOST = _LETTERS | {".", "-"}
_NUMERIC = _DIGITS | frozenset("ABCDEFabcdef:.")  # an address of IPv6, between brackets
_PATH = _LETTERS | frozenset("._~/%+-")
_INDEX_KINDS = ("sparse", "registry")  # Cargo writes an index as `sparse+https://…`
_CRATES_IO = ("crates.io", "index.crates.io")
_INDEXES = ("index.crates.io", "github.com/rust-lang/crates.io-index")
_HUB = ("index.docker.io", "registry-1.docker.io")  # what docker calls docker.io


class ServerPlace:
    """`path` has no slash at its ends and no `.git`; without one it is the whole server. `text` is what was typed."""

    __slots__ = ("_written", "host", "path", "port", "scheme", "text")

    def __init__(self, scheme: str, host: str, port: int, path: str, text: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path.removesuffix(".git").removesuffix("/")
        self._written = path
        self.text = text

    @property
    def server(self) -> str:
        """`https://github.com`, with its port unless it is the usual one."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """As git compares it with a remote's: `.git` counts there."""
        return f"{self.server}/{self._written}".rstrip("/")

    def covers(self, asked: ServerPlace) -> bool:
        """Whether a credential of this place is for what was asked: the same server, and there this path or below."""
        if (asked.scheme, asked.host, asked.port) != (self.scheme, self.host, self.port):
            return False
        return not self.path or (_is_plain(asked.path) and f"{asked.path}/".startswith(f"{self.path}/"))

    def is_registry_of(self, asked: ServerPlace) -> bool:
        """The same as far as docker tells: it names a registry without its scheme, Docker Hub by another path."""
        return (_registry(asked), asked.port) == (_registry(self), self.port)

    @property
    def is_crates_io(self) -> bool:
        return self.host in _CRATES_IO

    def is_index_of(self, asked: ServerPlace) -> bool:
        """The same for Cargo, which knows the index of crates.io by two addresses."""
        if not self.is_crates_io:
            return self.covers(asked)
        return any(place is not None and place.covers(asked) for place in map(parse, _INDEXES))


def parse(text: str) -> ServerPlace | None:
    """The place; https where no scheme is given. None for what is none: it has no user, no pattern and no query.

    Read without regular expressions, whose machinery would cost git a third more each time it asks.
    """
    kind, plus, rest = text.partition("+")
    rest = rest if plus and kind in _INDEX_KINDS else text
    scheme, server = rest.split("://", 1) if "://" in rest else ("https", rest)
    authority, _, path = server.partition("/")
    host, port = _host_and_port(authority)
    if scheme not in _PORTS or not host or not _PATH.issuperset(path):
        return None
    number = int(port) if port else _PORTS[scheme]
    place = ServerPlace(scheme, host.lower(), number, path.strip("/"), text)
    return place if 0 < number < 1 << 16 and _is_plain(place.path) else None


def _host_and_port(authority: str) -> tuple[str, str]:
    """The host, empty if it is none, and the port's digits, empty without one."""
    if authority.startswith("["):
        inner, _, rest = authority[1:].partition("]")
        host, is_host = f"[{inner}]", bool(inner) and _NUMERIC.issuperset(inner)
        before, colon, port = rest.partition(":")
        is_host = is_host and not before and "]" in authority
    else:
        host, colon, port = authority.partition(":")
        is_host = bool(host) and _HOST.issuperset(host) and {host[0], host[-1]} <= _LETTERS
    is_port = not colon or (0 < len(port) <= 5 and _DIGITS.issuperset(port))
    return (host, port) if is_host and is_port else ("", "")


def _registry(place: ServerPlace) -> str:
    return "docker.io" if place.host in _HUB else place.host


def _is_plain(path: str) -> bool:
    """Whether the server can't take the path for another one: `team/../other`, `team//x`, `%2e`."""
    return "%" not in path and not {"", ".", ".."} & set(path.split("/") if path else ())
