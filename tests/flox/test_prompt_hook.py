"""Questions under auto-activation: Flox's prompt hook ignores SIGINT, and a person may still cancel (FX-7)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.cli.terminal import Terminal
from tests.requirements import first_python

pytestmark = first_python

LOOK = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"


@pytest.fixture
def prompted(place):
    """A terminal whose shell runs envref as the prompt hook does."""
    place.lock()
    flox = place.flox("version = 1\n", envref=False)

    def run(*arguments):
        program, *rest = flox.at_prompt([sys.executable, "-m", "envref", *arguments])
        return Terminal(place.project, *rest, program=(program,))

    return run


def typed(terminal, question, keys):
    """What is typed at the question; how the shell of the prompt ended."""
    terminal.await_text(question)
    time.sleep(0.2)  # what is typed before the echo is off is thrown away
    terminal.type(keys)
    return terminal.end()


@pytest.mark.parametrize("stores", [1, 2])
def test_ctrl_c_cancels_the_passphrase_question(place, prompted, stores):
    """Also where the vault is asked beside another store, in a thread of its own; nothing is exported."""
    if stores == 2:
        place.configure("{name: vault, type: vault, config: {path: v.db}}", "{name: pass, type: pass}")
        place.write(".env", "API_KEY=ref://vault/api_key\nOTHER=ref://pass//x\n")
    terminal = prompted("resolve", "--export", "--shell", "bash")
    assert typed(terminal, "Enter vault passphrase: ", "\x03") == 128 + signal.SIGINT
    assert "export" not in terminal.output


def test_ctrl_d_cancels_it_too(place, prompted):
    """As an answer that is none."""
    terminal = prompted("resolve", "--export", "--shell", "bash")
    assert typed(terminal, "Enter vault passphrase: ", "\x04") == 3
    assert "vault passphrase required" in terminal.output


@pytest.mark.parametrize(
    ("arguments", "question"),
    [(["secret", "set", "k"], "Enter secret value: "), (["secret", "delete", "api_key"], "(y/N) ")],
)
def test_ctrl_c_cancels_every_other_question(place, prompted, arguments, question):
    """A hidden value, a confirmation."""
    place.stock(place.values)
    assert typed(prompted(*arguments), question, "\x03") == 128 + signal.SIGINT


@pytest.mark.usefixtures("nobody_agreed")
def test_ctrl_c_cancels_the_question_for_agreement(place, prompted):
    """A project that nobody has agreed to."""
    other = place.directory / "other"
    other.mkdir()
    (other / ".envref.yaml").write_text("project: other\n")
    (other / ".env").write_text("A=1\n")
    terminal = prompted("resolve", "--export", "--shell", "bash", "-C", str(other))
    assert typed(terminal, "[y/N] ", "\x03") == 128 + signal.SIGINT


def test_what_was_ignored_is_ignored_again_afterwards():
    """The disposition belongs to the caller."""
    code = f"""
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from envref import questions
with questions.question:
    with questions.Cancellable():
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
{LOOK}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert done.stdout == "True\nTrue\nTrue\n"
