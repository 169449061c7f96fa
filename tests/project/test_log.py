"""The log's lines: whose they are, what is none, and what a full one becomes."""

from __future__ import annotations

import io
import json
import os
import pwd
from pathlib import Path

import pytest

from envref.errors import EnvrefError
from envref.project import log


@pytest.mark.parametrize("text", ['{"key": ', "[1]", '"key"', '{"key": 5}', '{"key": null}', "\ufffd"])
def test_a_line_that_is_no_entry_has_none(text):
    """It keeps its number and its text, which a report can name; blank lines count and are left out."""
    content = f'{{"key": "a"}}\n\n{text}\n'.encode()
    first, second = log.lines(io.BufferedReader(io.BytesIO(content)), "/x/a.log")
    assert (first.file, first.number, first.entry) == ("/x/a.log", 1, {"key": "a"})
    assert (second.number, second.text, second.entry) == (3, text, None)


def test_what_no_user_could_read_is_shown_all_the_same():
    """A torn character; the file is closed afterwards."""
    opened = io.BufferedReader(io.BytesIO(b"\xff\n"))
    (line,) = log.lines(opened, "/x/a.log")
    assert (line.text, opened.closed) == ("\ufffd", True)


def test_two_projects_of_one_name_have_two_logs(home):
    """Each is known by its directory's name, of which 100 bytes are enough."""
    one, other = (log.place(f"/{place}/shop", ".log") for place in ("a", "b"))
    assert one != other
    assert os.path.dirname(one) == str(home / ".local/state/envref/audit")
    assert os.path.basename(one).startswith("shop-")
    assert one.endswith(".log")
    name = os.path.basename(log.place("/x/" + "é" * 120, ".log"))
    assert os.fsencode(name).startswith("é".encode() * 50 + b"-")
    assert len(os.fsencode(name)) <= 255


def test_without_a_home_there_is_no_log():
    """It would be wherever one stands."""
    with pytest.raises(EnvrefError, match="keeping the audit log: no home directory") as caught:
        log.place("/x", ".log", {"HOME": "relative"})
    assert caught.value.hint == "set HOME to an absolute path"


def test_a_full_log_begins_anew(home):
    """What was in it is kept beside it; all entries of one command stay together."""
    path = Path(log.place("/x", ".log"))
    log.add("/x", ".log", [{"key": "1a"}, {"key": "1b", "profile": None}])
    log.add("/x", ".log", [{"key": "2a"}, {"key": "2b"}], largest=2 * path.stat().st_size - 1)
    kept = [[json.loads(line) for line in each.read_text().splitlines()] for each in (Path(f"{path}.1"), path)]
    assert [[entry["key"] for entry in each] for each in kept] == [["1a", "1b"], ["2a", "2b"]]
    assert [*kept[0][1]] == ["timestamp", "user", "key"]


def test_a_log_without_a_limit_never_begins_anew(home):
    """That of changes; it is for nobody else, whatever the umask."""
    before = os.umask(0)
    try:
        for number in "12":
            log.add("/x", ".log", [{"key": number}])
    finally:
        os.umask(before)
    path = Path(log.place("/x", ".log"))
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["1", "2"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_user_without_a_name_is_his_number(home, monkeypatch):
    """As in many containers."""

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    log.add("/x", ".log", [{"key": "a"}])
    with open(log.place("/x", ".log"), encoding="utf-8") as file:
        assert json.loads(file.read())["user"] == str(os.geteuid())


def test_a_log_that_cannot_be_kept_is_a_warning(home, capfd):
    """What it is about was done."""
    (home / ".local").write_text("")
    log.add("/x", ".log", [{"key": "a"}])
    assert capfd.readouterr().err.startswith("warning: audit log: keeping the audit log: ")
