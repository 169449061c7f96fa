"""shim_text: the lines that put shims on PATH name the profile that they were written for, and no other."""

from __future__ import annotations

import pytest

from envref.flox import shim_text
from envref.project.config.model import Config
from envref.project.shimmed import stem

SHELLS = ["bash", "zsh", "fish", "tcsh"]


@pytest.mark.parametrize("shell", ["", *SHELLS])
def test_the_profile_is_in_them_if_there_is_one(shell):
    """In the hook and in each shell's profile."""
    without, within = (
        shim_text.in_profile(shell, profile) if shell else shim_text.in_hook(profile) for profile in (None, "staging")
    )
    assert "--profile" not in without
    assert within.count("--profile staging") == 1
    assert within.replace(" --profile staging", "") == without
    assert "@" not in without.replace('"$@"', "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_undo_knows_every_tool_and_the_projects_own_folder(shell):
    """Two projects may have shims in one shell."""
    config = Config(project="app", tools={"gh": {"variables": ["A"]}, "psql": {"variables": ["B"]}})
    lines = shim_text.undo(shell, config)
    assert all(tool in lines for tool in ("gh", "psql"))
    assert stem(config) in lines
    assert "@STEM@" not in lines
