"""HashiCorp Vault: real OpenBao, called as `vault` and as `bao`, and stand-ins for what it won't do."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time

import pytest

from envref.backends.hashicorp_vault.store import HashicorpVault
from envref.backends.http import pool
from envref.backends.throttling import Throttled
from envref.project.config.model import BackendConfig
from envref.refs.address import Address
from envref.refs.reference import Reference
from envref.resolve.resolve import Scope, resolve
from envref.resolve.store import Store, Stores
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendTimeout,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
)
from tests.backends import asking
from tests.backends.asking import KEY, soon
from tests.backends.contract import EXACT, KEYS, BackendContract, values_of
from tests.backends.doubles.relay import Relay
from tests.backends.doubles.scripted import http, scripts
from tests.backends.stores.openbao import TOKEN, OpenBao, binary, link, sign_in
from tests.backends.stores.shim import recorded
from tests.lateness import Stopwatch
from tests.processes import left_of
from tests.requirements import first_python

MORE = [Address("app", f"other{number}") for number in range(4)]
WAYS = ("program", "connection")


def answer_of(store, address=KEY, way="program", deadline=None):
    """The value as text, the error, or None when absent; asked for alone, or with four more over one connection."""
    return asking.answer_of(store, address, deadline, among=() if way == "program" else MORE)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with OpenBao(tmp_path_factory.mktemp("openbao")) as running:
        running.mount("kv1", version=1)
        running.mount("team/kv")
        running.ask("POST", "sys/namespaces/engineering")
        running.mount("secret", namespace="engineering")
        yield running


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    with OpenBao(tmp_path_factory.mktemp("sealed")) as running:
        running.seal()
        yield running


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A directory with `vault`, and one with `bao` only."""
    directory = tmp_path_factory.mktemp("programs")
    return {name: link(directory / name, name) for name in ("vault", "bao")}


@pytest.fixture
def bao(server, programs, monkeypatch):
    """The server, empty; this process is signed in to it."""
    sign_in(monkeypatch, server, programs["vault"])
    server.clear()
    return server


@pytest.fixture
def script():
    with scripts() as start:
        yield start


@pytest.fixture
def shim(bao, tmp_path, monkeypatch):
    """`vault` that writes down how it was called."""
    made = recorded(tmp_path / "shim", binary(), "vault")
    monkeypatch.setenv("PATH", f"{made.path}:{os.environ['PATH']}")
    return made


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a shell script in the place of `vault`."""
    directory = tmp_path / "stand-in"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    def write(body):
        (directory / "vault").write_text(f"#!/bin/sh\n{body}\n")
        (directory / "vault").chmod(0o755)
        return directory

    return write


# The words of OpenBao 2.7.2 with a quota of rate-limit; TestThrottled sees them from the server itself.
LIMITED = """Error reading secret/data/envref/app/key: Error making API request.

URL: GET http://127.0.0.1:9/v1/secret/data/envref/app/key
Code: 429. Errors:

* request path "secret/data/envref/app/key": rate limit quota exceeded"""


class TestOneHost:
    """Two namespaces of one server: two backends, behind a relay that counts connections."""

    @pytest.fixture
    def relay(self, bao, monkeypatch):
        with contextlib.closing(Relay(socket.AF_INET, ("127.0.0.1", 0), ("127.0.0.1", bao.port))) as relay:
            monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{relay.address[1]}")
            yield relay

    @pytest.fixture
    def resolved(self, bao, relay, monkeypatch):
        """The values for references; in the first namespace four keys are, in the other one eight."""
        monkeypatch.setattr(pool, "_BRIEFLY", 20)  # a busy machine is no reason for another connection here
        for number in range(8):
            bao.put(f"envref/app/k{number}", {"value": f"two{number}"}, namespace="engineering")
        for number in range(4):
            bao.put(f"envref/app/k{number}", {"value": f"one{number}"})
        options = {"one": {}, "two": {"namespace": "engineering"}}
        configs = [BackendConfig(name=name, type="hashicorp-vault", options=each) for name, each in options.items()]

        def resolved(texts):
            stores = Stores(Store(each, "/", 60, time.monotonic()) for each in configs)
            found = resolve([Reference.parse(text) for text in texts], stores, Scope("app"))
            return [each.secret.reveal() for each in found.values()]

        return resolved

    def test_asked_at_once_they_take_turns_on_one_connection(self, resolved, relay):
        """Neither decides for the other; each answers for itself, in the file's order."""
        asked = [(name, number) for number in range(4) for name in ("two", "one")]
        assert resolved([f"ref://{name}/k{number}" for name, number in asked]) == [
            f"{n}{number}" for n, number in asked
        ]
        assert relay.connections == 1

    def test_asked_in_order_the_second_takes_the_connection_over(self, resolved, relay):
        """The first store that has a key gives it, and the other is asked for the rest."""
        values = [f"{'one' if number < 4 else 'two'}{number}" for number in range(8)]
        assert resolved([f"ref://secrets/k{number}" for number in range(8)]) == values
        assert (relay.connections, relay.requests) == (1, 1 + 8 + 1 + 4)


def test_a_page_in_the_place_of_the_server(bao, script):
    """A network's page to sign in on comes with status 200; envref says so, and nothing of the page."""
    server = script(*[http(b"<!DOCTYPE html><p>marker-3b", more="Content-Type: text/html\r\n")] * 9)
    error = answer_of(HashicorpVault("hcvault", addr=server.url), way="connection")
    assert error.lines() == [
        "error: hashicorp-vault: unavailable: what answers is not the server",
        "  hint: a proxy or the network's sign-in page may have answered: check the network and VAULT_ADDR",
    ]


class TestRevisions:
    """By one connection, or by the program where `command` names it."""

    @pytest.fixture(params=["", "vault"], ids=["connection", "program"])
    def store(self, bao, request):
        return HashicorpVault("hcvault", command=request.param)

    def test_a_deleted_version_is_not_there(self, store, bao):
        """Deleted and destroyed ones have metadata still. One that is due later is there."""
        bao.put("envref/app/key", {"value": "v"})
        bao.ask("DELETE", "secret/data/envref/app/key")
        bao.put("envref/app/other0", {"value": "v"})
        bao.ask("PUT", "secret/destroy/envref/app/other0", {"versions": [1]})
        bao.ask("POST", "secret/metadata/envref/app/other1", {"delete_version_after": "1h"})
        bao.put("envref/app/other1", {"value": "v"})
        assert set(store.revisions([KEY, *MORE], soon())) == {MORE[1]}

    def test_members_of_an_entry_share_its_revision(self, store, bao):
        """The entry is what was written: one question."""
        bao.put("envref/app/key", {"value": "v", "user": "u"})
        user = Address("app", "key", field="user")
        told = store.revisions([KEY, user], soon())
        assert told[KEY] == told[user] == store.get_many([user], soon())[user].revision

    def test_version_1_keeps_none(self, bao):
        """That is "can't tell", never "not there"."""
        bao.ask("POST", "kv1/envref/app/key", {"value": "v"})
        store = HashicorpVault("hcvault", mount="kv1")
        assert store.get_many([KEY], soon())[KEY].revision == ""
        assert isinstance(store.revisions([KEY], soon())[KEY], BackendInvalid)

    def test_many_start_no_program(self, bao, shim):
        """All questions go over one connection."""
        store = HashicorpVault("hcvault")
        bao.put("envref/app/key", {"value": "v"})
        assert len(store.revisions([KEY, *MORE], soon())) == 1
        assert shim.argvs() == []


class TestHashicorpVault(BackendContract):
    first_version = "1"
    foreign_name = "apps/shop/database"
    throttles = True

    @pytest.fixture
    def store(self, bao):
        return HashicorpVault("hcvault")

    @pytest.fixture(autouse=True)
    def place(self, bao, tmp_path, stand_in):
        """The server to plant in, and a `vault` that refuses as often as a file says before it is the real one."""
        self.bao, self.refusals = bao, tmp_path / "refusals"
        self.refusals.touch()
        stand_in(
            f"""if [ -s {self.refusals} ]; then
            sed -i 1d {self.refusals}; echo x >> {tmp_path}/refused; cat >&2 <<'WORDS'
{LIMITED}
WORDS
            exit 2
            fi
            exec {binary()} "$@"
            """
        )
        self.refused = tmp_path / "refused"

    def plant(self, store, name, value):
        self.bao.put(name, {"value": value})

    def throttle(self, times):
        self.refusals.write_text("x\n" * times)
        return lambda: self.refused.read_text().count("x")

    # A start of the program costs a tenth of a second: many keys are asked for in one test, or written past it.
    @pytest.mark.parametrize("key", ["all"])
    def test_a_key_may_be_any_text(self, store, key):
        """Program and connection mean the same entry by a name, of any text; it is listed and deleted under it."""
        for key in KEYS:
            self.put(store, key, f"value of {key}")
            assert self.read(store, key) == f"value of {key}"
        addresses = [self.address(key) for key in KEYS]
        answers = store.get_many(addresses, self.deadline)
        assert [answers[address].reveal() for address in addresses] == [f"value of {key}" for key in KEYS]
        assert sorted(store.list("app", self.deadline)) == sorted(KEYS)
        for address in addresses:
            store.delete(address, self.deadline)
        assert store.get_many(addresses, self.deadline) == {}

    @pytest.mark.parametrize("kind", ["all"])
    def test_a_value_comes_back_as_it_was_set(self, store, kind):
        """Written by the program, each is read over the connection; as members of one entry, by one program."""
        for kind, value in EXACT.items():
            self.put(store, kind, value)
        written = [self.address(kind) for kind in EXACT]
        assert asking.texts(store.get_many(written, self.deadline)) == {f"app/{k}": v for k, v in EXACT.items()}
        self.bao.put("envref/app/members", EXACT)
        members = [Address("app", "members", field=kind) for kind in EXACT]
        told = asking.texts(store.get_many(members, self.deadline))
        assert told == {f"app/members#{kind}": value for kind, value in EXACT.items()}

    def test_many_are_answered_at_once(self, store, bao, monkeypatch):
        """Forty keys of one question get their own values, the absent ones none."""
        monkeypatch.setattr(self, "put", lambda _, key, value: bao.put(f"envref/app/{key}", {"value": value}))
        super().test_many_are_answered_at_once(store)


class TestThrottled:
    """A quota of the real server, which refuses everything for the next minute."""

    @pytest.fixture
    def limited(self, tmp_path, programs, monkeypatch):
        with OpenBao(tmp_path / "limited") as server:
            sign_in(monkeypatch, server, programs["vault"])
            server.ask("POST", "sys/quotas/rate-limit/tests", {"rate": 1, "interval": "60s", "path": "secret/"})
            server.ask("GET", "secret/config")
            yield server

    @pytest.mark.parametrize("way", WAYS)
    def test_a_quota_that_is_used_up_is_said(self, limited, way):
        """After three tries: that it is a limit, whose, and how to see it."""
        error = answer_of(HashicorpVault("hcvault"), way=way)
        assert isinstance(error, Throttled)
        assert error.lines() == [
            f"error: hashicorp-vault: the server limits how often it is asked ({limited.url})",
            "  hint: try again in a moment; vault list sys/quotas/rate-limit names its limits",
        ]


class TestVersion1:
    """A KV engine of version 1, which answers in another shape and keeps no versions (ST-HV1)."""

    @pytest.fixture
    def store(self, bao):
        yield HashicorpVault("hcvault", mount="kv1")
        for name in ("key", *(f"other{number}" for number in range(4))):
            bao.ask("DELETE", f"kv1/envref/app/{name}")

    @pytest.mark.parametrize("way", WAYS)
    def test_an_entry_is_read(self, bao, store, way):
        """Its member `value`, a member by name, what a pointer leads to; an absent path is absent."""
        bao.ask("POST", "kv1/envref/app/key", {"value": "v", "n": {"a": [1, "two"]}, "metadata": "m"})
        assert answer_of(store, way=way) == "v"
        assert answer_of(store, Address("app", "key", field="/n/a/1"), way) == "two"
        assert answer_of(store, Address("app", "key", field="metadata"), way) == "m"
        assert isinstance(answer_of(store, Address("app", "key", field="nope"), way), FieldNotFound)
        assert answer_of(store, Address("app", "absent"), way) is None

    def test_it_is_written_listed_and_deleted(self, store):
        """As in version 2, by other calls of the program."""
        for value in ("one", "two\n"):
            store.set(KEY, Secret(value), soon())
            assert answer_of(store) == value
        assert list(store.list("app", soon())) == ["key"]
        store.delete(KEY, soon())
        assert answer_of(store) is None
        with pytest.raises(SecretNotFound):
            store.delete(KEY, soon())

    def test_members_of_others_are_not_dropped(self, bao, store):
        """Version 1 can't change one member, so an entry that has more is left alone."""
        bao.ask("POST", "kv1/envref/app/key", {"value": "v", "other": "o"})
        with pytest.raises(BackendInvalid, match="has other members"):
            store.set(KEY, Secret("x"), soon())
        assert bao.ask("GET", "kv1/envref/app/key")["data"] == {"value": "v", "other": "o"}

    @pytest.mark.parametrize("way", WAYS)
    def test_it_has_no_versions(self, bao, store, way):
        """The latest value is not taken for an earlier one."""
        bao.ask("POST", "kv1/envref/app/key", {"value": "v"})
        error = answer_of(store, Address("app", "key", version="1"), way)
        assert (
            error.message == 'hashicorp-vault: "envref/app/key" is in a KV engine of version 1, which keeps no versions'
        )


class TestVersions:
    @pytest.mark.parametrize("way", WAYS)
    def test_each_version_has_its_value(self, bao, way):
        """The first, the latest, a deleted one, and one that never was."""
        for value in ("one", "two", "three"):
            bao.put("envref/app/key", {"value": value})
        bao.ask("POST", "secret/delete/envref/app/key", {"versions": [2]})
        store = HashicorpVault("hcvault")
        values = [answer_of(store, Address("app", "key", version=name), way) for name in ("1", "2", "3", "4", None)]
        assert values == ["one", None, "three", None, "three"]

    def test_a_version_is_a_number(self, shim):
        """Anything else is refused before the program is asked."""
        error = answer_of(HashicorpVault("hcvault"), Address("app", "key", version="latest"))
        assert error.message == 'hashicorp-vault: version "latest" is not a number'
        assert shim.count() == 0


class TestPastedPaths:
    """Paths as the server's own interface and other tools have them (ST-HV2)."""

    @pytest.mark.parametrize(
        ("path", "advice"),
        [
            (
                "secret/data/apps/x",
                'write "apps/x": a path begins inside the mount "secret", and "data/" is the server\'s own',
            ),
            (
                "data/apps/x",
                'write "apps/x": a path begins inside the mount "secret", and "data/" is the server\'s own',
            ),
            ("secret/apps/x", 'write "apps/x": a path begins inside the mount "secret"'),
            ("team/kv/data/apps/x", 'for the mount "team/kv" list a backend with mount: team/kv, and write "apps/x"'),
        ],
    )
    def test_what_it_holds_too_much_is_said(self, bao, path, advice):
        """And the path that is advised is the one that works."""
        bao.put("apps/x", {"value": "v"})
        bao.put("apps/x", {"value": "v"}, mount="team/kv")
        error = answer_of(HashicorpVault("hcvault"), asking.foreign(path))
        assert error.message == f'hashicorp-vault: secret not found: "{path}"; {advice}'
        mount = "team/kv" if path.startswith("team") else "secret"
        assert answer_of(HashicorpVault("hcvault", mount=mount), asking.foreign("apps/x")) == "v"

    def test_a_path_that_is_really_there_is_read(self, bao):
        """A directory may be called like the mount, or `data`."""
        for path in ("secret/data/x", "data/x", "secret/x"):
            bao.put(path, {"value": path})
            assert answer_of(HashicorpVault("hcvault"), asking.foreign(path)) == path

    def test_another_absent_path_is_absent(self, bao):
        """Nothing to explain."""
        assert answer_of(HashicorpVault("hcvault"), asking.foreign("apps/nope")) is None


class TestCures:
    """Each cure is done as it is written, and then the secret is there (ST-F5)."""

    def test_the_line_that_revisions_need(self, bao, monkeypatch):
        """Metadata are a right of their own: who may read the value need not have it, and "denied" is not "fresh"."""
        bao.put("envref/app/key", {"value": "v"})
        values = 'path "secret/data/envref/app/*" { capabilities = ["read"] }'
        monkeypatch.setenv("VAULT_TOKEN", bao.token(values))
        store = HashicorpVault("hcvault")
        refused = store.revisions([KEY], soon())[KEY]
        assert isinstance(refused, BackendDenied)
        line = 'path "secret/metadata/envref/app/*" { capabilities = ["read"] }'
        assert refused.hint == f"its policy needs: {line}"
        monkeypatch.setenv("VAULT_TOKEN", bao.token(f"{values}\n{line}"))
        assert store.revisions([KEY], soon()) == {KEY: store.get_many([KEY], soon())[KEY].revision}

    @pytest.fixture
    def key(self, bao):
        bao.put("envref/app/key", {"value": "v"})
        return bao

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("call", ["read", "list"])
    def test_the_line_that_a_policy_lacks(self, key, monkeypatch, way, call):
        """The hint is the policy."""
        monkeypatch.setenv("VAULT_TOKEN", key.token('path "secret/nope" {capabilities = ["read"]}'))
        store = HashicorpVault("hcvault")

        def ask():
            if call == "read":
                return answer_of(store, way=way)
            try:
                return list(store.list("app", soon()))
            except BackendError as error:
                return error

        (hint,) = ask().cure()
        line = hint.removeprefix("hint: its policy needs: ")
        monkeypatch.setenv("VAULT_TOKEN", key.token(line))
        assert ask() == ("v" if call == "read" else ["key"])

    def test_doctor_says_which_line_of_the_policy_is_missing(self, key, monkeypatch):
        """For the whole prefix, and not for the secret that it asks for in vain; with the line, nothing is left."""
        monkeypatch.setenv("VAULT_TOKEN", key.token('path "secret/nope" {capabilities = ["read"]}'))
        (fault,) = HashicorpVault("hcvault").examine(soon())
        assert fault.hint == 'its policy needs: path "secret/data/envref/*" { capabilities = ["read"] }'
        monkeypatch.setenv("VAULT_TOKEN", key.token(fault.hint.removeprefix("its policy needs: ")))
        assert list(HashicorpVault("hcvault").examine(soon())) == []

    @pytest.mark.parametrize(("program", "variable"), [("vault", "VAULT_TOKEN"), ("bao", "BAO_TOKEN")])
    def test_a_refused_token_of_the_environment(self, key, programs, monkeypatch, program, variable):
        """Without the variable, what the program's login stored counts."""
        monkeypatch.setenv("PATH", f"{programs[program]}:/usr/bin:/bin")
        monkeypatch.delenv("VAULT_TOKEN")
        monkeypatch.setenv(variable, "hvs.old")
        error = answer_of(HashicorpVault("hcvault"))
        assert error.lines()[1:] == [f"  run: unset {variable}, then {program} login"]
        monkeypatch.delenv(variable)
        subprocess.run([program, "login", "-no-print", TOKEN], check=True, timeout=60, capture_output=True)
        assert answer_of(HashicorpVault("hcvault")) == "v"

    def test_a_refused_token_of_the_config(self, key, monkeypatch):
        """The option comes before the environment."""
        error = answer_of(HashicorpVault("hcvault", token="hvs.old"))
        assert error.cure() == ["hint: the option token of the backend holds it; without that, vault login counts"]
        assert answer_of(HashicorpVault("hcvault")) == "v"


class TestNames:
    @pytest.mark.parametrize(
        ("options", "path"),
        [
            ({}, "envref/app/staging/key"),
            ({"prefix": "payments"}, "payments/staging/key"),
            ({"prefix": "/team/payments/"}, "team/payments/staging/key"),
            ({"prefix": "envref"}, "envref/staging/key"),
            ({"prefix": "payments", "project_namespace": "project"}, "payments/app/staging/key"),
            ({"project_namespace": "none"}, "envref/staging/key"),
        ],
    )
    def test_a_prefix_of_ones_own_is_the_namespace(self, bao, options, path):
        """MOUNT/data/PREFIX/P/K with a prefix, MOUNT/data/envref/PROJECT/P/K without (commands.md 8.2)."""
        store = HashicorpVault("hcvault", **options)
        store.set(Address("app", "key", profile="staging"), Secret("v"), soon())
        assert bao.members(path) == {"value": "v"}
        assert list(store.list("app", soon())) == ["staging/key"]
        assert store.carries_project == ("app" in path)

    def test_an_unknown_layout_is_refused(self):
        """The message names the option as it is called here."""
        with pytest.raises(BackendInvalid, match="hashicorp-vault: project_namespace must be one of auto"):
            HashicorpVault("hcvault", project_namespace="x")

    @pytest.mark.parametrize("way", WAYS)
    def test_a_mount_may_be_any(self, bao, way):
        """The engine at another path, with a slash in it."""
        bao.put("envref/app/key", {"value": "v"}, mount="team/kv")
        assert answer_of(HashicorpVault("hcvault", mount="/team/kv/"), way=way) == "v"
        assert answer_of(HashicorpVault("hcvault"), way=way) is None

    @pytest.mark.parametrize("way", WAYS)
    def test_a_namespace_is_another_store(self, bao, way):
        """Two backends of one type with different options hold different values."""
        bao.put("envref/app/key", {"value": "of engineering"}, namespace="engineering")
        bao.put("envref/app/key", {"value": "of the root"})
        assert answer_of(HashicorpVault("a", namespace="engineering"), way=way) == "of engineering"
        assert answer_of(HashicorpVault("b"), way=way) == "of the root"

    @pytest.mark.parametrize("way", WAYS)
    def test_a_foreign_name_is_a_path_inside_the_mount(self, bao, way):
        """Without prefix and project; slashes around it don't matter."""
        bao.put("legacy/db", {"value": "v", "user": "admin"})
        store = HashicorpVault("hcvault", prefix="payments")
        assert answer_of(store, Address("", "", foreign="legacy/db"), way) == "v"
        assert answer_of(store, Address("", "", foreign="/legacy/db/", field="user"), way) == "admin"
        assert answer_of(store, Address("", "", foreign="legacy/none"), way) is None

    def test_a_foreign_name_is_not_written(self, bao):
        """What envref did not make, it does not change."""
        store, address = HashicorpVault("hcvault"), Address("", "", foreign="legacy/db")
        for change in (lambda: store.set(address, Secret("v"), soon()), lambda: store.delete(address, soon())):
            with pytest.raises(BackendInvalid, match='"legacy/db" is an existing secret; change it there'):
                change()

    @pytest.mark.parametrize("name", ["..", "../sys/x", "a/../../x", "a//b", "/", "a\nb", "."])
    def test_a_name_does_not_lead_out_of_the_mount(self, stand_in, name):
        """Refused before anything is asked."""
        stand_in("echo asked >&2; exit 9")
        answer = answer_of(HashicorpVault("hcvault"), Address("", "", foreign=name))
        assert isinstance(answer, BackendInvalid)
        assert answer.message.endswith(" is not a path inside a mount")

    def test_a_list_goes_down_and_only_below_the_prefix(self, bao):
        """Names of other directories, and of directories themselves, are not in it."""
        bao.put("envref/app/a", {"value": "1"})
        bao.put("envref/app/a/b/c", {"value": "1"})
        bao.put("envref/application/x", {"value": "1"})
        bao.put("elsewhere", {"value": "1"})
        assert sorted(HashicorpVault("hcvault").list("app", soon())) == ["a", "a/b/c"]


class TestMembers:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(
        ("entry", "field", "expected"),
        [
            ({"value": "v", "user": "admin"}, None, "v"),
            ({"value": "v", "user": "admin"}, "user", "admin"),
            ({"value": "v", "a/b~c.d": "odd"}, "a/b~c.d", "odd"),
            ({"value": "v", "port": 5432}, "port", "5432"),
            ({"value": "v", "tls": True}, "tls", "true"),
            ({"value": "v", "hosts": ["a", {"b": 1}]}, "hosts", '["a",{"b":1}]'),
            ({"value": "v", "none": None}, "none", None),
            ({"value": '{"user": "inner"}'}, "user", "inner"),
            ({"value": '{"user": "inner"}', "user": "outer"}, "user", "outer"),
            ({"value": '{"a": {"b": ["x"]}}'}, "/a/b/0", "x"),
            ({"obj": {"a": [1, "two"]}}, "/obj/a/1", "two"),
            ({"value": {"user": "inner"}}, "user", "inner"),
            ({"value": {"user": "inner"}}, None, '{"user":"inner"}'),
            ({"value": "{}"}, "user", None),
            ({"value": 7}, None, "7"),
            ({"value": None}, None, None),
            ({"value": None}, "user", None),
            ({"user": "admin"}, "value", None),
            ({}, "user", None),
        ],
        ids=str,
    )
    def test_a_field_is_a_member_or_else_in_the_value(self, bao, way, entry, field, expected):
        """The member of that name, else of the JSON in `value`; text as in commands.md 6.3."""
        bao.put("envref/app/key", entry)
        answer = answer_of(HashicorpVault("hcvault"), Address("app", "key", field=field), way)
        if expected is None and field is not None:
            assert isinstance(answer, FieldNotFound)
        else:
            assert answer == expected

    @pytest.mark.parametrize("way", WAYS)
    def test_an_entry_without_the_member_is_not_absent(self, bao, way):
        """It exists and has another shape: the search must not go on to another store."""
        bao.put("envref/app/key", {"user": "admin"})
        error = answer_of(HashicorpVault("hcvault"), way=way)
        assert isinstance(error, BackendInvalid)
        assert error.lines() == [
            'error: hashicorp-vault: "envref/app/key" has no member "value"',
            "  hint: name one of its members: #NAME",
        ]

    @pytest.mark.parametrize("way", WAYS)
    def test_a_field_of_a_value_that_has_none(self, bao, way):
        """Plain text has no members; the entry's own are named."""
        bao.put("envref/app/key", {"value": "marker-1f"})
        error = answer_of(HashicorpVault("hcvault"), Address("app", "key", field="user"), way)
        assert isinstance(error, FieldNotFound)
        assert error.message == ('hashicorp-vault: field "user": "envref/app/key" has no such field; its fields: value')
        assert "marker" not in values_of(error)

    @pytest.mark.parametrize("way", WAYS)
    def test_a_value_that_no_variable_can_hold(self, bao, way):
        """NUL in a stored value is an error of that value alone."""
        bao.put("envref/app/key", {"value": "marker\0b"})
        bao.put("envref/app/other0", {"value": "fine"})
        store = HashicorpVault("hcvault")
        error = answer_of(store, way=way)
        assert isinstance(error, BackendInvalid)
        assert "marker" not in values_of(error)
        assert answer_of(store, MORE[0], way) == "fine"

    @pytest.mark.parametrize("way", WAYS)
    def test_a_deleted_version_is_absent(self, bao, way):
        """`vault kv delete` keeps the versions, and the value is absent, also to `delete`; `set` starts a new one."""
        store = HashicorpVault("hcvault")
        bao.put("envref/app/key", {"value": "old", "user": "old"})
        bao.ask("DELETE", "secret/data/envref/app/key")
        assert answer_of(store, way=way) is None
        with pytest.raises(SecretNotFound):
            store.delete(KEY, soon())
        store.set(KEY, Secret("new"), soon())
        assert bao.members("envref/app/key") == {"value": "new"}

    def test_set_keeps_the_other_members(self, bao):
        """Only `value` is replaced."""
        store = HashicorpVault("hcvault")
        bao.put("envref/app/key", {"value": "old", "user": "admin", "port": 5432, "tls": True})
        store.set(KEY, Secret("new"), soon())
        assert bao.members("envref/app/key") == {"value": "new", "user": "admin", "port": 5432, "tls": True}

    def test_set_adds_the_member(self, bao):
        """An entry without `value` gets one."""
        bao.put("envref/app/key", {"user": "admin"})
        HashicorpVault("hcvault").set(KEY, Secret("new"), soon())
        assert bao.members("envref/app/key") == {"value": "new", "user": "admin"}

    @pytest.mark.parametrize("before", [{}, {"value": "old"}, {"value": "old", "user": "x"}], ids=str)
    def test_set_does_not_undo_what_somebody_writes_meanwhile(self, bao, stand_in, before):
        """Between the look and the write an entry changed: the write is refused, and says so."""
        if before:
            bao.put("envref/app/key", before)
        stand_in(
            f"""case "$2" in put|patch) echo theirs | {binary()} kv put -mount=secret envref/app/key theirs=- ;; esac
            exec {binary()} "$@" """
        )
        with pytest.raises(BackendInvalid) as caught:
            HashicorpVault("hcvault").set(KEY, Secret("marker-2e"), soon())
        assert caught.value.message == 'hashicorp-vault: "envref/app/key" changed meanwhile; try again'
        assert list(bao.members("envref/app/key")) == ["theirs"]

    def test_delete_removes_every_version(self, bao):
        """Nothing can be undeleted."""
        store = HashicorpVault("hcvault")
        for value in ("one", "two"):
            store.set(KEY, Secret(value), soon())
        store.delete(KEY, soon())
        with pytest.raises(OSError, match="404"):
            bao.ask("GET", "secret/metadata/envref/app/key")


class TestCalls:
    @pytest.mark.parametrize(("many", "starts"), [(1, 1), (3, 3), (4, 0), (40, 0)])
    def test_up_to_three_paths_cost_a_process_each_and_more_none(self, shim, many, starts):
        """From four paths on, there is one connection."""
        store = HashicorpVault("hcvault")
        assert store.get_many([Address("app", f"key{number}") for number in range(many)], soon()) == {}
        assert shim.count() == starts

    def test_many_fields_of_an_entry_cost_one_lookup(self, shim, bao):
        """Five members, one process."""
        bao.put("envref/app/key", {name: name for name in "abcde"})
        addresses = [Address("app", "key", field=name) for name in "abcde"]
        answers = HashicorpVault("hcvault").get_many(addresses, soon())
        assert [answer.reveal() for answer in answers.values()] == list("abcde")
        assert shim.count() == 1

    def test_without_a_token_the_program_is_asked_for_its_own(self, shim, bao, home, monkeypatch):
        """Where `vault login` put it: one process for any number of paths."""
        (home / ".vault-token").write_text(TOKEN)
        monkeypatch.delenv("VAULT_TOKEN")
        bao.put("envref/app/key", {"value": "v"})
        assert answer_of(HashicorpVault("hcvault"), way="connection") == "v"
        assert shim.argvs() == [["print", "token"]]

    def test_a_configured_program_is_always_used(self, shim, bao):
        """With `command` there is no connection of envref's own."""
        bao.put("envref/app/key", {"value": "v"})
        assert answer_of(HashicorpVault("hcvault", command=f"{shim.path}/vault"), way="connection") == "v"
        assert shim.count() == 5

    @pytest.mark.parametrize(("name", "starts"), [("VAULT_RATE_LIMIT", 5), ("HTTPS_PROXY", 5), ("VAULT_LOG_LEVEL", 0)])
    def test_an_unusual_way_to_the_server_is_left_to_the_program(self, shim, bao, monkeypatch, name, starts):
        """Proxies and settings that envref doesn't know; not what has no influence on the way."""
        monkeypatch.setenv(name, "100")
        bao.put("envref/app/key", {"value": "v"})
        assert answer_of(HashicorpVault("hcvault"), way="connection") == "v"
        assert shim.count() == starts

    def test_no_value_and_no_token_is_in_an_argument_list(self, shim, bao):
        """Values go in by standard input, the token by the environment."""
        store = HashicorpVault("hcvault", token=TOKEN)
        for value in ("marker-one", "marker-two"):
            store.set(KEY, Secret(value), soon())
        bao.put("envref/app/key", {"value": "marker-three", "user": "x"})
        store.set(KEY, Secret("marker-four"), soon())
        assert answer_of(store) == "marker-four"
        assert list(store.list("app", soon())) == ["key"]
        store.delete(KEY, soon())
        called = json.dumps(shim.argvs())
        assert "marker" not in called
        assert TOKEN not in called
        assert ["kv", "patch", "-format=json", "-mount=secret", "-cas=3", "--", "envref/app/key", "value=-"] in (
            shim.argvs()
        )

    @pytest.mark.parametrize("way", WAYS)
    def test_the_options_come_before_the_environment(self, bao, way, monkeypatch):
        """addr, namespace and token, also over OpenBao's own names of the variables."""
        for maker in ("VAULT", "BAO"):
            monkeypatch.setenv(f"{maker}_ADDR", "http://127.0.0.1:9")
            monkeypatch.setenv(f"{maker}_TOKEN", "wrong")
            monkeypatch.setenv(f"{maker}_NAMESPACE", "wrong")
        bao.put("envref/app/key", {"value": "v"}, namespace="engineering")
        store = HashicorpVault("hcvault", addr=bao.url, token=TOKEN, namespace="engineering")
        assert answer_of(store, way=way) == "v"

    def test_settings_of_output_do_not_change_the_answers(self, bao, monkeypatch):
        """VAULT_FORMAT and VAULT_DETAILED, under both names."""
        for maker in ("VAULT", "BAO"):
            monkeypatch.setenv(f"{maker}_FORMAT", "yaml")
            monkeypatch.setenv(f"{maker}_DETAILED", "true")
        store = HashicorpVault("hcvault")
        store.set(KEY, Secret("v"), soon())
        assert answer_of(store) == "v"
        assert list(store.list("app", soon())) == ["key"]

    @pytest.mark.parametrize("way", WAYS)
    def test_bao_does_where_there_is_no_vault(self, bao, programs, monkeypatch, way):
        """With its own variables, which win over the others."""
        monkeypatch.setenv("PATH", programs["bao"])
        monkeypatch.setenv("BAO_ADDR", bao.url)
        monkeypatch.setenv("BAO_TOKEN", TOKEN)
        monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
        store = HashicorpVault("hcvault")
        store.set(KEY, Secret("v"), soon())
        assert answer_of(store, way=way) == "v"

    def test_a_relative_command_starts_at_the_project(self, bao, programs, tmp_path, monkeypatch):
        """`command: ./tools/bao`."""
        link(tmp_path / "tools", "bao")
        monkeypatch.setenv("PATH", "/nonexistent")
        assert answer_of(HashicorpVault("hcvault", command="./tools/bao", root=str(tmp_path))) is None


SIGN_IN = "denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
NO_MOUNT = 'no KV engine at "{}" in this namespace'
NO_ACCESS = 'denied: there is no mount "{}", or the token has no access to it'

# options, variables -> class, message, cure
SITUATIONS = {
    "no_token": ({}, {"VAULT_TOKEN": ""}, BackendDenied, SIGN_IN, "run: vault login"),
    "bad_token": ({}, {"VAULT_TOKEN": "bad"}, BackendDenied, SIGN_IN, "run: unset VAULT_TOKEN, then vault login"),
    "no_mount": ({"mount": "nowhere"}, {}, BackendDenied, NO_ACCESS.format("nowhere"), "hint: option mount names"),
    "no_namespace": ({"namespace": "nowhere"}, {}, BackendInvalid, NO_MOUNT.format("secret"), None),
    "refused": (
        {"addr": "http://127.0.0.1:9"},
        {},
        BackendUnavailable,
        "unavailable: connection refused (http://127.0.0.1:9)",
        None,
    ),
    "not_https": (
        {"addr": "https://127.0.0.1:PORT"},
        {},
        BackendUnavailable,
        "unavailable: the server speaks http, not https (https://127.0.0.1:PORT)",
        "hint: set VAULT_ADDR",
    ),
}


class TestErrors:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("kind", SITUATIONS)
    def test_a_situation_has_its_class_and_words(self, bao, monkeypatch, way, kind):
        """What the real program and the real server say, the same whichever was asked."""
        options, variables, error_class, message, cure = SITUATIONS[kind]
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        port = str(bao.port)
        store = HashicorpVault("hcvault", **{name: value.replace("PORT", port) for name, value in options.items()})
        error = answer_of(store, way=way)
        assert isinstance(error, error_class)
        assert error.message == f"hashicorp-vault: {message.replace('PORT', port)}"
        assert [line.startswith(cure) for line in error.cure()] == ([True] if cure else [])

    @pytest.mark.parametrize("way", WAYS)
    def test_a_policy_that_denies_is_denied(self, bao, monkeypatch, way):
        """One path is refused, another is readable; the message names the path and what is needed."""
        bao.put("envref/app/other0", {"value": "readable"})
        monkeypatch.setenv("VAULT_TOKEN", bao.token('path "secret/data/envref/app/other*" {capabilities = ["read"]}'))
        store = HashicorpVault("hcvault")
        error = answer_of(store, way=way)
        assert isinstance(error, BackendDenied)
        assert error.lines() == [
            'error: hashicorp-vault: denied: permission denied for "envref/app/key"',
            '  hint: its policy needs: path "secret/data/envref/app/*" { capabilities = ["read"] }',
        ]
        assert answer_of(store, MORE[0], way) == "readable"
        for call in (
            lambda: store.set(MORE[0], Secret("v"), soon()),
            lambda: store.delete(MORE[0], soon()),
            lambda: store.list("app", soon()),
        ):
            with pytest.raises(BackendDenied, match="denied: permission denied for"):
                call()

    @pytest.mark.parametrize("way", WAYS)
    def test_a_token_without_access_to_the_mount(self, bao, monkeypatch, way):
        """Signed in, and yet nothing of this engine may be seen."""
        monkeypatch.setenv("VAULT_TOKEN", bao.token('path "cubbyhole/*" {capabilities = ["read"]}'))
        error = answer_of(HashicorpVault("hcvault"), way=way)
        assert (type(error), error.message) == (BackendDenied, f"hashicorp-vault: {NO_ACCESS.format('secret')}")

    @pytest.mark.parametrize("way", WAYS)
    def test_a_sealed_server_is_unavailable(self, sealed, way):
        """Without the retries of the program, so at once; with the command that opens it."""
        watch = Stopwatch()
        error = answer_of(HashicorpVault("hcvault", addr=sealed.url), way=way)
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            f"error: hashicorp-vault: unavailable: sealed ({sealed.url})",
            "  run: vault operator unseal",
        ]
        assert watch.seconds() < 5

    @pytest.fixture(autouse=True)
    def signed_in(self, bao):
        pass

    def test_the_programs_own_time_limit(self, monkeypatch):
        """VAULT_CLIENT_TIMEOUT, where it is shorter than envref's."""
        monkeypatch.setenv("VAULT_CLIENT_TIMEOUT", "1")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            error = answer_of(HashicorpVault("hcvault", addr=url))
        assert isinstance(error, BackendTimeout)
        assert error.message.startswith("hashicorp-vault: no answer within VAULT_CLIENT_TIMEOUT")

    def test_a_value_that_is_too_large_is_refused(self):
        """The server takes 32 MiB."""
        with pytest.raises(BackendInvalid) as caught:
            HashicorpVault("hcvault").set(KEY, Secret("x" * 34_000_000), soon())
        assert caught.value.message == "hashicorp-vault: the value is larger than the server takes"

    @pytest.mark.parametrize(
        ("said", "error_class", "message"),
        [
            ("Get https://u:pw@v.test/v1: dial tcp: no such host", BackendUnavailable, "no such host (https://v.test)"),
            ("Code: 400. Errors:\n\n* missing client token", BackendDenied, SIGN_IN),
            (
                "Error making API request.\n\nCode: 403. Errors:\n\n* namespace not authorized",
                BackendDenied,
                "Code: 403. Errors: * namespace not authorized",
            ),
            ("flag provided but not defined: -mount", BackendInvalid, "does not know a flag that envref uses"),
            (
                "\033[31mCode: 500. Errors:\n\n* \033[1minternal error",
                BackendUnavailable,
                "500. Errors: * internal error",
            ),
            ("No value: not found", BackendUnavailable, "No value: not found"),
            ("", BackendUnavailable, "failed without a message"),
        ],
    )
    def test_words_that_this_server_does_not_say(self, stand_in, said, error_class, message):
        """The rest of the table, and unknown text: unavailable, quoted on one line without colours, never absent."""
        directory = stand_in("cat $(dirname $0)/said >&2; exit 2")
        (directory / "said").write_text(said)
        error = answer_of(HashicorpVault("hcvault"))
        assert isinstance(error, error_class)
        assert error.message.endswith(message)
        assert error.message.isprintable()
        assert "pw" not in error.message


@pytest.mark.parametrize(
    ("flox", "cure"),
    [("", "brew install hashicorp/tap/vault, then vault login"), ("/e", "flox install vault-bin, then vault login")],
)
def test_an_absent_program_is_named_with_its_cure(monkeypatch, flox, cure):
    """With Flox in a Flox environment, else with Homebrew (commands.md 13, row 8); for one path and for many."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("FLOX_ENV", flox)
    for way in WAYS:
        error = answer_of(HashicorpVault("hcvault"), way=way)
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            "error: hashicorp-vault: start vault: executable file not found in $PATH",
            f"  run: {cure}",
        ]


ENTRY_TEXT = '{"data": {"data": {"value": "marker-9d"}, "metadata": {"version": 1}}}'
# a program -> the class of the error; None where it may be a value
FAULTS = {
    "hang": ("sleep 600", BackendTimeout),
    "grandchild": ("sleep 600 & sleep 600", BackendTimeout),
    "grandchild_alone": (f"sleep 600 & echo '{ENTRY_TEXT}'", None),
    "ignores_term": ("trap '' TERM; while :; do sleep 1; done", BackendTimeout),
    "drip": ("while :; do printf ' '; sleep 0.05; done", BackendTimeout),
    "rubbish": ("echo 'marker-9d <html>'", BackendInvalid),
    "array": ("""echo '["marker-9d"]'""", BackendInvalid),
    "odd": ("""echo '{"data": {"data": "marker-9d", "metadata": {"version": 1}}}'""", BackendInvalid),
    "odd_version": (
        """echo '{"data": {"data": {"value": "marker-9d"}, "metadata": {"version": "x"}}}'""",
        BackendInvalid,
    ),
    "half": ("""printf '{"data": {"data": {"value": "marker-9d'; kill -9 $$""", BackendUnavailable),
    "half_and_success": ("""printf '{"data": {"data": {"value": "marker-9d'""", BackendInvalid),
    "megabyte": ("head -c 1048576 /dev/zero | tr '\\0' x", BackendInvalid),
    "megabyte_of_stderr": ("head -c 1048576 /dev/zero | tr '\\0' x >&2; exit 2", BackendUnavailable),
    "deep": ("head -c 200000 /dev/zero | tr '\\0' '['", BackendInvalid),
    "ansi": (r"printf '\033[2J\033]0;title\007' >&2; exit 2", BackendUnavailable),
    "bad_utf8": (r"""printf '{"data": {"data": {"value": "\377\376"}, "metadata": {"version": 1}}}'""", BackendInvalid),
    "bad_utf8_of_stderr": (r"printf '\377\376' >&2; exit 2", BackendUnavailable),
    "surrogate": (r"""printf '{"data": {"data": {"value": "\\ud800"}, "metadata": {"version": 1}}}'""", BackendInvalid),
    "nothing": (":", BackendInvalid),
    "signal": ("kill -15 $$", BackendUnavailable),
}


@first_python
@pytest.mark.parametrize("kind", FAULTS)
def test_a_faulty_program_does_no_harm(stand_in, kind):
    """It ends in time with the right class, leaves no process, and no word of a value in the message."""
    body, error_class = FAULTS[kind]
    directory = stand_in(body)
    watch = Stopwatch()
    answer = answer_of(HashicorpVault("hcvault"), deadline=watch.started + 1)
    assert watch.seconds() < 2
    if error_class is None:
        assert answer == "marker-9d"
    else:
        assert type(answer) is error_class
        assert "marker" not in values_of(answer)
        assert len(answer.message) < 400
        assert answer.message.isprintable()
    assert left_of(directory) == []


@pytest.mark.parametrize("printed", ["", "null{", '{"a": 1}', "[1]"])
@pytest.mark.parametrize("status", [0, 2])
def test_a_list_that_is_none_is_no_empty_list(stand_in, printed, status):
    """Only the program's own answer for nothing is nothing."""
    stand_in(f"printf '%s' '{printed}'; exit {status}")
    with pytest.raises(BackendError):
        HashicorpVault("hcvault").list("app", soon())


def test_a_late_write_and_a_failing_one_do_not_tell_the_value(stand_in):
    """A program that repeats what it reads, and one that never ends."""
    value = Secret("marker-4c")
    for body, error_class in (("cat >&2; exit 2", BackendUnavailable), ("sleep 600", BackendTimeout)):
        stand_in(f'case "$2" in get) echo "No value found at secret/data/x" >&2; exit 2 ;; esac; {body}')
        with pytest.raises(error_class) as caught:
            HashicorpVault("hcvault").set(KEY, value, time.monotonic() + 1)
        assert "marker" not in values_of(caught.value)


def test_the_token_is_hidden_from_messages(stand_in):
    """Also where the program repeats it."""
    stand_in('echo "bad token $VAULT_TOKEN" >&2; exit 2')
    error = answer_of(HashicorpVault("hcvault", token="hvs.marker"))
    assert error.message == "hashicorp-vault: bad token ***"
