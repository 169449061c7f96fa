"""A store that hangs does not hold an activation, in the simulator of the documented contract (commands.md 7).

Within the time-out and a second the activation has ended, with what the other stores gave, and says why.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.flox.conftest import HOOK, PROFILES, SCRIPT, SECRETS, manifest
from tests.flox.simulator import FAILED, OK, SHELLS
from tests.lateness import Stopwatch
from tests.processes import left_of
from tests.requirements import first_python

pytestmark = first_python

LIMIT = 1.0  # seconds of ENVREF_TIMEOUT
SOON = LIMIT + 1 + 6.0  # seconds; the last for the shells, and the Pythons, that an activation starts
NEVER = 600  # seconds
# What was left of the limit when the store was asked, rounded up; on a busy machine that is a little less.
TOLD = re.compile(r'plugin "hung": no answer within (?:1|0[.]\d+) s; raise --timeout or the backend\'s timeout')
HUNG = {
    "sleeps": f"sleep {NEVER}\n",
    "closed its pipes": f"exec sleep {NEVER} > /dev/null 2>&1 < /dev/null\n",
    "a grandchild holds the pipe": f"sleep {NEVER} &\nexit 0\n",
    "ignores being asked to end": f"trap '' TERM INT HUP\nwhile :; do sleep {NEVER}; done\n",
    "writes for ever": "while :; do echo x; sleep 1; done\n",
}


@pytest.fixture
def hung(place):
    """A project with a good vault, and a store that does as the script says."""

    def configure(script):
        place.configure(
            "{name: vault, type: vault, config: {path: v.db}}",
            f"{{name: hung, type: plugin, config: {{command: {place.directory}/programs/hung}}}}",
        )
        place.monkeypatch.setenv("ENVREF_TRUST", "all")
        place.program("hung", script)
        place.stock(SECRETS, more="SLOW=ref://hung/slow\nWAITS=<${SLOW}>\n")
        (place.project / ".env").write_text(
            (place.project / ".env").read_text().replace("ref://secrets/", "ref://vault/")
        )
        place.monkeypatch.setenv("ENVREF_TIMEOUT", str(LIMIT))
        place.monkeypatch.setenv("MARK", str(place.directory))
        return place

    return configure


@pytest.fixture
def soon():
    """Fails when the test took as long as the hung store."""
    watch = Stopwatch()
    yield
    assert watch.seconds() < SOON


@pytest.mark.parametrize("how", HUNG)
@pytest.mark.usefixtures("soon")
def test_an_activation_goes_on_without_it(hung, how):
    """The others are exported; the reason and the cure are told; no process is left."""
    place = hung(HUNG[how])
    start = place.start(place.flox(manifest(hook=HOOK)))
    assert (start.result, start.additions) == (OK, SECRETS)
    assert "error: SLOW: failed to resolve ref://hung/slow: " in start.stderr
    assert "error: WAITS: depends on SLOW" in start.stderr
    if how != "a grandchild holds the pipe":  # that one ended, with no answer
        assert TOLD.search(start.stderr)
    assert left_of(place.directory) == []


@pytest.mark.usefixtures("soon")
def test_a_strict_activation_stops(hung):
    """In time as well."""
    place = hung(HUNG["sleeps"])
    start = place.start(place.flox(manifest(hook=HOOK)), caller={**os.environ, "ENVREF_STRICT": "1"})
    assert (start.result, start.additions) == (FAILED, {})
    assert TOLD.search(start.stderr)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.usefixtures("soon")
def test_a_shell_opens_without_it(hung, shell):
    """The profile form."""
    place = hung(HUNG["sleeps"])
    session = place.flox(manifest(profiles={shell: PROFILES[shell]})).start().attach(shell)
    assert {name: session.environment.get(name) for name in [*SECRETS, "SLOW"]} == {**SECRETS, "SLOW": None}
    assert TOLD.search(session.stderr)


@pytest.mark.usefixtures("soon")
def test_the_plugin_form_goes_on_without_it(hung):
    """References of the table to both stores."""
    place = hung(HUNG["sleeps"])
    table = {"API_KEY": "ref://vault/api_key", "SLOW": "ref://hung/slow"}
    flox = place.flox(manifest(plugin=table, head='schema-version = "1.14.0"'))
    flox.ship(SCRIPT)
    start = place.start(flox)
    assert (start.result, start.additions) == (OK, {"API_KEY": SECRETS["API_KEY"]})
    assert TOLD.search(start.stderr)


def test_the_time_it_takes_is_the_limit_and_less_than_a_second(hung):
    """Against the same activation with a store that answers at once; the best of three, for a machine that is busy."""
    place = hung(HUNG["sleeps"])
    flox = place.flox(manifest(hook=HOOK))
    slow = min(_seconds(place, flox) for _ in range(3))
    place.program("hung", 'echo \'{"value": "v"}\'\n')
    quick = min(_seconds(place, flox) for _ in range(3))
    assert slow - quick < LIMIT + 1


def _seconds(place, flox):
    watch = Stopwatch()
    place.start(flox)
    return watch.seconds()
