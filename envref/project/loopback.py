"""Whether an address stays on this machine. For addresses in values and configs; looks up no name."""

from __future__ import annotations

_SCHEMES = ("http", "https")
_NO_ADDRESS = frozenset("@\\?#%")  # some programs read a name before "@", or a backslash, as part of the host


def is_loopback(address: str) -> bool:
    """Whether `address`, a URL or `HOST[:PORT]`, names 127.0.0.0/8, ::1 or localhost, and clearly nothing else."""
    if not address.isascii() or not address.isprintable() or " " in address or _NO_ADDRESS.intersection(address):
        return False
    scheme, separator, rest = address.partition("://")
    if separator and scheme.lower() not in _SCHEMES:
        return False
    host, port = _split((rest if separator else address).partition("/")[0])
    return (not port or port.isdecimal()) and is_loopback_host(host)


def _split(authority: str) -> tuple[str, str]:
    """Host and port of `HOST`, `HOST:PORT` and `[HOST]:PORT`."""
    if not authority.startswith("["):
        host, _, port = authority.partition(":")
        return host, port
    host, closing, rest = authority[1:].partition("]")
    if not closing or not (rest == "" or rest.startswith(":")) or ":" not in host:
        return "", ""
    return host, rest[1:]


def is_loopback_host(host: str) -> bool:
    """Whether a host's name or address, without brackets, is this machine's own."""
    if ":" in host:
        return _is_loopback_v6(host)
    parts = host.split(".")
    return host.lower() == "localhost" or (parts[0] == "127" and len(parts) == 4 and all(map(_is_byte, parts)))


def _is_loopback_v6(host: str) -> bool:
    from ipaddress import IPv6Address

    try:
        return int(IPv6Address(host)) == 1
    except ValueError:
        return False


def _is_byte(text: str) -> bool:
    # A leading zero makes a number octal for some programs.
    return text.isdecimal() and str(int(text)) == text and int(text) <= 0xFF
