"""A credential that one store borrows from another: who is asked for it, when, and what it is when it can't be had."""

from __future__ import annotations

import ast
import threading
import time

import pytest

from envref.backends import table
from envref.backends.base import Backend
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.refs.address import Address
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import Reference
from envref.resolve import readiness
from envref.resolve.chain import Chain
from envref.resolve.resolve import Scope, resolve
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.doubles.memory import Memory
from tests.conftest import ROOT

KEY = Address("app", "key")
TOKEN = "ref://desk/token"


class Guarded(Memory):
    """The same, for which a token is needed; `made` are the tokens it was made with."""

    type = "guarded"
    made = None

    def __init__(self, name, *, token="", api_key=""):
        super().__init__(name)
        Guarded.made.append(token or api_key)


class Slow(Memory):
    """A store that needs a while for anything, and says when two threads meet in it."""

    type = "slow"
    inside = 0
    most = 0

    def get_many(self, addresses, deadline):
        Slow.inside += 1
        Slow.most = max(Slow.most, Slow.inside)
        time.sleep(0.1)
        Slow.inside -= 1
        return super().get_many(addresses, deadline)


@pytest.fixture
def chain(monkeypatch):
    """`chain(contents, (name, type, options), …)`: the stores, which hold what `contents` says."""
    for kind in (Memory, Guarded, Slow):
        monkeypatch.setitem(table.BUILTIN, kind.type, f"{kind.__module__}:{kind.__name__}")
    monkeypatch.setattr(Memory, "asked", [])
    monkeypatch.setattr(Guarded, "made", [])
    monkeypatch.setattr(Slow, "most", 0)

    def made(contents, *listed, timeout=None, profile=None, **fields):
        monkeypatch.setattr(Memory, "contents", contents)
        entries = tuple(
            BackendConfig(name=name, type=kind, options=options, **fields.get(name, {}))
            for name, kind, options in listed
        )
        project = Project("/", Config(project="app", backends=entries), profile, files=(), warnings=())
        return Chain(project, timeout, lambda _: None)

    return made


def guard(uri=TOKEN, name="guard", option="token"):
    return (name, "guarded", {option: uri})


DESK = ("desk", "memory", {})


def outcome(stores, uri="ref://guard/key", profile=None):
    reference = Reference.parse(uri)
    return resolve([reference], stores, Scope("app", profile))[reference]


def failure(stores):
    found = outcome(stores)
    assert isinstance(found, Failed)
    return found.error


@pytest.mark.parametrize("option", ["token", "api_key"])
def test_the_store_is_made_with_what_the_other_one_holds(chain, option):
    """Whatever the credential's option is called; the reference is never its text."""
    stores = chain({"desk": {"app/token": "lent-value"}, "guard": {"app/key": "v"}}, guard(option=option), DESK)
    assert isinstance(outcome(stores), Found)
    assert Guarded.made[-1] == "lent-value"
    assert TOKEN not in Guarded.made


@pytest.mark.parametrize(
    ("uri", "contents", "profile"),
    [
        (TOKEN, {"app/token": "wrong", "app/staging/token": "lent-value"}, "staging"),
        (TOKEN, {"app/token": "lent-value"}, "staging"),
        ("ref://desk//own name".replace(" ", "%20"), {"own name": "lent-value"}, None),
        ("ref://desk/token#/a/0", {"app/token": '{"a": ["lent-value"]}'}, None),
        ("ref://desk/token?encoding=base64", {"app/token": "bGVudC12YWx1ZQ=="}, None),
    ],
)
def test_it_is_a_reference_as_any_other(chain, uri, contents, profile):
    """Profile before project, names of the store's own, fields, bytes."""
    stores = chain({"desk": contents, "guard": {"app/key": "v"}}, guard(uri), DESK, profile=profile)
    assert isinstance(outcome(stores, profile=profile), Found)
    assert Guarded.made[-1] == "lent-value"


def test_a_mapped_name_of_the_lender_counts(chain):
    """`names:` of the lender means what it means for variables."""
    contents = {"desk": {"Their Name": "lent-value"}, "guard": {"app/key": "v"}}
    stores = chain(contents, guard(), DESK, desk={"names": {"token": "Their Name"}})
    assert isinstance(outcome(stores), Found)
    assert Guarded.made[-1] == "lent-value"


def test_nothing_is_lent_to_a_store_that_is_not_asked(chain):
    """Neither for its names nor for another store's secret; then once, however often it is asked."""
    stores = chain({"desk": {"app/token": "t", "app/other": "o"}, "guard": {"app/key": "v"}}, guard(), DESK)
    guarded = stores.store("guard")
    guarded.backend.location(KEY)
    guarded.absence(KEY)
    assert isinstance(outcome(stores, "ref://desk/other"), Found)
    assert [keys for _, keys in Memory.asked] == [["app/other"]]
    for _ in range(2):
        assert guarded.ask([KEY])
    assert [keys for name, keys in Memory.asked if name == "desk"] == [["app/other"], ["app/token"]]


def test_only_an_opened_store_is_asked():
    """Every call that reaches a store is made on `opened`: `backend` alone has no credential."""
    asking = {
        name for name in vars(Backend) if name in ("get_many", "set", "delete", "list", "change", "examine", "probe")
    }
    assert len(asking) == 7
    wrong = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "envref").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in asking
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "backend"
    ]
    assert wrong == []


def test_without_a_desk_nothing_is_sent(chain):
    """A store that nobody lends to raises, before its backend is made."""
    from envref.resolve.store import Store

    chain({"guard": {"app/key": "v"}})
    config = BackendConfig(name="guard", type="guarded", options={"token": TOKEN})
    answers = Store(config, "/", None, time.monotonic()).ask([KEY])
    assert isinstance(answers[KEY], BackendInvalid)
    assert (Memory.asked, Guarded.made) == ([], [])


@pytest.mark.parametrize(
    ("contents", "kind", "message", "cure"),
    [
        (BackendLocked("memory: locked", run=("unlock", "it")), BackendLocked, "memory: locked", ["run: unlock it"]),
        (BackendDenied("memory: denied", hint="ask"), BackendDenied, "memory: denied", ["hint: ask"]),
        (BackendUnavailable("memory: not here"), BackendUnavailable, "memory: not here", []),
        (BackendTimeout("memory: no answer within 2 s"), BackendTimeout, "memory: no answer within 2 s", []),
        ({"app/token": BackendInvalid("memory: not UTF-8")}, BackendInvalid, "memory: not UTF-8", []),
        (
            {},
            BackendLocked,
            'secret "token" not found in backend "desk"',
            ["run: envref secret set token --backend desk"],
        ),
        (
            {"app/token": " "},
            BackendInvalid,
            "the secret is empty",
            ["hint: put the credential where ref://desk/token is, or name another secret in the config"],
        ),
    ],
)
def test_a_credential_that_can_t_be_had_is_one_error(chain, contents, kind, message, cure):
    """Of the lender's class, with its cure; the store itself is neither made nor asked."""
    stores = chain({"desk": contents, "guard": {"app/key": "v"}}, guard(), DESK)
    error = failure(stores)
    assert (type(error), error.message) == (kind, f"guarded: token ref://desk/token: {message}")
    assert error.cure() == cure
    assert Guarded.made == [] or Guarded.made == [""]
    assert "guard" not in {name for name, _ in Memory.asked}


def test_an_absent_credential_does_not_move_the_search_on(chain):
    """The next store holds another value for the key."""
    stores = chain({"desk": {"app/key": "another"}, "guard": {"app/key": "v"}}, guard(), DESK)
    assert isinstance(outcome(stores, "ref://secrets/key"), Failed)


def test_an_absent_credential_is_a_missing_login(chain):
    """`optional: always` forgives it, and only that."""
    stores = chain({"desk": {}, "guard": {"app/key": "v"}}, guard(), DESK, guard={"optional": "always"})
    assert isinstance(outcome(stores), Missing)


def test_a_lender_that_is_not_there_or_borrows_back(chain):
    """What a config that extends another can still mean once both are read."""
    error = failure(chain({"guard": {}}, guard("ref://none/token")))
    assert error.message == 'guarded: token ref://none/token: backend "none" is not configured (configured: guard)'
    stores = chain({}, guard("ref://other/token"), guard("ref://guard/token", "other"))
    error = failure(stores)
    assert isinstance(error, BackendInvalid)
    assert "guarded: its credential leads back to itself (guard, other)" in error.message
    assert Memory.asked == []


def test_a_lender_may_borrow(chain):
    """In its turn, from a third."""
    contents = {"desk": {"app/token": "first"}, "guard": {"app/token": "second"}, "last": {"app/key": "v"}}
    stores = chain(contents, guard("ref://guard/token", "last"), guard(), DESK)
    assert isinstance(outcome(stores, "ref://last/key"), Found)
    assert [token for token in Guarded.made if token] == ["first", "second"]


def test_a_lender_that_is_at_work_is_waited_for(chain):
    """All stores are asked at once: the lender for a variable and for two credentials, by one thread at a time."""
    contents = {
        "desk": {"app/token": "t", "app/own": "o"},
        "one": {"app/a": "1"},
        "two": {"app/b": "2"},
    }
    stores = chain(contents, guard(name="one"), guard(name="two"), ("desk", "slow", {}))
    references = [Reference.parse(uri) for uri in ("ref://one/a", "ref://two/b", "ref://desk/own")]
    found = resolve(references, stores, Scope("app"))
    assert [type(each) for each in found.values()] == [Found] * 3
    assert Slow.most == 1


def test_the_limit_covers_both(chain, monkeypatch):
    """The lender is asked until the borrower's time is over, and not longer than its own."""
    deadlines = []
    monkeypatch.setattr(Slow, "get_many", lambda _self, _addresses, deadline: deadlines.append(deadline) or {})
    for limits in ({"guard": {"timeout": 2.0}}, {"desk": {"timeout": 2.0}}):
        before = time.monotonic()
        outcome(chain({}, guard(), ("desk", "slow", {}), **limits))
        assert before + 1.9 <= deadlines.pop() <= time.monotonic() + 2.0


def test_a_lender_that_hangs_does_not_hold_the_borrower_up(chain):
    """Busy for a variable until after the borrower's limit: its error is a time-out, at the limit."""
    stores = chain({"desk": {"app/token": "t"}}, guard(), DESK, guard={"timeout": 0.3})
    stores.store("desk")._turn.acquire()
    begun = time.monotonic()
    error = failure(stores)
    assert (type(error), time.monotonic() - begun < 5) == (BackendTimeout, True)


def test_a_lender_that_asks_a_person_gives_the_borrower_a_minute(chain, monkeypatch):
    """At a terminal, if nobody set a limit."""
    monkeypatch.setattr(Slow, "asks_person", "unlock it", raising=False)
    monkeypatch.setattr("envref.streams.has_terminal", lambda: True)
    stores = chain({}, guard(), ("desk", "slow", {}))
    assert stores.store("guard").limit == 60


def test_a_locked_lender_is_not_asked_for_doctor(chain):
    """It would ask the person for a passphrase; what is wrong is the lock."""
    locked = BackendLocked("memory: locked")
    stores = chain({"desk": locked, "guard": {}}, guard(), DESK)
    (fault,) = readiness.faults(stores.store("guard"))
    assert fault.message == 'memory: locked (backend "desk")'
    assert [keys for _, keys in Memory.asked] == [["envref-readiness-probe/envref-readiness-probe"]]


def test_the_turn_to_borrow_is_waited_for_within_the_limit(chain):
    """Another store of the same lender may hold it for longer."""
    stores = chain({"desk": {"app/token": "t"}, "guard": {}}, guard(), DESK)
    held, ends = threading.Event(), threading.Event()
    desk = stores.store("guard")._lend.__self__

    def hold():
        with desk._turn:
            held.set()
            ends.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with pytest.raises(BackendTimeout, match=r"^guarded: it waited too long for its credential"):
        stores.store("guard").opened(time.monotonic())
    ends.set()
    thread.join()


@pytest.mark.parametrize(
    ("uri", "desk", "profile", "cure"),
    [
        (TOKEN, {}, None, {"run": ("envref", "secret", "set", "token", "--backend", "desk")}),
        (TOKEN, {}, "qa", {"run": ("envref", "secret", "set", "token", "--backend", "desk", "--profile", "qa")}),
        ("ref://desk//own", {}, None, {"hint": "put a new one where ref://desk//own is"}),
        ("ref://desk/token#a", {}, None, {"hint": "put a new one where ref://desk/token#a is"}),
        (TOKEN, {"names": {"token": "own"}}, None, {"hint": f"put a new one where {TOKEN} is"}),
    ],
)
def test_a_credential_that_is_refused_is_replaced_where_it_is(chain, uri, desk, profile, cure):
    """By a command that writes just that; none can write a name of the store's own, or one field."""
    lent = '{"a": "t"}' if uri.endswith("#a") else "t"
    contents = {
        "desk": {"app/qa/token": "t"} if profile else {"app/token": lent, "own": "t"},
        "guard": {"app/key": "v"},
    }
    stores = chain(contents, guard(uri), DESK, profile=profile, desk=desk)
    made = stores.store("guard").opened(time.monotonic() + 5)
    assert made.renewals == {"token": cure}


def test_a_store_knows_all_that_stand_behind_it(chain):
    """The lender of its lender too: doctor looks at each, and asks none for a locked one's credential."""
    stores = chain({}, guard("ref://guard/token", "last"), guard(), DESK)
    assert [[each.name for each in store.lenders] for store in stores] == [["guard", "desk"], ["desk"], []]
