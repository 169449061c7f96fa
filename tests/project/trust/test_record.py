"""Records of trust: what is written is read, and what nobody of ours could have written is not."""

from __future__ import annotations

import pytest

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
