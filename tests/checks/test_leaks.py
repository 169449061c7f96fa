"""leaks: every file that holds a value is named, whatever its kind and size; no value is."""

from __future__ import annotations

import os
import time

import pytest

from envref.checks.leaks import Leak, Search
from envref.errors import EnvrefError
from envref.secret import Secret

VALUES = [("PLAIN", "plain text"), ("KEY", Secret("s3cret-marker")), ("PEM", Secret("line one\nline two\n"))]


def found(place, values=VALUES):
    return [(os.path.relpath(leak.path, place), leak.key) for leak in Search(values).leaks([str(place)])]


def test_every_file_with_a_value_is_named(tmp_path):
    """In any depth, in binary files too; a plain variable's value is none."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_text("plain text, then s3cret-marker\n")
    (tmp_path / "blob").write_bytes(b"\0\xff" * 1000 + b"line one\nline two\n\0s3cret-marker\xff")
    (tmp_path / "clean").write_text("s3cret-marke and line one\n")
    assert found(tmp_path) == [("blob", "KEY"), ("blob", "PEM"), ("a/b/log", "KEY")]


@pytest.mark.parametrize("before", range(4 * 1024 * 1024 - 14, 4 * 1024 * 1024 + 2))
def test_a_value_across_two_reads_is_seen(tmp_path, before):
    """A file is read in pieces; a value may lie on the border of two."""
    (tmp_path / "large").write_bytes(b"x" * before + b"s3cret-marker" + b"x" * 10)
    assert found(tmp_path) == [("large", "KEY")]


def test_links_and_pipes_are_not_followed_nor_waited_for(tmp_path):
    """A link leads to a file of its own place; a pipe without a writer would never end."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "outside").write_text("s3cret-marker")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "tree" / "pipe")
    assert found(tmp_path / "tree") == []


def test_a_link_that_is_named_itself_is_followed(tmp_path):
    """`result` of a Nix build is a link, and what people search."""
    (tmp_path / "outside").write_text("s3cret-marker")
    (tmp_path / "result").symlink_to(tmp_path / "outside")
    assert list(Search(VALUES).leaks([str(tmp_path / "result")])) == [Leak(str(tmp_path / "outside"), "KEY")]


def test_short_values_are_named_and_not_searched_for(tmp_path):
    """A value of five bytes would be found everywhere."""
    (tmp_path / "file").write_text("abcde")
    search = Search([("PIN", Secret("abcde")), ("KEY", Secret("abcdef"))])
    assert search.too_short == ["PIN"]
    assert list(search.leaks([str(tmp_path)])) == []


def test_a_place_that_is_not_there_is_an_error(tmp_path):
    """A typing mistake must not look like a clean result."""
    with pytest.raises(EnvrefError, match="nowhere: no such file or directory"):
        list(Search(VALUES).leaks([str(tmp_path / "nowhere")]))


def test_a_hundred_megabytes_take_less_than_three_seconds_of_cpu_time(tmp_path):
    """Twenty values are looked for in 100 MB of text (issue 6); measured: about half a second."""
    text = "".join(f"{number:x} {number * 7919:x} some words of a log line\n" for number in range(240_000)).encode()
    for number in range(10):
        (tmp_path / f"{number}.log").write_bytes(text[:10_000_000])
    values = [(f"K{number}", Secret(f"s3cret-marker-{number:04}-{number * 7919}")) for number in range(20)]
    begun = time.process_time()
    assert found(tmp_path, values) == []
    assert time.process_time() - begun < 3
