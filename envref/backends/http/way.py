"""The way to a server: whether a proxy stands in it, and whom TLS believes."""

from __future__ import annotations

import os
import re
import sys
from _thread import allocate_lock
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])(?::(?P<port>[0-9]{1,5}))?/?"
)
_LAST_PORT = 65535


def is_proxied(environment: Mapping[str, str]) -> bool:
    """Whether a proxy is set anywhere, for any host: programs differ in whom they ask, so theirs is the decision."""
    if any(environment.get(name) for name in _PROXIES):
        return True
    if sys.platform != "darwin":
        return False
    from _scproxy import _get_proxies  # type: ignore[import-not-found,unused-ignore]

    return bool(_get_proxies())


def trusting(authorities: Sequence[str] = ()) -> ssl.SSLContext:
    """TLS that verifies, by the authorities in these files, else by the system's. OSError for files that can't be used.

    It judges a chain of certificates as programs do: newer Pythons ask for extensions that many companies' certificates
    lack.
    """
    import ssl

    context = ssl.create_default_context(cafile=authorities[0] if authorities else None)
    for file in authorities[1:]:
        context.load_verify_locations(file)
    context.verify_flags = (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class Trusting:
    """`trusting` these authorities, for a Server; those of the same `identity` can share their connections.

    Made once for all connections, several of which begin at once: reading the system's authorities takes 20 ms.
    """

    __slots__ = ("_authorities", "_context", "_turn", "identity")

    def __init__(self, authorities: Sequence[str] = ()) -> None:
        self._authorities = tuple(authorities)
        self.identity: tuple[object, ...] = self._authorities
        self._turn = allocate_lock()
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        with self._turn:
            self._context = self._context or self._made()
            return self._context

    def _made(self) -> ssl.SSLContext:
        return trusting(self._authorities)


def certificates_below(directory: str) -> Iterator[str]:
    """Every file below a directory of authorities, whatever its name."""
    for parent, _, files in os.walk(directory):
        yield from (os.path.join(parent, file) for file in files)


class Location(NamedTuple):
    """A server's address: scheme, host and port, and nothing else. `url` has no slash at its end."""

    url: str
    host: str
    port: int
    is_secure: bool


def plain_address(text: str) -> Location | None:
    """The address that a URL is; None for any other text, one with a path or a user for example."""
    found = _ADDRESS.fullmatch(text)
    if not found or int(found["port"] or 0) > _LAST_PORT:
        return None
    is_secure = found["scheme"] == "https"
    port = int(found["port"] or 0) or (443 if is_secure else 80)
    return Location(text.removesuffix("/"), found["host"].strip("[]").lower(), port, is_secure)
