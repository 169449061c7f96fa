"""A pipe in the place of an env file: read once, to its end, and not for ever."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from envref.env.file import EnvFile
from envref.env.pipe import received
from envref.errors import EnvrefError


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / ".env")
    return str(tmp_path / ".env")


def written(path, *texts, before=0.0, between=0.0):
    """A writer of its own, as 1Password is one: it waits for a reader, writes, and ends."""

    def write():
        time.sleep(before)
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as file:
            for text in texts:
                file.write(text)
                time.sleep(between)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.mark.parametrize("pauses", [{}, {"before": 0.2}, {"between": 0.1}])
def test_all_that_a_writer_writes_is_read(pipe, pauses):
    """Whether it comes first, later, or writes in pieces."""
    writer = written(pipe, b"A=1\n", b"B='x\n" + b"y" * 200_000 + b"'\n", **pauses)
    file = EnvFile.read(pipe, ".env", 10.0)
    writer.join()
    assert [(entry.name, len(entry.text)) for entry in file.entries] == [("A", 1), ("B", 200_002)]


@pytest.mark.parametrize(("texts", "why"), [((), "nothing came"), ((b"A=1\n",), "it did not end")])
def test_a_pipe_that_does_not_end_is_given_up(pipe, texts, why):
    """In the time limit of a store."""
    ends = threading.Event()
    writer = threading.Thread(target=lambda: hold(pipe, texts, ends)) if texts else None
    if writer:
        writer.start()
    with pytest.raises(EnvrefError, match=rf"^\.env: a pipe, and {why} within 0\.3 seconds$"):
        EnvFile.read(pipe, ".env", 0.3)
    ends.set()
    if writer:
        writer.join()


def hold(path, texts, ends):
    with open(path, "wb", buffering=0) as file:
        file.writelines(texts)
        ends.wait(20)


def test_what_is_edited_may_not_be_a_pipe(pipe):
    """An edit would put a file in its place."""
    with pytest.raises(EnvrefError, match=r"^\.env: not a regular file$"):
        EnvFile.read(pipe, ".env")


def test_a_pipe_has_a_largest_size(pipe, monkeypatch):
    """A writer that never ends must not take all memory; what has just that size is read."""
    monkeypatch.setattr("envref.env.pipe.LARGEST", 1 << 20)
    content = b"A=1\n#" + b"x" * ((1 << 20) - 6) + b"\n"
    writer = written(pipe, content)
    assert [entry.name for entry in EnvFile.read(pipe, ".env", 10.0).entries] == ["A"]
    writer.join()
    writer = written(pipe, content + b"\n")
    with pytest.raises(EnvrefError, match=r"^\.env: a pipe with more than 1 MiB$"):
        EnvFile.read(pipe, ".env", 10.0)
    writer.join()


@pytest.mark.parametrize("more", [0, 1])
def test_64_mebibytes_of_a_pipe_are_read(pipe, more):
    """What has a byte more is not taken into memory to its end."""
    writer = written(pipe, bytes((64 << 20) + more))
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if more:
            with pytest.raises(OSError, match="a pipe with more than 64 MiB"):
                received(descriptor, 60.0)
        else:
            assert len(received(descriptor, 60.0)) == 64 << 20
    finally:
        os.close(descriptor)
        writer.join()
