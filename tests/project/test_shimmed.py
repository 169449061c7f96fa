"""Which tools have shims, and what the names of their folders begin with."""

from __future__ import annotations

import pytest

from envref.project import shimmed
from envref.project.config.model import Config


def test_a_tool_with_variables_has_a_shim():
    """One that asks envref by a protocol of its own has none."""
    ways = {"gh": {"variables": ("A",)}, "git": {"credential github.com": ("B",)}, "aws": {"process": ("C",)}}
    assert shimmed.tools(Config(tools=ways)) == ["gh"]


@pytest.mark.parametrize(
    ("project", "stem"),
    [("shop", "shop-"), ("a b/é'-c", "a_b____c-"), ("x" * 64, f"{'x' * 64}-"), ("x" * 65, f"{'x' * 64}-")],
)
def test_a_folder_s_name_needs_no_quoting(project, stem):
    """On every machine the same, in 64 characters, of which a hyphen is the last alone."""
    assert shimmed.stem(Config(project=project)) == stem
