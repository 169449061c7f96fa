"""What envref makes of what a keychain says: no keyring and no bus is started."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import threading
import time
import types

import pytest
from jeepney import HeaderFields
from keyring.errors import KeyringLocked
from secretstorage.exceptions import PromptDismissedException, SecretServiceNotAvailableException

from envref.backends.keychain import conversation, keyring, secret_service, session_bus, store
from envref.backends.keychain.conversation import Conversation, Vanished
from envref.backends.keychain.entry import Attributes, Held, KeychainEntry, NoService
from envref.backends.keychain.keyring import KeyringLibrary, Library
from envref.backends.keychain.session_bus import NoBus, SessionBus
from envref.backends.keychain.store import Keychain
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)
from tests.backends.asking import answers_of, error_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

KEY = keys("key")[0]
OWN = KeychainEntry("envref", "app/key")
INDEX = KeychainEntry("envref", "__envref_key_index__")
LOCKED = "keychain: locked; unlock your login keyring"


class Provider:
    """A keychain of the test's own: values by entry, or the error of each."""

    def __init__(self, held=(), listed=()):
        self.held, self.listed, self.asked = dict(held), listed, []

    def read_many(self, entries, deadline):
        self.asked.append([*entries])
        return {entry: self.held[entry] for entry in entries if entry in self.held}

    def modified(self, entries, deadline):
        self.asked.append([*entries])
        return {entry: self.held[entry] for entry in entries if entry in self.held}

    def write(self, entry, value, deadline):
        self.held[entry] = value

    def remove(self, entry, deadline):
        return self.held.pop(entry, None) is not None

    def accounts(self, service, deadline):
        assert service == "envref"
        return self.listed


def keychain(*words):
    made = Keychain("k")
    made._provider = Provider(*words)
    return made


class TestStore:
    def test_values_and_their_revisions(self):
        """Asked for at once; a keychain that tells no date has no revision."""
        one, two, three = keys("one", "two", "three")
        held = {KeychainEntry("envref", "app/one"): Held.since(b"1", 7), KeychainEntry("envref", "app/two"): b"2"}
        made = keychain(held)
        found = made.get_many([one, two, three], soon())
        assert {address.key: (each.reveal(), each.revision) for address, each in found.items()} == {
            "one": ("1", ".7000"),
            "two": ("2", ""),
        }
        assert len(made._provider.asked) == 1
        assert made.get_many([], soon()) == made.revisions([], soon()) == {}
        assert len(made._provider.asked) == 1

    def test_revisions_are_dates(self):
        """The latest of several items that a name may mean; an error only where none tells one."""
        a, b = KeychainEntry("a", "b/c"), KeychainEntry("a/b", "c")
        assert keychain({a: 7, b: 9}).revisions([foreign("a/b/c")], soon()) == {foreign("a/b/c"): ".9000"}
        denied = BackendDenied("no")
        assert keychain({a: denied, b: 9}).revisions([foreign("a/b/c")], soon()) == {foreign("a/b/c"): ".9000"}
        assert keychain({a: denied}).revisions([foreign("a/b/c")], soon()) == {foreign("a/b/c"): denied}
        assert keychain().revisions([KEY], soon()) == {}
        [error] = keychain().revisions([foreign("envref/x")], soon()).values()
        assert isinstance(error, BackendInvalid)

    def test_a_name_that_may_mean_several_items(self):
        """One that can be read counts before one that can't; two are no guess."""
        a, b = KeychainEntry("a", "b/c"), KeychainEntry("a/b", "c")
        name, denied = foreign("a/b/c"), BackendDenied("no")
        assert answers_of(keychain({a: denied, b: b"v"}), name) == {"a/b/c": "v"}
        assert answers_of(keychain({a: denied}), name) == {"a/b/c": denied}
        assert answers_of(keychain({a: b"v", b: b"w"}), name)["a/b/c"].lines() == [
            'error: keychain: "a/b/c" may mean several items',
            "  hint: write service=a,account=b/c or service=a/b,account=c",
        ]

    def test_a_value_is_read_back(self):
        """What comes back otherwise was not set."""
        made = keychain()
        made.set(KEY, Secret("v"), soon())
        assert made._provider.held == {OWN: b"v"}
        made._provider.write = lambda *_: None
        made._provider.held = {OWN: b"old"}
        assert error_of(lambda: made.set(KEY, Secret("v"), soon())).lines() == [
            'error: keychain: "app/key" does not read back as it was set',
            "  hint: try again; a very long value needs another store",
        ]

    def test_deleting(self):
        """What is not there says so."""
        made = keychain({OWN: b"v"})
        made.delete(KEY, soon())
        error = error_of(lambda: made.delete(KEY, soon()))
        assert (type(error), error.message) == (SecretNotFound, 'keychain: secret not found: "app/key"')

    def test_a_foreign_name_is_only_read(self):
        """Neither set nor deleted."""
        for call in (
            lambda: keychain().set(foreign("x"), Secret("v"), soon()),
            lambda: keychain().delete(foreign("x"), soon()),
        ):
            assert error_of(call).message == 'keychain: "x" is a foreign name, which is only read'

    def test_listing(self):
        """Accounts of the project, without the index of envref 1."""
        listed = ["app/a", "app/p/b", "apple/c", "__envref_key_index__"]
        assert keychain({}, ["app/a", "app/p/b", "apple/c"]).list("app", soon()) == ["a", "p/b"]
        assert keychain({}, listed).list("app", soon()) == ["a", "p/b"]

    @pytest.mark.parametrize(
        ("index", "names"),
        [
            (json.dumps(["app/a", "app/x", "app/y", 3]).encode(), ["a", "x"]),
            (b'{"app/x": 1}', ["a"]),
            (b"rubbish", ["a"]),
            (BackendDenied("no"), ["a"]),
        ],
    )
    def test_the_index_of_envref_1(self, index, names):
        """Adds what the keychain has and does not list."""
        made = keychain({INDEX: index, KeychainEntry("envref", "app/x"): b"v"}, ["app/a", "__envref_key_index__"])
        assert made.list("app", soon()) == names

    def test_one_caller_at_a_time(self, monkeypatch):
        """Who waits too long is late, and the turn is given back in any case."""
        turn = threading.Lock()
        monkeypatch.setattr(store, "_turn", turn)
        made = keychain({OWN: b"v"})
        turn.acquire()
        for limit in (-1, 0.01):
            assert isinstance(error_of(lambda limit=limit: made.get_many([KEY], soon(limit))), BackendTimeout)
        turn.release()
        assert answers_of(made, KEY) == {"app/key": "v"}
        made._provider.read_many = lambda *_: 1 // 0
        with pytest.raises(ZeroDivisionError):
            made.get_many([KEY], soon())
        assert turn.acquire(blocking=False)

    def test_a_wallet_where_there_is_no_service(self, monkeypatch):
        """Looked for once; without one there is no keychain."""
        looked = []
        first, other = Provider(), Provider({OWN: b"v"})

        def gone(*_):
            raise NoService("no")

        first.read_many = gone
        monkeypatch.setattr(store, "_standard_provider", lambda: first)
        monkeypatch.setattr(store, "_wallet", lambda deadline: looked.append(deadline) or other)
        made = Keychain("k")
        for _ in range(2):
            assert answers_of(made, KEY) == {"app/key": "v"}
        assert len(looked) == 1

    @pytest.mark.parametrize(("name", "kind"), [("", None), ("org.kde.kwalletd6", "KeyringLibrary")])
    def test_which_wallet_there_is(self, monkeypatch, name, kind):
        """By its name on the bus."""
        monkeypatch.setattr(secret_service, "first_name", lambda names, _: name)
        if kind is None:
            assert isinstance(error_of(lambda: store._wallet(soon())), NoService)
        else:
            assert store._wallet(soon())._library is keyring.WALLETS[name]

    @pytest.mark.parametrize(
        ("platform", "kind"),
        [
            ("darwin", "KeyringLibrary"),
            ("win32", "KeyringLibrary"),
            ("linux", "SecretService"),
            ("freebsd14", "SecretService"),
        ],
    )
    def test_which_keychain_a_system_has(self, monkeypatch, platform, kind):
        """By the platform, never by configuration."""
        monkeypatch.setattr(sys, "platform", platform)
        assert type(store._standard_provider()).__name__ == kind


class TestLibrary:
    """A backend class of python keyring's own."""

    @pytest.fixture
    def library(self, monkeypatch):
        """The class, and what was done with it."""

        told, held = [], {("envref", "app/key"): "v", ("web", "me"): "go-keyring-base64:dg=="}

        class Chosen:
            priority = 5

            def get_password(self, service, account):
                return held.get((service, account))

            def set_password(self, *words):
                told.append(("set", *words))

            def delete_password(self, *words):
                told.append(("deleted", *words))

        monkeypatch.setitem(sys.modules, "tests_own_keyring", types.SimpleNamespace(Chosen=Chosen))
        Chosen.told = told
        return Chosen

    def opened(self, accounts=lambda *_: ["a"], **attributes):
        return KeyringLibrary(Library("tests_own_keyring", "Chosen", accounts, attributes))

    def test_reading(self, library):
        """Each entry by itself; attributes alone name none."""
        named = Attributes((("server", "x"),))
        made = self.opened()
        found = made.read_many([OWN, KeychainEntry("web", "me"), KeychainEntry("web", "you"), named], soon())
        assert {key: value for key, value in found.items() if key is not named} == {
            OWN: b"v",
            KeychainEntry("web", "me"): b"go-keyring-base64:dg==",
        }
        fact = 'this keychain has no attributes but service and account, not "server=x"'
        assert found[named].message == f"keychain: {fact}; write SERVICE/ACCOUNT"

    @pytest.mark.parametrize(
        ("value", "raw"),
        [
            (f"go-keyring-base64:{base64.b64encode(b'a').decode()}", b"a"),
            ("go-keyring-base64:a", b"go-keyring-base64:a"),
            ("go-keyring-encoded:6161", b"aa"),
            ("go-keyring-encoded:6", b"go-keyring-encoded:6"),
            ("go-keyring-other:6161", b"go-keyring-other:6161"),
            ("\udc80", b"\xed\xb2\x80"),
        ],
    )
    def test_what_envref_1_encoded(self, library, value, raw):
        """In its own entries alone."""
        assert keyring._decoded(OWN, value) == raw
        assert keyring._decoded(KeychainEntry("web", "me"), value) == value.encode("utf-8", "surrogatepass")

    def test_changing(self, library):
        """What is not there is not deleted."""
        made = self.opened()
        made.write(OWN, "ä".encode(), soon())
        assert made.remove(OWN, soon()) is True
        assert made.remove(KeychainEntry("web", "you"), soon()) is False
        assert library.told == [("set", "envref", "app/key", "ä"), ("deleted", "envref", "app/key")]
        assert list(made.accounts("envref", soon())) == ["a"]

    def test_it_tells_no_dates(self, library):
        """Of any entry."""
        [error] = self.opened().modified([OWN], soon()).values()
        assert error.message == "keychain: this keychain does not say when an entry was written"

    def test_its_class_is_made_once(self, library):
        """With what is set on it; the library's own class stays as it is."""
        made = self.opened(bus_name="x")
        assert made._backend() is made._backend()
        assert (made._backend().bus_name, hasattr(library, "bus_name")) == ("x", False)
        assert type(self.opened()._backend()) is library

    @pytest.mark.parametrize(
        ("raised", "kind", "message"),
        [
            (KeyringLocked("x"), BackendLocked, LOCKED),
            (ValueError("odd\nmore"), BackendUnavailable, "keychain: odd"),
            (ValueError(), BackendUnavailable, "keychain: ValueError"),
            (BackendDenied("no"), BackendDenied, "no"),
        ],
    )
    def test_what_it_raises(self, library, raised, kind, message):
        """Each system's library has its own exceptions."""

        def accounts(*_):
            raise raised

        error = error_of(lambda: self.opened(accounts).accounts("x", soon()))
        assert (type(error), error.message) == (kind, message)

    def test_an_interrupt_is_raised(self, library):
        """It is no failure of the keychain."""

        def accounts(*_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.opened(accounts).accounts("x", soon())

    def test_without_time_it_is_not_asked(self, library):
        """And one that hangs is left behind."""
        asked = []
        error = error_of(lambda: self.opened(lambda *_: asked.append(1) or []).accounts("x", soon(-1)))
        assert (type(error), asked) == (BackendTimeout, [])
        late = threading.Event()
        error = error_of(lambda: self.opened(lambda *_: late.wait(30) and []).accounts("x", soon(0.05)))
        late.set()
        assert isinstance(error, BackendTimeout)

    def test_the_accounts_of_macos(self, monkeypatch):
        """By the system's own program, which is asked for no value."""
        told = []

        def run(words, *, deadline, label):
            told.append((words, deadline, label))
            entry = b'    "acct"<blob>="app/key"\n    "svce"<blob>="envref"\n'
            return types.SimpleNamespace(stdout=b"keychain: x\n" + entry)

        monkeypatch.setattr(keyring, "run", run)
        assert keyring.PLATFORMS["darwin"].accounts(None, "envref", 7.0) == ["app/key"]
        assert told == [(["/usr/bin/security", "dump-keychain"], 7.0, "keychain")]

    def test_the_accounts_of_windows(self, monkeypatch):
        """Whose target is the service, or an account at it."""
        targets = {"envref": "a", "b@envref": "b", "envref2": "c", "d@envref2": "d"}
        listed = [{"TargetName": target, "UserName": user} for target, user in targets.items()]
        asked = []
        win32cred = types.SimpleNamespace(CredEnumerate=lambda *words: asked.append(words) or listed)
        monkeypatch.setitem(sys.modules, "keyring.backends.Windows", types.SimpleNamespace(win32cred=win32cred))
        assert keyring.PLATFORMS["win32"].accounts(None, "envref", 0.0) == ["a", "b"]
        assert asked == [(None, 0)]

    @pytest.mark.parametrize("is_open", [True, False])
    def test_the_accounts_of_a_wallet(self, is_open):
        """Of its folder; one that nobody opens is locked."""
        asked = []
        iface = types.SimpleNamespace(entryList=lambda *words: asked.append(words) or [1, "b"])
        wallet = types.SimpleNamespace(connected=lambda _: is_open, iface=iface, handle=7, appid="python")
        accounts = keyring.WALLETS["org.kde.kwalletd5"].accounts
        if is_open:
            assert accounts(wallet, "envref", 0.0) == ["1", "b"]
            assert asked == [(7, "envref", "python")]
        else:
            with pytest.raises(KeyringLocked):
                accounts(wallet, "envref", 0.0)
        assert keyring.WALLETS["org.kde.kwalletd6"].attributes == {
            "bus_name": "org.kde.kwalletd6",
            "object_path": "/modules/kwalletd6",
        }


class TestService:
    @pytest.mark.parametrize(
        ("name", "data", "kind", "message"),
        [
            ("org.freedesktop.Secret.Error.IsLocked", ("x",), BackendLocked, LOCKED),
            ("org.freedesktop.DBus.Error.AccessDenied", ("no\nmore",), BackendDenied, "keychain: no"),
            ("org.freedesktop.Secret.Error.NoSuchObject", ("x",), Vanished, "keychain: x"),
            ("org.freedesktop.DBus.Error.ServiceUnknown", ("x",), NoService, None),
            ("org.freedesktop.DBus.Error.Spawn.ExecFailed", ("x",), NoService, None),
            ("org.example.Odd", (), BackendUnavailable, "keychain: org.example.Odd"),
            ("org.example.Odd", "text", BackendUnavailable, "keychain: text"),
            ("org.example.Odd", ("a", "b"), BackendUnavailable, "keychain: a"),
        ],
    )
    def test_what_the_bus_says(self, name, data, kind, message):
        """By the error's name."""
        found = secret_service._classified(types.SimpleNamespace(name=name, data=data))
        assert type(found) is kind
        assert message in (None, found.message)

    @pytest.mark.parametrize(
        ("raised", "kind"),
        [
            (TimeoutError(), BackendTimeout),
            (PromptDismissedException(), BackendLocked),
            (NoBus(), NoService),
            (SecretServiceNotAvailableException(), NoService),
            (ConnectionResetError(), NoService),
        ],
    )
    def test_what_goes_wrong(self, monkeypatch, raised, kind):
        """Is said in envref's own words."""

        def connect(_):
            raise raised

        monkeypatch.setattr(secret_service, "connect", connect)
        assert type(error_of(lambda: secret_service.SecretService().accounts("x", soon()))) is kind

    def test_a_keyring_that_is_reread_is_asked_five_times(self, monkeypatch):
        """With longer and longer pauses."""
        paused, asked = [], []
        monkeypatch.setattr(secret_service.time, "sleep", paused.append)

        def said(say, deadline):
            asked.append(deadline)
            raise Vanished("gone")

        monkeypatch.setattr(secret_service, "_said", said)
        assert isinstance(error_of(lambda: secret_service.SecretService().accounts("x", 7.0)), Vanished)
        assert (asked, paused) == ([7.0] * 5, [0.05, 0.1, 0.2, 0.4])


class Bus:
    """A session bus of the test's own: `answers` by method, one after the other."""

    def __init__(self, **answers):
        self.answers, self.asked, self.waits = answers, [], []

    def _next(self, message):
        member = message.header.fields[HeaderFields.member]
        self.asked.append((member, message.header.fields[HeaderFields.path], message.body))
        answer = self.answers[member]
        return answer.pop(0) if isinstance(answer, list) else answer

    def ask_all(self, messages):
        return [self._next(message) for message in messages]

    def ask_existing(self, messages):
        return [answer for answer in map(self._next, messages) if answer is not None]

    def ask(self, address, method, signature=None, *body):
        self.asked.append((method, address.object_path, body))
        answer = self.answers[method]
        return answer.pop(0) if isinstance(answer, list) else answer


def names(*listed):
    return ([*listed],)


class TestConversation:
    def test_the_first_name_that_is_there(self):
        """Or that the bus can start."""
        bus = Bus(ListNames=names("b"), ListActivatableNames=names("c"))
        assert [Conversation(bus).first_name(asked) for asked in (["a", "c", "b"], ["b"], ["a"], [])] == [
            "c",
            "b",
            "",
            "",
        ]

    def test_what_an_entry_may_have(self):
        """Of another service under either attribute; envref's own has one."""
        assert conversation._queries(OWN) == [{"service": "envref", "username": "app/key"}]
        assert conversation._queries(KeychainEntry("web", "me")) == [
            {"service": "web", "username": "me"},
            {"service": "web", "account": "me"},
        ]
        assert conversation._queries(Attributes((("a", "b"),))) == [{"a": "b"}]

    def test_the_item_that_was_changed_last(self):
        """Of several; a single one is not asked for its date."""
        bus = Bus(Get=[(("t", 7),), (("t", 9),), (("t", 9),)])
        assert Conversation(bus).newest(["/only"]) == "/only"
        assert bus.asked == []
        assert Conversation(bus).newest(["/a", "/b", "/c"]) == "/c"

    def test_dates_of_locked_items_too(self):
        """The latest counts; what a locked keyring does not list may be hidden in it."""
        entries = [KeychainEntry("envref", each) for each in "abc"]
        searched = [(["/1"], ["/2"]), ([], ["/3"]), ([], [])]
        bus = Bus(SearchItems=searched, Get=[(("t", 7),), (("t", 9),), (("t", 5),), (("b", True),)])
        found = Conversation(bus).modified(entries)
        assert (found[entries[0]], found[entries[1]]) == (9, 5)
        assert found[entries[2]].message == LOCKED
        bus = Bus(SearchItems=[([], [])], Get=[(("b", False),)])
        assert Conversation(bus).modified(entries[:1]) == {}

    def test_items_with_the_same_attributes(self):
        """Are several; one that is locked and unlocked is one, and envref's own don't count."""
        named = Attributes((("a", "b"),))
        of_web, own = (("a{ss}", {"service": "web"}),), (("a{ss}", {"service": "envref"}),)
        searched = conversation._Items(["/1", "/2"], ["/2"])
        talk = Conversation(Bus(Get=[of_web, of_web, of_web]))
        [error] = talk.only_one({named: searched, OWN: conversation._Items(["/8", "/9"], [])}).values()
        assert error.lines() == ['error: keychain: 2 items have "a=b"', "  hint: name more of their attributes"]
        searched = conversation._Items(["/1", "/2"], [])
        assert Conversation(Bus(Get=[of_web, own])).only_one({named: searched}) == {}
        assert searched.unlocked == ["/1"]
        assert Conversation(Bus(Get=[None])).attributes_of("/gone") == {}

    @pytest.mark.parametrize(("is_locked", "prompt", "answers"), [(True, "/", 2), (False, None, 1)])
    def test_what_is_locked_is_unlocked_and_searched_again(self, is_locked, prompt, answers):
        """The keyring too, where something is missing."""
        bus = Bus(SearchItems=[([], []), (["/1"], [])], Get=[(("b", is_locked),)], Unlock=([], prompt))
        found = Conversation(bus).search_unlocked([OWN])
        assert found[OWN].unlocked == ["/1"]
        unlocked = [body for method, _, body in bus.asked if method == "Unlock"]
        assert unlocked == ([(["/org/freedesktop/secrets/aliases/default"],)] if is_locked else [])

    def test_what_is_found_is_not_searched_again(self):
        """No dialog comes up for it; an item that stays locked is known, and asked for no more."""
        bus = Bus(SearchItems=[(["/1"], ["/2"])])
        Conversation(bus).search_unlocked([OWN])
        assert [method for method, _, _ in bus.asked] == ["SearchItems"]
        bus = Bus(SearchItems=[([], ["/2"])], Get=[(("b", False),)], Unlock=([], "/prompt"))
        talk = Conversation(bus)
        talk._answered = lambda _: False
        assert talk.search_unlocked([OWN])[OWN].locked == ["/2"]
        assert [method for method, _, _ in bus.asked] == ["SearchItems", "Get", "Unlock"]

    @pytest.mark.parametrize("is_opened", [True, False])
    def test_items_that_are_to_change(self, is_opened):
        """All of them are unlocked, and the keyring for a new one."""
        bus = Bus(SearchItems=[(["/1"], ["/2"])], Get=[(("b", True),)], Unlock=([], "/prompt"))
        talk = Conversation(bus)
        talk._answered = lambda _: is_opened
        if is_opened:
            assert talk.search_writable(OWN) == ["/1", "/2"]
        else:
            assert error_of(lambda: talk.search_writable(OWN)).message == LOCKED
        assert bus.asked[-1][2] == (["/2", "/org/freedesktop/secrets/aliases/default"],)

    @pytest.mark.parametrize(("is_locked", "entries"), [(True, {"a", "b", "c"}), (False, {"b", "c"})])
    def test_why_there_is_no_value(self, is_locked, entries):
        """It is locked, or a locked keyring may hide it."""
        bus = Bus(Get=(("b", is_locked),))
        found = {
            "a": conversation._Items([], []),
            "b": conversation._Items([], ["/1"]),
            "c": conversation._Items(["/2"], []),
        }
        assert set(Conversation(bus).why_unanswered(found)) == entries
        bus.asked.clear()
        assert Conversation(bus).why_unanswered({}) == {}
        assert bus.asked == []

    @pytest.mark.parametrize(("bearers", "hint"), [(["org.keepassxc.KeePassXC.MainWindow"], True), ([], False)])
    def test_a_service_without_a_keyring(self, bearers, hint):
        """The cure is KeePassXC's where that runs."""
        bus = Bus(Get=[None], ListNames=names(*bearers), ListActivatableNames=names())
        error = error_of(lambda: Conversation(bus)._locked_default())
        assert error.message == "keychain: the Secret Service has no default keyring"
        assert ("KeePassXC" in error.hint) == hint
        assert bool(error.run) != hint

    @pytest.mark.parametrize(
        ("screen", "terminals", "is_watched"),
        [
            ({"DISPLAY": ":0"}, {0, 2}, True),
            ({"WAYLAND_DISPLAY": "w"}, {0, 2}, True),
            ({"DISPLAY": ""}, {0, 2}, False),
            ({"DISPLAY": ":0"}, {0}, False),
            ({"DISPLAY": ":0"}, {2}, False),
        ],
    )
    def test_whether_somebody_sees_a_dialog(self, monkeypatch, screen, terminals, is_watched):
        """At a screen, with a terminal that shows why it came up."""
        for name, text in screen.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr(conversation.os, "isatty", lambda number: number in terminals)
        assert conversation._is_watched() is is_watched

    @pytest.mark.parametrize("is_watched", [True, False])
    def test_a_dialog_that_nobody_answers(self, monkeypatch, is_watched):
        """Is taken away; where nobody sees it, after five seconds."""
        told = []

        class Prompting(Bus):
            def within(self, seconds):
                told.append(seconds)
                return contextlib.nullcontext()

            def say(self, message):
                told.append(message.header.fields[HeaderFields.member])

        def never(*_):
            raise TimeoutError

        monkeypatch.setattr(conversation, "_is_watched", lambda: is_watched)
        monkeypatch.setattr(conversation, "add_match_rules", lambda _: None)
        monkeypatch.setattr(conversation, "exec_prompt", never)
        talk = Conversation(Prompting())
        if is_watched:
            with pytest.raises(TimeoutError):
                talk._answered("/prompt")
        else:
            message = "keychain: nobody answered the keychain's dialog; in a terminal envref waits longer"
            assert error_of(lambda: talk._answered("/prompt")).message == message
        assert told == [None if is_watched else 5.0, "Dismiss"]
        monkeypatch.setattr(conversation, "exec_prompt", lambda *_: (True, None))
        assert talk._answered("/prompt") is False
        assert error_of(lambda: talk._finish("/prompt")).message == LOCKED
        monkeypatch.setattr(conversation, "exec_prompt", lambda *_: (False, None))
        assert talk._answered("/prompt") is True
        assert talk._answered("/") is True
        talk._finish("/")

    def test_writing_and_removing(self, monkeypatch):
        """Over every item of the entry; else a new one; what is gone meanwhile was removed."""
        monkeypatch.setattr(conversation, "format_secret", lambda *words: words[1:])
        unlocked = {"Get": (("b", False),)}
        bus = Bus(SearchItems=(["/1", "/2"], []), SetSecret=(), **unlocked)
        talk = Conversation(bus)
        talk._session = object()
        talk.write(OWN, b"v")
        assert [path for method, path, _ in bus.asked if method == "SetSecret"] == ["/1", "/2"]
        bus = Bus(SearchItems=([], []), CreateItem=("/3", "/"), **unlocked)
        talk = Conversation(bus)
        talk._session = object()
        talk.write(OWN, b"v")
        _, _, (properties, secret, replace) = bus.asked[-1]
        assert (secret, replace) == ((b"v", "text/plain"), True)
        assert properties["org.freedesktop.Secret.Item.Label"] == ("s", "Password for 'app/key' on 'envref'")
        assert properties["org.freedesktop.Secret.Item.Attributes"][1] == {
            "service": "envref",
            "username": "app/key",
            "application": "Python keyring library",
            "xdg:schema": "org.freedesktop.Secret.Generic",
        }
        bus = Bus(SearchItems=[(["/1", "/2"], []), ([], [])], Delete=[("/",), None], **unlocked)
        assert Conversation(bus).remove(OWN) is True
        assert Conversation(bus).remove(OWN) is False

    def test_accounts(self):
        """Of items that have one, locked or not; one that is gone has none."""
        told = [(("a{ss}", {"username": "a"}),), (("a{ss}", {"account": "b"}),), None]
        bus = Bus(SearchItems=(["/1"], ["/2", "/3"]), Get=told)
        assert Conversation(bus).accounts("envref") == ["a"]
        assert Conversation(Bus()).secrets([]) == {}


class TestBus:
    """The connection, with a clock that stands still and a socket of the test's own."""

    @pytest.fixture
    def bus(self, monkeypatch):
        monkeypatch.setattr(session_bus.time, "monotonic", lambda: 100.0)
        made = object.__new__(SessionBus)
        made._deadline = 107.0
        made.told = []
        made.sock = types.SimpleNamespace(settimeout=made.told.append)
        monkeypatch.setattr(session_bus.DBusConnection, "send", lambda self, *words: self.told.append(words))
        monkeypatch.setattr(session_bus.DBusConnection, "receive", lambda self, timeout: timeout)
        return made

    def test_every_wait_ends_at_the_deadline(self, bus):
        """But for what is said without an answer."""
        bus.send("message", 3)
        bus.say("goodbye")
        assert bus.told == [7.0, ("message", 3), 0.1, ("goodbye",)]
        assert bus.receive() == 7.0
        for late in (100.0, 99.0):
            bus._deadline = late
            with pytest.raises(TimeoutError):
                bus._left()

    @pytest.mark.parametrize(("seconds", "left"), [(2.0, 2.0), (20.0, 7.0), (None, 7.0)])
    def test_a_part_that_ends_earlier(self, bus, seconds, left):
        """Afterwards there is as much time as before."""

        def part():
            with bus.within(seconds):
                found.append(bus._left())
                raise KeyboardInterrupt

        found = []
        with pytest.raises(KeyboardInterrupt):
            part()
        assert (found, bus._left()) == ([left], 7.0)

    def test_a_hundred_questions_at_a_time(self, bus, monkeypatch):
        """The answers come in any order; a signal is none."""
        sent, waiting, most = iter(range(1000)), [], []

        def post(_, message):
            serial = next(sent)
            waiting.append(serial)
            most.append(len(waiting))
            return serial

        def receive(_):
            if len(waiting) % 7 == 3 and not getattr(bus, "signalled", False):
                bus.signalled = True
                return types.SimpleNamespace(header=types.SimpleNamespace(fields={}))
            bus.signalled = False
            return types.SimpleNamespace(
                serial=waiting[-1], header=types.SimpleNamespace(fields={HeaderFields.reply_serial: waiting.pop()})
            )

        monkeypatch.setattr(SessionBus, "_post", post)
        monkeypatch.setattr(SessionBus, "receive", receive)
        assert [reply.serial for reply in bus._replies(["?"] * 250)] == [*range(250)]
        assert max(most) == 100

    def test_no_bus(self, monkeypatch):
        """No address, or one that leads nowhere; without time nobody is asked."""
        for raised in (ValueError(), RuntimeError(), StopIteration()):

            def fail(_, error=raised):
                raise error

            monkeypatch.setattr(session_bus, "get_bus", fail)
            with pytest.raises(NoBus):
                session_bus.connect(time.monotonic() + 20)
        for late in (time.monotonic(), 0.0):
            with pytest.raises(TimeoutError):
                session_bus.connect(late)

    def test_its_address(self, monkeypatch):
        """That of the environment, else the usual place of one's own."""
        monkeypatch.setattr(session_bus, "runtime_directory", lambda: "/run/user/7")
        assert session_bus._address() == "unix:path=/run/user/7/bus"
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/own")
        assert session_bus._address() == "unix:path=/own"
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
        monkeypatch.setattr(session_bus, "runtime_directory", lambda: "")
        assert session_bus._address() == ""
