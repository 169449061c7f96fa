"""`audit --values`: what it says of files that nobody can look into. tests/checks/test_leaks.py has what it finds."""

from __future__ import annotations

import pytest

from envref import streams
from envref.cli.audit_values import _compressed

MORE = "{} more compressed files were not looked into; -v names them"


@pytest.mark.parametrize(
    ("level", "number", "more"),
    [
        (streams.NORMAL, 10, []),
        (streams.NORMAL, 11, [MORE.format(1)]),
        (streams.NORMAL, 5000, [MORE.format(4990)]),
        (streams.VERBOSE, 5000, []),
    ],
)
def test_compressed_files_are_named_ten_at_most(monkeypatch, level, number, more):
    """A closure has thousands of manual pages; with -v each is named."""
    monkeypatch.setattr(streams, "level", level)
    paths = [f"man{each}.gz" for each in range(number)]
    named = paths if level == streams.VERBOSE else paths[:10]
    assert list(_compressed(paths)) == [f"{path}: not looked into; it is compressed" for path in named] + more
