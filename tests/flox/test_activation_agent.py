"""`flox-hook --agent` in the simulator of the documented contract: what outlives the environment's last shell."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

from envref.agent.owners import start_of
from envref.flox import block
from tests.agent.conftest import end, told, wait_for
from tests.flox.conftest import SECRETS, console_script, manifest
from tests.requirements import first_python

pytestmark = first_python

HOOK = block.hook(agent=True) + "\n"
NEW = 'schema-version = "1.15.0"'


@pytest.fixture
def folder(monkeypatch):
    """Where the agent is. This process has a session with a leader, as Flox has one."""
    if not start_of(os.getsid(0)):
        os.setsid()
    runtime = tempfile.mkdtemp(prefix="envref-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    yield os.path.join(runtime, "envref")
    end(os.path.join(runtime, "envref"))
    shutil.rmtree(runtime)


@pytest.fixture
def own(home):
    """Writes the user's own config."""

    def write(text):
        path = home / ".config" / "envref" / "config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


def environment(place):
    """With a hook that keeps, and one that says goodbye."""
    goodbye = f"[hook]\non-deactivate = '''\n{block.goodbye('hook')}\n'''\n"
    return place.flox(manifest(hook=HOOK, head=NEW).replace("[hook]\n", goodbye))


def kept(folder):
    """The number of values that the agent has; 0 without one."""
    try:
        return sum(int(row[2]) for row in told(folder)[4])
    except OSError:
        return 0


def test_the_last_shell_takes_the_values_along(place, folder):
    """Although the session goes on in which the environment was activated, and Flox says goodbye from another one."""
    flox = environment(place)
    flox.live = place.start(flox)
    assert (flox.live.additions, kept(folder)) == (SECRETS, len(SECRETS))
    goodbye = flox.end()
    assert (goodbye.returncode, goodbye.stdout, goodbye.stderr) == (0, b"", b"")
    wait_for(lambda: kept(folder) == 0)


def test_what_the_session_uses_elsewhere_stays(place, folder, own):
    """It was given the same value outside the environment, by the user's own wish."""
    flox = environment(place)
    flox.live = place.start(flox)
    own("agent: true\n")
    flox.live.exec(console_script(), "run", "--only", "API_KEY", "--project", str(place.project), "--", "true")
    flox.end()
    assert kept(folder) == 1


def test_a_user_s_no_is_stronger(place, folder, own):
    """The manifest is everybody's; whether an agent keeps values is each one's own decision."""
    own("agent: false\n")
    assert place.start(environment(place)).additions == SECRETS
    assert not os.path.exists(folder)


def test_without_envref_the_goodbye_is_silent(place, folder):
    """Flox logs what it prints."""
    flox = environment(place)
    flox.live = place.start(flox)
    (flox.env / "bin" / "envref").unlink()
    goodbye = flox.end()
    assert (goodbye.returncode, goodbye.stdout, goodbye.stderr) == (0, b"", b"")
