"""How a config's text writes data."""

from __future__ import annotations

import pytest

from envref.project.config.style import scalar


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("staging", "staging"),
        (".env.staging", ".env.staging"),
        ("deploy/x.env", "deploy/x.env"),
        ("ssh-ed25519 AAAA+/= bob@laptop", "ssh-ed25519 AAAA+/= bob@laptop"),
        ("null", '"null"'),
        ("No", '"No"'),
        ("1.5", '"1.5"'),
        (".5", '".5"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("-", '"-"'),
        ("é", '"é"'),
        ('"', '"\\""'),
    ],
)
def test_a_scalar_is_quoted_only_where_it_has_to_be(text, written):
    """YAML 1.1 and 1.2 read the same text."""
    assert scalar(text) == written
