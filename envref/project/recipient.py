"""Recipient: a public key that a secret may be encrypted to.

An X25519 key of age or an SSH key, by a strict parser: never an age plugin, whose name in a key would start a program
(security.md 5.8).
"""

from __future__ import annotations

import re

import pyrage

from envref.errors import UsageError

_KINDS = {
    re.compile(r"age1[02-9ac-hj-np-z]{58}"): pyrage.x25519.Recipient,
    re.compile(r"(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+={0,2}( [ -~]*)?"): pyrage.ssh.Recipient,
}
# Keys that age itself takes, or OpenSSH, and what they are.
_ASK = "ask for age1…, or the line of ~/.ssh/id_ed25519.pub"
_WORD = "[02-9ac-hj-np-z]+"
_NOT_YET = "which envref can't encrypt to yet"
_OTHERS = {
    re.compile(f"age1pq1{_WORD}"): f"a post-quantum key of age, {_NOT_YET}",
    re.compile(f"age1tag(pq)?1{_WORD}"): f"a tagged key of age for hardware, {_NOT_YET}",
    re.compile(f"age1(?P<kind>[a-z0-9-]+)1{_WORD}"): 'a key of the age plugin "{kind}", which envref never starts',
    re.compile(r"(?P<kind>ssh-dss|ecdsa-sha2-\S+|sk-\S+@openssh\.com) .*"): (
        "an SSH key of type {kind}; age takes ssh-ed25519 and ssh-rsa"
    ),
}
_PRIVATE = ("AGE-SECRET-KEY-", "PRIVATE KEY")
_SHOWN = 20  # characters of a key that distinguish it from others


class Recipient:
    """A public key that a secret is encrypted to. `text` is the key as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.key = _parsed(text)

    def __str__(self) -> str:
        """Enough of the key to recognise it, and its comment."""
        kind, _, rest = self.text.partition(" ")
        key, _, comment = rest.partition(" ")
        return kind[:_SHOWN] if not key else comment.strip() or f"{kind} …{key[-_SHOWN:]}"


def _parsed(text: str) -> object:
    """The key as pyrage takes it. UsageError for anything else; it never quotes a private key."""
    if any(mark in text.upper() for mark in _PRIVATE):
        raise UsageError("invalid age public key: this is a private key", hint="give the public key, age1… or ssh-…")
    for form, kind in _KINDS.items():
        if form.fullmatch(text):
            try:
                key: object = kind.from_str(text)
                return key
            except pyrage.RecipientError:
                pass  # well formed, but not a key: a wrong checksum, a point that is not on the curve
    raise UsageError(_refusal(text), hint=_ASK)


def _refusal(text: str) -> str:
    for form, fact in _OTHERS.items():
        if found := form.fullmatch(text):
            return f'"{text}" is {fact.format_map(found.groupdict())}'
    return f'invalid age public key "{text}"'
