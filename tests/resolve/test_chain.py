"""The stores of a project: by name, with their own words for what went wrong, and never behind the gate's back."""

from __future__ import annotations

import time

import pytest

from envref import streams
from envref.backends import table as backends
from envref.backends.answer import no_answer
from envref.client import Agent
from envref.errors import EnvrefError
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.refs.address import Address
from envref.resolve import readiness
from envref.resolve.chain import Chain, VariableChain
from envref.store_errors import BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.doubles.memory import Memory

KEY = Address("app", "key")


@pytest.fixture
def configured(monkeypatch):
    """A chain of these stores in memory, which hold what `contents` says."""
    monkeypatch.setitem(backends.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setattr(Memory, "asked", [])

    def chain(*listed, contents=None, timeout=None):
        monkeypatch.setattr(Memory, "contents", contents or {})
        entries = tuple(BackendConfig(type="memory", **entry) for entry in listed)
        return Chain(Project("/", Config(project="app", backends=entries), None, files=(), warnings=()), timeout)

    return chain


@pytest.fixture
def chain(configured):
    """Two stores, of which the first is locked."""
    contents = {"shut": BackendLocked("memory: locked", run="open it"), "open": {}}
    return configured({"name": "shut"}, {"name": "open", "timeout": 2.5}, contents=contents)


def test_stores_by_name(chain):
    """The first one where none is named; a name that there is not is an error that lists those there are."""
    assert [store.name for store in chain] == list(chain.names()) == ["shut", "open"]
    assert len(chain) == 2
    assert (chain.store("open").name, chain.store(None).name) == ("open", "shut")
    assert (chain.get("open").name, chain.get("none")) == ("open", None)
    with pytest.raises(EnvrefError, match=r'^backend "none" is not configured \(configured: shut, open\)$'):
        chain.store("none")


def test_without_stores_there_is_none_to_name(configured):
    """The error says where they would be."""
    with pytest.raises(EnvrefError, match=r"^no backends configured in \.envref\.yaml$"):
        configured().store(None)


def test_a_store_says_whether_it_is_ready(chain):
    """Absence of a secret that nobody has is readiness; an error is signed and keeps its cure."""
    assert readiness.complaint(chain.store("open")) is None
    assert readiness.faults(chain.store("open")) == []
    for complaint in (readiness.complaint(chain.store("shut")), *readiness.faults(chain.store("shut"))):
        assert (type(complaint), complaint.message) == (BackendLocked, 'memory: locked (backend "shut")')
        assert complaint.run == "open it"


def test_the_timeout_is_the_callers_the_stores_or_ten_seconds(chain, configured):
    """In this order (commands.md 7)."""
    assert [store.timeout for store in chain] == [10.0, 2.5]
    before = time.monotonic()
    (store,) = configured({"name": "open", "timeout": 2.5}, timeout=0.7)
    assert store.timeout == 0.7
    assert before + 0.7 <= store.deadline <= time.monotonic() + 0.7


@pytest.mark.parametrize(
    ("asks", "terminal", "limits", "seconds"),
    [
        ("unlock it", True, {}, 60),
        ("unlock it", False, {}, 10),
        ("", True, {}, 10),
        ("unlock it", True, {"timeout": 2.5}, 2.5),
    ],
)
def test_a_store_that_asks_a_person_has_more_time_at_a_terminal(
    configured, monkeypatch, asks, terminal, limits, seconds
):
    """A minute, unless somebody set a limit (ST-F2)."""
    monkeypatch.setattr(Memory, "asks_person", asks)
    monkeypatch.setattr(streams, "has_terminal", lambda: terminal)
    before = time.monotonic()
    (store,) = configured({"name": "open", **limits})
    assert before + seconds <= store.deadline <= time.monotonic() + seconds


def test_a_store_that_may_have_waited_for_a_person_says_so(configured, monkeypatch):
    """Its time-out names what nobody did."""
    monkeypatch.setattr(Memory, "asks_person", "unlock it")
    slow = BackendTimeout("no answer within 10 s", subject="memory")
    (store,) = configured({"name": "open"}, contents={"open": slow})
    assert store.ask([KEY])[KEY].cure() == ["hint: it may have waited for you: unlock it"]
    late = no_answer("memory", started=2.0, deadline=1.0)
    (store,) = configured({"name": "open"}, contents={"open": late})
    assert store.ask([KEY])[KEY].cure() == []


def test_a_late_answer_names_the_limit_that_its_secrets_share(configured):
    """With one secret the message has the number itself; with more, what was left when the late one's turn came."""
    slow = BackendTimeout("no answer within 1 s", subject="memory")
    (store,) = configured({"name": "open", "timeout": 4}, contents={"open": slow})
    assert store.ask([KEY])[KEY].cure() == []
    shared = ["hint: its limit of 4 s is for all its secrets of a run"]
    assert store.ask([Address("app", "other")])[Address("app", "other")].cure() == shared


def test_what_was_asked_is_counted(chain):
    """How many, and that it is over."""
    store = chain.store("open")
    assert store.ask([KEY, Address("app", "other")]) == {}
    assert (store.asked, store.busy) == (2, False)
    assert 0 <= store.seconds < 10


def test_a_store_that_is_skipped_says_so_once(configured):
    """However many of its secrets are asked for; every other failure is an answer."""
    gone = BackendUnavailable("memory: not here")
    chain = configured({"name": "gone", "optional": True}, {"name": "shut", "optional": True}, contents={
        "gone": gone, "shut": BackendLocked("memory: locked"),
    })  # fmt: skip
    assert chain.store("gone").ask([KEY, Address("app", "other")]) == {}
    assert list(chain.store("shut").ask([KEY])) == [KEY]
    assert chain.warnings() == ['backend "gone" skipped: memory: not here']


@pytest.mark.parametrize(
    ("of_the_store", "of_the_user", "usual", "seconds"),
    [(None, None, 60, 60), (None, 5, 60, 5), (7, 5, 60, 7), (None, None, 0, None), (0, 5, 60, None), (7, 0, 60, None)],
)
def test_the_agent_keeps_what_the_user_wants_kept(configured, of_the_store, of_the_user, usual, seconds):
    """A store's own seconds before the user's, and these before the usual ones; 0 anywhere is not at all."""
    project = Project(
        "/",
        Config(
            project="app",
            backends=(BackendConfig(name="open", type="memory", agent=of_the_store),),
            agent=of_the_user,
        ),
        "staging",
        files=(),
        warnings=(),
    )
    agent = Agent("/nowhere", usual=usual)
    (store,) = VariableChain(project, gate=lambda _: None, agent=agent)
    kept = store.memory and (store.memory.agent, store.memory.seconds, store.memory.scope)
    assert kept == (None if seconds is None else (agent, seconds, ("app", "staging")))


def test_a_store_is_busy_while_it_is_asked(chain, monkeypatch):
    """Who waits is told of those."""
    store, seen = chain.store("open"), []
    monkeypatch.setattr(Memory, "get_many", lambda *_: seen.append(store.busy) or {})
    store.ask([KEY])
    assert (seen, store.busy) == ([True], False)


def test_an_error_has_the_store_s_name_once(configured):
    """A store that is called as its type is has it in its message already."""
    chain = configured({"name": "memory"}, {"name": "other"}, contents=dict.fromkeys(
        ("memory", "other"), BackendLocked("memory: locked")
    ))  # fmt: skip
    assert [readiness.complaint(store).message for store in chain] == [
        "memory: locked",
        'memory: locked (backend "other")',
    ]
