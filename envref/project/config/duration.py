"""Duration: a number with its unit, as people write one: `30m`, `8h`."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str, units: str = "smhd") -> int:
    """How many seconds it is, in one of these units; 0 for any other text."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match and match[2] in units else 0
