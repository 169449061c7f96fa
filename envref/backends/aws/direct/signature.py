"""Signature version 4: how a request to AWS proves who makes it (AWS's "Signature Version 4 signing process")."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.http.query import encoded, encoded_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"
_END = "aws4_request"


class Credentials(NamedTuple):
    """Who asks: an access key's name, its secret, and the token of a session; None without one."""

    name: str
    secret: Secret
    token: Secret | None = None


class Unsigned(NamedTuple):
    """A request before it is signed. `path` is as it is sent; `query` is not yet encoded; `headers` have `Host`."""

    method: str
    path: str
    query: Iterable[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes = b""


def signed(request: Unsigned, keys: Credentials, region: str, service: str, at: float | None = None) -> dict[str, str]:
    """The request's headers with the signature; `at` is seconds since 1970, and defaults to now."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    headers = {**request.headers, "X-Amz-Date": stamp}
    if keys.token is not None:
        headers["X-Amz-Security-Token"] = keys.token.reveal()
    scope = f"{stamp[:8]}/{region}/{service}/{_END}"
    names, canonical = _canonical(request, headers)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _mac(_key(keys.secret, scope), f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}").hex()
    given = f"Credential={keys.name}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "Authorization": f"{_ALGORITHM} {given}"}


def _canonical(request: Unsigned, headers: Mapping[str, str]) -> tuple[str, str]:
    """The names of the signed headers, and the request in the one form in which it is signed."""
    pairs = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in pairs)
    lines = [f"{name}:{value}" for name, value in pairs]
    # A path is encoded once more than it is sent, as every service but S3 wants it.
    path = encoded(request.path or "/", also="/")
    digest = hashlib.sha256(request.body).hexdigest()
    return names, "\n".join([request.method, path, encoded_query(request.query), *lines, "", names, digest])


def _key(secret: Secret, scope: str) -> bytes:
    """The key of a day, region and service."""
    key = f"AWS4{secret.reveal()}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
