"""What a request's target holds of other texts, percent-encoded."""

from __future__ import annotations

from envref.refs.reference import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What a path and a query keep as they are (RFC 3986's unreserved characters).
_KEPT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def encoded_query(query: Iterable[tuple[str, str]]) -> str:
    """The query in the one order in which it can be signed too. UnicodeEncodeError for half a character."""
    pairs = sorted((encoded(name), encoded(value)) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def encoded(text: str, *, also: str = "") -> str:
    """Percent-encoded, but for what every URL may hold, and what `also` names."""
    return escaped(text, _KEPT | frozenset(also))
