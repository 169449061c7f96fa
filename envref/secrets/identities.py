"""Identities: which of the user's own private keys may open an age file, by what its header says of its recipients."""

from __future__ import annotations

import base64
import glob
import os
from collections.abc import Mapping

from envref.digest import sha256
from envref.paths import expanded, open_file

# Where people keep age keys: age itself has no place for them, sops has the last one.
_AGE_FILES = ("~/.age/key.txt", "$XDG_CONFIG_HOME/age/keys.txt", "$XDG_CONFIG_HOME/sops/age/keys.txt")
_ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_SSH = ("ssh-ed25519", "ssh-rsa")
_LARGEST_HEADER = 1 << 20  # bytes
_TAG = 4  # bytes of the digest of a public key (age-ssh's stanzas)


def fitting(sealed: bytes, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Paths of the private keys that may open it: $AGE_IDENTITY, SSH keys that it names, files of age keys.

    An age stanza does not say whose it is, so that every file of age keys fits a file with one.
    """
    stanzas = _stanzas(sealed)
    named = environment.get("AGE_IDENTITY")
    found = [expanded(named, environment)] if named else []
    found += _ssh_keys({tuple(words[1:3]) for words in stanzas if words[1] in _SSH}, environment)
    if any(words[1] == "X25519" for words in stanzas):
        found += [expanded(name, environment) for name in _AGE_FILES]
    return [path for path in dict.fromkeys(found) if path in found[: bool(named)] or os.path.isfile(path)]


def _stanzas(sealed: bytes) -> list[list[str]]:
    """The words of each recipient's line `-> TYPE …` in the header (age-encryption.org/v1); none for another file."""
    if sealed.lstrip().startswith(_ARMOUR):
        inner = b"".join(line.strip() for line in sealed[:_LARGEST_HEADER].splitlines() if not line.startswith(b"-"))
        try:
            sealed = base64.b64decode(inner[: len(inner) // 4 * 4])
        except ValueError:
            return []
    header = sealed[:_LARGEST_HEADER].partition(b"\n--- ")[0].decode("ascii", "replace")
    lines = [line.split() for line in header.splitlines() if line.startswith("-> ")]
    return [words for words in lines if len(words) > 1]


def _ssh_keys(tags: set[tuple[str, ...]], environment: Mapping[str, str]) -> list[str]:
    """The private keys in ~/.ssh whose public halves have one of the tags."""
    folder = expanded("~/.ssh", environment)
    paths = sorted(glob.glob(os.path.join(glob.escape(folder), "*.pub"))) if tags else []
    return [path.removesuffix(".pub") for path in paths if _tag(path) in tags]


def _tag(path: str) -> tuple[str, ...]:
    """The kind and the tag of a public key, as a stanza has them; empty for a file that is none."""
    try:
        with open_file(path) as file:
            kind, text, *_ = file.read(_LARGEST_HEADER).decode("ascii", "replace").split()
        key = base64.b64decode(text, validate=True)
    except (OSError, ValueError):
        return ()
    return kind, base64.b64encode(sha256(key).digest()[:_TAG]).decode("ascii").rstrip("=")
