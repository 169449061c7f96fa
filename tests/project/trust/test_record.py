"""Records of trust: what is written is read, and what nobody of ours could have written is not."""

from __future__ import annotations

import json

import pytest

from envref.errors import EnvrefError
from envref.project.trust import record
from envref.project.trust.meaning import fingerprint

MEANT = {"project": "app"}
LARGEST = 4 << 20  # bytes


@pytest.fixture
def path(home, tmp_path):
    """The file of a grant of `tmp_path`."""
    record.write(str(tmp_path), MEANT, granted=True)
    (path,) = (home / ".local/state/envref/trust").iterdir()
    return path


def test_what_was_decided_is_read(path, tmp_path):
    """All of it; the file is its user's alone."""
    found = record.read(str(tmp_path))
    assert (found.path, found.meant, found.granted) == (str(tmp_path), MEANT, True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.path for each in record.every()] == [str(tmp_path)]


def test_the_largest_record(path, tmp_path):
    """4 MiB are read; one byte more, and nothing was decided."""
    path.write_text(path.read_text().ljust(LARGEST))
    assert record.read(str(tmp_path)).granted
    path.write_text(path.read_text() + " ")
    assert record.read(str(tmp_path)) is None


def test_a_record_is_removed_once(path, tmp_path):
    """The second time there is nothing to forget."""
    assert record.remove(str(tmp_path))
    assert not record.remove(str(tmp_path))
    assert record.read(str(tmp_path)) is None


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_record_that_others_can_write_is_none(path, tmp_path, mode):
    """The group, or everybody."""
    path.chmod(mode)
    assert record.read(str(tmp_path)) is None


def test_a_directory_that_was_open_is_closed(home, tmp_path):
    """Who could look into it could see where a user works."""
    place = home / ".local/state/envref"
    (place / "trust").mkdir(parents=True, mode=0o755)
    for each in (place, place / "trust"):
        each.chmod(0o755)
    record.write(str(tmp_path), MEANT, granted=False)
    assert [each.stat().st_mode & 0o777 for each in (place, place / "trust")] == [0o700, 0o700]


def test_a_record_that_cannot_be_removed_is_told(path, tmp_path):
    """It would go on to count."""
    path.unlink()
    path.mkdir()
    with pytest.raises(EnvrefError, match=r"^removing the trust record: "):
        record.remove(str(tmp_path))


def test_without_a_home_directory_nothing_is_kept(tmp_path, monkeypatch):
    """And the agreement is not taken for kept."""
    monkeypatch.setattr(record, "state_path", lambda *_, **__: "")
    with pytest.raises(EnvrefError, match=r"^keeping a trust record: no home directory$"):
        record.write(str(tmp_path), MEANT, granted=True)


def test_a_directory_of_somebody_else_holds_no_record(home, tmp_path, monkeypatch):
    """Its owner could write what was never agreed to."""
    monkeypatch.setattr(record, "make_private", lambda directory: directory)
    with pytest.raises(EnvrefError, match=r"~/\.local/state/envref/trust belongs to another user$"):
        record.write(str(tmp_path), MEANT, granted=True)
    assert not (home / ".local/state/envref/trust").exists()


@pytest.mark.parametrize("granted", [True, False])
def test_a_record_allows_what_was_granted_and_no_other_meaning(tmp_path, home, granted):
    """A no allows nothing, and a yes just what it was said to."""
    record.write(str(tmp_path), MEANT, granted=granted)
    kept = record.read(str(tmp_path))
    assert kept.allows(MEANT) is granted
    assert not kept.allows({"project": "other"})


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("meant", [MEANT, {"project": "other"}])
def test_a_record_is_a_yes_or_a_no_to_one_meaning(path, tmp_path, granted, meant):
    """To any other it is neither."""
    record.write(str(tmp_path), MEANT, granted=granted)
    kept = record.read(str(tmp_path))
    assert (kept.allows(meant), kept.refuses(meant)) == (granted and meant == MEANT, not granted and meant == MEANT)


def test_the_text_of_a_record(path, tmp_path):
    """For people to read: a field a line. The day is that of the time."""
    text = path.read_text()
    fields = json.loads(text)
    assert text == json.dumps(fields, indent=1) + "\n"
    assert list(fields) == ["path", "fingerprint", "meaning", "time", "granted"]
    kept = record.read(str(tmp_path))
    assert kept.fingerprint == fields["fingerprint"] == fingerprint(MEANT)
    assert f"{kept.date}T" == fields["time"][:11]


SPOILED = {
    "path": [1, None, ["/"], "/elsewhere"],
    "meaning": [1, None, "x", []],
    "granted": [2, None, "true", [True]],
    "time": [1, None],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in SPOILED for value in SPOILED[field]])
def test_a_field_of_another_kind_makes_no_record(path, tmp_path, field, value):
    """Whatever the others say; nor does a field that is not there."""
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, field: value}))
    assert record.read(str(tmp_path)) is None
    assert [each.path for each in record.every()] == (["/elsewhere"] if value == "/elsewhere" else [])
    del fields[field]
    path.write_text(json.dumps(fields))
    assert record.read(str(tmp_path)) is None


def test_every_record_by_path(path, home, tmp_path):
    """What is no record is left out; without any directory there is none."""
    for root in ("/b", "/a", "/c"):
        record.write(root, MEANT, granted=root != "/c")
    path.write_text("[")
    (path.parent / "other").write_text((path.parent / path.name).read_text())
    assert [(each.path, each.granted) for each in record.every()] == [("/a", True), ("/b", True), ("/c", False)]
    assert list(record.every({"HOME": str(tmp_path)})) == []


def test_what_is_private_is_left_alone(path, tmp_path, monkeypatch):
    """A file system that can't be changed stops nobody whose directories are right."""

    def fail(*_arguments):
        pytest.fail("the mode was set again")

    monkeypatch.setattr("os.chmod", fail)
    assert record.private_directory("trust", {"HOME": str(path.parents[4])}) == str(path.parent)


def test_state_that_is_no_directory_is_named(home):
    """With what the system says."""
    (home / ".local").write_text("")
    with pytest.raises(EnvrefError, match=r"^keeping a trust record: ~/\.local.*: (Not a directory|File exists)$"):
        record.write("/a", MEANT, granted=True)
