"""`flox-hook --agent` in the simulator of the documented contract: what outlives the environment's last shell.

An envref waits a tenth of a second for an agent, whatever the machine is busy with: here it tries until it was heard.
"""

from __future__ import annotations

import os

import pytest

from envref.agent.start import start
from envref.flox import block
from envref.processes import start_of
from tests.agent.conftest import told, wait_for
from tests.flox.conftest import SECRETS, console_script, manifest
from tests.requirements import first_python

pytestmark = first_python

HOOK = block.hook(agent=True) + "\n"
NEW = 'schema-version = "1.15.0"'


@pytest.fixture
def flox(place):
    """With a hook that keeps, and one that says goodbye. The session has a leader, as that of a user has."""
    if not start_of(os.getsid(0)):
        os.setsid()
    goodbye = f"[hook]\non-deactivate = '''\n{block.goodbye('hook')}\n'''\n"
    return place.flox(manifest(hook=HOOK, head=NEW).replace("[hook]\n", goodbye))


def activated(place, flox, folder):
    """A live activation, whose values the agent has."""

    def is_kept():
        start(folder, 10)
        flox.live = place.start(flox)
        assert flox.live.additions == SECRETS
        return kept(folder) == len(SECRETS)

    wait_for(is_kept)


def goodbye(flox, folder, left):
    """The last shell leaves, until the agent has heard of it: what was printed."""
    printed = []

    def is_heard():
        live = flox.live
        done = flox.end()
        printed.append((done.returncode, done.stdout, done.stderr))
        flox.live = live
        flox.runs.mkdir(parents=True, mode=0o700)
        return kept(folder) <= left

    wait_for(is_heard)
    return set(printed)


def kept(folder):
    """The number of values that the agent has; 0 without one."""
    try:
        return sum(int(row[2]) for row in told(folder)[4])
    except OSError:
        return 0


def test_the_last_shell_takes_the_values_along(place, flox, runtime):
    """Although the session goes on in which the environment was activated, and Flox says goodbye from another one."""
    activated(place, flox, runtime)
    assert goodbye(flox, runtime, 0) == {(0, b"", b"")}


def test_what_the_session_uses_elsewhere_stays(place, flox, runtime, own):
    """It was given the same value outside the environment, by the user's own wish."""
    activated(place, flox, runtime)
    own("agent: true\n")
    words = (console_script(), "-v", "run", "--only", "API_KEY", "--project", str(place.project), "--", "true")
    wait_for(lambda: b"agent: it had 1 of 1" in flox.live.exec(*words).stderr)
    goodbye(flox, runtime, 1)
    assert kept(runtime) == 1


def test_a_user_s_no_is_stronger(place, flox, runtime, own):
    """The manifest is everybody's; whether an agent keeps values is each one's own decision."""
    own("agent: false\n")
    assert place.start(flox).additions == SECRETS
    assert not os.path.exists(runtime)


def test_without_envref_the_goodbye_is_silent(place, flox, runtime):
    """Flox logs what it prints."""
    flox.live = place.start(flox)
    (flox.env / "bin" / "envref").unlink()
    done = flox.end()
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
