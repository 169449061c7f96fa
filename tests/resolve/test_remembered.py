"""Remembered: what is asked of the agent and what it is told, and what it knows a store by.

That is all that may change the store's answers, and nothing of where a person sits. The agent is a double here, which
gives what it was told; the real one is in tests/agent.
"""

from __future__ import annotations

import pytest

from envref import streams
from envref.backends import table
from envref.client import ABSENT, ERROR, PUT, REFUSE, RELEASE, Late, Visit
from envref.errors import Operator
from envref.project.config.model import BackendConfig
from envref.refs.address import Address
from envref.resolve.remembered import Remembered, _key
from envref.resolve.store import Store
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.asking import soon
from tests.backends.doubles.memory import Memory


@pytest.fixture
def key():
    """The agent's key of a store; a plugin may read every variable, pass a few."""

    def key(kind, scope=("app", None), **options):
        return _key(Store(BackendConfig(name="store", type=kind, options=options), "/", None, 0.0), scope)

    return key


ANY, FEW = "plugin", "pass"


@pytest.mark.parametrize(
    ("kind", "name", "counts"),
    [
        (ANY, "ANYTHING", True),
        (ANY, "HTTPS_PROXY", True),
        (ANY, "TMUX_PANE", False),
        (ANY, "PWD", False),
        (ANY, "ENVREF_VAULT_PASSPHRASE_FILE", False),
        (ANY, "ENVREF_TRUST", False),
        (FEW, "ANYTHING", False),
        (FEW, "PASSWORD_STORE_DIR", True),
        (FEW, "LC_ALL", True),
        (FEW, "all_proxy", True),
        (FEW, "PWD", False),
    ],
)
def test_the_variables_that_count(key, monkeypatch, kind, name, counts):
    """Those that the store's program may read: another value may mean other secrets."""
    options = {"command": "/bin/plugin"} if kind == ANY else {}
    monkeypatch.setenv(name, "1")
    before = key(kind, **options)
    monkeypatch.setenv(name, "2")
    assert (key(kind, **options) != before) == counts


def test_an_option_counts(key):
    assert key(FEW, prefix="a") != key(FEW, prefix="b")
    assert key(FEW, prefix="a") == key(FEW, prefix="a")


A, B = Address("app", "a"), Address("app", "b")


class Memo(Visit):
    """One visit, which writes down what is said to the agent."""

    def __init__(self, given, errors, said):
        super().__init__(given, errors, None)
        self._said = said

    def _say(self, *fields):
        self._said.append(fields)

    def end(self):
        self._said.append("end")


class Agent:
    """Keeps what it is told, as `agent/kept.py` does: a value and an absence without their first byte."""

    def __init__(self):
        self.kept, self.errors, self.said, self.heads = {}, {}, [], []
        self.is_late = False

    def turn(self, head, addresses, until):
        if self.is_late:
            raise Late
        self.heads.append(head)
        given = {name: self.kept[name] for name in addresses if name in self.kept}
        return Memo(given, {name: self.errors[name] for name in addresses if name in self.errors}, self.said)

    def learn(self):
        """What was put is there from now on, and nobody has asked the store."""
        for word, *fields in (each for each in self.said if each != "end"):
            assert word == PUT
            for name, text in zip(fields[::2], fields[1::2], strict=True):
                if text[:1] == ERROR:
                    self.errors[name] = text[1:]
                else:
                    self.kept[name] = None if text == ABSENT else text[1:]
        self.said.clear()
        Memory.asked.clear()


@pytest.fixture
def agent():
    return Agent()


@pytest.fixture
def store(monkeypatch, agent):
    """A store in memory whose answers the agent keeps."""
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setattr(streams, "has_terminal", lambda: True)

    def store(contents):
        monkeypatch.setattr(Memory, "contents", {"store": contents})
        made = Store(BackendConfig(name="store", type="memory"), "/", None, 0.0)
        made.memory = Remembered(agent, 60, ("app", None))
        return made

    return store


def text(answer):
    """What a caller sees of an answer."""
    if isinstance(answer, Secret):
        return answer.reveal(), answer.revision
    return type(answer), answer.message, answer.cure()


def answers(store):
    return {address: text(answer) for address, answer in store._answers([A, B], soon()).items()}


def test_what_it_was_told_is_not_asked_for(agent, store):
    """A value with its revision, and an absence."""
    first = answers(store({"app/a": Secret("line\nend", "7.1")}))
    assert first == {A: ("line\nend", "7.1")}
    assert agent.heads[-1][1:] == (b"memory", b"store", b"60")
    agent.learn()
    assert answers(store({"app/a": "other"})) == first
    assert Memory.asked == []


def test_only_what_it_lacks_is_asked_for(agent, store, capfd, monkeypatch):
    """And with -v it says how much it had."""
    monkeypatch.setattr(streams, "level", streams.VERBOSE)
    answers(store({"app/a": "1"}))
    agent.learn()
    del agent.kept[max(agent.kept, key=lambda name: agent.kept[name] is None)]  # the absence
    assert answers(store({"app/b": "2"})) == {A: ("1", ""), B: ("2", "")}
    assert Memory.asked == [("store", ["app/b"])]
    assert 'agent: it had 1 of 2 key(s) of backend "store"' in capfd.readouterr().err


@pytest.mark.parametrize("error", [BackendDenied("no", run=("sign", "in")), BackendInvalid("odd", hint="mend it")])
def test_an_error_that_others_would_meet_is_theirs_too(agent, store, error):
    """With its cure; the next one is not asked again by those who wait."""
    first = answers(store({"app/a": error}))
    agent.learn()
    assert answers(store({})) == first == {A: text(error)}
    assert Memory.asked == []


@pytest.mark.parametrize(
    "error",
    [
        BackendTimeout("slow"),
        BackendUnavailable("no program"),
        BackendInvalid("a\0b"),
        BackendDenied("no", run=("a", Operator("|"), "b")),
    ],
)
def test_an_error_of_this_caller_is_not_handed_on(agent, store, error):
    """Nor one that bytes can't hold: whoever waits asks for himself."""
    answers(store({"app/a": error}))
    [(_, *told), _] = agent.said
    assert told[1::2] == [ABSENT]  # of the other
    agent.said.clear()
    assert answers(store(error)) == dict.fromkeys((A, B), text(error))
    assert agent.said == [(RELEASE,), "end"]


@pytest.mark.parametrize("error", [BackendLocked("shut", run=("open", "it")), BackendInvalid("odd")])
def test_a_store_that_nobody_can_use_is_refused_for_all(agent, store, error):
    assert answers(store(error)) == dict.fromkeys((A, B), text(error))
    [(word, _), end] = agent.said
    assert (word, end) == (REFUSE, "end")


@pytest.mark.parametrize("kind", [BackendLocked, BackendDenied])
def test_one_who_waits_at_a_terminal_may_unlock_it(agent, store, monkeypatch, kind):
    """This caller has none: nothing is said, and the next one asks."""
    monkeypatch.setattr(streams, "has_terminal", lambda: False)
    answers(store(kind("shut")))
    assert agent.said == ["end"]
    agent.said.clear()
    answers(store({"app/a": kind("shut"), "app/b": "2"}))
    [(_, *told), _] = agent.said
    assert len(told) == 2  # the name and the value of the other


def test_a_question_that_is_interrupted_leaves_the_lead_to_the_next(agent, store, monkeypatch):
    """Ctrl-C too."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Memory, "get_many", interrupted)
    with pytest.raises(KeyboardInterrupt):
        answers(store({}))
    assert agent.said == ["end"]


def test_another_that_asks_for_too_long_is_a_time_out(agent, store):
    """With what to do about it."""
    agent.is_late = True
    with pytest.raises(BackendTimeout, match="another envref is asking it"):
        answers(store({}))
