"""What envref makes of each answer of HashiCorp Vault's program, and what it asks for: no server and no program."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from envref.backends.hashicorp_vault import endpoint
from envref.backends.hashicorp_vault.access import ServerAccess
from envref.backends.hashicorp_vault.complaints import Login, Misplaced, failure, refusal, unreachable
from envref.backends.hashicorp_vault.entry import latest_revision, parsed, unversioned
from envref.backends.hashicorp_vault.store import HashicorpVault
from envref.backends.http.connection import Unusual
from envref.backends.throttling import Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
)
from tests.backends.asking import answers_of, error_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

NO_MOUNT = (2, "", "No value found at secret/envref/app/key")
NO_ENTRY = "the answer is not an entry of a KV engine, version 2"
FIELDS = "its fields: /q, a/b~c, deep, value, inner, /p"
MEMBERS = {
    "value": '{"inner": "i", "/p": "slash", "none": null}',
    "a/b~c": "odd",
    "deep": {"x": [1.50, True]},
    "null": None,
    "/q": "member",
}
SIGN_IN = "denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
NO_ACCESS = 'denied: there is no mount "m", or the token has no access to it'
READING = "Error reading m/data/p: URL: GET http://v.test/t Code:"
ABSENT = (2, "", "No value found at secret/data/envref/app/key")


def entry(version=3, **members):
    """What `kv get -format=json` prints of an engine of version 2."""
    return json.dumps({"data": {"data": members or None, "metadata": {"version": version, "created_time": ""}}})


def old_entry(**members):
    return json.dumps({"data": members})


def store(**options):
    return HashicorpVault("v", command="vault", **options)


def one(address=None, **options):
    """The answer for one address."""
    [address] = [address] if address else keys("key")
    try:
        answer = store(**options).get_many([address], soon()).get(address)
    except BackendError as error:
        return error
    return answer.reveal() if isinstance(answer, Secret) else answer


class TestWriting:
    @pytest.mark.parametrize(
        ("held", "words"),
        [
            (ABSENT, ["put", "-cas=0"]),
            (entry(value="a"), ["put", "-cas=3"]),
            (entry(), ["put", "-cas=3"]),
            (entry(value="a", other="b"), ["patch", "-cas=3"]),
            (entry(other="b"), ["patch", "-cas=3"]),
        ],
    )
    def test_only_over_the_version_that_was_read(self, answering, held, words):
        """Other members are kept; the value is on standard input alone."""
        answering(lambda asked, _: held if asked[1] == "get" else "{}")
        store().set(keys("key")[0], Secret("v"), soon())
        verb, version = words
        expected = ["kv", verb, "-format=json", "-mount=secret", version, "--", "envref/app/key", "value=-"]
        assert (answering.asked[1], answering.payloads) == (expected, [None, b"v"])

    def test_an_engine_of_version_1(self, answering):
        """Keeps no versions, and would drop what else an entry holds."""
        answering(lambda asked, _: old_entry(value="a") if asked[1] == "get" else "{}")
        store().set(keys("key")[0], Secret("v"), soon())
        assert answering.asked[1] == ["kv", "put", "-format=json", "-mount=secret", "--", "envref/app/key", "value=-"]
        assert answering.payloads[1] == b"v"
        answering(old_entry(value="a", other="b"))
        error = error_of(lambda: store().set(keys("key")[0], Secret("v"), soon()))
        assert error.lines() == [
            'error: hashicorp-vault: "envref/app/key" has other members, which KV 1 would drop',
            "  hint: change it there",
        ]
        assert len(answering.asked) == 1

    @pytest.mark.parametrize("held", [entry(value="a"), ABSENT, old_entry(value="a")])
    def test_a_write_that_fails_is_an_error(self, answering, held):
        """In the words of the program."""
        answering(lambda asked, _: held if asked[1] == "get" else (2, "", "check-and-set parameter did not match"))
        error = error_of(lambda: store().set(keys("key")[0], Secret("v"), soon()))
        assert error.message == 'hashicorp-vault: "envref/app/key" changed meanwhile; try again'

    @pytest.mark.parametrize(
        ("held", "words"), [(entry(value="a"), ["metadata", "delete"]), (old_entry(value="a"), ["delete"])]
    )
    def test_every_version_is_deleted(self, answering, held, words):
        """An engine of version 1 has only one."""
        answering(lambda asked, _: held if asked[1] == "get" else "")
        store().delete(keys("key")[0], soon())
        assert answering.asked[1] == ["kv", *words, "-mount=secret", "--", "envref/app/key"]

    @pytest.mark.parametrize("held", [ABSENT, entry()])
    def test_what_is_not_there_is_not_deleted(self, answering, held):
        """The program reports success for it."""
        answering(held)
        error = error_of(lambda: store().delete(keys("key")[0], soon()))
        assert (type(error), error.message) == (SecretNotFound, 'hashicorp-vault: secret not found: "app/key"')
        assert len(answering.asked) == 1

    def test_a_foreign_name_is_not_written(self, answering):
        """It is changed there."""
        answering("")
        for call in (lambda: store().set(foreign("a"), Secret("v"), soon()), lambda: store().delete(foreign("a"), 0.0)):
            assert error_of(call).message == 'hashicorp-vault: "a" is an existing secret; change it there'
        assert answering.asked == []


class TestListing:
    def test_every_directory_below(self, answering):
        """Those of one depth at once; names of other projects are not this one's."""
        tree = {"kv/app/": ["a", "p/", "q/"], "kv/app/p/": ["b", "r/"], "kv/app/q/": [], "kv/app/p/r/": ["c"]}
        answering(lambda asked, _: json.dumps(tree[asked[-1]]))
        found = store(prefix="kv", project_namespace="project").list("app", soon())
        assert sorted(found) == ["a", "p/b", "p/r/c"]
        assert answering.asked[0] == ["kv", "list", "-format=json", "-mount=secret", "--", "kv/app/"]
        assert [words[-1] for words in answering.asked] == ["kv/app/", "kv/app/p/", "kv/app/q/", "kv/app/p/r/"]

    @pytest.mark.parametrize(
        ("answer", "names"),
        [((2, "{}\n", ""), []), ((0, "null", ""), []), ((0, "[]", ""), []), ((0, '["a"]', "a warning"), ["a"])],
    )
    def test_a_directory_that_is_empty_or_absent(self, answering, answer, names):
        """For an absent one the program prints an empty object and fails."""
        answering(answer)
        assert list(store().list("app", soon())) == names

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            ((2, "{}", "namespace not found"), 'no KV engine at "secret" in this namespace'),
            ((2, "[]", ""), "failed without a message"),
            ((0, "rubbish", ""), "the list is not JSON"),
            ((0, "[" * 100_000, ""), "the list is not JSON"),
            ((0, '{"a": 1}', ""), "the list is not one of names"),
            ((0, '["a", 1]', ""), "the list is not one of names"),
            (BackendDenied("hashicorp-vault: late"), "late"),
        ],
    )
    def test_a_list_that_is_none(self, answering, answer, message):
        """Is no empty list."""
        answering(answer)
        assert error_of(lambda: list(store().list("app", soon()))).message == f"hashicorp-vault: {message}"


class TestReading:
    @pytest.mark.parametrize(
        ("kind", "options", "version", "result"),
        [
            ("kv", {"version": "1"}, None, None),
            ("kv", {}, None, None),
            ("kv", None, None, None),
            ("kv", {"version": "2"}, None, BackendInvalid),
            ("generic", {"version": "1"}, None, BackendInvalid),
        ],
    )
    def test_a_path_that_an_old_engine_does_not_have_is_absent(self, answering, kind, options, version, result):
        """The words are those of a mount that is not there: only the mount's own kind tells."""
        mounts = json.dumps({"data": {"type": kind, "options": options}})
        answering(lambda asked, _: NO_MOUNT if asked[0] == "kv" else mounts)
        answer = one()
        assert answer is None if result is None else isinstance(answer, result)
        assert answering.asked[1] == ["read", "-format=json", "sys/internal/ui/mounts/secret"]

    @pytest.mark.parametrize(
        "told", [(2, '{"data": {"type": "kv"}}', ""), "rubbish", "[]", "{}", '{"data": 1}', "[" * 100_000]
    )
    def test_a_mount_that_nobody_tells_of(self, answering, told):
        """Is no proof of absence."""
        answering(lambda asked, _: NO_MOUNT if asked[0] == "kv" else told)
        assert one().message == 'hashicorp-vault: no KV engine at "secret" in this namespace'

    @pytest.mark.parametrize(("many", "is_direct"), [(3, False), (4, True)])
    def test_a_few_are_asked_of_the_program(self, answering, monkeypatch, many, is_direct):
        """More of them over a connection, unless a program is named."""
        answering(entry(value="v"))
        asked = []
        monkeypatch.setattr(
            HashicorpVault, "_read_together", lambda _, places, deadline: asked.append(len(places)) or {}
        )
        HashicorpVault("v").get_many(keys(*"abcdefgh"[:many]), soon())
        assert (asked, len(answering.asked)) == (([many], 0) if is_direct else ([], many))
        assert len(answers_of(store(), *keys(*"abcdefgh"[:many]))) == many
        assert len(asked) == is_direct

    def test_one_entry_is_asked_for_once(self, answering):
        """Whatever is wanted of it; a version is another one."""
        answering(lambda asked, _: entry(7 if "-version=7" in asked else 8, a="x", value="y"))
        [key] = keys("key")
        with_field, old = Address("app", "key", field="a"), Address("app", "key", version="007")
        found = answers_of(store(), key, with_field, old)
        assert found == {"app/key": "y", "app/key#a": "x", str(old): "y"}
        assert sorted(answering.asked) == [
            ["kv", "get", "-format=json", "-mount=secret", "--", "envref/app/key"],
            ["kv", "get", "-format=json", "-version=7", "-mount=secret", "--", "envref/app/key"],
        ]

    @pytest.mark.parametrize("version", ["x", "", "-1", "1.0", "\u0663"])
    def test_a_version_is_a_number(self, answering, version):
        """Of ASCII's digits."""
        answering("")
        assert one(Address("app", "key", version=version)).message == (
            f'hashicorp-vault: version "{version}" is not a number'
        )
        assert answering.asked == []

    def test_an_old_engine_has_no_versions(self, answering):
        """Asked for one, it would give the only one it has."""
        answering(old_entry(value="v"))
        assert one(Address("app", "key", version="1")).lines() == [
            'error: hashicorp-vault: "envref/app/key" is in a KV engine of version 1, which keeps no versions',
            "  hint: leave ?version out",
        ]

    @pytest.mark.parametrize("name", ["", "/", "a//b", "a/../b", "./a", "a\nb", "a/."])
    def test_a_path_stays_inside_the_mount(self, answering, name):
        """Nothing of it is asked for."""
        answering("")
        error = one(foreign(name))
        assert error.message.endswith(" is not a path inside a mount")
        assert answering.asked == []

    def test_a_path_is_taken_without_what_is_around_it(self, answering):
        """Blanks and slashes, as people paste them."""
        answering(entry(value="v"))
        assert one(foreign(" /a/b/ ")) == "v"
        assert answering.asked[0][-1] == "a/b"

    @pytest.mark.parametrize(
        ("path", "advice"),
        [
            ("data/a", 'write "a": a path begins inside the mount "kv", and "data/" is the server\'s own'),
            ("kv/data/a", 'write "a": a path begins inside the mount "kv", and "data/" is the server\'s own'),
            ("kv/a/data/b", 'write "a/data/b": a path begins inside the mount "kv"'),
            ("kv/a", 'write "a": a path begins inside the mount "kv"'),
            ("x/data/a", 'for the mount "x" list a backend with mount: x, and write "a"'),
            ("kvx/a", None),
            ("kv", None),
            ("data", None),
        ],
    )
    def test_what_a_path_holds_too_much(self, answering, path, advice):
        """Said only where there is nothing."""
        error = Misplaced.about("kv", path)
        told = f'error: hashicorp-vault: secret not found: "{path}"; {advice}'
        assert error is None if advice is None else error.lines() == [told]
        answering((2, "", "No value found at kv/data/x"))
        assert (one(foreign(path), mount="kv") is None) == (advice is None)
        assert one(mount="kv") is None


class TestRevisions:
    @pytest.mark.parametrize(
        ("versions", "revision"),
        [
            ({"2": {"created_time": "1970-01-01T00:00:01Z"}}, "2.1000"),
            ({"2": {"created_time": "1970-01-01T00:00:01Z", "deletion_time": "", "destroyed": False}}, "2.1000"),
            ({"2": {"created_time": "1970-01-01T00:00:01Z", "destroyed": True}}, ""),
            ({"2": {"created_time": "1970-01-01T00:00:01Z", "deletion_time": "2001-01-01T00:00:00Z"}}, ""),
            ({"2": {"created_time": "1970-01-01T00:00:01Z", "deletion_time": "2999-01-01T00:00:00Z"}}, "2.1000"),
            ({"1": {"created_time": "1970-01-01T00:00:01Z"}}, ""),
        ],
    )
    def test_the_latest_version_counts(self, versions, revision):
        """Not one that is deleted or destroyed; one that is due to be is there."""
        assert (
            latest_revision("p", json.dumps({"data": {"current_version": 2, "versions": versions}}).encode())
            == revision
        )

    @pytest.mark.parametrize(
        "raw", [b"rubbish", b"[]", b"{}", b'{"data": 1}', b'{"data": {"current_version": 1}}', b"[" * 100_000,
                b'{"data": {"current_version": 1, "versions": {"1": {"x": 1}}}}',
                b'{"data": {"current_version": 1, "versions": {"1": {"deletion_time": "soon"}}}}'],
    )  # fmt: skip
    def test_what_is_no_metadata(self, raw):
        """Nothing of it is quoted."""
        error = error_of(lambda: latest_revision("p", raw))
        assert error.lines() == [
            'error: hashicorp-vault: "p": the answer is not the metadata of an entry',
            "  hint: a proxy or the network's sign-in page may have answered",
        ]

    def test_by_the_program(self, answering):
        """Each path's metadata; what is absent or deleted is left out, and an error is its own path's."""
        told = {"data": {"current_version": 2, "versions": {"2": {"created_time": "1970-01-01T00:00:01Z"}}}}
        replies = {
            "a": json.dumps(told),
            "b": (2, "", "No value found at secret/metadata/envref/app/b"),
            "c": (2, "", "Code: 403. Errors: * permission denied"),
            "d": json.dumps({"data": {"current_version": 1, "versions": {}}}),
            "e": BackendDenied("late"),
        }
        answering(lambda asked, _: replies[asked[-1][-1]])
        found = store().revisions(keys(*"abcde"), soon())
        assert {address.key: type(each) for address, each in found.items()} == {
            "a": str,
            "c": BackendDenied,
            "e": BackendDenied,
        }
        assert found[keys("a")[0]] == "2.1000"
        assert answering.asked[0] == ["kv", "metadata", "get", "-format=json", "-mount=secret", "--", "envref/app/a"]
        assert store().revisions([], soon()) == {}

    def test_an_old_engine_keeps_none(self):
        """The cure is a newer one."""
        assert unversioned("p").lines() == [
            'error: hashicorp-vault: "p" is in a KV engine of version 1, which keeps no revisions',
            "  hint: move it to a KV engine of version 2, or open a new shell after a rotation",
        ]


class TestEntry:
    @pytest.mark.parametrize(
        ("raw", "engine", "members", "version"),
        [
            (entry(a="1"), None, {"a"}, 3),
            (entry(a="1"), 2, {"a"}, 3),
            (entry(), 2, None, 3),
            (old_entry(a="1"), None, {"a"}, None),
            (old_entry(a="1"), 1, {"a"}, None),
            (old_entry(data="x", metadata="y"), 1, {"data", "metadata"}, None),
            (entry(a="1"), 1, {"data", "metadata"}, None),
        ],
    )
    def test_what_it_holds(self, raw, engine, members, version):
        """By the version of the engine, where that is known."""
        found = parsed("p", raw.encode(), engine)
        assert (found.members, found.version) == (members, version)

    @pytest.mark.parametrize(
        ("raw", "engine", "fault"),
        [
            (b"rubbish", None, "the answer is not JSON"),
            (b"\xff", None, "the answer is not JSON"),
            (b"[" * 100_000, None, "the answer is not JSON"),
            (b"[]", None, "the answer is not an entry of a KV engine"),
            (b'{"data": []}', None, "the answer is not an entry of a KV engine"),
            (b'{"data": {"data": {}}}', None, NO_ENTRY),
            (b'{"data": {"a": 1}}', 2, NO_ENTRY),
            (
                b'{"data": {"data": [], "metadata": {"version": 1}}}',
                2,
                "the answer is not an entry of a KV engine, version 2",
            ),
            (
                b'{"data": {"data": {}, "metadata": {"version": "1"}}}',
                2,
                "the answer is not an entry of a KV engine, version 2",
            ),
            (b'{"data": {"metadata": {"version": 1}}}', None, NO_ENTRY),
        ],
    )
    def test_what_is_none(self, raw, engine, fault):
        """A proxy may have answered."""
        error = error_of(lambda: parsed("p\x1b", raw, engine))
        assert error.lines() == [
            f'error: hashicorp-vault: "p\\x1b": {fault}',
            "  hint: a proxy or the network's sign-in page may have answered",
        ]

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            (None, MEMBERS["value"]),
            ("a/b~c", "odd"),
            ("deep", '{"x":[1.5,true]}'),
            ("inner", "i"),
            ("/p", None),
            ("/q", "member"),
            ("/deep/x/0", "1.5"),
            ("/deep/x/1", "true"),
            ("/a~1b~0c", "odd"),
            ("/value", MEMBERS["value"]),
        ],
    )
    @pytest.mark.parametrize("made", [entry, old_entry])
    def test_a_field(self, made, field, text):
        """A member, else one in the value; a pointer leads into the entry."""
        found = parsed("p", made(**MEMBERS).encode())
        if text is None:
            assert error_of(lambda: found.value(field)).message.endswith(
                "has no such field; its fields: /q, a/b~c, deep, value, inner, /p"
            )
        else:
            assert found.value(field).reveal() == text

    @pytest.mark.parametrize("field", ["none", "null", "/none", "/deep/x/2", "other"])
    def test_a_field_that_it_lacks(self, field):
        """With the names of those that hold something."""
        error = error_of(lambda: parsed("p", entry(**MEMBERS).encode()).value(field))
        assert isinstance(error, FieldNotFound)
        assert error.message == f'hashicorp-vault: field "{field}": "p" has no such field; {FIELDS}'

    def test_an_entry_without_the_member(self):
        """Is not absent; a field of it is read, a deleted one is not there."""
        found = parsed("p", entry(a="1").encode())
        assert error_of(lambda: found.value(None)).lines() == [
            'error: hashicorp-vault: "p" has no member "value"',
            "  hint: name one of its members: #NAME",
        ]
        assert found.value("a").reveal() == "1"
        assert error_of(lambda: found.value("b")).message.endswith("its fields: a")
        assert parsed("p", entry().encode()).value(None) is None
        assert parsed("p", entry().encode()).value("a") is None


class TestAccess:
    @pytest.mark.parametrize(
        ("command", "here", "program"),
        [("", ["vault", "bao"], "vault"), ("", ["bao"], "bao"), ("", [], "vault"), ("kv", ["vault"], "kv")],
    )
    def test_the_program(self, answering, command, here, program):
        """`vault`, else `bao`, else the one to install."""
        answering.here = here
        assert ServerAccess(command, "", {}, "")._program.name == program

    def test_its_variables(self, answering):
        """Under both names; an option that is empty sets nothing."""
        answering("")
        access = ServerAccess("vault", "", {"ADDR": "https://v", "NAMESPACE": ""}, "tok")
        access.run(["status"], soon())
        given = {name: text for name, text in answering.environments[0].items() if name.startswith(("VAULT_", "BAO_"))}
        assert given == {
            f"{maker}_{name}": text
            for maker in ("VAULT", "BAO")
            for name, text in (("ADDR", "https://v"), ("MAX_RETRIES", "0"), ("DETAILED", "false"), ("TOKEN", "tok"))
        }

    @pytest.mark.parametrize(
        ("command", "token", "variables", "login"),
        [
            ("vault", "t", {"VAULT_TOKEN": "x"}, ("vault", "option token")),
            ("vault", "", {"VAULT_TOKEN": "x", "BAO_TOKEN": "y"}, ("vault", "VAULT_TOKEN")),
            ("/x/bao", "", {"VAULT_TOKEN": "x", "BAO_TOKEN": "y"}, ("bao", "BAO_TOKEN")),
            ("bao", "", {"VAULT_TOKEN": "x", "BAO_TOKEN": ""}, ("bao", "VAULT_TOKEN")),
            ("other", "", {}, ("vault", "")),
        ],
    )
    def test_where_the_token_comes_from(self, answering, monkeypatch, command, token, variables, login):
        """The option before the variables, and the program's own variable first."""
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        assert ServerAccess(command, "", {}, token).login(None) == (*login, None)

    @pytest.mark.parametrize(
        ("login", "cure"),
        [
            (Login("vault", "", {"run": ("x",)}), {"run": ("x",)}),
            (Login("bao", "BAO_TOKEN"), {"run": ("unset", "BAO_TOKEN"), "hint": "bao login"}),
            (
                Login("bao", "option token"),
                {"hint": "the option token of the backend holds it; without that, bao login counts"},
            ),
            (Login("bao"), {"run": ("bao", "login")}),
        ],
    )
    def test_what_replaces_a_token(self, login, cure):
        """A variable or an option counts before what a login stores."""
        assert login.again() == cure

    def test_a_token_of_several_lines(self):
        """It could not be sent."""
        assert error_of(lambda: ServerAccess("", "", {}, "a\nb")).lines() == [
            "error: hashicorp-vault: the token is not one line of text",
            "  hint: keep nothing else beside the token",
        ]

    @pytest.mark.parametrize(
        ("printed", "token"),
        [("tok\n", "tok"), ("", ""), ((2, "tok", ""), None), ("a b", None), ("ä", None)],
    )
    def test_the_token_of_the_program(self, answering, printed, token):
        """Only it knows where a login left it."""
        answering(printed)
        access = ServerAccess("vault", "", {"ADDR": "http://v.test"}, "")
        if token is None:
            with pytest.raises(Unusual):
                access.server(soon())
        else:
            assert access.server(soon()).token == token
        assert answering.asked == [["print", "token"]]

    def test_connections_last_as_long_as_the_backend(self, answering):
        """So the next question finds them open."""
        access = ServerAccess("vault", "", {"ADDR": "http://v.test"}, "t")
        server = access.server(soon())
        assert access._connections is server.connections
        assert access.server(soon()).connections is server.connections

    def test_a_server_that_only_the_program_knows(self, answering):
        """Is not asked directly; one with a token is not asked about it."""
        answering("")
        with pytest.raises(Unusual):
            ServerAccess("vault", "", {"ADDR": "unix:///x"}, "t").server(soon())
        assert ServerAccess("vault", "", {"ADDR": "http://v.test"}, "t").server(soon()).token == "t"
        assert answering.asked == []


class TestEndpoint:
    @pytest.mark.parametrize("value", ["1", "t", "T", "TRUE", "true", "True"])
    def test_a_certificate_may_be_left_unverified(self, monkeypatch, value):
        """As the program reads a truth."""
        trust = self.trust(monkeypatch, SKIP_VERIFY=value)
        assert (trust.check_hostname, int(trust.verify_mode)) == (False, 0)

    @pytest.mark.parametrize("value", ["0", "f", "F", "FALSE", "false", "False"])
    def test_or_not(self, monkeypatch, value):
        """Anything else that it reads as one."""
        trust = self.trust(monkeypatch, SKIP_VERIFY=value)
        assert (trust.check_hostname, int(trust.verify_mode)) == (True, 2)
        assert endpoint.endpoint({"VAULT_SKIP_VERIFY": "yes"}, "vault") is None

    def trust(self, monkeypatch, **named):
        """The settings of TLS, made of nothing but flags."""
        monkeypatch.setattr(endpoint, "trusting", lambda files: Context([*files]))
        return endpoint.VaultTrust(named)()

    def test_files_of_authorities_and_the_client_s_own(self, monkeypatch, tmp_path):
        """One file, or all below a folder; a key that wants a password is not asked for one."""
        (tmp_path / "a.pem").write_text("")
        assert self.trust(monkeypatch, CACERT="/ca", CAPATH=str(tmp_path)).files == ["/ca"]
        assert self.trust(monkeypatch, CAPATH=str(tmp_path)).files == [f"{tmp_path}/a.pem"]
        assert self.trust(monkeypatch).files == []
        client = self.trust(monkeypatch, CLIENT_CERT="/c", CLIENT_KEY="/k")
        assert client.loaded == ("/c", "/k", "")

    @pytest.mark.parametrize(
        ("variables", "is_left"),
        [
            ({"VAULT_CLIENT_CERT": "/c", "VAULT_CLIENT_KEY": "/k"}, False),
            ({"VAULT_CLIENT_KEY": "/k"}, True),
            ({"VAULT_TOKEN": "a b"}, True),
            ({"VAULT_NAMESPACE": "ä"}, True),
            ({"VAULT_NAMESPACE": "team/a", "VAULT_TOKEN": "t"}, False),
            ({"BAO_ADDR": "https://v.test"}, True),
            ({"VAULT_NEW": "1"}, True),
            ({"VAULT_NEW": ""}, False),
            ({"VAULT_LOG_LEVEL": "debug"}, False),
        ],
    )
    def test_what_is_left_to_the_program(self, variables, is_left):
        """What is not known, and what no header can hold."""
        assert (endpoint.endpoint(variables, "vault") is None) == is_left

    def test_the_headers(self):
        """The token and the namespace, where there are any."""
        [plain, full] = [
            endpoint.endpoint({"VAULT_ADDR": "http://v.test", **more}, "vault")
            for more in ({}, {"VAULT_TOKEN": "t", "VAULT_NAMESPACE": "n"})
        ]
        assert plain.headers() == {"X-Vault-Request": "true"}
        assert full.headers() == {"X-Vault-Request": "true", "X-Vault-Token": "t", "X-Vault-Namespace": "n"}


class Context:
    """Settings of TLS of the test's own."""

    check_hostname, verify_mode, loaded = True, 2, None

    def __init__(self, files):
        self.files = files

    def load_cert_chain(self, certificate, key, password):
        self.loaded = (certificate, key, password)


class TestComplaints:
    @pytest.mark.parametrize(
        ("status", "errors", "path", "kind", "words"),
        [
            (404, [], "p", SecretNotFound, "secret not found"),
            (404, [], "", BackendUnavailable, "URL: GET http://v.test/t Code: 404. Errors:"),
            (404, None, "p", BackendUnavailable, f"{READING} 404. Errors:"),
            (404, ["x"], "p", BackendUnavailable, f"{READING} 404. Errors: * x"),
            (403, [], "", BackendDenied, SIGN_IN),
            (403, ["permission denied"], "p", BackendDenied, 'denied: permission denied for "p"'),
            (400, ["1 error: * permission denied"], "p", BackendDenied, 'denied: permission denied for "p"'),
            (403, [], "p", BackendDenied, f"{READING} 403. Errors:"),
            (429, [], "p", Throttled, "the server limits how often it is asked (http://v.test)"),
            (503, ["Vault is sealed"], "p", BackendUnavailable, "unavailable: sealed (http://v.test)"),
            (400, ["missing client token"], "p", BackendDenied, SIGN_IN),
            (403, ["preflight capability check returned 403"], "", BackendDenied, NO_ACCESS),
            (404, ["namespace not found"], "", BackendInvalid, 'no KV engine at "m" in this namespace'),
            (500, ["a  b\n c"], "p", BackendUnavailable, f"{READING} 500. Errors: * a b c"),
        ],
    )  # fmt: skip
    def test_an_answer_of_the_server(self, status, errors, path, kind, words):
        """By its words, then by its status; an unknown one is never an absence."""
        error = refusal("http://v.test", "/t", status, errors, mount="m", path=path)
        assert (type(error), error.message) == (kind, f"hashicorp-vault: {words}")

    @pytest.mark.parametrize(
        ("request_line", "rule"),
        [
            ("GET http://v/v1/kv/data/a/b", ("kv/data/a/*", '"read"')),
            ("GET http://v/v1/kv/metadata/a/?list=true", ("kv/metadata/*", '"list"')),
            ("PUT http://v/v1/kv/data/a%20b/c", ("kv/data/a b/*", '"create", "update"')),
            ("PATCH http://v/v1/kv/data/a", ("kv/data/*", '"patch"')),
            ("DELETE http://v/v1/kv/metadata/a", ("kv/metadata/*", '"delete"')),
            ("LIST http://v/v1/kv/metadata/a", ("kv/metadata/*", '"list"')),
            ("TRACE http://v/v1/kv/data/a", ("kv/data/*", '"read"')),
            ("", None),
        ],
    )  # fmt: skip
    def test_the_line_that_a_policy_lacks(self, request_line, rule):
        """For the request that was refused."""
        where = f"URL: {request_line} Code: 403." if request_line else "Code: 403."
        error = failure(f"Error making API request.\n\n{where} Errors:\n\n* permission denied", "kv", "a", Login())
        policy = rule and f'path "{rule[0]}" {{ capabilities = [{rule[1]}] }}'
        assert error.lines() == [
            'error: hashicorp-vault: denied: permission denied for "a"',
            *([f"  hint: its policy needs: {policy}"] if policy else []),
        ]

    @pytest.mark.parametrize(
        ("failed", "words"),
        [
            (ConnectionRefusedError(), "unavailable: connection refused (http://v.test)"),
            (OSError(1, "No Route"), 'GET "http://v.test": no route'),
            (OSError(), 'GET "http://v.test": the connection ended before the answer'),
            (ValueError(), 'GET "http://v.test": the answer is not HTTP'),
        ],
    )
    def test_a_connection_that_failed(self, failed, words):
        """With the server that was not reached."""
        assert unreachable("http://v.test", failed).message == f"hashicorp-vault: {words}"

    def test_a_server_s_address_is_told_without_its_user(self):
        """As a URL may hold a password."""
        error = failure('dial "https://me:pw@v.test:8200/v1/x": connection refused', "kv", "a", Login())
        assert error.message == "hashicorp-vault: unavailable: connection refused (https://v.test:8200)"


def test_a_deletion_that_is_due_lies_ahead_or_not():
    """By now."""
    for days, revision in ((1, "1.1000"), (-1, "")):
        due = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        versions = {"1": {"created_time": "1970-01-01T00:00:01Z", "deletion_time": due}}
        raw = json.dumps({"data": {"current_version": 1, "versions": versions}}).encode()
        assert latest_revision("p", raw) == revision
