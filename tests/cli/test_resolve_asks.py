"""`envref resolve` asks a person only where stdin and stderr both are terminals, and gives stores nothing to read."""

from __future__ import annotations

import os
import shlex
import sys

import pytest

from tests.backends.vaults import PASSPHRASE
from tests.cli.terminal import Terminal
from tests.requirements import need

pytestmark = pytest.mark.usefixtures("real_starts")

PROMPT = "Enter vault passphrase: "
ENVREF = shlex.join([sys.executable, "-m", "envref"])


@pytest.fixture
def locked(vaulted, monkeypatch):
    """A project with one secret in a vault whose passphrase somebody would have to type."""
    vaulted.write(".env", "A=ref://secrets/a\n")
    assert vaulted.envref("secret", "set", "a", stdin="the value").returncode == 0
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    return vaulted


def on_terminal(project, command):
    return Terminal(project.path, "-c", command, program=(need("sh"),))


def test_on_a_terminal_it_asks(locked):
    """stdout may go anywhere: `eval "$(…)"`."""
    terminal = on_terminal(locked, f'eval "$({ENVREF} resolve --export)"; echo "it is $A"')
    terminal.await_text(PROMPT)
    terminal.type(f"{PASSPHRASE}\n")
    terminal.await_text("it is the value")
    assert terminal.end() == 0


@pytest.mark.parametrize("redirection", ["< /dev/null", "2> errors"])
@pytest.mark.parametrize("command", ["resolve --export", "resolve --format json"])
def test_without_both_it_does_not(locked, redirection, command):
    """At once, with status 3, and the words of what is missing."""
    terminal = on_terminal(locked, f"{ENVREF} {command} {redirection}; echo ended $?")
    assert terminal.end() == 0
    assert "ended 3" in terminal.output
    said = terminal.output + (locked.read("errors") if "errors" in redirection else "")
    assert PROMPT not in said
    assert "vault passphrase required" in said


def test_the_data_of_a_pipe_is_left_alone(locked):
    """`data | flox activate -- CMD`: the hook is no reader of it."""
    terminal = on_terminal(locked, f"echo data | {{ {ENVREF} resolve --export; cat; }}")
    assert terminal.end() == 0
    assert PROMPT not in terminal.output
    assert "\r\ndata\r\n" in terminal.output


def test_what_goes_into_a_pipe_is_exact_beside_a_terminal(project):
    """Only what a person sees is escaped, however much of the rest is on the terminal."""
    project.write(".envref.yaml", "project: app\nbackends: []\n")
    project.write(".env", 'A="a\\tb"\n')
    for command, seen in (("resolve", r"A=a\tb"), ("resolve | od -An -c", r"A = a \t b \n")):
        terminal = on_terminal(project, f"{ENVREF} {command}")
        assert terminal.end() == 0
        assert " ".join(terminal.output.split()) == seen


def test_a_command_that_reads_a_value_may_ask_beside_it(locked):
    """stdin is the secret's there, and a person is at the terminal."""
    terminal = on_terminal(locked, f"echo new | {ENVREF} secret set b")
    terminal.await_text(PROMPT)
    terminal.type(f"{PASSPHRASE}\n")
    assert terminal.end() == 0


READER = """\
#!/bin/sh
if read -r line; then echo "read: $line"; else echo "nothing to read"; fi
[ -t 0 ] && echo "a terminal"
exit 0
"""


@pytest.mark.parametrize("on", ["a terminal", "a pipe"])
def test_a_stores_program_has_nothing_to_read(project, home, on):
    """Neither the caller's data nor the caller's terminal: its stdin is at its end."""
    (home / ".password-store").mkdir()
    (home / ".password-store" / "x.gpg").touch()
    (home / "bin").mkdir()
    (home / "bin" / "pass").write_text(READER)
    (home / "bin" / "pass").chmod(0o755)
    project.write(".envref.yaml", "project: app\nbackends:\n  - {name: pass, type: pass}\n")
    project.write(".env", "A=ref://pass//x\n")
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = f"PATH={shlex.quote(path)} {ENVREF} resolve --export"
    terminal = on_terminal(project, command if on == "a terminal" else f"echo data | {command}")
    assert terminal.end() == 0
    assert "export A='nothing to read'" in terminal.output
