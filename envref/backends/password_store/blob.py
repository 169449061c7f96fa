"""Blob: git's own name for an encrypted file's content, which is how an entry of pass tells its revision."""

from __future__ import annotations

from hashlib import sha1

MARK = "blob-"  # how such a revision begins


def blob(content: bytes) -> str:
    """The revision of an encrypted file."""
    return MARK + sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
