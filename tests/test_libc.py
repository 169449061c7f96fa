"""Functions of the C library, by `_ctypes` and by the whole of `ctypes`."""

from __future__ import annotations

import _ctypes
import os

import pytest

from envref import libc


@pytest.fixture(params=["by _ctypes", "by ctypes"])
def way(request, monkeypatch):
    """Each way that a function is found."""
    if request.param == "by ctypes":
        import ctypes  # noqa: F401  it needs whole what is taken away next

        monkeypatch.delattr(_ctypes, "call_cdeclfunction")


@pytest.mark.usefixtures("way")
def test_a_function_is_called_with_numbers_bytes_and_room():
    """Its answer, and what it wrote."""
    assert libc.call("getpid") == os.getpid()
    assert libc.call("strlen", b"four") == 4
    room = libc.buffer()
    assert libc.call("gethostname", room, libc.BUFFER) == 0
    assert room.raw.startswith(os.uname().nodename.encode() + b"\0")
    assert len(room.raw) == libc.BUFFER


@pytest.mark.usefixtures("way")
def test_a_function_that_is_not_there_fails_like_one_that_is():
    """As on a system whose C library lacks it."""
    assert libc.call("envref_has_no_such_function", 1) == -1
