"""`envref agent`: what it says of an agent, by what the agent says of itself; tests/agent has real ones."""

from __future__ import annotations

import json

import pytest

from envref import __version__, client
from envref.agent import report
from envref.cli import agent
from envref.errors import EnvrefError
from tests.requirements import first_python

pytestmark = first_python

STORES = [("vault", "v", 3, 1, 2, 0, 119), ("plugin", "longer", 1, 0, 1, 1, 7200)]


@pytest.fixture
def tells(said, home, monkeypatch):
    """`tells(words, …)`: `envref agent` with an agent that is as described; None for none."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))

    def tells(*words, seconds=60, session=7, shells=(11, 12), stores=STORES, is_there=True):
        found = report.AgentStatus(__version__, 42, seconds, session, [*shells], [*stores]) if is_there else None
        monkeypatch.setattr(report, "read", lambda place: found)
        return said("agent", *words)

    return tells


def test_the_status_is_a_line_and_a_table(tells):
    done = tells("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"version {__version__}, process 42, for 60s, used by 11 12\n"
        "STORE   TYPE    VALUES  ABSENT  SHELLS  WAITING  OLDEST\n"
        "------  ------  ------  ------  ------  -------  ------\n"
        "v       vault   3       1       2       0        119s\n"
        "longer  plugin  1       0       1       1        2h\n"
    )


def test_the_status_as_json(tells):
    """With all that it is made of; null for none."""
    row = dict(zip(("type", "name", "values", "absent", "shells", "waiting", "oldest"), STORES[0], strict=True))
    done = tells("status", "--format", "json", stores=STORES[:1])
    assert (done.returncode, done.stderr) == (0, "")
    fields = {"version": __version__, "process": 42, "seconds": 60, "session": 7, "shells": [11, 12], "stores": [row]}
    assert json.loads(done.stdout) == fields
    done = tells("status", "--format", "json", is_there=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "null\n", "no agent is running\n")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (86400, "24h")],
)
def test_times_are_told_in_their_largest_unit(tells, seconds, told):
    """Minutes from two minutes on, hours from two hours on."""
    assert f", for {told}, used by no shell\n" in tells("status", seconds=seconds, shells=(), stores=()).stdout


@pytest.mark.parametrize("words", [("status",), ("start",)])
def test_a_session_that_is_not_seen_is_noted(tells, monkeypatch, words):
    """Its values are kept for nobody."""
    monkeypatch.setattr(agent, "start_agent", lambda *_: None)
    monkeypatch.setattr(agent, "tell", lambda *_: True)
    assert tells(*words, session=0).stderr.endswith(f"note: {client.NO_SESSION}\n")
    assert "note: " not in tells(*words).stderr


@pytest.mark.parametrize(
    ("word", "sent", "told"),
    [
        ("forget", [client.FORGET], "the agent forgot everything"),
        ("leave", [client.LEAVE], "the agent dropped what only this environment used"),
        ("stop", [client.STOP], "agent stopped"),
    ],
)
def test_an_agent_is_told_what_to_do(tells, project, monkeypatch, word, sent, told):
    """One that does not listen is an error, none is not."""
    sent = [*sent, client.use_of(str(project.path))] if word == "leave" else sent
    heard, answers = [], iter([True, False, False])
    monkeypatch.setattr(agent, "tell", lambda place, *words: heard.append([*words]) or next(answers))
    monkeypatch.setattr(agent, "is_there", lambda place: True)
    monkeypatch.setattr(report, "silent", lambda place: EnvrefError("it is silent"))
    done = tells(word)
    assert (heard, done.returncode, done.stderr) == ([sent], 0, f"{told}\n")
    done = tells(word)
    assert (done.returncode, done.stderr) == (1, "error: it is silent\n")
    monkeypatch.setattr(agent, "is_there", lambda place: False)
    done = tells(word)
    assert (done.returncode, done.stderr) == (0, "no agent is running\n")


def test_an_agent_that_does_not_start_is_an_error(tells, monkeypatch):
    """With the way out, which is another place for it."""
    monkeypatch.setattr(agent, "start_agent", lambda *_: None)
    monkeypatch.setattr(agent, "tell", lambda *_: False)
    done = tells("start", is_there=False)
    assert done.returncode == 1
    assert done.stderr.endswith(f": the agent did not start\n  hint: {report.ELSEWHERE}\n")
