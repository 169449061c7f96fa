"""The vault's MAC is HMAC-SHA-256: RFC 4231's vectors, and Python's own as an oracle."""

from __future__ import annotations

import hmac

import pytest

from envref.backends.vault.mac import hmac_sha256

# RFC 4231, 4.2, 4.3, 4.4 and 4.7: key, data, MAC
VECTORS = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


@pytest.mark.parametrize(("key", "data", "mac"), VECTORS)
def test_the_published_vectors(key, data, mac):
    assert hmac_sha256(key, data).hex() == mac


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 64, 65, 74, 200])
@pytest.mark.parametrize("first", [b"\0", b"\x36", b"\x5c", b"\xff"])
@pytest.mark.parametrize("message", [b"", b"a", bytes(1000)])
def test_it_is_what_python_makes(length, first, message):
    """Of keys up to a block and beyond, also those that begin with zeros or with the pads."""
    key = (first * 2 + bytes(range(198)))[:length]
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
