"""Audit: env file lines whose plain text may be a secret (commands.md 2.13). A finding never holds the value."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envref.env.source import SECRET_WORDS
from envref.refs.reference import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.env.file import Entry, EnvFile

LEAST_ENTROPY = 3.5  # bits a character
_SHORTEST = 6  # least bytes of a value that is looked at
_SHORTEST_NAMED = 8  # least bytes of a value whose name says that it is a secret
_SHORTEST_RANDOM = 16  # least bytes of a value that is judged by its entropy

_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|null|none|localhost|127(\.\d{1,3}){3}|::1|0\.0\.0\.0"
    r"|https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/.*)?",
    re.IGNORECASE | re.DOTALL,
)

# What issuers document about their tokens: a prefix that names the kind, and how much follows.
_PATTERNS = {
    "private key": r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----",
    "age identity": r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    "AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36}|\bgithub_pat_[0-9A-Za-z_]{36}",
    "GitLab token": r"\bgl(pat|dt|rt|ptt|agent)-[0-9A-Za-z_-]{20}",
    "Stripe key": r"\b[rs]k_(live|test)_[0-9A-Za-z]{16}|\bwhsec_[0-9A-Za-z]{24}",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10}|\bxapp-\d-[0-9A-Za-z-]{10}",
    "Slack webhook": r"hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]+",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "Google client secret": r"\bGOCSPX-[0-9A-Za-z_-]{28}",
    "Anthropic key": r"\bsk-ant-[0-9A-Za-z_-]{20}",
    "OpenAI key": r"\bsk-(proj-|svcacct-)?[0-9A-Za-z_-]{20}",
    "npm token": r"\bnpm_[0-9A-Za-z]{36}",
    "PyPI token": r"\bpypi-[0-9A-Za-z_-]{50}",
    "SendGrid key": r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",
    "Twilio key": r"\bSK[0-9a-f]{32}\b",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}",
    "Doppler token": r"\bdp\.(pt|st|sa|ct|scim|audit)\.[0-9A-Za-z._-]{20}",
    "Vault token": r"\bhv[bsr]\.[0-9A-Za-z_-]{20}",
    "JSON Web Token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]+",
    "password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",
}
_KNOWN = {what: re.compile(pattern, re.IGNORECASE if "URL" in what else 0) for what, pattern in _PATTERNS.items()}


class PlainSecret(NamedTuple):
    """A variable whose value may be a secret; `line` counts from 1."""

    file: str
    line: int
    key: str
    reason: str


def findings(files: Iterable[EnvFile], least_entropy: float = LEAST_ENTROPY) -> list[PlainSecret]:
    """Every assignment that may hold a secret, in the order of the files; `least_entropy` in bits a character."""
    found = []
    for file in files:
        for entry in file.entries:
            reason = suspicion(entry, least_entropy)
            if reason:
                found.append(PlainSecret(entry.file, entry.line, entry.name, reason))
    return found


def suspicion(entry: Entry, least_entropy: float = LEAST_ENTROPY) -> str:
    """Why the value may be a secret: the first of three reasons that applies; empty if it looks harmless."""
    value = entry.text
    size = len(value.encode())
    if size < _SHORTEST or value.startswith(SCHEME) or "${" in value or is_harmless(value):
        return ""
    what = next((what for what, pattern in _KNOWN.items() if pattern.search(value)), None)
    if what:
        return f"value matches known secret pattern ({what})"
    if size >= _SHORTEST_NAMED and any(word in entry.name.upper() for word in SECRET_WORDS):
        return f"key name suggests a secret and value is non-trivial ({len(value)} chars)"
    bits = entropy(value)
    if size >= _SHORTEST_RANDOM and bits >= least_entropy:
        return f"high-entropy value ({bits:.2f} bits/char) may be a secret"
    return ""


def is_harmless(value: str) -> bool:
    """Whether the value is an everyday word or a loopback address, which is no secret whatever its name says."""
    return bool(_HARMLESS.fullmatch(value))


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
