"""pass: the real program with a throw-away key, and stand-ins for a program that fails."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time

import pytest

from envref.backends.password_store.store import PassStore
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
)
from tests.backends.asking import KEY, answer_of, error_of, foreign, soon
from tests.backends.commands import StoreCommands
from tests.backends.contract import BackendContract, values_of
from tests.backends.stores.pass_store import AUTHOR, GnuPg, Passwords
from tests.backends.stores.shim import recorded
from tests.cli.conftest import config
from tests.lateness import Stopwatch
from tests.processes import left_of
from tests.requirements import first_python, need

MARKER = "marker-2e90fa"
UNLOCK = "unlock the key by reading an entry with pass show; if gpg --list-secret-keys lacks it, import it"


@pytest.fixture(scope="module")
def running_gpg():
    with GnuPg() as gpg:
        yield gpg


@pytest.fixture
def gpg(running_gpg, monkeypatch):
    """A GnuPG home with a key that needs no passphrase; `pass` finds it by the environment."""
    for name, value in running_gpg.environment.items():
        monkeypatch.setenv(name, value)
    return running_gpg


@pytest.fixture
def passwords(gpg, home):
    """An empty password store where `pass` looks for one."""
    return Passwords(home / ".password-store")


@pytest.fixture
def store(passwords):
    return PassStore("pass")


@pytest.fixture(params=["gpg", "pass"])
def way(request, monkeypatch):
    """Who reads an entry: gpg, or pass because a setting of pass is there (it is one that changes nothing)."""
    if request.param == "pass":
        monkeypatch.setenv("PASSWORD_STORE_CLIP_TIME", "45")
    return request.param


both_ways = pytest.mark.usefixtures("way")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The real `pass`, first on PATH, with a record of how it was started."""
    shim = recorded(tmp_path / "shim", need("pass"), "pass")
    monkeypatch.setenv("PATH", f"{shim.path}:{os.environ['PATH']}")
    return shim


def raised_or_given(call):
    try:
        return call()
    except BackendError as error:
        return error


@both_ways
class TestContract(BackendContract):
    @pytest.fixture
    def store(self, passwords):
        return PassStore("pass")

    first_version, absent_version = "HEAD~1", "HEAD~77"
    foreign_name = "web/example.com"
    throttles = False

    def plant(self, store, name, value):
        Passwords(store._store).put(name, f"{value}\nuser: bob\n".encode())

    def test_an_earlier_version_is_read(self, store, passwords, monkeypatch):
        """Where the store has a git."""
        for name, value in AUTHOR.items():
            monkeypatch.setenv(name, value)
        passwords.keep_versions()
        super().test_an_earlier_version_is_read(store)


class TestRevisions:
    def test_nothing_is_started_or_decrypted(self, store, installed):
        """The encrypted files are read."""
        names = [Address("app", f"key{number}") for number in range(3)]
        for address in names:
            store.set(address, Secret("value"), soon())
        started = len(installed.argvs())
        assert len(store.revisions(names, soon())) == 3
        assert len(installed.argvs()) == started

    def test_a_revision_finds_its_version_again(self, store, passwords, monkeypatch):
        """It is the id that git gives the encrypted file; one that git never had is absent."""
        for name, value in AUTHOR.items():
            monkeypatch.setenv(name, value)
        passwords.keep_versions()
        store.set(KEY, Secret("first"), soon())
        (revision,) = store.revisions([KEY], soon()).values()
        store.set(KEY, Secret("second"), soon())
        assert answer_of(store, Address("app", "key", version=revision)) == "first"
        assert answer_of(store, Address("app", "key", version=f"blob-{'0' * 40}")) is None


class TestVersions:
    def test_a_deleted_entry_has_versions(self, store, passwords):
        """By any revision of git; a field of it too."""
        passwords.keep_versions()
        passwords.put("web/site", b"old\nuser: bob\n")
        revision = passwords.git("rev-parse", "HEAD").strip()
        passwords.put("web/site", b"new\n")
        (passwords.path / "web/site.gpg").unlink()
        for field, value in ((None, "old"), ("user", "bob")):
            address = Address("", "", foreign="web/site", field=field, version=revision)
            assert answer_of(store, address) == value
        assert answer_of(store, foreign("web/site")) is None

    def test_a_store_without_git_says_so(self, store, passwords):
        """That is no absence; after the cure there are versions."""
        passwords.put("envref/app/key", b"v\n")
        error = answer_of(store, Address("app", "key", version="HEAD"))
        assert error.lines() == ["error: pass: the store keeps no versions: it has no git", "  run: pass git init"]
        passwords.keep_versions()
        assert answer_of(store, Address("app", "key", version="HEAD")) == "v"

    @pytest.mark.parametrize("version", ["--output=x", "HEAD:x", "a b", "$(id)"])
    def test_what_is_no_revision_is_refused(self, store, passwords, installed, version):
        """Before pass is asked."""
        error = answer_of(store, Address("app", "key", version=version))
        assert error.message == f'pass: "{version}" is not a revision of git'
        assert installed.count() == 0


class TestNames:
    def test_the_default_prefix_is_shared_by_projects(self, store, passwords):
        """Without `prefix`, an entry is envref/PROJECT/KEY, with the profile before the key."""
        store.set(KEY, Secret("v"), soon())
        store.set(Address("app", "key", profile="staging"), Secret("v"), soon())
        assert passwords.names() == ["envref/app/key.gpg", "envref/app/staging/key.gpg"]
        assert store.carries_project

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"prefix": "team/shop"}, "team/shop/key"),
            ({"prefix": "/team/shop/"}, "team/shop/key"),
            ({"prefix": "team", "namespace": "project"}, "team/app/key"),
            ({"namespace": "none"}, "envref/key"),
        ],
    )
    def test_a_prefix_of_ones_own_is_the_namespace(self, passwords, options, name):
        """`prefix` replaces the project, unless `namespace` says otherwise; such names can hold no other project."""
        store = PassStore("pass", **options)
        store.set(KEY, Secret("v"), soon())
        assert passwords.names() == [f"{name}.gpg"]
        assert list(store.list("app", soon())) == ["key"]
        assert store.carries_project == name.endswith("app/key")

    def test_the_store_is_where_it_is_said_to_be(self, passwords, tmp_path, monkeypatch):
        """`store` wins over PASSWORD_STORE_DIR, which wins over ~/.password-store."""
        first, second = (Passwords(tmp_path / name) for name in ("first", "second"))
        monkeypatch.setenv("PASSWORD_STORE_DIR", str(second.path))
        PassStore("pass", store=str(first.path)).set(Address("app", "one"), Secret("v"), soon())
        PassStore("pass").set(Address("app", "two"), Secret("v"), soon())
        assert first.names() == ["envref/app/one.gpg"]
        assert second.names() == ["envref/app/two.gpg"]
        assert passwords.names() == []

    def test_a_directory_is_no_entry(self, store):
        """A key that is a directory is absent: pass would print a tree for it, and delete none of it, as a success."""
        store.set(Address("app", "key/below"), Secret("v"), soon())
        assert answer_of(store) is None
        assert isinstance(error_of(lambda: store.delete(KEY, soon())), SecretNotFound)
        assert list(store.list("app", soon())) == ["key/below"]

    def test_an_entry_and_a_directory_may_share_a_name(self, store):
        """A key may be the beginning of another."""
        below = Address("app", "key/below")
        store.set(below, Secret("1"), soon())
        store.set(KEY, Secret("2"), soon())
        assert store.get_many([KEY, below], soon()) == {KEY: Secret("2"), below: Secret("1")}
        store.delete(KEY, soon())
        assert answer_of(store, below) == "1"

    @pytest.mark.parametrize("name", ["../outside", "a/../../outside", "..", "a/.."])
    def test_no_name_leads_out_of_the_store(self, store, passwords, installed, name):
        """A name with `..` is refused without starting pass, whether it is read, written or a prefix."""
        (passwords.path.parent / "outside.gpg").write_text("")
        sneaky = PassStore("pass", prefix=name)
        for call in (
            lambda: store.get_many([foreign(name)], soon())[foreign(name)],
            lambda: sneaky.get_many([KEY], soon())[KEY],
            lambda: sneaky.set(KEY, Secret("v"), soon()),
            lambda: sneaky.delete(KEY, soon()),
            lambda: sneaky.list("app", soon()),
        ):
            error = raised_or_given(call)
            assert isinstance(error, BackendInvalid)
            assert error.message.endswith('" leads out of the password store')
        assert installed.count() == 0

    def test_an_absolute_name_starts_at_the_store(self, store, passwords, tmp_path):
        """A foreign name with a leading slash is looked for in the store, and nowhere else."""
        (tmp_path / "key.gpg").write_text("")
        passwords.put("sub/key", b"v\n")
        assert answer_of(store, foreign(str(tmp_path / "key"))) is None
        assert answer_of(store, foreign("/sub/key")) == "v"


@both_ways
class TestEntries:
    """What an entry says: envref's own, and those that people wrote."""

    WRITTEN = b"hunter2\nuser: admin\nurl: https://example.com:8443/x\nuser: second\nempty:\naligned:   \t v \n"

    def test_a_value_is_stored_with_one_line_end(self, store, passwords):
        """The entry is the value and a line end, as pass itself writes one."""
        store.set(KEY, Secret("one\ntwo\n\n"), soon())
        assert passwords.show("envref/app/key") == b"one\ntwo\n\n\n"

    @pytest.mark.parametrize(
        ("content", "value"), [(b"v\n", "v"), (b"v", "v"), (b"a\nb\n", "a\nb"), (b"\n", ""), (b"\n\n", "\n")]
    )
    def test_an_own_entry_is_read_whole(self, store, passwords, content, value):
        """All lines are the value, without the last line end where there is one."""
        passwords.put("envref/app/key", content)
        assert answer_of(store) == value

    def test_of_a_foreign_entry_the_first_line_is_read(self, store, passwords):
        """The value of an entry that envref did not make is its first line."""
        passwords.put("web/example.com", self.WRITTEN)
        assert answer_of(store, foreign("web/example.com")) == "hunter2"

    @pytest.mark.parametrize(
        ("field", "value"),
        [("user", "admin"), ("url", "https://example.com:8443/x"), ("empty", ""), ("aligned", "v ")],
    )
    def test_a_field_is_a_line(self, store, passwords, field, value):
        """`#NAME` is the first line `NAME: value` after the first line, without the blanks before the value."""
        passwords.put("web", self.WRITTEN)
        passwords.put("envref/app/key", self.WRITTEN)
        assert answer_of(store, foreign("web", field)) == value
        assert answer_of(store, Address("app", "key", field=field)) == value

    @pytest.mark.parametrize("field", ["hunter2", "User", "use", "https", "/user"])
    def test_another_field_is_absent(self, store, passwords, field):
        """The error names field, entry and the labels that there are, and shows no value."""
        passwords.put("web", self.WRITTEN)
        error = answer_of(store, foreign("web", field))
        assert isinstance(error, FieldNotFound)
        assert error.message.startswith(f'pass: field "{field}": "web" has no such field; its fields: ')
        assert "admin" not in values_of(error)

    @pytest.mark.parametrize(
        "content",
        [
            b'{"user": "root", "port": 5432}\n',
            b'{"user": "root", "port": 5432}\nnote: of the old server\n',
            json.dumps({"user": "root", "port": 5432}, indent=2).encode(),
        ],
        ids=["one_line", "first_line", "many_lines"],
    )
    def test_a_field_may_be_a_member_of_json(self, store, passwords, content):
        """JSON is read in the first line, or in the whole entry."""
        passwords.put("service", content)
        asked = [foreign("service", field) for field in ("user", "/port", "absent")]
        user, port, absent = store.get_many(asked, soon()).values()
        assert (user, port) == (Secret("root"), Secret("5432"))
        assert isinstance(absent, FieldNotFound)

    def test_a_line_comes_before_json(self, store, passwords):
        """A `NAME: value` line counts before a member of that name."""
        passwords.put("both", b'{"user": "json"}\nuser: line\n')
        assert answer_of(store, foreign("both", "user")) == "line"
        assert answer_of(store, foreign("both", "/user")) == "json"

    @pytest.mark.parametrize("content", [b"one\n", b"one", b"pw\nuser: bob\n\nnote\n", b"\xc3\xa4\n"])
    def test_the_whole_entry_is_its_own_field(self, store, passwords, content):
        """`#*` is every line, as it is stored."""
        passwords.put("web/site", content)
        assert answer_of(store, foreign("web/site", "*")) == content.decode()

    def test_a_key_in_pem_is_read_whole(self, store, passwords):
        """Of an SSH key the first line says nothing (ST-PK1)."""
        key = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"
        passwords.put("ssh/key", key)
        assert answer_of(store, foreign("ssh/key")) == key.decode()

    def test_the_store_of_gopass_is_found(self, gpg, home):
        """Where pass has none, gopass's main store is the one; its entries are files of the same kind (ST-PK2)."""
        gopass = Passwords(home / ".local/share/gopass/stores/root")
        gopass.put("web/site", b"pw\nuser: bob\n")
        store = PassStore("pass")
        assert answer_of(store, foreign("web/site")) == "pw"
        assert answer_of(store, foreign("web/site", "user")) == "bob"
        store.set(KEY, Secret("v"), soon())
        assert gopass.names() == ["envref/app/key.gpg", "web/site.gpg"]
        Passwords(home / ".password-store")
        assert answer_of(PassStore("pass"), foreign("web/site")) is None

    def test_an_entry_that_gopass_encrypted_with_age_is_not_absent(self, store, passwords):
        """Its file is there, and nothing here reads it; the search must not go on. Seen in gopass's source only."""
        (passwords.path / "web").mkdir()
        for name in ("site", "both"):
            (passwords.path / f"web/{name}.age").write_text("age-encryption.org/v1\n")
        passwords.put("web/both", b"v\n")
        assert answer_of(store, foreign("web/both")) == "v"
        assert answer_of(store, foreign("web/none")) is None
        assert answer_of(store, foreign("web/site")).lines() == [
            'error: pass: "web/site" is encrypted with age, and pass reads only what GnuPG encrypted',
            "  hint: gopass show reads it; a plugin can run that",
        ]

    def test_an_expired_key_is_said_and_can_be_extended(self, home, monkeypatch):
        """Nothing is written; after the cure, done as it is written, it is (ST-PK3)."""
        with GnuPg() as gpg:
            for name, value in gpg.environment.items():
                monkeypatch.setenv(name, value)
            passwords = Passwords(home / ".password-store")
            gpg.expire("seconds=1")
            store = PassStore("pass")
            error = error_of(lambda: store.set(KEY, Secret("v"), soon()))
            assert error.message == "pass: gpg lacks a usable public key of a recipient in .gpg-id"
            assert "--quick-set-expire" in error.hint
            assert passwords.names() == []
            gpg.expire("1y")
            store.set(KEY, Secret("v"), soon())
            assert answer_of(store) == "v"

    def test_a_foreign_name_is_only_read(self, store, passwords, installed):
        """Setting and deleting a foreign name is refused without starting pass."""
        for call in (
            lambda: store.set(foreign("web"), Secret("v"), soon()),
            lambda: store.delete(foreign("web"), soon()),
        ):
            assert error_of(call).message == 'pass: "web" is a foreign name, which is only read'
        assert installed.count() == 0

    def test_an_undecodable_entry_is_an_error_of_its_own(self, store, passwords):
        """Binary content is refused with the way to keep it; the other entries are read."""
        passwords.put("envref/app/key", b"\xff\xfe")
        passwords.put("envref/app/other", b"v\n")
        other = Address("app", "other")
        answers = store.get_many([KEY, other], soon())
        assert answers[KEY].message == "pass: the value is not UTF-8 text; store it as base64 and add ?encoding=base64"
        assert answers[other] == Secret("v")


class TestList:
    def test_it_looks_at_files_only(self, store, passwords, installed):
        """Names come from the files below the project: no program, no other projects, nothing that is no entry."""
        passwords.put("envref/app/one", b"v")
        passwords.put("envref/app/staging/deep/two", b"v")
        passwords.put("envref/application/three", b"v")
        passwords.put("web", b"v")
        (passwords.path / "envref/app/notes.txt").write_text("")
        installed.clear()
        assert sorted(store.list("app", soon())) == ["one", "staging/deep/two"]
        assert installed.count() == 0


class TestProcesses:
    def test_each_entry_is_one_process(self, store, passwords, installed):
        """One `pass show` for each entry that there is; fields of one entry share it, absent entries cost none."""
        passwords.put("web", TestEntries.WRITTEN)
        passwords.put("envref/app/key", b"v\n")
        absent = [Address("app", f"absent{number}") for number in range(50)]
        installed.clear()
        assert len(store.get_many([foreign("web"), foreign("web", "user"), KEY, *absent], soon())) == 3
        assert sorted(argv[-1] for argv in installed.argvs()) == ["envref/app/key", "web"]

    def test_a_name_is_never_an_option(self, store, passwords):
        """An entry whose name starts with a dash is read like any other."""
        passwords.put("./-c", b"v\n")
        assert answer_of(store, foreign("-c")) == "v"

    def test_no_value_is_an_argument(self, store, installed):
        """A value goes through standard input: writing, reading, deleting and listing show it to nobody."""
        store.set(KEY, Secret(MARKER), soon())
        assert answer_of(store) == MARKER
        list(store.list("app", soon()))
        store.delete(KEY, soon())
        started = installed.argvs()
        assert [argv[0] for argv in started] == ["insert", "show", "rm"]
        assert MARKER not in repr(started)

    def test_no_value_is_left_on_disk(self, store, passwords, gpg, tmp_path):
        """Only the encrypted entry is written."""
        store.set(KEY, Secret(MARKER), soon())
        assert answer_of(store) == MARKER
        places = (passwords.path.parent, tmp_path)
        files = [path for place in places for path in place.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if MARKER.encode() in path.read_bytes()]

    def test_many_entries_cost_less_than_one_after_the_other(self, store, passwords):
        """Reading 24 entries takes less time than 24 times one entry: they are read four at a time."""
        keys = [Address("app", f"key{number}") for number in range(24)]
        passwords.put("envref/app/key0", b"v\n")
        entry = (passwords.path / "envref/app/key0.gpg").read_bytes()
        for address in keys:
            (passwords.path / f"envref/app/{address.key}.gpg").write_bytes(entry)
        one = statistics.median(seconds(lambda: store.get_many(keys[:1], soon())) for _ in range(5))
        watch = Stopwatch()
        store.get_many(keys, soon())
        assert watch.seconds() < 24 * one


def seconds(call):
    started = time.monotonic()
    call()
    return time.monotonic() - started


@both_ways
class TestErrors:
    def test_a_store_that_is_not_there_is_unavailable(self, gpg, home):
        """Without a password store nothing is absent: the message says where it should be, and how to make one."""
        for call in (
            lambda: PassStore("pass").get_many([KEY], soon()),
            lambda: PassStore("pass").set(KEY, Secret("v"), soon()),
            lambda: PassStore("pass").delete(KEY, soon()),
            lambda: PassStore("pass").list("app", soon()),
        ):
            error = error_of(call)
            assert isinstance(error, BackendUnavailable)
            assert error.lines() == [
                'error: pass: no password store in "~/.password-store"',
                "  run: pass init YOUR-GPG-ID",
            ]
        assert not (home / ".password-store").exists()

    def test_a_store_without_recipients_cannot_be_written(self, store, passwords):
        """A directory that `pass init` has not prepared is unavailable for writing."""
        (passwords.path / ".gpg-id").unlink()
        error = error_of(lambda: store.set(KEY, Secret(MARKER), soon()))
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == ["error: pass: not initialized", "  run: pass init YOUR-GPG-ID"]

    def test_an_unknown_recipient_is_unavailable(self, store, passwords):
        """Without the public key of a recipient nothing can be encrypted; nothing is written."""
        (passwords.path / ".gpg-id").write_text("0123456789ABCDEF0123456789ABCDEF01234567\n")
        error = error_of(lambda: store.set(KEY, Secret(MARKER), soon()))
        assert isinstance(error, BackendUnavailable)
        assert error.message == "pass: gpg lacks a usable public key of a recipient in .gpg-id"
        assert passwords.names() == []

    def test_a_missing_secret_key_is_locked(self, store, passwords, tmp_path, monkeypatch):
        """An entry for somebody else's key can't be read: that is no absence."""
        passwords.put("envref/app/key", b"v\n")
        with GnuPg() as other:
            for name, value in other.environment.items():
                monkeypatch.setenv(name, value)
            error = answer_of(store)
        assert isinstance(error, BackendLocked)
        assert error.lines() == ["error: pass: locked: gpg has no secret key that it may use", f"  hint: {UNLOCK}"]

    def test_a_key_that_nobody_unlocks_is_locked_or_late(self, home, tmp_path, monkeypatch):
        """A key with a passphrase: locked where nobody can be asked, a time-out where somebody does not answer."""
        with GnuPg(passphrase="of the tests") as gpg:
            for name, value in gpg.environment.items():
                monkeypatch.setenv(name, value)
            Passwords(home / ".password-store").put("envref/app/key", b"v\n")
            store = PassStore("pass")
            gpg.forget_passphrases()
            for mode, message in (
                ("error", "pass: locked: gpg has no secret key that it may use"),
                ("loopback", "pass: locked: gpg can't ask for the passphrase"),
            ):
                gpg.configure("gpg.conf", f"pinentry-mode {mode}\n")
                error = answer_of(store)
                assert isinstance(error, BackendLocked)
                assert error.message == message
            gpg.configure("gpg.conf", "")
            asks_for_ever = tmp_path / "pinentry"
            asks_for_ever.write_text("#!/bin/sh\nexec sleep 3\n")
            asks_for_ever.chmod(0o755)
            gpg.configure("gpg-agent.conf", f"pinentry-program {asks_for_ever}\n")
            gpg.forget_passphrases()
            watch = Stopwatch()
            error = answer_of(store, deadline=watch.started + 1)
            assert isinstance(error, BackendTimeout)
            assert watch.seconds() < 2

    def test_an_agent_that_does_not_start_is_unavailable(self, store, passwords, gpg, monkeypatch, tmp_path):
        """Without gpg-agent no entry can be read, and that is said as it is."""
        passwords.put("envref/app/key", b"v\n")
        too_long = tmp_path / ("x" * 110)  # for the path of a socket
        too_long.mkdir(mode=0o700)
        for name in ("pubring.kbx", "trustdb.gpg"):
            shutil.copy(f"{gpg.home}/{name}", too_long)
        monkeypatch.setenv("GNUPGHOME", str(too_long))
        error = answer_of(store)
        assert isinstance(error, BackendUnavailable)
        assert "gpg-agent" in error.message
        assert error.hint == "let gpg start gpg-agent: gpg-connect-agent /bye says why it can't"

    @pytest.mark.parametrize("damage", ["empty", "junk", "changed"])
    def test_a_damaged_entry_is_invalid(self, store, passwords, damage):
        """A file that gpg can't decrypt is an error, and no absence."""
        passwords.put("envref/app/key", b"v\n")
        file = passwords.path / "envref/app/key.gpg"
        whole = file.read_bytes()
        file.write_bytes(
            {"empty": b"", "junk": b"junk\n", "changed": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]}[damage]
        )
        error = answer_of(store)
        assert isinstance(error, BackendInvalid)
        assert error.message == "pass: the entry is damaged"

    def test_an_entry_that_was_cut_off_is_never_an_empty_value(self, store, passwords):
        """gpg reports success for most beginnings of a file; each is an error, wherever it ends."""
        passwords.put("envref/app/key", b"v\n")
        whole = (passwords.path / "envref/app/key.gpg").read_bytes()
        lengths = range(0, len(whole), 45)
        for length in lengths:
            (passwords.path / f"envref/app/{length}.gpg").write_bytes(whole[:length])
        answers = store.get_many([Address("app", str(length)) for length in lengths], soon())
        assert len(answers) == len(lengths)
        assert all(isinstance(answer, (BackendInvalid, BackendUnavailable)) for answer in answers.values())
        assert answer_of(store, Address("app", "90")).message == (
            'pass: the entry "envref/app/90" is empty, or its file was cut off'
        )

    @pytest.mark.parametrize(
        ("taken", "key", "says"),
        [
            ("key.gpg/x", "key", "the name is taken by a directory"),
            ("key", "key.gpg/x", "a part of the name is taken by an entry"),
            ("other", "x" * 252, "a part of the name is too long for a file"),
        ],
    )
    def test_a_name_that_no_file_can_have_is_invalid(self, store, taken, key, says):
        """What the file system refuses is told in words about the name."""
        store.set(Address("app", taken), Secret("v"), soon())
        error = error_of(lambda: store.set(Address("app", key), Secret(MARKER), soon()))
        assert isinstance(error, BackendInvalid)
        assert error.message == f"pass: {says}"
        assert answer_of(store, Address("app", key)) is None

    @pytest.mark.parametrize(
        ("flox", "cure"),
        [
            ("", "brew install pass gnupg, then pass init YOUR-GPG-ID"),
            ("/env", "flox install pass gnupg pinentry-tty, then pass init YOUR-GPG-ID"),
        ],
    )
    def test_a_missing_program_is_named_with_its_cure(self, passwords, monkeypatch, tmp_path, flox, cure):
        """Without `pass` nothing is absent, not even what has no file; the message says how to get it."""
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("FLOX_ENV", flox)
        error = answer_of(PassStore("pass"))
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == ["error: pass: start pass: executable file not found in $PATH", f"  run: {cure}"]

    def test_a_missing_gpg_is_named(self, store, passwords, monkeypatch, tmp_path):
        """`pass` without `gpg` says that it is gpg that is missing."""
        passwords.put("envref/app/key", b"v\n")
        for program in ("pass", "bash", "base64", "getopt", "tty", "which", "mkdir", "dirname", "git", "cat"):
            (tmp_path / program).symlink_to(need(program))
        monkeypatch.setenv("PATH", str(tmp_path))
        for call in (lambda: store.get_many([KEY], soon())[KEY], lambda: store.set(KEY, Secret(MARKER), soon())):
            error = raised_or_given(call)
            assert isinstance(error, BackendUnavailable)
            assert error.lines() == ["error: pass: pass can't start gpg", "  hint: install gnupg"]


STAND_INS = {
    "hangs": ("sleep 600", BackendTimeout),
    "hangs_with_a_grandchild": ("sleep 600 & sleep 600", BackendTimeout),
    "ignores_term": ("trap '' TERM INT HUP; while :; do sleep 1; done", BackendTimeout),
    "unknown": ("echo 'the entry was not found' >&2; exit 1", BackendUnavailable),
    "denied": ("echo \"gpg: can't open 'x': Permission denied\" >&2; exit 2", BackendDenied),
    "ansi": (r"printf '\033[31mgpg:\033[0m \033[2Jdecryption failed: No secret key\n' >&2; exit 2", BackendLocked),
    "bad_utf8_on_stderr": (r"printf '\377\376' >&2; exit 1", BackendUnavailable),
    "megabyte_of_stderr": ("head -c 1048576 /dev/zero | tr '\\0' x >&2; exit 1", BackendUnavailable),
    "dies_half_way": ("printf 'half of it'; kill -9 $$", BackendUnavailable),
    "silent": ("exit 1", BackendUnavailable),
}


class TestProgram:
    @pytest.fixture
    def stand_in(self, home, tmp_path, monkeypatch):
        """Puts a shell script in the place of `pass`, and an entry where it is looked for."""

        def write(body):
            entry = home / ".password-store/envref/app/key.gpg"
            entry.parent.mkdir(parents=True)
            entry.write_text("")
            path = tmp_path / "bin/pass"
            path.parent.mkdir()
            path.write_text(f"#!/bin/sh\ncat > /dev/null\n{body}\n")
            path.chmod(0o755)
            monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
            return PassStore("pass")

        return write

    @first_python
    @pytest.mark.parametrize("kind", STAND_INS)
    def test_a_failing_program_is_an_error_in_time(self, stand_in, tmp_path, kind):
        """Whatever the program does, every call ends in time, with the right class, and without a value."""
        body, expected = STAND_INS[kind]
        store = stand_in(body)
        for call in (
            lambda: store.get_many([KEY], time.monotonic() + 0.7)[KEY],
            lambda: store.set(KEY, Secret(MARKER), time.monotonic() + 0.7),
            lambda: store.delete(KEY, time.monotonic() + 0.7),
        ):
            watch = Stopwatch()
            error = raised_or_given(call)
            assert type(error) is expected
            assert watch.seconds() < 1.7
            shown = values_of(error)
            assert MARKER not in shown
            assert "\x1b" not in shown
            assert all(len(line) < 400 for line in error.lines())
        assert left_of(tmp_path) == []

    @pytest.mark.parametrize(
        ("output", "said"),
        [
            (r"printf '\377\376'", "pass: the value is not UTF-8 text; store it as base64 and add ?encoding=base64"),
            (r"printf 'a\0b'", "pass: the value contains NUL; store it as base64 and add ?encoding=base64"),
            ("head -c 17000000 /dev/zero", "pass: more than 16 MiB of output"),
        ],
    )
    def test_output_that_is_no_value_is_invalid(self, stand_in, output, said):
        """Bytes that no variable can hold, and too many of them, are an error without them."""
        error = answer_of(stand_in(output))
        assert isinstance(error, BackendInvalid)
        assert error.message == said

    def test_an_entry_that_vanishes_is_absent(self, stand_in):
        """An entry that is deleted between the look at its file and the reading of it is not there."""
        store = stand_in("echo 'Error: envref/app/key is not in the password store.' >&2; exit 1")
        assert answer_of(store) is None

    def test_a_deletion_without_effect_is_an_error(self, stand_in):
        """pass reports success also where rm could not remove the file."""
        store = stand_in("echo \"rm: cannot remove 'key.gpg': Permission denied\" >&2")
        error = error_of(lambda: store.delete(KEY, soon()))
        assert isinstance(error, BackendDenied)
        assert error.message == "pass: rm: cannot remove 'key.gpg': Permission denied"

    def test_an_echoed_value_is_hidden(self, stand_in):
        """A program that repeats what it read does not get it into a message."""
        store = stand_in(f"echo 'cannot store {MARKER}' >&2; exit 1")
        assert error_of(lambda: store.set(KEY, Secret(MARKER), soon())).message == "pass: cannot store ***"

    def test_a_program_of_ones_own(self, store, passwords, tmp_path):
        """`command` may be a path, a relative one from the project root."""
        passwords.put("envref/app/key", b"v\n")
        own = recorded(tmp_path / "tools", need("pass"), "mypass")
        assert answer_of(PassStore("pass", command="tools/mypass", root=str(tmp_path))) == "v"
        assert own.argvs() == [["show", "--", "envref/app/key"]]


class TestCommands(StoreCommands):
    """The whole process."""

    @pytest.fixture
    def shop(self, project, passwords, trusted):
        """A trusted project with two backends of the type: the user's own store, and a team's in the project."""
        project.team = Passwords(project.path / "team")
        project.write(
            ".envref.yaml",
            config(
                {"name": "pass", "type": "pass", "names": {"mail": "mail/work#user", "staging/mail": "mail/staging"}},
                {"name": "team", "type": "pass", "config": {"store": "team", "prefix": "shop"}},
                profiles={"staging": None},
            ),
        )
        return project

    def test_a_secret_is_set_read_listed_and_deleted(self, shop):
        """`envref secret` works on the backend that is named, at project and at profile scope."""
        for scope, name in (((), "shop/api_key"), (("-P", "staging"), "shop/staging/api_key")):
            self.run(shop, "secret", "set", "api_key", "--backend", "team", *scope, stdin="line\nsecret\n\n")
            assert shop.team.show(name) == b"line\nsecret\n\n"
            got = self.run(shop, "secret", "get", "api_key", "--backend", "team", "-n", *scope)
            assert got.stdout == "line\nsecret\n"
            assert self.run(shop, "secret", "list", "--backend", "team", *scope).stdout == "api_key\n"
            self.run(shop, "secret", "delete", "api_key", "--backend", "team", "--force", *scope)
            assert shop.team.names() == []
        gone = self.run(shop, "secret", "delete", "api_key", "--backend", "team", "--force", status=1)
        assert gone.stderr == 'error: deleting secret: pass: secret not found: "app/api_key" (backend "team")\n'

    def test_stores_and_profiles_are_resolved_in_order(self, shop, passwords):
        """The profile's value in any store wins; each store has its own names."""
        passwords.put("envref/app/a", b"own a\n")
        passwords.put("envref/app/b", b"own b\n")
        shop.team.put("shop/staging/a", b"team a\n")
        shop.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\nC=ref://team/a?default=none\n")
        assert self.run(shop, "resolve").stdout == "A=own a\nB=own b\nC=none\n"
        assert self.run(shop, "resolve", "--profile", "staging").stdout == "A=team a\nB=own b\nC=team a\n"

    def test_existing_entries_are_reached_by_their_names(self, shop, passwords):
        """`ref://NAME//…` and `names:` reach an entry that envref did not make, and its lines; it is not written."""
        passwords.put("mail/work", b"hunter2\nuser: me@example.com\n")
        passwords.put("mail/staging", b"of staging\n")
        shop.write(".env", "A=ref://pass//mail/work\nB=ref://secrets/mail\nC=ref://pass//mail/work#user\n")
        assert self.run(shop, "resolve").stdout == "A=hunter2\nB=me@example.com\nC=me@example.com\n"
        staging = self.run(shop, "resolve", "--profile", "staging")
        assert staging.stdout == "A=hunter2\nB=of staging\nC=me@example.com\n"
        refused = self.run(shop, "secret", "set", "mail", stdin="x", status=1)
        assert 'key "mail" is mapped to an existing secret in backend "pass"' in refused.stderr

    def test_rotation_and_generation(self, shop, passwords):
        """Rotating keeps the old values beside the key; `list` hides them."""
        self.run(shop, "secret", "generate", "token", "--length", "40")
        first = passwords.show("envref/app/token")
        self.run(shop, "secret", "rotate", "token", "--value-stdin", stdin="second")
        assert passwords.show("envref/app/token.__history.1") == first
        assert passwords.show("envref/app/token") == b"second\n"
        assert self.run(shop, "secret", "list").stdout == "token\n"
        self.run(shop, "secret", "delete", "token", "--force", "--history")
        assert passwords.names() == []

    def test_a_failure_is_told_with_its_cure(self, shop, passwords):
        """`resolve` leaves the variable out, names the backend and the cure, and exits 3."""
        (passwords.path / ".gpg-id").unlink()
        passwords.path.rmdir()
        shop.write(".env", "A=ref://pass/a\nB=plain\n")
        failed = self.run(shop, "resolve", status=3)
        assert failed.stdout == "B=plain\n"
        assert failed.stderr == (
            'error: A: failed to resolve ref://pass/a: backend "pass": pass: no password store in "~/.password-store"\n'
            "  run: pass init YOUR-GPG-ID\n"
            "1 reference(s) could not be resolved\n"
        )
