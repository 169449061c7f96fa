"""Values of env files on a terminal: what could steer it is escaped, as it is in every message."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal

HOSTILE = "\x1b]0;title\x07\u202etxt\x9b31m"


@pytest.mark.parametrize("words", [("list",), ("get", "A"), ("resolve",), ("resolve", "--format", "plain")])
def test_what_could_steer_a_terminal_is_escaped_there(project, words):
    """And through a pipe every byte is the file's."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", f"A='{HOSTILE}'\n")
    terminal = Terminal(project.path, *words)
    terminal.end()
    assert "title" in terminal.output
    assert not {"\x07", "\u202e", "\x9b"} & set(terminal.output)
    assert "\x1b]" not in terminal.output
    assert HOSTILE in project.envref(*words).stdout
