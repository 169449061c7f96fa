"""Revision: which writing of a secret a store has, as text. Never made of the value.

`VERSION.MILLISECONDS`: the store's own word for the version, and when it was written, counted from 1970. Both, because
numbers begin again at 1 where a secret is deleted and made again. Either part may be empty. Its characters have no
meaning to any shell.
"""

from __future__ import annotations

_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST = 64  # characters of a version
_LONGEST_DATE = 14  # digits of milliseconds: until the year 5138
_HEX = frozenset("0123456789abcdef")


def revision(version: object = "", written: object = "") -> str:
    """The revision of a version, written at a date: ISO 8601 text or seconds since 1970. Empty if both are unknown."""
    milliseconds = _milliseconds(written) if written else ""
    word = "" if version in (None, "") else _inert(str(version))
    return f"{word}.{milliseconds}" if milliseconds else word


def is_revision(text: str) -> bool:
    """Whether `revision` can have made the text; the other functions take nothing else."""
    word, dot, milliseconds = text.partition(".")
    head, *encoded = word.split(":")
    return (
        _INERT.issuperset(head)
        and all(_is_encoded(each) for each in encoded)
        and (not dot or (milliseconds.isdecimal() and len(milliseconds) <= _LONGEST_DATE))
    )


def _is_encoded(text: str) -> bool:
    """Whether it begins with a character's number, of those that a text in UTF-8 can hold."""
    digits, rest = text[:4], text[4:]
    is_number = len(digits) == 4 and set(digits) <= _HEX and not "d800" <= digits <= "dfff"
    return is_number and _INERT.issuperset(rest)


def version_of(text: str) -> str:
    """The store's own word for the version; empty where the revision is a date alone."""
    word = _parts(text)[0]
    if ":" not in word:
        return word
    head, *encoded = word.split(":")
    return head + "".join(chr(int(each[:4], 16)) + each[4:] for each in encoded)


def written_at(text: str) -> float | None:
    """When the revision was written, in seconds since 1970; None where the store does not say."""
    milliseconds = _parts(text)[1]
    return int(milliseconds) / 1000 if milliseconds else None


def is_same(one: str, other: str) -> bool | None:
    """Whether both are one writing, by the parts that both have; None where they share none."""
    pairs = [(mine, theirs) for mine, theirs in zip(_parts(one), _parts(other), strict=True) if mine and theirs]
    return all(mine == theirs for mine, theirs in pairs) if pairs else None


def _parts(text: str) -> tuple[str, str]:
    version, _, milliseconds = text.partition(".")
    return version, milliseconds


def _inert(text: str) -> str:
    if len(text) > _LONGEST:
        from hashlib import sha256

        return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    if _INERT.issuperset(text):
        return text
    return "".join(each if each in _INERT else f":{min(ord(each), 0xFFFF):04x}" for each in text)


def _milliseconds(written: object) -> str:
    """Milliseconds since 1970; empty for a date that can't be read."""
    if isinstance(written, int | float):
        return str(round(written * 1000))
    if not isinstance(written, str) or not written:
        return ""
    from datetime import UTC, datetime

    try:
        date = datetime.fromisoformat(written)
    except ValueError:
        return ""
    return str(round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000))
