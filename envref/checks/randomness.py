"""Randomness: whether a value is one token that nobody made up, as keys are, and not words, paths or lists."""

from __future__ import annotations

import math
import re
from collections import Counter

LEAST_ENTROPY = 3.5  # bits a character
_SHORTEST = 16  # bytes
_TOKEN = re.compile(r"(?:base64:|[a-z]{2,8}[_-])?([A-Za-z0-9+/_=-]+)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", "+/_=-")
# Where a word ends within a text of letters and digits: between small and capital letters and digits. A capital that
# begins a word is part of it.
_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Z])(?=[0-9])|(?<=[A-Z])(?=[A-Z][a-z])")
# Random hex has such a place at .47 of its characters, base64 at .5, text of small letters and digits at .4; of the
# wordy values in the env files of 33 public projects none had more than .25.
_LEAST_BROKEN = 0.26


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def is_random(value: str, least_entropy: float) -> bool:
    """Whether the value is a random token; `least_entropy` in bits a character."""
    match = _TOKEN.fullmatch(value)
    if not match or len(value.encode()) < _SHORTEST or _UUID.fullmatch(value):
        return False
    text = match[1].translate(_SEPARATORS)
    if not re.search(r"[0-9]", text) or entropy(value) < least_entropy:
        return False
    return len(_BREAK.findall(text)) >= _LEAST_BROKEN * len(text)
