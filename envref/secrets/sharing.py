"""Sharing: a secret as age ciphertext that only its recipients can read (commands.md 2.7)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence

import pyrage

from envref.errors import EnvrefError, UsageError, pasted
from envref.paths import open_named
from envref.project.recipient import Recipient
from envref.secret import Secret

_OPENSSH = b"openssh-key-v1\0"
_IDENTITY = "name a file that age-keygen wrote, or an SSH key"


class KeyHasPassphrase(EnvrefError):
    """An SSH key that can't be read without its passphrase."""


def recipients_of(path: str) -> list[Recipient]:
    """The recipients that a file lists: every line that is neither blank nor a comment.

    EnvrefError if it can't be read; UsageError for a line that is not a key, and for a file without keys.
    """
    found = [_of_line(path, number, line.strip()) for number, line in enumerate(_lines(path), 1) if _counts(line)]
    if not found:
        raise UsageError(f"{os.path.basename(path)}: no recipients in this file", hint="write one public key a line")
    return found


def encrypt(secret: Secret, recipients: Sequence[Recipient]) -> str:
    """The exact value as an armoured age file, one line end at its end."""
    sealed: bytes = pyrage.encrypt(secret.reveal().encode(), [recipient.key for recipient in recipients], armored=True)
    return sealed.decode("ascii").rstrip("\n") + "\n"


def identities_of(path: str) -> list[object]:
    """The private keys of a file: age keys, one a line, or one SSH key. EnvrefError that quotes nothing of the file."""
    name = os.path.basename(path)
    text = "\n".join(_lines(path))
    if "-----BEGIN" in text:
        try:
            return [pyrage.ssh.Identity.from_buffer(text.encode("utf-8", "surrogateescape") + b"\n")]
        except pyrage.IdentityError:
            raise _unusable(path, text) from None
    try:
        found = [pyrage.x25519.Identity.from_str(line.strip()) for line in text.split("\n") if _counts(line)]
    except pyrage.IdentityError:
        raise EnvrefError(f"{name}: not an age identity file (lines AGE-SECRET-KEY-1…)", hint=_IDENTITY) from None
    if not found:
        raise EnvrefError(f"{name}: no identities in this file", hint=_IDENTITY)
    return found


def _unusable(path: str, text: str) -> EnvrefError:
    """The error for an SSH key that pyrage does not read."""
    name = os.path.basename(path)
    if not _has_passphrase(text):
        return EnvrefError(f"{name}: no SSH key that age can use", hint="take an ssh-ed25519 or ssh-rsa key")
    copy = f"{path}.open"
    without = f"{pasted(('ssh-keygen', '-p', '-N', '', '-f', copy))} and name that copy, which you delete afterwards"
    return KeyHasPassphrase(
        f"{name}: this SSH key has a passphrase, which age asks for at a terminal, where it is installed",
        run=("cp", path, copy),
        hint=without,
    )


def _has_passphrase(text: str) -> bool:
    """Whether a private key is encrypted (PROTOCOL.key of OpenSSH; RFC 1421 and 7468 for the older forms)."""
    if "ENCRYPTED" in text:
        return True
    inner = "".join(line for line in text.splitlines() if "-----" not in line)
    try:
        head = base64.b64decode(inner[:64], validate=True)
    except ValueError:
        return False
    return head.startswith(_OPENSSH) and not head.startswith(_OPENSSH + b"\0\0\0\x04none")


def decrypt(sealed: bytes, identities: Sequence[object], name: str) -> bytes:
    """The plain text of the age file called `name`. EnvrefError if none of the identities opens it."""
    try:
        plain: bytes = pyrage.decrypt(sealed, list(identities))
    except (pyrage.DecryptError, ValueError):
        raise EnvrefError(
            f"{name}: none of the identities decrypts it",
            hint="ask who pushed it to add your public key and push again",
        ) from None
    return plain


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _lines(path: str) -> Iterable[str]:
    try:
        with open_named(path) as file:
            return file.read().decode("utf-8", "surrogateescape").splitlines()
    except OSError as error:
        raise EnvrefError(f"reading {os.path.basename(path)}: {error.strerror}") from None


def _of_line(path: str, number: int, line: str) -> Recipient:
    try:
        return Recipient(line)
    except UsageError as error:
        raise UsageError(f"{os.path.basename(path)}:{number}:1: {error.message}", hint=error.hint) from None
