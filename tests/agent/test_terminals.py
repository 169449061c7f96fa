"""Many shells at once, each on a terminal of its own, and a store that asks a person: one prompt, one call."""

from __future__ import annotations

import sys

import pytest

from tests.agent.commands import rows
from tests.agent.conftest import wait_for
from tests.backends.vaults import PASSPHRASE, unlocked_vault
from tests.cli.terminal import Terminal
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted", "real_starts")]

# The shell is there before the activation and after it, as a window's is, and says how that ended.
SHELL = ("/bin/sh", "-c", 'out=$1; shift; "$@" > "$out"; echo "ended: $?"; read -r line', "sh")
ENVREF = (sys.executable, "-m", "envref", "-v", "resolve", "--export", "--timeout", "60")
PROMPT = "approve it on your phone"
# As 1Password's, it asks elsewhere: a store's program can't read the terminal (backends/command).
STORE = f"""\
#!/bin/sh
request=$(cat)
echo call >> calls
echo '{PROMPT}' > /dev/tty
until [ -s answer ]; do sleep 0.05; done
[ "$(cat answer)" = yes ] || {{ echo '{{"error": "locked, and the request was refused"}}'; exit; }}
echo '{{"values": {{'"$(seq -s, 0 19 | sed 's/[0-9][0-9]*/"app\\/key&": "v&"/g')"'}}}}'
"""
REFERENCES = "".join(f"V{number}=ref://secrets/key{number}\n" for number in range(20))
GIVEN = "".join(f"export V{number}=v{number}\n" for number in range(20))


class Window:
    """An activation in a shell in a terminal. `given` is what the shell would evaluate."""

    def __init__(self, app, number):
        self._out = app.path / f"out-{number}"
        self.terminal = Terminal(app.path, str(self._out), *ENVREF, program=SHELL)

    @property
    def text(self):
        return self.terminal.shown()

    @property
    def given(self):
        return self._out.read_text(encoding="utf-8").partition("export ENVREF_SEEN=")[0]

    def await_end(self):
        self.terminal.await_text("ended: ")


@pytest.fixture
def app(project, own, runtime):
    own("agent: true\n")
    entry = "{name: store, type: plugin, config: {command: ./store, batch: true}}"
    project.write(".envref.yaml", f"project: app\nbackends: [{entry}]\n")
    project.write("store", STORE).chmod(0o755)
    project.write(".env", REFERENCES)
    return project


@pytest.fixture
def opened(app, runtime):
    """Opens so many windows at once; returns them once one is asked and the others wait for it: that one first."""
    windows = []

    def opened(count, prompt=PROMPT):
        windows.extend(Window(app, len(windows)) for _ in range(count))
        wait_for(lambda: any(prompt in window.text for window in windows))
        wait_for(lambda: rows(runtime) and rows(runtime)[0][5] == str(count - 1))
        return sorted(windows, key=lambda window: prompt not in window.text)

    yield opened
    for window in windows:
        window.terminal.type("\n")
        window.terminal.end()


def ended(windows):
    """What all terminals show in the end."""
    for window in windows:
        window.await_end()
    return [window.text for window in windows]


def test_ten_terminals_one_prompt(app, opened):
    """And one call; the next shell needs neither."""
    windows = opened(10)
    app.write("answer", "yes")
    texts = ended(windows)
    assert {window.given for window in windows} == {GIVEN}
    assert "".join(texts).count(PROMPT) == 1
    assert "".join(texts).count("asked backend") == 1
    assert (app.path / "calls").read_text(encoding="utf-8") == "call\n"
    late = Window(app, "late")
    late.await_end()
    assert (late.given, PROMPT in late.text) == (GIVEN, False)
    late.terminal.type("\n")
    late.terminal.end()


def test_a_no_at_the_prompt_is_everybody_s(app, opened):
    """Once, with the store's words in each terminal."""
    windows = opened(4)
    app.write("answer", "no")
    texts = ended(windows)
    assert {window.given for window in windows} == {""}
    assert "".join(texts).count(PROMPT) == 1
    assert all("the request was refused" in text for text in texts)
    assert (app.path / "calls").read_text(encoding="utf-8") == "call\n"


@pytest.mark.parametrize(("typed", "is_open"), [(f"{PASSPHRASE}\r", True), ("\x04", False)])
def test_the_vault_s_passphrase_is_asked_for_once(app, opened, home, monkeypatch, typed, is_open):
    """Who ends the prompt instead has said no for all."""
    values = {f"key{number}": f"v{number}" for number in range(20)}
    unlocked_vault(home / ".config" / "envref" / "vault.db", monkeypatch, values)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    app.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    prompt = "Enter vault passphrase: "
    windows = opened(4, prompt)
    windows[0].terminal.type(typed)
    texts = ended(windows)
    assert {window.given for window in windows} == {GIVEN if is_open else ""}
    assert "".join(texts).count(prompt) == 1
