"""The keychain, against a real GNOME keyring on a private session bus."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from jeepney import HeaderFields
from jeepney.bus_messages import message_bus

from envref.backends.keychain import conversation, secret_service
from envref.backends.keychain.keyring import PLATFORMS, WALLETS, KeyringLibrary, Library, accounts_in_dump
from envref.backends.keychain.secret_service import SecretService as SecretServiceKeychain
from envref.backends.keychain.store import Keychain, KeychainEntry
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.backends.asking import KEY, error_of, foreign, soon
from tests.backends.contract import BackendContract
from tests.backends.stores.keepassxc import KeePassXC
from tests.backends.stores.secret_service import Bus, SecretService
from tests.conftest import ROOT
from tests.lateness import Stopwatch, as_set
from tests.nightly import count
from tests.requirements import first_python, need, others_at_night

NO_DESKTOP = "keychain: exec: dbus-launch: not found; no desktop session is available"
CURE = ["  run: envref vault init && envref backend add vault --first"]


def read(store, address):
    return store.get_many([address], soon()).get(address)


def use(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(secret_service):
    return Keychain("keychain")


class TestKeychain(BackendContract):
    pause = 1.1  # the Secret Service counts seconds
    foreign_name = "https://upload.example.org/legacy//me"
    throttles = False

    def plant(self, store, name, value):
        service, _, account = name.rpartition("/")
        python_keyring().write(KeychainEntry(service, account), value.encode(), self.deadline)

    @pytest.fixture
    def store(self, secret_service):
        return Keychain("keychain")


@others_at_night
class TestPythonKeyring(TestKeychain):
    """The way to the other systems' keychains, with the one class of python keyring's that has a real store here."""

    @pytest.fixture
    def store(self, secret_service):
        keychain = Keychain("keychain")
        keychain._provider = python_keyring()
        return keychain

    def test_each_writing_has_a_revision_of_its_own(self, store):
        """Python keyring tells no dates: nothing is said to be fresh."""
        self.put(store, "key", "value")
        assert store.get_many([KEY], soon())[KEY].revision == ""
        assert isinstance(store.revisions([KEY], soon())[KEY], BackendInvalid)


def python_keyring():
    def accounts(_, service, deadline):
        return SecretServiceKeychain().accounts(service, deadline)

    return KeyringLibrary(Library("keyring.backends.SecretService", "Keyring", accounts))


OTHER = KeychainEntry("envref", "app/key")


class TestOtherSystems:
    def test_a_library_that_hangs_is_a_timeout(self, secret_service):
        """A call of python keyring that does not come back is left behind at its deadline."""
        keyring = python_keyring()
        keyring.write(OTHER, b"value", soon())
        secret_service.pause()
        watch = Stopwatch()
        with pytest.raises(BackendTimeout):
            keyring.read_many([OTHER], watch.started + 0.5)
        secret_service.resume()
        assert watch.seconds() < 1.5

    def test_a_locked_keychain_is_locked(self, secret_service):
        """What python keyring raises of a locked keychain is envref's sentence for it."""
        keyring = python_keyring()
        secret_service.lock()
        with pytest.raises(BackendLocked):
            keyring.read_many([OTHER], soon())

    def test_a_library_that_cannot_work_names_the_vault(self):
        """A backend class that is not usable here is unavailable, with the cure."""
        with pytest.raises(BackendUnavailable) as caught:
            KeyringLibrary(PLATFORMS["darwin"]).read_many([OTHER], soon())
        assert caught.value.lines() == ["error: keychain: macOS required", *CURE]

    @pytest.mark.parametrize(
        ("stored", "value"),
        [
            ("go-keyring-base64:dHdvCmxpbmVz", b"two\nlines"),
            ("go-keyring-encoded:6b65c3a4", "keä".encode()),
            ("go-keyring-base64:no base64", b"go-keyring-base64:no base64"),
        ],
    )
    def test_what_envref_1_encoded_is_decoded(self, secret_service, stored, value):
        """A value that envref 1's library marked as encoded is read as what was set."""
        keyring = python_keyring()
        keyring.write(OTHER, stored.encode(), soon())
        assert keyring.read_many([OTHER], soon()) == {OTHER: value}

    @pytest.mark.parametrize("name", WALLETS)
    def test_a_kde_wallet_stands_in_where_it_is_all_there_is(self, monkeypatch, tmp_path, name):
        """Without a Secret Service, a KWallet on the bus is chosen; its library is asked, and no other."""
        with Bus(tmp_path / "bus") as bus:
            use(monkeypatch, bus.environment)
            with bus.connection() as wallet:
                wallet.send_and_get_reply(message_bus.RequestName(name))
                with pytest.raises(BackendUnavailable) as caught:
                    Keychain("keychain").get_many([KEY], soon())
        assert caught.value.lines() == ["error: keychain: python-dbus not installed", *CURE]


class TestLocked:
    def test_a_locked_keyring_is_an_error_for_what_it_holds(self, store, secret_service):
        """A key in a locked keyring is locked, not absent."""
        store.set(KEY, Secret("value"), soon())
        secret_service.lock()
        error = read(store, KEY)
        assert isinstance(error, BackendLocked)
        assert error.lines() == ["error: keychain: locked; unlock your login keyring"]

    def test_a_locked_keyring_says_nothing_about_absence(self, store, secret_service):
        """A key that a locked keyring may or may not hold is locked, not absent."""
        secret_service.lock()
        assert isinstance(read(store, KEY), BackendLocked)

    def test_a_locked_keyring_refuses_changes(self, store, secret_service):
        """Setting and deleting in a locked keyring are errors."""
        store.set(KEY, Secret("value"), soon())
        secret_service.lock()
        with pytest.raises(BackendLocked):
            store.set(KEY, Secret("other"), soon())
        with pytest.raises(BackendLocked):
            store.delete(KEY, soon())

    def test_revisions_are_told_by_a_locked_keyring(self, store, secret_service):
        """Nothing is unlocked and nobody is asked; what the keyring does not list is locked, not absent."""
        store.set(KEY, Secret("value"), soon())
        before = read(store, KEY).revision
        secret_service.lock()
        other = Address("app", "other")
        told = store.revisions([KEY, other], soon())
        assert told[KEY] == before
        assert isinstance(told[other], BackendLocked)

    def test_names_are_listed_from_a_locked_keyring(self, store, secret_service):
        """Listing names needs no unlocked keyring."""
        store.set(KEY, Secret("value"), soon())
        secret_service.lock()
        assert list(store.list("app", soon())) == ["key"]


READ_LOCKED = """
import time
from envref.refs.address import Address
from envref.backends.keychain.store import Keychain
from envref.store_errors import BackendError
try:
    (outcome,) = Keychain("keychain").get_many([Address("app", "key")], time.monotonic() + 3).values()
except BackendError as error:
    outcome = error
print(type(outcome).__name__)
"""


class TestPrompt:
    @pytest.fixture
    def prompter(self, store, secret_service, monkeypatch):
        """A locked keyring, and the bus name that GNOME Keyring asks to show its dialogs."""
        store.set(KEY, Secret("value"), soon())
        secret_service.lock()
        monkeypatch.setenv("DISPLAY", ":99")
        with secret_service.connection() as connection:
            connection.send_and_get_reply(message_bus.RequestName("org.gnome.keyring.SystemPrompter"))
            yield connection

    def read(self, stdin, code=READ_LOCKED):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stdin,
            cwd=ROOT,
            timeout=60,
            check=True,
        )
        return ran.stdout.decode().strip()

    def was_asked(self, prompter):
        try:
            while prompter.receive(timeout=0.2).header.fields.get(HeaderFields.member) != "BeginPrompting":
                pass
        except TimeoutError:
            return False
        return True

    def test_a_person_at_a_terminal_is_asked_to_unlock(self, prompter):
        """With a terminal and a display the keyring's dialog comes up; nobody answering it is a timeout."""
        terminal, device = os.openpty()
        outcome = self.read(device)
        os.close(terminal)
        os.close(device)
        assert (outcome, self.was_asked(prompter)) == ("BackendTimeout", True)

    def test_without_a_terminal_the_dialog_is_short(self, prompter):
        """A service may want a prompt that nobody has to answer, so it is performed; unanswered it ends as locked,
        long before the time is up.
        """
        shortly = "from envref.backends.keychain import conversation\nconversation._UNWATCHED = 0.3\n"
        outcome = self.read(subprocess.DEVNULL, shortly + READ_LOCKED.replace("+ 3)", "+ 50)"))
        assert (outcome, self.was_asked(prompter)) == ("BackendLocked", True)


def test_two_questions_at_a_time_have_their_own_answers(store):
    """Calls of several threads wait for each other and are not mixed up."""
    addresses = [Address("app", f"key{number}") for number in range(8)]
    for address in addresses:
        store.set(address, Secret(f"value of {address.key}"), soon())
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda address: read(store, address), addresses * 4))
    assert [secret.reveal() for secret in found] == [f"value of {address.key}" for address in addresses * 4]


class TestUnavailable:
    def expect_no_desktop(self):
        with pytest.raises(BackendUnavailable) as caught:
            Keychain("keychain").get_many([KEY], soon())
        assert caught.value.lines() == [f"error: {NO_DESKTOP}", *CURE]

    def test_no_session_bus(self):
        """Without a session bus the error names the vault as the cure."""
        self.expect_no_desktop()

    @pytest.mark.parametrize(
        "address", ["unix:path=/nonexistent/bus", "tcp:host=127.0.0.1,port=9", "nonsense", "unix:"]
    )
    def test_a_bus_address_that_leads_nowhere(self, monkeypatch, address):
        """A stale or strange bus address is the same as none."""
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        self.expect_no_desktop()

    def test_a_socket_in_the_current_directory_is_no_bus(self, store, monkeypatch, secret_service, tmp_path):
        """Without a run directory, a repository's own `bus` is not spoken to."""
        address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        os.symlink(address.removeprefix("unix:path=").partition(",")[0], tmp_path / "bus")
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
        for directory in ("", "."):
            monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
            self.expect_no_desktop()

    def test_a_socket_that_nobody_serves(self, monkeypatch, tmp_path):
        """The socket of a bus that has ended is the same as no bus."""
        import socket

        path = tmp_path / "bus"
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
        self.expect_no_desktop()

    def test_a_bus_without_a_keyring(self, monkeypatch, tmp_path):
        """A session bus on which nobody keeps secrets is the same as none."""
        with Bus(tmp_path / "bus") as bus:
            use(monkeypatch, bus.environment)
            self.expect_no_desktop()

    def test_a_daemon_that_has_ended(self, secret_service):
        """A keyring daemon that died is the same as none."""
        secret_service.stop_daemon()
        self.expect_no_desktop()

    def test_a_service_without_a_keyring_says_nothing_about_absence(self, monkeypatch, tmp_path):
        """Where no keyring exists yet, a key is not absent: the service can't say."""
        with SecretService(tmp_path / "keyring", unlocked=False) as service:
            use(monkeypatch, service.environment)
            with pytest.raises(BackendUnavailable) as caught:
                Keychain("keychain").get_many([KEY], soon())
        assert caught.value.lines() == ["error: keychain: the Secret Service has no default keyring", *CURE]

    def test_the_bus_of_the_run_directory_is_found(self, store, monkeypatch, secret_service):
        """Without DBUS_SESSION_BUS_ADDRESS the bus in XDG_RUNTIME_DIR is used, as other programs do."""
        store.set(KEY, Secret("value"), soon())
        address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
        os.symlink(address.removeprefix("unix:path=").partition(",")[0], f"{os.environ['XDG_RUNTIME_DIR']}/bus")
        assert read(store, KEY) == Secret("value")


class TestTime:
    @pytest.mark.parametrize("call", ["get_many", "set", "delete", "list"])
    def test_a_keyring_that_does_not_answer_is_a_timeout(self, store, secret_service, call):
        """A daemon that hangs, as one that waits for a person, ends the call at its deadline."""
        arguments = {"get_many": [[KEY]], "set": [KEY, Secret("value")], "delete": [KEY], "list": ["app"]}
        secret_service.pause()
        watch = Stopwatch()
        with pytest.raises(BackendTimeout) as caught:
            getattr(store, call)(*arguments[call], watch.started + 0.5)
        secret_service.resume()
        assert watch.seconds() < 1.5
        message = as_set(caught.value.message, 0.5)
        assert message == "keychain: no answer within 0.5 s; raise --timeout or the backend's timeout"

    def test_a_bus_that_does_not_answer_is_a_timeout(self, monkeypatch, tmp_path):
        """A socket that takes the connection and then says nothing ends the call at its deadline."""
        import socket

        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(tmp_path / "bus"))
            silent.listen()
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'bus'}")
            watch = Stopwatch()
            with pytest.raises(BackendTimeout):
                Keychain("keychain").get_many([KEY], watch.started + 0.5)
            assert watch.seconds() < 1.5


@others_at_night
class TestOtherPrograms:
    def secret_tool(self, *arguments, stdin=""):
        return subprocess.run(
            [need("secret-tool"), *arguments], input=stdin, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def python_keyring(self):
        from keyring.backends.SecretService import Keyring

        return Keyring()

    def test_secret_tool_reads_what_envref_wrote(self, store):
        """An entry of envref's is found by secret-tool under its service and user name."""
        store.set(KEY, Secret("two\nlines\n"), soon())
        assert self.secret_tool("lookup", "service", "envref", "username", "app/key") == "two\nlines\n"

    def test_envref_reads_what_secret_tool_wrote(self, store):
        """An entry that secret-tool stored is found by envref."""
        self.secret_tool("store", "--label=L", "service", "envref", "username", "app/key", stdin="value")
        assert read(store, KEY) == Secret("value")
        assert list(store.list("app", soon())) == ["key"]

    def test_python_keyring_reads_what_envref_wrote(self, store):
        """An entry of envref's is found by python keyring."""
        store.set(KEY, Secret("välue"), soon())
        assert self.python_keyring().get_password("envref", "app/key") == "välue"

    def test_envref_reads_what_python_keyring_wrote(self, store):
        """An entry of python keyring's is found by envref."""
        self.python_keyring().set_password("envref", "app/key", "välue")
        assert read(store, KEY) == Secret("välue")

    @first_python
    @pytest.mark.parametrize("first", ["secret-tool", "keyring", "envref"])
    @pytest.mark.parametrize("second", ["secret-tool", "keyring", "envref"])
    def test_the_last_writer_wins(self, store, first, second):
        """Whoever wrote an entry first, all three programs read what the second wrote, and one deletion removes it."""
        write = {
            "secret-tool": lambda value: self.secret_tool(
                "store", "--label=L", "service", "envref", "username", "app/key", stdin=value
            ),
            "keyring": lambda value: self.python_keyring().set_password("envref", "app/key", value),
            "envref": lambda value: store.set(KEY, Secret(value), soon()),
        }
        write[first]("old value")
        time.sleep(1.1)  # the service tells the newer of two items by seconds
        write[second]("new value")
        assert read(store, KEY) == Secret("new value")
        store.delete(KEY, soon())
        assert read(store, KEY) is None
        assert self.python_keyring().get_password("envref", "app/key") is None

    @pytest.mark.parametrize("attribute", ["username", "account"])
    def test_an_entry_of_another_service_is_read_by_its_name(self, store, attribute):
        """`//SERVICE/ACCOUNT` reads the entry of that service and account, under either attribute."""
        self.secret_tool("store", "--label=L", "service", "github", attribute, "team/me", stdin="token")
        assert read(store, Address("app", "", foreign="github/team/me")) == Secret("token")

    def test_the_account_of_another_service_is_the_login_name(self, store, monkeypatch):
        """`//SERVICE` reads the entry whose account is the login name."""
        monkeypatch.setenv("LOGNAME", "alice")
        self.secret_tool("store", "--label=L", "service", "github", "username", "alice", stdin="token")
        assert read(store, Address("app", "", foreign="github")) == Secret("token")

    @pytest.mark.parametrize(
        ("service", "account", "name"),
        [
            ("https://upload.example.org/legacy/", "bob", "https://upload.example.org/legacy//bob"),
            ("https://upload.example.org/legacy/", "bob", "https:%2F%2Fupload.example.org%2Flegacy%2F/bob"),
            ("https://upload.example.org/legacy/", "a/b", "service=https://upload.example.org/legacy/,account=a/b"),
            ("https://upload.example.org/legacy/", "bob", "service=https://upload.example.org/legacy/,username=bob"),
            ("https://upload.example.org/legacy/", "alice", "https://upload.example.org/legacy/"),
            ("team/github", "me", "team/github/me"),
            ("github", "", "github/"),
            ("github", "", "service=github,account="),
            ("a=b", "me", "service=a=b,account=me"),
        ],
    )
    @pytest.mark.parametrize("writer", ["python keyring", "secret-tool"])
    def test_any_service_and_account_can_be_named(self, store, monkeypatch, service, account, name, writer):
        """A service with slashes, an account with slashes, no account: as twine and others write them (ST-F6)."""
        monkeypatch.setenv("LOGNAME", "alice")
        if writer == "secret-tool":
            attributes = ["service", service, "account", account]
            self.secret_tool("store", "--label=L", *attributes, stdin="token")
        else:
            self.python_keyring().set_password(service, account, "token")
        assert read(store, foreign(name)) == Secret("token")

    def test_a_user_without_a_name_can_name_an_account(self, store, monkeypatch):
        """In a container the user may have none; whoever writes the account needs none."""
        for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("os.getuid", lambda: 654321)
        self.python_keyring().set_password("github", "me", "token")
        assert read(store, foreign("github/me")) == Secret("token")
        assert read(store, foreign("github")) is None

    def test_a_name_that_may_mean_two_items_is_no_guess(self, store):
        """Two items, and a slash that could be in either service: the error says how to write each."""
        for service, account in (("github", "team/me"), ("github/team", "me")):
            self.python_keyring().set_password(service, account, service)
        error = read(store, foreign("github/team/me"))
        assert error.lines() == [
            'error: keychain: "github/team/me" may mean several items',
            "  hint: write service=github,account=team/me or service=github/team,account=me",
        ]
        assert read(store, foreign("service=github,account=team/me")) == Secret("github")
        assert read(store, foreign("service=github/team,account=me")) == Secret("github/team")

    @pytest.mark.parametrize("name", ["server=imap.example.org,user=me", "user=me,server=imap.example.org"])
    def test_an_item_is_named_by_any_attributes(self, store, name):
        """Items of programs that write neither service nor account."""
        self.secret_tool("store", "--label=L", "server", "imap.example.org", "user", "me", "port", "993", stdin="token")
        assert read(store, foreign(name)) == Secret("token")
        assert read(store, foreign("server=imap.example.org,user=you")) is None

    def test_attributes_of_several_items_are_an_error(self, store):
        """No guess which of them is meant; with one attribute more it is clear."""
        for user in ("me", "you"):
            self.secret_tool("store", "--label=L", "server", "imap.example.org", "user", user, stdin=user)
        error = read(store, foreign("server=imap.example.org"))
        assert error.lines() == [
            'error: keychain: 2 items have "server=imap.example.org"',
            "  hint: name more of their attributes",
        ]
        assert read(store, foreign("server=imap.example.org,user=you")) == Secret("you")

    def test_attributes_in_a_locked_keyring_are_locked(self, store, secret_service):
        """An item by its attributes is locked there, and not absent."""
        self.secret_tool("store", "--label=L", "server", "imap.example.org", stdin="x")
        secret_service.lock()
        assert isinstance(read(store, foreign("server=imap.example.org")), BackendLocked)

    @pytest.mark.parametrize(
        "name", ["envref", "envref/app/key", "service=envref,account=app/key", "service=envref", "%65nvref/app/key"]
    )
    def test_envrefs_own_service_has_no_foreign_names(self, store, name):
        """A foreign name can't reach the secrets of another project."""
        store.set(KEY, Secret("value"), soon())
        assert isinstance(read(store, Address("other", "", foreign=name)), BackendInvalid)

    def test_envrefs_own_items_have_no_attributes(self, store):
        """Nor by any attribute that they have."""
        store.set(KEY, Secret("value"), soon())
        for name in ("username=app/key", "application=Python keyring library"):
            assert read(store, foreign(name)) is None

    def test_bytes_that_are_no_text_are_an_error(self, store):
        """A value that is not UTF-8 is refused, and not shown."""
        subprocess.run(
            [need("secret-tool"), "store", "--label=L", "service", "envref", "username", "app/key"],
            input=b"\xff\xfemarker",
            check=True,
            timeout=30,
        )
        error = read(store, KEY)
        assert isinstance(error, BackendInvalid)
        assert "marker" not in error.message


@first_python
class TestKeePassXC:
    """KeePassXC 2.7.4 as the Secret Service, which answers with prompts where GNOME Keyring has none (ST-F4)."""

    @pytest.fixture
    def keepassxc(self, tmp_path, monkeypatch):
        with KeePassXC(tmp_path / "keepassxc") as service:
            use(monkeypatch, service.environment)
            yield service

    def test_a_secret_is_set_read_and_deleted_without_a_terminal(self, keepassxc):
        """The prompts that need no person are performed, though nobody is there."""
        store = Keychain("keychain")
        store.set(KEY, Secret("one\n"), soon())
        assert read(store, KEY) == Secret("one\n")
        store.set(KEY, Secret("two"), soon())
        assert read(store, KEY) == Secret("two")
        assert list(store.list("app", soon())) == ["key"]

    def test_an_entry_is_named_by_title_and_user(self, keepassxc):
        """KeePassXC has attributes of its own, and none for service and account."""
        subprocess.run(
            [need("secret-tool"), "store", "--label=GitHub", "UserName", "me"],
            input="token",
            text=True,
            check=True,
            timeout=30,
        )
        assert read(Keychain("keychain"), foreign("Title=GitHub,UserName=me")) == Secret("token")

    def test_a_confirmation_that_nobody_gives_is_locked(self, tmp_path, monkeypatch):
        """Where KeePassXC asks per item, which is its default, an unanswered question ends soon, as locked."""
        monkeypatch.setattr(conversation, "_UNWATCHED", 0.5)
        with KeePassXC(tmp_path / "keepassxc", confirms=True) as service:
            use(monkeypatch, service.environment)
            subprocess.run(
                [need("secret-tool"), "store", "--label=L", "service", "envref", "username", "app/key"],
                input="token",
                text=True,
                check=True,
                timeout=30,
            )
            watch = Stopwatch()
            error = error_of(lambda: Keychain("keychain").get_many([KEY], soon()))
        assert watch.seconds() < 10
        assert isinstance(error, BackendLocked)
        assert "nobody answered the keychain's dialog" in error.message

    def test_without_an_open_database_the_cure_is_keepassxcs(self, tmp_path, monkeypatch):
        """No keyring there: not a vault instead, but what to do in KeePassXC (ST-PK4)."""
        with KeePassXC(tmp_path / "keepassxc", exposed=False) as service:
            use(monkeypatch, service.environment)
            error = error_of(lambda: Keychain("keychain").get_many([KEY], soon()))
        assert error.lines() == [
            "error: keychain: the Secret Service has no default keyring",
            "  hint: open a database in KeePassXC, whose settings have Secret Service Integration",
        ]


class TestIndexOfEnvref1:
    def write_index(self, names):
        from keyring.backends.SecretService import Keyring

        Keyring().set_password("envref", "__envref_key_index__", names)

    def test_the_index_is_not_listed(self, store):
        """The entry in which envref 1 kept its names is no secret of any project."""
        store.set(KEY, Secret("value"), soon())
        self.write_index(json.dumps(["app/key"]))
        assert list(store.list("app", soon())) == ["key"]

    @pytest.mark.parametrize("names", [json.dumps(["app/gone"]), "not json", "{}", "[1]"])
    def test_the_index_invents_no_names(self, store, names):
        """A name in the index whose secret is gone is not listed, and a broken index is no failure."""
        self.write_index(names)
        assert list(store.list("app", soon())) == []

    def test_the_index_is_not_written(self, store):
        """Setting and deleting leave envref 1's index as it was."""
        from keyring.backends.SecretService import Keyring

        self.write_index('["app/old"]')
        store.set(KEY, Secret("value"), soon())
        store.delete(KEY, soon())
        assert Keyring().get_password("envref", "__envref_key_index__") == '["app/old"]'


class TestChoice:
    @pytest.mark.parametrize(
        "name", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.such.Thing"]
    )
    def test_the_environment_does_not_choose_the_keychain(self, store, monkeypatch, name):
        """PYTHON_KEYRING_BACKEND neither loses a secret nor redirects one."""
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
        store.set(KEY, Secret("value"), soon())
        assert read(Keychain("keychain"), KEY) == Secret("value")

    @pytest.mark.parametrize("name", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
    def test_no_other_keyring_stands_in_for_a_missing_one(self, monkeypatch, home, name):
        """Without a keychain, a configured null or file keyring is not used; the error names the vault."""
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
        settings = home / ".config/python_keyring/keyringrc.cfg"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"[backend]\ndefault-keyring={name}\n")
        with pytest.raises(BackendUnavailable) as caught:
            Keychain("keychain").set(KEY, Secret("value"), soon())
        assert caught.value.lines() == [f"error: {NO_DESKTOP}", *CURE]

    def test_reading_does_not_import_python_keyring(self, store):
        """On the Secret Service, python keyring's import is never paid for."""
        store.set(KEY, Secret("value"), soon())
        code = (
            "import sys, time\n"
            "from envref.refs.address import Address\n"
            "from envref.backends.keychain.store import Keychain\n"
            "found = Keychain('keychain').get_many([Address('app', 'key')], time.monotonic() + 20)\n"
            "print(len(found), 'keyring' in sys.modules)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
        )
        assert ran.stdout.split() == ["1", "False"]


WRITERS, WRITES = count(16, 32), count(25, 50)
WRITER = """
import sys, time
from envref.refs.address import Address
from envref.backends.keychain.store import Keychain
from envref.secret import Secret
store = Keychain("keychain")
for number in range(int(sys.argv[2])):
    store.set(Address("app", f"{sys.argv[1]}-{number}"), Secret(f"value {sys.argv[1]} {number}"), time.monotonic() + 60)
"""


@first_python
def test_no_write_is_lost_among_many_writers(store):
    """Sixteen processes that set twenty-five keys each leave four hundred, every one with its own value."""
    command = [sys.executable, "-c", WRITER]
    writers = [subprocess.Popen([*command, str(writer), str(WRITES)], cwd=ROOT) for writer in range(WRITERS)]
    assert [writer.wait(timeout=300) for writer in writers] == [0] * WRITERS
    names = list(store.list("app", soon()))
    found = store.get_many([Address("app", name) for name in names], soon())
    assert {address.key: secret.reveal() for address, secret in found.items()} == {
        f"{writer}-{number}": f"value {writer} {number}" for writer in range(WRITERS) for number in range(WRITES)
    }


def test_the_macos_listing_is_read_by_service():
    """Of a keychain dump, the accounts of the service's entries are read, in plain and in hexadecimal form."""
    dump = """keychain: "/Users/a/Library/Keychains/login.keychain-db"
version: 512
class: "genp"
attributes:
    0x00000007 <blob>="envref"
    "acct"<blob>="app/key"
    "svce"<blob>="envref"
keychain: "/Users/a/Library/Keychains/login.keychain-db"
class: "genp"
attributes:
    "acct"<blob>=0x6170702F6BC3A479  "app/k\\303\\244y"
    "svce"<blob>="envref"
keychain: "/Users/a/Library/Keychains/login.keychain-db"
class: "genp"
attributes:
    "acct"<blob>="me"
    "svce"<blob>="github"
keychain: "/Users/a/Library/Keychains/login.keychain-db"
class: "genp"
attributes:
    "acct"<blob>=<NULL>
    "svce"<blob>="envref"
"""
    assert accounts_in_dump(dump, "envref") == ["app/key", "app/käy"]


@pytest.mark.parametrize(("vanishings", "outcome"), [(0, "said"), (4, "said"), (5, None)])
def test_a_keyring_that_is_being_read_anew_is_asked_again(monkeypatch, vanishings, outcome):
    """gnome-keyring drops its objects for a moment after another process wrote; five tries, then it is an error."""
    tries = []

    def said(_say, _deadline):
        tries.append(1)
        if len(tries) <= vanishings:
            raise conversation.Vanished("keychain: gone")
        return "said"

    monkeypatch.setattr(secret_service, "_said", said)
    monkeypatch.setattr(secret_service, "_PAUSES", (0, 0, 0, 0))
    if outcome:
        assert secret_service._converse(None, soon()) == outcome
    else:
        with pytest.raises(BackendUnavailable, match=r"^keychain: gone$"):
            secret_service._converse(None, soon())
    assert len(tries) == min(vanishings + 1, 5)


class Dialogs:
    """A bus whose every answer is a dialog, or none; `answers` are what comes of the dialogs, in turn."""

    def __init__(self, monkeypatch, prompt, answers):
        self.asked = []
        self._prompt = prompt
        monkeypatch.setattr(conversation.Conversation, "_secured", None)
        monkeypatch.setattr(conversation, "format_secret", lambda *_: None)
        monkeypatch.setattr(conversation.Conversation, "_locked_default", lambda _: [])
        monkeypatch.setattr(conversation, "add_match_rules", lambda _: None)
        monkeypatch.setattr(conversation, "exec_prompt", lambda *_: (answers.pop(0), None))

    def ask(self, _address, method, *_body):
        self.asked.append(method)
        return None, self._prompt

    def ask_existing(self, messages):
        self.asked += [message.header.fields[HeaderFields.member] for message in messages]
        return [(self._prompt,) for _ in messages]

    def within(self, _seconds):
        return contextlib.nullcontext()


@pytest.mark.parametrize("change", ["create", "delete", "delete two"])
@pytest.mark.parametrize("dismissed", [True, False])
def test_a_change_whose_dialog_was_dismissed_is_not_made(monkeypatch, change, dismissed):
    """Who is asked, and says no, must not read that it was done; without a dialog nobody was asked."""
    entry = KeychainEntry("s", "a")
    for prompt in ("/org/prompt", "/"):
        bus = Dialogs(monkeypatch, prompt, [False, dismissed] if change == "delete two" else [dismissed])
        talk = conversation.Conversation(bus)
        make = {
            "create": lambda talk=talk: talk.create(entry, b"v"),
            "delete": lambda talk=talk: talk.delete(["/1"]),
            "delete two": lambda talk=talk: talk.delete(["/1", "/2"]),
        }[change]
        if dismissed and prompt != "/":
            with pytest.raises(BackendLocked):
                make()
        else:
            assert make() is None
        assert bus.asked == {"create": ["CreateItem"], "delete": ["Delete"], "delete two": ["Delete"] * 2}[change]
