"""Records of trust: what is written is read, and what nobody of ours could have written is not."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.project.trust import record

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
