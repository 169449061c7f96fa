"""Dates in headers (RFC 9110, 5.6.7). In English whatever the locale."""

from __future__ import annotations

import time

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def dated(at: float | None = None) -> str:
    """The date of a moment, which is seconds since 1970 and defaults to now."""
    now = time.gmtime(at)
    day, month = _DAYS[now.tm_wday], _MONTHS[now.tm_mon - 1]
    clock = f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
    return f"{day}, {now.tm_mday:02} {month} {now.tm_year:04} {clock} GMT"


def moment(text: str) -> float | None:
    """The seconds since 1970 that a date stands for; None for another text, or a date in a form of the last century."""
    from datetime import UTC, datetime

    try:
        _, day, month, year, clock, _ = text.split(" ")
        hour, minute, second = clock.split(":")
        found = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except (OverflowError, ValueError):
        return None
    return found.timestamp() if dated(found.timestamp()) == text else None
