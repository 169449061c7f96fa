"""leaks: every file that holds a value is named, whatever its kind and size; no value is."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import time
import types

import pytest

from envref.checks.leaks import Leak, Search, search_for
from envref.errors import EnvrefError
from envref.refs.outcome import Found, Missing
from envref.secret import Secret

VALUES = [("KEY", Secret("s3cret-marker")), ("PEM", Secret("line one\nline two\n"))]


def found(place, values=VALUES):
    return [(os.path.relpath(leak.path, place), leak.key) for leak in Search(values).leaks([str(place)])]


def test_every_file_with_a_value_is_named(tmp_path):
    """In any depth, in binary files too."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_text("plain text, then s3cret-marker\n")
    (tmp_path / "blob").write_bytes(b"\0\xff" * 1000 + b"line one\nline two\n\0s3cret-marker\xff")
    (tmp_path / "clean").write_text("s3cret-marke and line one\n")
    assert found(tmp_path) == [("blob", "KEY"), ("blob", "PEM"), ("a/b/log", "KEY")]


@pytest.mark.parametrize("before", range(1024 * 1024 - 14, 1024 * 1024 + 2, 3))
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
    assert list(Search(VALUES).leaks([str(tmp_path / "result")])) == [Leak(str(tmp_path / "outside"), "KEY", "plain")]


@pytest.mark.parametrize(
    "value", ["abcde", "postgres", "Admin", "PRODUCTION", "20260101", "127.0.0.1", "localhost", "on"]
)
def test_values_that_stand_everywhere_are_named_with_the_reason(tmp_path, value):
    """Short ones, one word, one number, everyday ones: a finding would say nothing."""
    (tmp_path / "file").write_text(f"{value} s3cret")
    search = Search([("PIN", Secret(value)), ("KEY", Secret("abcdef1"))])
    assert [name for name, reason in search.left_out if reason] == ["PIN"]
    assert search.names == ["KEY"]
    assert list(search.leaks([str(tmp_path)])) == []


@pytest.mark.parametrize("value", ["abcde1", "correcthorse", "PostgreSql", "202601011234", "two words", "hunter2"])
def test_other_values_are_searched_for(tmp_path, value):
    """Six bytes, and more than one short word or number."""
    (tmp_path / "file").write_text(f"x{value}x")
    assert found(tmp_path, [("KEY", Secret(value))]) == [("file", "KEY")]


def test_a_name_is_looked_at_and_never_shown(tmp_path):
    """Of a file, of a directory, and where a link leads; what is below is shown without it."""
    (tmp_path / "s3cret-marker" / "b").mkdir(parents=True)
    (tmp_path / "s3cret-marker" / "b" / "c").write_text("s3cret-marker")
    (tmp_path / "x-s3cret-marker.txt").write_text("")
    (tmp_path / "link").symlink_to("/nowhere/s3cret-marker")
    assert found(tmp_path) == [("***", "KEY"), ("link", "KEY"), ("***", "KEY"), ("***/b/c", "KEY")]


COMPRESSED = {
    "gz": gzip.compress(b"s3cret-marker" * 20),
    "xz": lzma.compress(b"s3cret-marker" * 20),
    "bz2": bz2.compress(b"s3cret-marker" * 20),
    "empty.bz2": bz2.compress(b""),
    "zst": b"\x28\xb5\x2f\xfd\x04\x58\x69\0\0",  # RFC 8878, 3.1.1
    "zip": b"PK\x03\x04\x14\0\0\0\x08\0",  # APPNOTE 4.3.7
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_compressed_file_is_named_as_not_looked_into(tmp_path, kind):
    """By what it begins with, whatever its name is: /nix/store has no endings to rely on."""
    (tmp_path / "any name").write_bytes(COMPRESSED[kind])
    (tmp_path / "BZh and PK").write_text("BZh1, PK")
    search = Search(VALUES)
    assert list(search.leaks([str(tmp_path)])) == []
    assert search.compressed == [str(tmp_path / "any name")]
    assert search.files == 1


def test_what_cannot_be_read_is_named_and_the_rest_searched(tmp_path, monkeypatch):
    """One closed directory must not hide the others, nor look clean."""
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("s3cret-marker")
    listed = os.scandir

    def closed(path):
        if path == str(tmp_path / "b"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", closed)
    search = Search(VALUES)
    assert [os.path.relpath(leak.path, tmp_path) for leak in search.leaks([str(tmp_path)])] == ["a/file", "c/file"]
    assert search.unread == [(str(tmp_path / "b"), "Permission denied")]


def test_a_file_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    """Of another user, say; it may hold a value."""

    def refused(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "shut").write_text("s3cret-marker")
    monkeypatch.setattr("envref.checks.leaks.open_in_place", refused)
    search = Search(VALUES)
    assert list(search.leaks([str(tmp_path)])) == []
    assert (search.unread, search.files) == ([(str(tmp_path / "shut"), "Permission denied")], 0)


def test_a_file_that_goes_while_the_tree_is_read_is_named(tmp_path, monkeypatch):
    """As another process does: a garbage collection, a build."""
    (tmp_path / "gone").write_text("x")
    (tmp_path / "here").write_text("s3cret-marker")
    status = os.lstat

    def vanished(path, **options):
        if str(path).endswith("gone"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return status(path, **options)

    monkeypatch.setattr(os, "lstat", vanished)
    search = Search(VALUES)
    assert [leak.path for leak in search.leaks([str(tmp_path)])] == [str(tmp_path / "here")]
    assert search.unread == [(str(tmp_path / "gone"), "No such file or directory")]


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


def test_the_place_itself_may_tell(tmp_path):
    """By its name, or by where it leads as a link; the value is not shown."""
    (tmp_path / "has-s3cret-marker").touch()
    (tmp_path / "link").symlink_to("s3cret-marker")
    (tmp_path / "s3cret-marker").mkdir()
    told = list(Search(VALUES).leaks([str(tmp_path / "has-s3cret-marker")]))
    assert told == [Leak(f"{tmp_path}/***", "KEY", "plain")]
    assert list(Search(VALUES).leaks([str(tmp_path / "link")])) == [Leak(f"{tmp_path}/link", "KEY", "plain")]


def test_leaks_come_in_the_order_of_their_names(tmp_path, monkeypatch):
    """Whatever the order of the file system is."""
    for name in ("b", "c", "a", "f/z", "e/z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("s3cret-marker")
    walk = os.walk

    def upside_down(top, **options):
        for folder, folders, names in walk(top, **options):
            for listed in (folders, names):
                listed.sort(reverse=True)
            yield folder, folders, names

    monkeypatch.setattr(os, "walk", upside_down)
    assert [name for name, _ in found(tmp_path)] == ["a", "b", "c", "e/z", "f/z"]


def test_what_a_search_is_for():
    """Values from stores, alone and within longer ones; a reference's default stands in the env file anyway."""
    token, url = Secret("tok-4711-correct"), Secret("https://tok-4711-correct@host")
    answers = {
        "TOKEN": [Found(token, "vault")],
        "URL": [Found(token, "vault"), Found(Secret("host"))],
        "MADE": [Found(Secret("default-of-mine"))],
        "NONE": [Missing([])],
    }
    values = {"TOKEN": token, "URL": url, "MADE": Secret("default-of-mine"), "NONE": Secret("filled-with-this")}
    values["PLAIN"] = "plain-text-x"
    filled = {name: types.SimpleNamespace(answers=[("ref", each) for each in answers.get(name, ())]) for name in values}
    search = search_for(types.SimpleNamespace(values=values.items, filled=filled))
    assert search.names == ["TOKEN", "URL", "NONE"]
    assert search.left_out == [("MADE", "a reference's default is no secret, it stands in the env file")]
    assert search._found(b"tok-4711-correct") == {"TOKEN": "plain", "URL": "plain"}
    assert search._found(b"plain-text-x default-of-mine") == {}
    assert search._found(b"filled-with-this") == {"NONE": "plain"}
