"""What a vault's rows mean: values sealed to its identity, bound to their keys, and signed (security.md 4.3).

Pure: bytes and text in, bytes and text out.
"""

from __future__ import annotations

import pyrage

from envref.backends.vault.mac import hmac_sha256
from envref.digest import digest
from envref.store_errors import BackendInvalid

try:
    from _operator import _compare_digest as compare_digest  # what `hmac` takes where Python is without OpenSSL
except ImportError:
    from hmac import compare_digest  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias, Union

    _Canonical: TypeAlias = Union[str, Sequence["_Canonical"]]  # noqa: UP007  a name in quotes takes no `|`

FORMAT = "2"
UNSIGNED = "manifest"  # the metadata row that signs all others

_MAC_LABEL = b"envref/vault/mac/v2"
_BINDING = "envref/2 "


class SealedValue:
    """A value as the table `secrets` holds it."""

    __slots__ = ("mac", "value")

    def __init__(self, value: str, mac: str) -> None:
        self.value = value
        self.mac = mac

    def __iter__(self) -> Iterator[str]:
        return iter((self.value, self.mac))


class Keys:
    """An open vault's keys: the identity that reads, its recipient that writes, and the key that signs both."""

    __slots__ = ("_identity", "_mac_key", "_recipient", "identity_line", "vault_id", "wrapped")

    def __init__(self, vault_id: str, wrapped: str, identity_line: str) -> None:
        """`wrapped` is the metadata row that the identity came from: once the row changes, these keys are stale."""
        self.vault_id = vault_id
        self.wrapped = wrapped
        self.identity_line = identity_line
        try:
            self._identity = pyrage.x25519.Identity.from_str(identity_line)
        except pyrage.IdentityError:
            raise BackendInvalid(
                "vault: the stored identity is not an X25519 identity", hint="restore a copy of the vault"
            ) from None
        self._recipient = self._identity.to_public()
        self._mac_key = hmac_sha256(identity_line.encode("ascii"), _MAC_LABEL)

    def seal(self, key: str, value: bytes) -> SealedValue:
        """The row for `value` under `key`."""
        plaintext = self._binding(key) + value
        armored = pyrage.encrypt(plaintext, [self._recipient], armored=True).decode("ascii")
        return SealedValue(armored, self._row_mac(key, armored))

    def open(self, key: str, row: SealedValue) -> bytes:
        """The value in `row`; BackendInvalid when it is not what envref stored under `key`."""
        if not compare_digest(self._row_mac(key, row.value), row.mac):
            raise _tampered(key)
        try:
            plaintext: bytes = pyrage.decrypt(row.value.encode("utf-8"), [self._identity])
        except pyrage.DecryptError:
            raise _tampered(key) from None
        binding = self._binding(key)
        if not compare_digest(plaintext[: len(binding)], binding):
            raise _tampered(key)
        return plaintext[len(binding) :]

    def manifest(self, metadata: Mapping[str, str], macs: Mapping[str, str]) -> str:
        """The signature over the whole vault: every metadata row except itself, and each key with its MAC."""
        signed = [[name, text] for name, text in sorted(metadata.items()) if name != UNSIGNED]
        return self._mac([signed, [[key, mac] for key, mac in sorted(macs.items())]])

    def has_signed(self, metadata: Mapping[str, str], macs: Mapping[str, str]) -> bool:
        """Whether the manifest among these rows is this signature over them."""
        found = metadata.get(UNSIGNED, "").encode("ascii", "replace").decode()
        return compare_digest(self.manifest(metadata, macs), found)

    def _binding(self, key: str) -> bytes:
        return f"{_BINDING}{_canonical([self.vault_id, key])}\n".encode("ascii")

    def _row_mac(self, key: str, armored: str) -> str:
        return self._mac([self.vault_id, key, digest(armored.encode("utf-8"))])

    def _mac(self, content: _Canonical) -> str:
        return hmac_sha256(self._mac_key, _canonical(content).encode("ascii")).hex()


def new_identity() -> str:
    """A fresh X25519 identity, one line without its end."""
    return str(pyrage.x25519.Identity.generate())


def _canonical(content: _Canonical) -> str:
    """Texts and lists of them as JSON without spaces, in ASCII. The module json costs a third of all the vault's."""
    return _text(content) if isinstance(content, str) else f"[{','.join(map(_canonical, content))}]"


def _text(content: str) -> str:
    """A text as JSON has it. Most are printable ASCII in lines, and load nothing."""
    lines = content.replace("\n", "")
    if lines.isascii() and lines.isprintable() and '"' not in lines and "\\" not in lines:
        return '"' + content.replace("\n", "\\n") + '"'
    try:
        from _json import encode_basestring_ascii
    except ImportError:  # a Python without the module in C
        from json.encoder import encode_basestring_ascii

    return encode_basestring_ascii(content)


def _tampered(key: str) -> BackendInvalid:
    return BackendInvalid(
        f'vault: the value of "{key}" was changed by something other than envref',
        hint="restore a copy of the vault, or set the secret again",
    )
