"""What envref makes of each answer of `pass`, gpg and git, and what it asks for: no program is started."""

from __future__ import annotations

import hashlib
import os

import pytest

from envref.backends.command import AsksOnTerminal, Finished, NotStarted
from envref.backends.password_store import gpg
from envref.backends.password_store.blob import blob
from envref.backends.password_store.complaints import COMPLAINTS, HISTORY
from envref.backends.password_store.store import PassStore
from envref.backends.program import understood
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
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
HEAD = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def files(tmp_path):
    """A password store; `files(NAME, …)` makes entries of these names."""

    def files(*names, end=".gpg"):
        for name in names:
            path = tmp_path / f"store/{name}{end}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
        return str(tmp_path / "store")

    (tmp_path / "store").mkdir()
    return files


@pytest.fixture
def store(tmp_path, answering, files):
    """A store whose program is named, and so is asked."""
    return lambda **options: PassStore("p", store=str(tmp_path / "store"), command="pass2", **options)


def one(store, printed, answering, files, address=KEY):
    """The answer for one entry that prints this."""
    files(store()._name(address))
    answering(printed)
    return answers_of(store(), address).get(str(address) + (f"#{address.field}" if address.field else ""))


class TestEntries:
    @pytest.mark.parametrize(
        ("printed", "own", "other"),
        [
            ("v\n", "v", "v"),
            ("v", "v", "v"),
            ("v\n\n", "v\n", "v"),
            ("v\nuser: me\n", "v\nuser: me", "v"),
            ("-----BEGIN KEY\nx\n", "-----BEGIN KEY\nx", "-----BEGIN KEY\nx\n"),
            ("\n", "", ""),
        ],
    )
    def test_what_an_entry_means(self, store, answering, files, printed, own, other):
        """Of one of envref's own all but a line end; of another one the first line, or a whole key."""
        assert one(store, printed, answering, files) == own
        assert one(store, printed, answering, files, foreign("web/db")) == other
        assert answering.asked == [["show", "--", "web/db"]]
        assert answering.environments[0]["PASSWORD_STORE_DIR"] == store()._store

    @pytest.mark.parametrize(
        ("field", "value"),
        [("user", "me"), ("*", "first\nuser:  me\nurl:x\nbad label: y\n"), ("url", "x"), ("bad label", "y")],
    )
    def test_a_field_is_a_line(self, store, answering, files, field, value):
        """After the first one; a star is the whole entry."""
        address = Address("", "", foreign="web/db", field=field)
        assert one(store, "first\nuser:  me\nurl:x\nbad label: y\n", answering, files, address) == value

    @pytest.mark.parametrize("printed", ['{"a": "x", "b": {"c": 1}}\nd: y\n', '{\n"a": "x",\n"b": {"c": 1}}\n'])
    def test_a_field_may_be_a_member(self, store, answering, files, printed):
        """Of the JSON that the entry is, or its first line."""
        for field, value in (("a", "x"), ("/b/c", "1")):
            address = Address("", "", foreign="web/db", field=field)
            assert one(store, printed, answering, files, address) == value

    @pytest.mark.parametrize(
        ("printed", "names"),
        [
            ("first: x\nuser: me\nurl:x\na b: y\n: z", "its fields: user, "),
            ('{"a": 1}\nuser: me', "its fields: user, a"),
            ("first", "it has no fields"),
        ],
    )
    def test_a_field_that_it_lacks(self, store, answering, files, printed, names):
        """With the names of those that it has; a text with a colon elsewhere may be part of a secret."""
        error = one(store, printed, answering, files, Address("", "", foreign="web/db", field="none"))
        assert error.message == f'pass: field "none": "web/db" has no such field; {names}'

    def test_an_empty_entry_was_cut_off(self, store, answering, files):
        """gpg reports success for it."""
        assert one(store, "", answering, files).lines() == [
            'error: pass: the entry "envref/app/key" is empty, or its file was cut off',
            f"  hint: {HISTORY}",
        ]

    def test_what_is_asked_for(self, store, answering, files):
        """Files alone: a directory is no entry, what has none is absent, and fields of one entry are one call."""
        files("envref/app/a", "envref/app/b", "envref/app/dir/x")
        answering(lambda words, _: f"{words[-1]}\nf: 1\n")
        found = answers_of(store(), *keys("a", "b", "dir", "none"), Address("app", "a", field="f"))
        assert found == {"app/a": "envref/app/a\nf: 1", "app/b": "envref/app/b\nf: 1", "app/a#f": "1"}
        assert answering.asked == [["show", "--", "envref/app/a"], ["show", "--", "envref/app/b"]]
        assert store().get_many([], soon()) == {}

    def test_what_gopass_encrypted_with_age(self, store, answering, files):
        """Is not absent; where there is a file of both kinds, gpg's is read."""
        files("envref/app/key", end=".age")
        answering("v")
        assert store().get_many([KEY], soon())[KEY].lines() == [
            'error: pass: "envref/app/key" is encrypted with age, and pass reads only what GnuPG encrypted',
            "  hint: gopass show reads it; a plugin can run that",
        ]
        assert one(store, "v", answering, files) == "v"

    def test_a_name_that_leads_out(self, store, answering):
        """Is refused, whatever is wanted."""
        answering("v")
        for address in (foreign("../x"), Address("", "", foreign="a/../../x", version="HEAD"), Address("app", "a/..")):
            [error] = store().get_many([address], soon()).values()
            assert error.lines()[1:] == ["  hint: choose a name below the store"]
            assert "leads out of the password store" in error.message
        assert answering.asked == []

    def test_a_store_that_can_t_be_looked_at(self, tmp_path, store, answering):
        """A missing file would prove nothing."""
        (tmp_path / "store").rmdir()
        error = error_of(lambda: store().get_many([KEY], soon()))
        assert error.lines()[1:] == ["  run: pass init YOUR-GPG-ID"]
        assert error.message == f'pass: no password store in "{tmp_path}/store"'
        assert isinstance(error_of(lambda: store().get_many([KEY], 0.0)), BackendTimeout)
        assert isinstance(error_of(lambda: store().lasting({KEY: "x"}, soon())), BackendUnavailable)
        assert isinstance(error_of(lambda: store().list("app", soon())), BackendUnavailable)
        assert isinstance(error_of(lambda: store().revisions([KEY], soon())), BackendUnavailable)
        assert isinstance(error_of(lambda: store().set(KEY, Secret("v"), soon())), BackendUnavailable)
        assert isinstance(error_of(lambda: store().delete(KEY, soon())), BackendUnavailable)
        answering.here = []
        assert "executable file not found in $PATH" in error_of(lambda: store().get_many([KEY], soon())).message

    def test_revisions_are_those_of_the_files(self, store, answering, files):
        """Nothing is started; the value comes with its own."""
        files("envref/app/key")
        answering("v")
        revision = blob(b"envref/app/key")
        assert store().revisions([KEY, keys("none")[0]], soon()) == {KEY: revision}
        assert answering.asked == []
        assert store().get_many([KEY], soon())[KEY].revision == revision
        assert revision == f"blob-{hashlib.sha1(b'blob 14' + bytes(1) + b'envref/app/key').hexdigest()}"


class TestWriting:
    def test_setting(self, store, answering):
        """The value is on standard input alone, with one line end more."""
        answering("")
        store(prefix="/own/").set(KEY, Secret("v\n"), soon())
        assert answering.asked == [["insert", "-m", "-f", "--", "own/key"]]
        assert answering.payloads == [b"v\n\n"]

    def test_deleting(self, store, answering, files):
        """What stays there was not deleted: pass does not look."""
        path = files("envref/app/key") + "/envref/app/key.gpg"
        answering(lambda words, _: os.unlink(path) or "")
        store().delete(KEY, soon())
        assert answering.asked == [["rm", "-f", "--", "envref/app/key"]]
        error = error_of(lambda: store().delete(KEY, soon()))
        assert (type(error), error.message) == (SecretNotFound, 'pass: secret not found: "app/key"')
        assert len(answering.asked) == 1
        files("envref/app/key")
        answering((0, "", "rm: Permission denied"))
        assert isinstance(error_of(lambda: store().delete(KEY, soon())), BackendDenied)
        answering((1, "", "odd"))
        assert error_of(lambda: store().delete(KEY, soon())).message == "pass: odd"

    def test_a_foreign_name_is_only_read(self, store, answering):
        """It has its own editor."""
        answering("")
        for call in (lambda: store().set(foreign("x"), Secret("v"), soon()), lambda: store().delete(foreign("x"), 0.0)):
            assert error_of(call).lines() == [
                'error: pass: "x" is a foreign name, which is only read',
                "  hint: change it with pass edit",
            ]

    def test_listing(self, store, answering, files):
        """The files below; nothing is started."""
        files("envref/app/a", "envref/app/p/b", "envref/apple/c", "envref/d")
        files("envref/app/e", end=".age")
        answering("")
        assert sorted(store().list("app", soon())) == ["a", "p/b"]
        assert store().list("none", soon()) == []
        assert answering.asked == []
        assert store().name == "p"
        assert store().location(KEY) == ("envref/app/key",)

    def test_where_the_store_is(self, home, monkeypatch):
        """By the option, the variable, or the usual place; gopass's where only that is."""
        gopass = home / ".local/share/gopass/stores/root"
        assert PassStore("p")._store == f"{home}/.password-store"
        gopass.mkdir(parents=True)
        assert PassStore("p")._store == str(gopass)
        (home / ".password-store").mkdir()
        assert PassStore("p")._store == f"{home}/.password-store"
        monkeypatch.setenv("PASSWORD_STORE_DIR", "/variable")
        assert PassStore("p")._store == "/variable"
        assert PassStore("p", store="/option")._store == "/option"


class TestHistory:
    def asked(self, store, answering, version, shown=b"sealed", log="commit", opened="old\n"):
        """The answer for an earlier version, where git and gpg say these."""

        def answer(words, payload):
            if words[0] == "git":
                return (log if "log" in words else shown) if isinstance(log, str) else log
            assert payload == b"sealed"
            return opened

        answering(answer)
        address = Address("app", "key", version=version)
        return store().get_many([address], soon()).get(address)

    def test_a_revision_of_git(self, store, answering):
        """The entry's file at that revision, decrypted as pass does it."""
        found = self.asked(store, answering, "HEAD~1")
        assert (found.reveal(), found.revision) == ("old", blob(b"sealed"))
        assert answering.asked == [
            ["git", "show", "HEAD~1:./envref/app/key.gpg"],
            ["--quiet", "--batch", "--use-agent", "--decrypt"],
        ]

    def test_a_content_of_git(self, store, answering, monkeypatch):
        """As envref itself tells a revision: if some commit has it of this entry."""
        monkeypatch.setenv("PASSWORD_STORE_GPG_OPTS", "--one --two")
        assert self.asked(store, answering, f"blob-{HEAD}").reveal() == "old"
        log = ["git", "--literal-pathspecs", "log", "--full-history", "-1", "--format=%H"]
        assert answering.asked == [
            [*log, f"--find-object={HEAD}", "--", "./envref/app/key.gpg"],
            ["git", "show", HEAD],
            ["--one", "--two", "--quiet", "--batch", "--use-agent", "--decrypt"],
        ]
        assert self.asked(store, answering, f"blob-{HEAD}", log="") is None
        assert len(answering.asked) == 2

    @pytest.mark.parametrize("version", ["", "-x", "a b", "a:b", "~1", "\n"])
    def test_what_is_no_revision(self, store, answering, version):
        """Nobody is asked."""
        error = self.asked(store, answering, version)
        assert error.hint == "write one as pass git log shows, or HEAD~1"
        assert answering.asked == []

    @pytest.mark.parametrize(
        ("stderr", "kind", "message"),
        [
            ("hint: x\nfatal: invalid object name 'x'", None, None),
            ("fatal: unknown revision or path", None, None),
            ("fatal: path 'x' does not exist in 'y'", None, None),
            ("fatal: bad object x", None, None),
            ("fatal: path 'x' exists on disk, but not in 'HEAD'", None, None),
            (
                "Error: the password store is not a git repository.",
                BackendInvalid,
                "the store keeps no versions: it has no git",
            ),
            ("hint: x\nfatal: odd", BackendUnavailable, "fatal: odd"),
        ],
    )
    def test_what_git_says(self, store, answering, stderr, kind, message):
        """pass ends well, whatever that is."""
        error = self.asked(store, answering, "HEAD", shown=(0, "", stderr))
        if kind is None:
            assert error is None
        else:
            assert (type(error), error.message) == (kind, f"pass: {message}")

    def test_an_error_of_starting_it(self, store, answering):
        """Is the answer; so is one of gpg."""
        assert self.asked(store, answering, "HEAD", shown=BackendTimeout("late")).message == "late"
        assert self.asked(store, answering, "HEAD", opened=(2, "", "No secret key")).message.startswith("pass: locked")
        answering.here = ["pass2"]
        error = self.asked(store, answering, "HEAD")
        assert error.lines() == ["error: pass: start gpg: executable file not found in $PATH", "  hint: install gnupg"]

    def test_what_is_in_a_commit_lasts(self, store, answering):
        """Without git, or before one, nobody finds it again."""
        one, two, three = keys("one", "two", "three")
        told = {one: f"blob-{HEAD}", two: f"blob-{HEAD}", three: "x"}
        answering(lambda words, _: "commit" if words[-1] == "./envref/app/one.gpg" else "")
        assert store().lasting(told, soon()) == {one}
        assert len(answering.asked) == 2
        assert store().lasting({three: "x"}, soon()) == set()
        assert len(answering.asked) == 2


PLAIN = ("-d", "--quiet", "--yes", "--compress-algo=none", "--no-encrypt-to")
OF_BASH = ("BASH_ENV", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_x%%")


class TestGpg:
    @pytest.fixture
    def usual(self, files, answering, monkeypatch):
        """A store whose pass is a usual one, for which gpg is asked."""
        path = files("envref/app/key")
        monkeypatch.setattr(gpg, "_instead_of", lambda _: ("/bin/gpg", "-d"))
        return lambda **options: PassStore("p", store=path, **options)

    def test_it_is_asked_for_the_file(self, usual, answering, monkeypatch):
        """In the surroundings that pass would give it."""
        answering("v\n")
        assert answers_of(usual(), KEY) == {"app/key": "v"}
        assert answering.asked == [["-d", f"{usual()._store}/envref/app/key.gpg"]]
        assert answering.environments[0]["GPG_TTY"] == "not a tty"
        monkeypatch.setenv("GPG_TTY", "/dev/pts/7")
        answers_of(usual(), KEY)
        assert answering.environments[1]["GPG_TTY"] == "/dev/pts/7"
        assert answering.environments[1]["PASSWORD_STORE_DIR"] == usual()._store

    def test_a_named_program_is_asked_itself(self, usual, answering):
        """Whatever it is."""
        answering("v\n")
        answers_of(usual(command="gopass"), KEY)
        assert answering.asked == [["show", "--", "envref/app/key"]]

    @pytest.mark.parametrize(
        ("outcome", "calls"),
        [
            (NotStarted("x"), 2),
            (AsksOnTerminal("x"), 2),
            (BackendTimeout("x"), 1),
            ((2, "", "No secret key"), 1),
        ],
    )
    def test_what_pass_says_more_of(self, usual, answering, outcome, calls):
        """gpg that did not start, or wanted the terminal; not one that failed or was late."""
        answering(lambda words, _: outcome if words[0] == "-d" else "v")
        found = answers_of(usual(), KEY)["app/key"]
        assert (found == "v") == (calls == 2)
        assert isinstance(found, BackendError) == (calls == 1)
        assert len(answering.asked) == calls

    def test_an_entry_that_went_away_meanwhile(self, usual, answering):
        """Is absent: pass says so."""
        path = f"{usual()._store}/envref/app/key.gpg"

        def answer(words, _):
            if words[0] == "-d":
                os.unlink(path)
                return (2, "", "can't open")
            return (1, "", "Error: envref/app/key is not in the password store.")

        answering(answer)
        assert answers_of(usual(), KEY) == {}

    @pytest.mark.parametrize(
        ("variables", "words"),
        [({}, PLAIN), ({"GPG_AGENT_INFO": "x"}, (*PLAIN, "--batch", "--use-agent")), ({"GPG_AGENT_INFO": ""}, PLAIN)],
    )
    def test_its_words(self, answering, monkeypatch, variables, words):
        """With the agent where pass takes it to have one: for gpg2, or by the variable."""
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setenv("PATH", "/x:/bin")
        monkeypatch.setattr(gpg, "_is_known", lambda _: True)
        answering.here = ["gpg"]
        assert gpg._instead_of("/bin/pass") == ("/bin/gpg", *words)
        answering.here = ["gpg", "gpg2"]
        assert gpg._instead_of("/bin/pass") == ("/bin/gpg2", *words[:5], "--batch", "--use-agent")
        monkeypatch.setenv("PATH", "/x")
        assert gpg._instead_of("/bin/pass") == ()

    @pytest.mark.parametrize(
        ("variables", "is_usual"),
        [
            ({"PATH": "/a:/b", "PASSWORD_STORE_DIR": "/s", "OTHER": ""}, True),
            ({"PATH": "/a:b"}, False),
            ({}, False),
            *(({"PATH": "/a", name: ""}, False) for name in (*OF_BASH, "PASSWORD_STORE_KEY")),
        ],
    )
    def test_what_changes_what_pass_does(self, variables, is_usual):
        """Also where it is empty: pass may look whether it is set."""
        assert gpg._is_usual(variables) is is_usual

    def test_a_pass_that_can_t_be_read_is_not_known(self, tmp_path):
        """Nor is another script."""
        assert gpg._is_known(str(tmp_path / "none")) is False
        (tmp_path / "pass").write_text("#!/bin/bash\numask 077\n")
        assert gpg._is_known(str(tmp_path / "pass")) is False

    def test_the_checksums_of_each_pass(self):
        """As measured of 1.7.3, 1.7.4, Debian's and the last of its repository (docs/adr/0028)."""
        assert {0xC2AA35F2, 0x69DD23EB, 0xC0E11767} == gpg._HEADS
        assert {0x15D3D40E, 0x90F1B257, 0x7BBB29C2} == gpg._SHOWS
        assert {0xD48F70F2} == gpg._TAILS


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("gpg: command not found", BackendUnavailable, "pass can't start gpg"),
        ("You must run:", BackendUnavailable, "not initialized"),
        ("gpg: can't connect to the gpg-agent", BackendUnavailable, "gpg: can't connect to the gpg-agent"),
        ("No secret key", BackendLocked, "locked: gpg has no secret key that it may use"),
        ("cannot open '/dev/tty'", BackendLocked, "locked: gpg can't ask for the passphrase"),
        ("x: File name too long", BackendInvalid, "a part of the name is too long for a file"),
        ("x: Is a directory", BackendInvalid, "the name is taken by a directory"),
        ("x: Not a directory", BackendInvalid, "a part of the name is taken by an entry"),
        ("encryption failed: x", BackendUnavailable, "gpg lacks a usable public key of a recipient in .gpg-id"),
        ("decrypt_message failed", BackendInvalid, "the entry is damaged"),
        ("has been manipulated", BackendInvalid, "the entry is damaged"),
        ("No secret key is not in the password store", BackendLocked, "locked: gpg has no secret key that it may use"),
        ("x is not in the password store", SecretNotFound, "x is not in the password store"),
    ],
)
def test_its_words(text, kind, message):
    """An entry may have any name, so that it is not there is told last."""
    error = understood("pass", text, COMPLAINTS)
    assert (type(error), error.message) == (kind, f"pass: {message}")
    assert kind is SecretNotFound or error.cure()


def test_a_finished_run_is_what_it_printed(store, answering, files):
    """Whatever it wrote on stderr."""
    assert one(store, (0, "v\n", "a warning"), answering, files) == "v"
    assert Finished(0, b"", "").status == 0
