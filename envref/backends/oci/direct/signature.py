"""How a request to OCI proves who makes it: Oracle's "Request Signatures" (draft-cavage-http-signatures-08)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from envref.backends.http.connection import Unusual
from envref.backends.http.date import dated

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from envref.secret import Secret

_OF_EVERY_REQUEST = ("Date", "(request-target)", "Host")
_OF_A_BODY = ("Content-Length", "Content-Type", "X-Content-Sha256")
_WITH_A_BODY = ("POST", "PUT", "PATCH")  # signed as one even where it is empty


class Signer:
    """Signs as the owner of an RSA key; `name` is what the service knows its public half by (`api_key`, `session`)."""

    def __init__(self, name: str, key: RSAPrivateKey) -> None:
        self._name = name
        self._key = key

    def signed(self, method: str, target: str, host: str, body: bytes = b"", at: float | None = None) -> dict[str, str]:
        """The request's headers. `target` is as it is sent; `at` is seconds since 1970, and defaults to now."""
        headers = {"Date": dated(at), "Host": host, "Content-Type": "application/json"}
        names: tuple[str, ...] = _OF_EVERY_REQUEST
        if method in _WITH_A_BODY:
            names += _OF_A_BODY
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers |= {"Content-Length": str(len(body)), "X-Content-Sha256": digest}
        parts = {**headers, "(request-target)": f"{method.lower()} {target}"}
        text = "\n".join(f"{name.lower()}: {parts[name]}" for name in names)
        given = f'headers="{" ".join(names).lower()}",keyId="{self._name}",signature="{self._signature(text)}"'
        return {**headers, "Authorization": f'Signature algorithm="rsa-sha256",{given},version="1"'}

    def _signature(self, text: str) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return base64.b64encode(self._key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def api_key(tenancy: str, user: str, fingerprint: str) -> str:
    """The name of a key that was uploaded for a user."""
    return f"{tenancy}/{user}/{fingerprint}"


def session(token: Secret) -> str:
    """The name of a session's key, which is its token."""
    return f"ST${token.reveal()}"


def private_key(pem: Secret, passphrase: Secret | None) -> RSAPrivateKey:
    """The key in a file's text. A passphrase that it does not need is ignored, as Oracle's SDK ignores it.

    Raises Unusual for what is no RSA key, or needs another passphrase: `oci` asks for one, or says what is wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        # The SDK takes no other characters; the error for one is a ValueError.
        text = pem.reveal().strip().encode("ascii")
        try:
            key = load_pem_private_key(text, None if passphrase is None else passphrase.reveal().encode("ascii"))
        except TypeError:
            key = load_pem_private_key(text, None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise Unusual("a private key that can't be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise Unusual("a private key that is not RSA")
    return key
