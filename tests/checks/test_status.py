"""status: where each variable goes that no shell gets. tests/cli has the whole report."""

from __future__ import annotations

import pytest

from envref.checks.status import _kept
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.config.model import Config
from envref.project.project import Project


def kept(text, tools):
    files = [EnvFile.parse(text, ".env")]
    project = Project("/", Config(project="app", tools=tools), None, files=files, warnings=())
    return _kept(project, Environment(files).variables.values())


def test_without_tools_there_is_nothing_to_say():
    assert kept("A=1\n", {}) == {}


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ({"gh": {"variables": ["A"]}}, {"tools": {"gh": ["A"]}, "made_of_them": ["MADE"], "unset": []}),
        (
            {"git": {"credential a": ["Z"], "variables": ["A", "Y"]}, "gh": {"variables": ["B"]}},
            {"tools": {"git": ["Z", "A", "Y"], "gh": ["B"]}, "made_of_them": ["MADE"], "unset": ["Y", "Z"]},
        ),
        ({"gh": {"variables": ["B"]}}, {"tools": {"gh": ["B"]}, "made_of_them": [], "unset": []}),
    ],
)
def test_each_tool_what_is_made_of_it_and_what_nothing_sets(tools, told):
    """A name that no file sets is probably mistyped."""
    assert kept("A=1\nMADE=x$A\nB=2\n", tools) == {"tools": told}
