"""A pipe in the place of an env file: password managers write a `.env` into one for whoever opens it."""

from __future__ import annotations

import os
import select
import stat
import time

from envref.env.source import LARGEST

_CHUNK = 64 * 1024
_PAUSE = 0.02  # seconds between two looks at a pipe whose writer has not come


def received(descriptor: int, patience: float | None) -> bytes:
    """All that the writers of the pipe write until the last of them ends. Opened without waiting.

    Raises OSError for what is not a pipe or may not be read as one, and when its end does not come in `patience`
    seconds.
    """
    if patience is None or not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        raise OSError(0, "not a regular file")
    deadline = time.monotonic() + patience
    data = bytearray()
    while (left := deadline - time.monotonic()) > 0 and len(data) <= LARGEST:
        chunk = _chunk(descriptor, left)
        if chunk:
            data += chunk
        elif data and chunk is not None:
            return bytes(data)
    if len(data) > LARGEST:
        raise OSError(0, f"a pipe with more than {LARGEST >> 20} MiB")
    raise OSError(0, f"a pipe, and {'it did not end' if data else 'nothing came'} within {patience:g} seconds")


def _chunk(descriptor: int, left: float) -> bytes | None:
    """The next bytes; none at the end, or before anybody opened the pipe to write; None if a writer is still busy."""
    ready, _, _ = select.select([descriptor], [], [], left)
    if not ready:
        return None
    try:
        chunk = os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None
    if not chunk:
        time.sleep(_PAUSE)
    return chunk
