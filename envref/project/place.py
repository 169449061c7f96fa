"""ServerPlace: a server, or a part of one, that a credential is for: `github.com`, `http://127.0.0.1:8080/team`."""

from __future__ import annotations

import re

_PORTS = {"https": 443, "http": 80}
# No user, no pattern, no query. Cargo writes an index as `sparse+https://…`.
_PLACE = re.compile(
    r"(?:(?:sparse|registry)\+)?(?:(https?)://)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::([0-9]{1,5}))?(/[A-Za-z0-9._~/%+-]*)?",
    re.ASCII,
)
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
    """The place; https where no scheme is given. None for what is none."""
    found = _PLACE.fullmatch(text)
    if not found:
        return None
    scheme, host, port, path = found.groups()
    number = int(port) if port else _PORTS[scheme or "https"]
    place = ServerPlace(scheme or "https", host.lower(), number, (path or "").strip("/"), text)
    return place if 0 < number < 1 << 16 and _is_plain(place.path) else None


def _registry(place: ServerPlace) -> str:
    return "docker.io" if place.host in _HUB else place.host


def _is_plain(path: str) -> bool:
    """Whether the server can't take the path for another one: `team/../other`, `team//x`, `%2e`."""
    return "%" not in path and not {"", ".", ".."} & set(path.split("/") if path else ())
