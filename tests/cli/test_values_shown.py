"""Which commands show a value (security.md P10): the verbs whose purpose is one, on a pipe and on a terminal.

The pipe half of the table is in tests/faults/test_leaks.py, where every call also leaves no trace elsewhere.
"""

from __future__ import annotations

import re
import sys

import pytest

from tests.cli.subcommands import CALLS, MARKER, world_with_vault
from tests.cli.terminal import Terminal
from tests.loaded import ENVREF
from tests.requirements import first_python, need

pytestmark = first_python

# commands.md and security.md P10
SHOWING = {
    *("credential git get", "resolve", "secret get", "secret generate", "secret rotate"),
    *("profile export", "vault export"),
}
OWN = re.compile(r"\x1b\[(\d+(;\d+)*m|K|\?2004[hl])")  # colours, a passing line's end, and what getpass's library says
REFUSING = "vault export"  # on a terminal, without --force


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return world_with_vault(tmp_path_factory.mktemp("original"))


@pytest.fixture
def project(original, tmp_path, monkeypatch):
    """A copy of the world of tests/cli/subcommands.py as this process's environment; its project's directory."""
    world = original.copied_to(tmp_path / "world")
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    return world.project


def test_only_verbs_of_values_are_expected_to_print_one():
    """The table of all calls says nothing else than the promise."""
    assert {call.words for call in CALLS if call.prints and not call.words.startswith(tuple(SHOWING))} == set()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: re.sub(r"age1\w+", "AGE", call.words))
def test_on_a_terminal_no_other_command_shows_a_value(project, call, tmp_path):
    """Standard output and stderr are a terminal, standard input is a file."""
    (project / "input").write_text(call.stdin)
    ENVREF.install(tmp_path)
    asks = call.words == "vault passwd"  # that is the one which looks for the terminal of its session
    envref = (sys.executable, "-m", "envref") if asks else (str(tmp_path / "envref"),)
    program = (need("sh"), "-c", 'exec "$@" < input', "sh", *envref)
    terminal = Terminal(project, *call.words.split(), program=program)
    if asks:
        terminal.await_text("Enter new vault passphrase: ")
        terminal.type("\x03")
    status = terminal.end()
    if call.words not in ("vault passwd", REFUSING):
        assert status == call.status, terminal.output
    assert "internal error" not in terminal.output
    expected = call.prints and call.words != REFUSING
    assert (MARKER in terminal.output) == expected
    assert "\x1b" not in OWN.sub("", terminal.output)
