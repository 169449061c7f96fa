"""duration: a number with its unit, as people write one."""

from __future__ import annotations

import pytest

from envref.project.config.duration import seconds


@pytest.mark.parametrize(
    ("text", "units", "found"),
    [
        ("45s", "smhd", 45),
        ("30m", "smhd", 1800),
        ("8h", "smhd", 28800),
        ("2d", "smhd", 172800),
        ("999999s", "smhd", 999999),
        ("1000000s", "smhd", 0),
        ("30m", "hd", 0),
        ("0m", "smhd", 0),
        ("05m", "smhd", 0),
        ("1.5h", "smhd", 0),
        ("-1h", "smhd", 0),
        ("8 h", "smhd", 0),
        ("8", "smhd", 0),
        ("h", "smhd", 0),
        ("\u0663h", "smhd", 0),
        ("", "smhd", 0),
    ],
)
def test_a_number_and_a_unit(text, units, found):
    """Of up to six digits, in one of the units that count there; anything else is none."""
    assert seconds(text, units) == found
