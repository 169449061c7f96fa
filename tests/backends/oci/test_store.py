"""OCI Vault: the real `oci` against a double of the service that checks its signatures."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envref.backends.oci.store import LARGEST, OciVault, decoded, encoded
from envref.backends.throttling import Throttled
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
from tests.backends.asking import BY_HAND, KEY, answer_of, answers_of, keys, soon
from tests.backends.commands import StoreCommands
from tests.backends.contract import BackendContract, only_reading, values_of
from tests.backends.stores import shim
from tests.backends.stores.oci import UNREACHABLE, options
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python, need_store_program

VALUE = "marker-7f3a9c"
ENCODED_VALUE = base64.b64encode(VALUE.encode()).decode()
POLICY = "  hint: the policy has to allow read secret-bundles and inspect secrets in the compartment of the vault"
TO_WRITE = "  hint: the policy has to allow manage secret-family and use keys in the compartment of the vault"


def error_of(store, address, *others, deadline=None):
    """The error of the first address, raised for the whole store or given for the one."""
    return answer_of(store, address, deadline, among=others)


# How the requests begin that `oci` makes for its commands.
_TOLD = {
    "get": r"GET /20190301/secretbundles/",
    "get-secret-bundle-by-name": r"POST /20190301/secretbundles/actions/getByName",
    "list": r"GET /20180608/secrets\?",
}
KNOWN_TO_NOBODY = "OCI_KNOWN_TO_NOBODY"  # and so it may have a meaning for another `oci`
both_ways = pytest.mark.parametrize("way", ["direct", "oci"], indirect=True)


class Vault:
    """A vault of its own in the service, the backend for it, and what calls of `oci` it made."""

    def __init__(self, service, calls, way):
        self._way = way
        self.service = service
        self.options = options()
        self.backend = OciVault("oci", **self.options)
        self.identity = self.options["vault_id"]
        self._calls = calls

    def put(self, *keys, value=b"v"):
        for key in keys:
            self.service.put(self.identity, f"app.-{key}", value)

    def asked(self):
        """What was asked for so far, by the commands of `oci`, sorted: several at once. `oci` itself may ask again."""
        if self._way == "oci":
            return self.commands()
        return sorted(name for request in self.service.requests for name in _TOLD if re.match(_TOLD[name], request))

    def commands(self):
        """The commands of `oci` that were called so far, sorted: those of a batch start in no order."""
        return sorted(next(word for word in argv[::-1] if not word.startswith("-")) for argv in self._calls.argvs())

    def arguments(self):
        return [word for argv in self._calls.argvs() for word in argv]


@pytest.fixture
def account(oci_account):
    return oci_account


@pytest.fixture
def loaded(loaded_oci):
    return loaded_oci


@pytest.fixture
def service(account, monkeypatch):
    """The service, with every switch as it was made; this process and its children are known to it."""
    account.service.reset()
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    return account.service


@pytest.fixture
def oci(service, loaded, monkeypatch):
    """Puts the real `oci` on PATH, loaded beforehand."""
    monkeypatch.setenv("PATH", f"{loaded.path}:{os.environ['PATH']}")
    return service


@pytest.fixture
def way(request, monkeypatch):
    """How secrets are read: by envref's own requests, or through the program."""
    name = getattr(request, "param", "direct")
    if name == "oci":
        monkeypatch.setenv(KNOWN_TO_NOBODY, "1")
    return name


@pytest.fixture
def vault(way, service, loaded, monkeypatch, tmp_path):
    calls = shim.recorded(tmp_path / "shim", loaded.program, "oci")
    monkeypatch.setenv("PATH", f"{calls.path}:{os.environ['PATH']}")
    return Vault(service, calls, way)


class TestOciVault(BackendContract):
    holds_empty = False
    asks_revisions = forgets_deleted = False
    first_version = "1"
    foreign_name = "team_db.password"
    throttles = True

    @pytest.fixture
    def store(self, oci):
        self.service, self.options = oci, options()
        return OciVault("oci", **self.options)

    def plant(self, store, name, value):
        self.service.put(self.options["vault_id"], name, value.encode())

    def throttle(self, times):
        self.service.throttled, self.service.refused = times, 0
        return lambda: self.service.refused

    def test_a_deleted_key_can_be_set_again(self, store):
        """Not before its deletion is cancelled: the service keeps the name. The error says how long, and the cure."""
        self.put(store, "key", "old")
        store.delete(self.address("key"), self.deadline)
        with pytest.raises(BackendInvalid) as caught:
            self.put(store, "key", "new")
        assert caught.value.message == (
            'oci-vault: "app/key" is scheduled for deletion until 2030-01-02; cancel the deletion or use another key'
        )
        subprocess.run(caught.value.run, check=True, capture_output=True)
        self.put(store, "key", "new")
        assert self.read(store, "key") == "new"

    def test_many_are_answered_at_once(self, vault):
        """Forty keys of one question get their own values, the absent ones none, and no request is spent on those."""
        for number in range(0, 40, 2):
            vault.put(f"key{number}", value=f"value {number}".encode())
        answers = answers_of(vault.backend, *keys(*(f"key{number}" for number in range(40))))
        assert answers == {f"app/key{number}": f"value {number}" for number in range(0, 40, 2)}
        assert vault.asked() == ["get-secret-bundle-by-name"] * 20 + ["list"]


@only_reading
class TestThroughOci(TestOciVault):
    """The same answers where the program reads; written past it, for it is slow."""

    @pytest.fixture(autouse=True)
    def _through_oci(self, monkeypatch):
        monkeypatch.setenv(KNOWN_TO_NOBODY, "1")

    def put(self, store, key, value):
        self.service.write(self.options["vault_id"], encoded(f"app/{key}"), value.encode())


class TestNames:
    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("oci-microservice/db_password", "oci-microservice.-db_password"),
            ("app/K.__history.1", "app.-K..__history..1"),
            ("a b/50%", "a.x20b.-50.x25"),
            ("ключ", ".xd0.xba.xd0.xbb.xd1.x8e.xd1.x87"),
            ("..-", "....-"),
        ],
    )
    def test_a_key_is_encoded(self, key, name):
        """Names hold letters, digits, hyphens, underscores and periods only, and lead back to the key."""
        assert (encoded(key), decoded(name)) == (name, key)

    @pytest.mark.parametrize(
        "name", ["a.", ".y", "a.b", ".x4", ".x4G", ".xAB", ".x41", ".x2f", ".xff", "a/b", "a b", "é"]
    )
    def test_a_name_that_no_key_has_is_not_decoded(self, name):
        """What `encoded` would never give stands for no key, so two names never stand for one."""
        assert decoded(name) is None

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_every_key_comes_back(self, key):
        """Any text survives the encoding, which uses allowed characters only."""
        assert decoded(encoded(key)) == key
        assert re.fullmatch(r"[A-Za-z0-9._-]*", encoded(key))

    def test_names_of_others_are_not_listed(self, vault):
        """Names that don't decode, and those of other projects, are ignored; every page is read."""
        for name in ("app", "app.-", "apple.-a", "app.b", "plain"):
            vault.service.put(vault.identity, name, b"v")
        vault.put(*(f"key{number:02}" for number in range(30)))
        assert sorted(vault.backend.list("app", soon())) == [f"key{number:02}" for number in range(30)]
        assert (vault.asked(), vault.commands()) == (["list", "list"], [])


@both_ways
class TestReading:
    def test_one_key_is_one_request(self, vault, way):
        """A key that is there is read by its name, without asking for its OCID first; without a process too."""
        vault.put("key")
        assert answers_of(vault.backend, KEY) == {"app/key": "v"}
        assert vault.asked() == ["get-secret-bundle-by-name"]
        assert vault.commands() == (vault.asked() if way == "oci" else [])

    def test_backends_of_one_host_share_their_connections(self, vault, way):
        """Vaults and compartments differ; the server, and whom envref trusts there, do not."""
        options_of_another = {**options(), "compartment_id": "ocid1.compartment.oc1..other"}
        another = OciVault("other", **options_of_another)
        vault.put("key")
        vault.service.put(options_of_another["vault_id"], "app.-key", b"other")
        before = vault.service.connections
        assert answers_of(vault.backend, KEY) == {"app/key": "v"}
        assert answers_of(another, KEY) == {"app/key": "other"}
        assert way == "oci" or vault.service.connections - before == 1

    def test_a_revision_is_its_version_and_its_date(self, vault):
        """To the millisecond: the same by either way, or each change of way would look like a rotation."""
        vault.put("key")
        written = round(datetime.fromisoformat(vault.service.written()).timestamp() * 1000)
        assert str(written).endswith("678")
        assert vault.backend.get_many([KEY], soon())[KEY].revision == f"1.{written}"

    def test_a_listing_decides_that_one_key_is_absent(self, vault):
        """The service says the same of absent and denied; a listing of that name tells them apart."""
        assert answers_of(vault.backend, KEY) == {}
        assert vault.asked() == ["get-secret-bundle-by-name", "list"]
        assert "&name=app.-key" in vault.service.requests[-1]

    def test_only_the_name_itself_counts(self, vault):
        """Another name in the listing is neither taken for the key nor written over."""
        vault.put("other")
        vault.service.ignores_names = True
        assert answers_of(vault.backend, KEY) == {}
        vault.backend.set(KEY, Secret(VALUE), soon())
        assert answers_of(vault.backend, KEY, *keys("other")) == {"app/key": VALUE, "app/other": "v"}

    def test_only_what_the_listing_holds_is_read(self, vault):
        """Of several keys at both scopes, the absent ones cost no request."""
        vault.put("a", "c")
        assert answers_of(vault.backend, *keys("a", "b", "c"), *keys("a", "b", "c", profile="p")) == {
            "app/a": "v",
            "app/c": "v",
        }
        assert vault.asked() == ["get-secret-bundle-by-name"] * 2 + ["list"]

    def test_several_are_read_at_a_time(self, vault, way):
        """The reads of a batch run side by side: no more than four processes, or eight requests."""
        names = [f"key{number}" for number in range(10)]
        vault.put(*names)
        most = {"oci": 4, "direct": 8}[way]
        vault.service.meeting, vault.service.latency = most, 0.2
        assert len(answers_of(vault.backend, *keys(*names))) == 10
        assert vault.service.busiest == most

    def test_what_is_to_be_deleted_is_absent(self, vault):
        """A key whose deletion is scheduled is neither read nor listed nor deleted again, though it still exists."""
        vault.put("gone", "here")
        vault.backend.delete(*keys("gone"), soon())
        assert answers_of(vault.backend, *keys("gone", "here")) == {"app/here": "v"}
        assert answers_of(vault.backend, *keys("gone")) == {}
        assert list(vault.backend.list("app", soon())) == ["here"]
        with pytest.raises(SecretNotFound):
            vault.backend.delete(*keys("gone"), soon())

    def test_a_foreign_name_is_read_as_it_is(self, vault):
        """`//NAME` is the secret's name, not encoded; envref never writes it."""
        foreign = Address("", "", foreign="Shared.token")
        vault.service.put(vault.identity, "Shared.token", b"theirs")
        assert answers_of(vault.backend, foreign) == {"Shared.token": "theirs"}
        assert answers_of(vault.backend, foreign, KEY) == {"Shared.token": "theirs"}
        for call in (
            lambda: vault.backend.set(foreign, Secret("x"), soon()),
            lambda: vault.backend.delete(foreign, soon()),
        ):
            with pytest.raises(BackendInvalid, match="is not envref's own"):
                call()

    @pytest.mark.parametrize("setting", ["output=table", "query=data[?contains(id, 'x')]", "query=nothing"])
    def test_a_users_settings_of_oci_do_not_count(self, vault, home, setting):
        """A format or a query in the user's own settings changes no answer, and hides no secret."""
        (home / ".oci").mkdir()
        (home / ".oci/oci_cli_rc").write_text(f"[DEFAULT]\n{setting}\n")
        vault.put("key")
        assert answers_of(vault.backend, KEY) == {"app/key": "v"}
        assert answers_of(vault.backend, KEY, *keys("other")) == {"app/key": "v"}

    @pytest.mark.parametrize("state", ["SCHEDULING_DELETION", "DELETING"])
    def test_what_is_being_deleted_is_absent(self, vault, state):
        """Before and after its deletion is pending, a key is absent and its name is taken."""
        vault.put("key")
        vault.service.secret(vault.identity, "app.-key")["lifecycleState"] = state
        assert answers_of(vault.backend, KEY) == {}
        with pytest.raises(BackendInvalid, match='"app/key" is scheduled for deletion until an unknown day; cancel'):
            vault.backend.set(KEY, Secret(VALUE), soon())

    def test_what_was_deleted_is_gone(self, vault):
        """A deleted secret that the service still lists is absent, and its name is free."""
        vault.put("key")
        vault.service.secret(vault.identity, "app.-key")["lifecycleState"] = "DELETED"
        assert answers_of(vault.backend, KEY) == {}
        assert list(vault.backend.list("app", soon())) == []
        vault.backend.set(KEY, Secret(VALUE), soon())
        assert answers_of(vault.backend, KEY, *keys("other")) == {"app/key": VALUE}

    def test_a_foreign_name_is_no_option(self, vault):
        """A foreign name that looks like an option of `oci` is a name."""
        assert answers_of(vault.backend, Address("", "", foreign="--debug")) == {}
        assert "secretName=--debug&" in vault.service.requests[0]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"\xff\xfe", "the value is not UTF-8 text; store it as base64 and add ?encoding=base64"),
            (b"one\0two", "the value contains NUL; store it as base64 and add ?encoding=base64"),
            ("no base64!", "oci printed an answer that envref does not know"),
        ],
    )
    def test_a_value_that_no_variable_can_hold_is_invalid(self, vault, content, message):
        """Others may store bytes of any kind."""
        vault.put("key", value=content)
        error = error_of(vault.backend, KEY)
        assert (type(error), error.message) == (BackendInvalid, f"oci-vault: {message}")


@both_ways
class TestAddressed:
    def test_a_secret_by_its_ocid(self, vault):
        """From any compartment, beside names and without a listing for it; its versions too."""
        vault.put("key", value=b"named")
        vault.service.put(f"{vault.identity}.other", "elsewhere", b"far", "ocid1.compartment.oc1..other")
        ocid = vault.service.newest
        far = Address("", "", foreign=ocid)
        assert answers_of(vault.backend, far) == {ocid: "far"}
        assert answers_of(vault.backend, far, KEY) == {ocid: "far", "app/key": "named"}
        assert answers_of(vault.backend, Address("", "", foreign=ocid, version="1")) == {ocid: "far"}
        assert vault.asked() == ["get", "get", "get", "get-secret-bundle-by-name", "list"]

    def test_an_ocid_that_is_refused_is_not_absent(self, vault):
        """It may be in a compartment that nobody can look into from here."""
        error = error_of(vault.backend, Address("", "", foreign="ocid1.vaultsecret.oc1.iad.none"))
        assert error.lines() == ["error: oci-vault: denied: NotAuthorizedOrNotFound", POLICY]

    @pytest.mark.parametrize(
        ("version", "value"), [("1", "one"), ("2", "two"), ("PREVIOUS", "one"), ("CURRENT", "two")]
    )
    def test_a_version_is_a_number_or_a_stage(self, vault, version, value):
        """By name, alone and among others."""
        vault.backend.set(KEY, Secret("one"), soon())
        vault.backend.set(KEY, Secret("two"), soon())
        wanted = Address("app", "key", version=version)
        assert answers_of(vault.backend, wanted) == {"app/key": value}
        assert vault.backend.get_many([wanted, *keys("other")], soon())[wanted] == Secret(value)

    @pytest.mark.parametrize("version", ["7", "DEPRECATED", "a name of a version"])
    def test_a_version_that_there_is_not_is_absent(self, vault, version):
        """The current one can be read, so the refusal is about the version; without it nothing is absent."""
        vault.put("key")
        wanted = Address("app", "key", version=version)
        assert vault.backend.get_many([wanted], soon()) == {}
        assert vault.backend.get_many([wanted, *keys("key")], soon()).keys() == {*keys("key")}
        vault.service.denied = {"get_by_name"}
        assert isinstance(error_of(vault.backend, wanted), BackendDenied)


@both_ways
class TestDenied:
    def test_one_that_may_not_be_read_is_no_absent_one(self, vault):
        """A name that the listing has, and that can't be read, is denied, with the permission that is needed."""
        vault.put("key")
        vault.service.denied = {"get_by_name"}
        error = error_of(vault.backend, KEY)
        assert isinstance(error, BackendDenied)
        assert error.lines() == ["error: oci-vault: denied: NotAuthorizedOrNotFound", POLICY]

    def test_without_a_listing_nothing_is_absent(self, vault):
        """Who may not list is told that it is denied, never that it is not there."""
        vault.service.denied = {"list"}
        assert isinstance(error_of(vault.backend, KEY), BackendDenied)

    def test_who_may_not_list_may_read(self, vault):
        """Several keys are read without a listing where it is denied; those that can't be read are denied."""
        vault.put("a", "b")
        vault.service.denied = {"list"}
        answers = answers_of(vault.backend, *keys("a", "absent", "b"))
        assert isinstance(answers.pop("app/absent"), BackendDenied)
        assert answers == {"app/a": "v", "app/b": "v"}

    @pytest.mark.parametrize("action", ["list", "create", "update"])
    def test_a_denied_write_is_denied(self, vault, action):
        """Each step of a write may be denied, and then nothing has changed."""
        before = {"update": {"app/key": "v"}}.get(action, {})
        vault.put(*(["key"] if before else []))
        vault.service.denied = {action}
        with pytest.raises(BackendDenied) as caught:
            vault.backend.set(KEY, Secret(VALUE), soon())
        assert VALUE not in values_of(caught.value)
        assert caught.value.lines()[1:] == [POLICY if action == "list" else TO_WRITE]
        vault.service.denied = set()
        assert answers_of(vault.backend, KEY) == before

    def test_a_denied_deletion_is_denied(self, vault):
        """Who may not delete has deleted nothing."""
        vault.put("key")
        vault.service.denied = {"schedule_deletion"}
        with pytest.raises(BackendDenied):
            vault.backend.delete(KEY, soon())
        assert answers_of(vault.backend, KEY) == {"app/key": "v"}


class TestWriting:
    def test_a_value_travels_as_base64_on_standard_input(self, vault):
        """The service holds the base64 of the value; neither is in the arguments of any process."""
        vault.backend.set(KEY, Secret(VALUE), soon())
        vault.backend.set(KEY, Secret(f"{VALUE}2"), soon())
        assert vault.service.secret(vault.identity, "app.-key")["contents"] == [
            ENCODED_VALUE,
            base64.b64encode(f"{VALUE}2".encode()).decode(),
        ]
        said = "\n".join(vault.arguments())
        assert "create-base64" in said
        assert "update-base64" in said
        assert not [each for each in (VALUE, ENCODED_VALUE, ENCODED_VALUE[:12]) if each in said]

    def test_a_write_is_three_processes(self, vault):
        """What is there, the write, and the value read back."""
        vault.backend.set(KEY, Secret(VALUE), soon())
        assert vault.commands() == ["create-base64", "get-secret-bundle-by-name", "list"]

    def test_a_write_waits_until_the_service_is_done(self, vault):
        """A secret that is still being created, or updated, when the service answers is waited for."""
        vault.service.unsettled = 1
        vault.backend.set(KEY, Secret(VALUE), soon())
        assert answers_of(vault.backend, KEY) == {"app/key": VALUE}

    def test_a_store_that_lies_is_found_out(self, vault):
        """A value that reads back as another one is an error, which tells neither."""
        vault.service.lies = True
        with pytest.raises(BackendUnavailable) as caught:
            vault.backend.set(KEY, Secret(VALUE), soon())
        assert caught.value.message == 'oci-vault: "app/key" does not read back as it was set'
        assert VALUE not in values_of(caught.value)

    def test_a_service_that_fails_later_is_found_out(self, vault):
        """A secret that the service accepts, and then can't make, is an error at once."""
        vault.service.settled = "FAILED"
        with pytest.raises(BackendUnavailable) as caught:
            vault.backend.set(KEY, Secret(VALUE), soon())
        assert caught.value.message == 'oci-vault: "app/key": the service failed to store the value'

    def test_a_value_that_cannot_be_read_back_was_set(self, vault):
        """Who may write and not read is told that the value is there, and what keeps envref from checking it."""
        vault.service.denied = {"get_by_name"}
        with pytest.raises(BackendDenied) as caught:
            vault.backend.set(KEY, Secret(VALUE), soon())
        assert caught.value.lines() == [
            "error: oci-vault: denied: NotAuthorizedOrNotFound; the value was set and can't be read back",
            POLICY,
        ]
        assert vault.service.content(vault.identity, "app.-key") == ENCODED_VALUE

    @pytest.mark.parametrize(("value", "why"), [("", "the value is empty"), ("ä" * LARGEST, "longer than 25600 bytes")])
    def test_what_the_service_does_not_take_is_refused(self, vault, value, why):
        """An empty value and one above the limit are refused before any process is started."""
        with pytest.raises(BackendInvalid, match=why):
            vault.backend.set(KEY, Secret(value), soon())
        assert vault.commands() == []

    def test_the_largest_value_is_taken(self, vault):
        """The limit counts bytes of the value."""
        vault.backend.set(KEY, Secret("x" * LARGEST), soon())
        assert answers_of(vault.backend, KEY) == {"app/key": "x" * LARGEST}

    def test_a_name_in_another_compartment_is_taken(self, vault):
        """A name is unique in the vault: one of another compartment can't be created again."""
        vault.service.put(vault.identity, "app.-key", b"v", compartment="ocid1.compartment.oc1..other")
        with pytest.raises(BackendInvalid) as caught:
            vault.backend.set(KEY, Secret(VALUE), soon())
        assert "A secret with this name already exists" in caught.value.message

    def test_the_profile_is_passed_on(self, vault, home, account):
        """`profile` chooses the section of the configuration; without it, it is the one of `oci`."""
        credentials = {name.removeprefix("OCI_CLI_").lower(): text for name, text in account.environment.items()}
        names = ("user", "tenancy", "region", "key_file", "fingerprint")
        lines = "".join(f"{name}={credentials[name]}\n" for name in names)
        write_configuration(home, f"[DEFAULT]\nuser=nobody\n[TEAM]\n{lines}")
        vault.put("key")
        for name in names:
            os.environ.pop(f"OCI_CLI_{name.upper()}")
        assert answers_of(OciVault("oci", profile="TEAM", **vault.options), KEY) == {"app/key": "v"}
        assert isinstance(error_of(vault.backend, KEY), BackendLocked)


def write_configuration(home, text):
    (home / ".oci").mkdir()
    (home / ".oci/config").write_text(text)
    (home / ".oci/config").chmod(0o600)


def forget_credentials(monkeypatch):
    for name in ("USER", "TENANCY", "REGION", "KEY_FILE", "FINGERPRINT"):
        monkeypatch.delenv(f"OCI_CLI_{name}")


# what the service answers -> the error's class and its lines
REFUSALS = {
    "signature": (
        (401, "NotAuthenticated", "no"),
        BackendDenied,
        [
            "oci-vault: denied: NotAuthenticated",
            "  hint: check OCI_CLI_FINGERPRINT, OCI_CLI_KEY_FILE, OCI_CLI_TENANCY, OCI_CLI_USER of the environment",
        ],
    ),
    "clock": (
        (401, "NotAuthenticated", "Date 'x' is not within allowed clock skew. Current 'y'"),
        BackendDenied,
        [
            "oci-vault: NotAuthenticated: Date 'x' is not within allowed clock skew. Current 'y'",
            "  hint: set this machine's clock: Oracle takes no request that is minutes old, or ahead",
        ],
    ),
    "permission": ((403, "NotAuthorized", "no"), BackendDenied, ["oci-vault: denied: NotAuthorized", POLICY]),
    "state": (
        (409, "IncorrectState", "busy"),
        BackendInvalid,
        ["oci-vault: IncorrectState: busy", "  hint: try again in a moment: the secret is being changed"],
    ),
    "parameter": (
        (400, "InvalidParameter", "bad name"),
        BackendInvalid,
        ["oci-vault: InvalidParameter: bad name", "  hint: check the OCIDs of the backend"],
    ),
    "rate": (
        (429, "TooManyRequests", "slow down"),
        Throttled,
        [
            "oci-vault: TooManyRequests: slow down",
            "  hint: Oracle limits how often it is asked; try again in a moment",
        ],
    ),
    "fault": (
        (500, "InternalServerError", "boom"),
        BackendUnavailable,
        ["oci-vault: InternalServerError: boom", BY_HAND],
    ),
    "unknown": ((418, "Teapot", "not found"), BackendUnavailable, ["oci-vault: Teapot: not found", BY_HAND]),
    "control": ((500, "X", "\x1b[31mred\x1b[0m\nb"), BackendUnavailable, ["oci-vault: X: red", BY_HAND]),
}


class TestErrors:
    def expect(self, error, kind, *lines):
        assert isinstance(error, kind)
        assert error.lines() == [f"error: {lines[0]}", *lines[1:]]

    @both_ways
    @pytest.mark.parametrize("kind", REFUSALS)
    def test_what_the_service_refuses(self, vault, kind):
        """Each answer of the service is one class, its code is told, and none is absence."""
        vault.service.failure, error, lines = REFUSALS[kind]
        self.expect(error_of(vault.backend, KEY), error, *lines)
        self.expect(error_of(vault.backend, KEY, *keys("other")), error, *lines)

    @both_ways
    def test_an_unknown_key_is_denied(self, vault, account, monkeypatch):
        """A signature by a key that the service does not know is refused."""
        for name, text in account.strangers().items():
            monkeypatch.setenv(name, text)
        error = error_of(vault.backend, KEY)
        assert isinstance(error, BackendDenied)
        assert error.message == "oci-vault: denied: NotAuthenticated"

    @both_ways
    def test_nobody_answers(self, vault, way, monkeypatch):
        """A service that can't be reached is unavailable, at once and without retries."""
        monkeypatch.setenv("OCI_CLI_ENDPOINT", UNREACHABLE)
        self.expect(
            error_of(vault.backend, KEY),
            BackendUnavailable,
            "oci-vault: unavailable: no connection to the service",
            "  hint: check the network, and region of the oci profile",
        )
        assert vault.commands() == (["get-secret-bundle-by-name"] if way == "oci" else [])

    def test_not_configured(self, vault, monkeypatch):
        """Without a configuration `oci` asks whether to make one; envref does not wait for the answer."""
        forget_credentials(monkeypatch)
        self.expect(
            error_of(vault.backend, KEY), BackendLocked, "oci-vault: oci: not configured", "  run: oci setup config"
        )

    def test_half_a_configuration(self, vault, monkeypatch, home):
        """A configuration that lacks something is told, without the path of the home directory."""
        forget_credentials(monkeypatch)
        write_configuration(home, "[DEFAULT]\nuser=x\n")
        self.expect(
            error_of(vault.backend, KEY),
            BackendLocked,
            "oci-vault: oci: its configuration is incomplete",
            "  run: oci setup config",
        )

    def test_no_such_profile(self, vault, monkeypatch, home):
        """A profile that the configuration lacks is told."""
        forget_credentials(monkeypatch)
        write_configuration(home, "[DEFAULT]\nuser=x\n")
        store = OciVault("oci", profile="NOPE", **vault.options)
        self.expect(error_of(store, KEY), BackendLocked, "oci-vault: oci: no such profile", "  run: oci setup config")

    def test_a_key_with_a_passphrase(self, vault, account, monkeypatch, home, tmp_path):
        """Nobody is there to type the key's passphrase; it is not waited for."""
        (tmp_path / "locked.pem").write_bytes(account.locked_key())
        monkeypatch.setenv("OCI_CLI_KEY_FILE", str(tmp_path / "locked.pem"))
        self.expect(
            error_of(vault.backend, KEY),
            BackendLocked,
            "oci-vault: oci: the private key needs a passphrase",
            "  hint: add pass_phrase to the oci profile, or sign in with oci session authenticate",
        )

    def test_a_session_that_has_expired(self, vault, account, monkeypatch, home):
        """`oci` asks whether to sign in again; the error says how."""
        environment = account.environment
        forget_credentials(monkeypatch)
        (home / "token").write_text(session_token(1000))
        write_configuration(
            home,
            f"[DEFAULT]\nregion=us-ashburn-1\ntenancy={environment['OCI_CLI_TENANCY']}\n"
            f"fingerprint={environment['OCI_CLI_FINGERPRINT']}\nkey_file={environment['OCI_CLI_KEY_FILE']}\n"
            f"security_token_file={home}/token\n",
        )
        monkeypatch.setenv("OCI_CLI_AUTH", "security_token")
        self.expect(
            error_of(vault.backend, KEY),
            BackendLocked,
            "oci-vault: oci: the session has expired",
            "  run: oci session authenticate",
        )

    def session(self, monkeypatch, home, account, token, profile="DEFAULT"):
        """A profile as `oci session authenticate` leaves it."""
        environment = account.environment
        forget_credentials(monkeypatch)
        if token:
            (home / "token").write_text(token)
        write_configuration(
            home,
            f"[{profile}]\nregion=us-ashburn-1\ntenancy={environment['OCI_CLI_TENANCY']}\n"
            f"fingerprint={environment['OCI_CLI_FINGERPRINT']}\nkey_file={environment['OCI_CLI_KEY_FILE']}\n"
            f"security_token_file={home}/token\n",
        )

    def test_a_profile_of_a_session_needs_auth(self, vault, account, monkeypatch, home):
        """`oci` calls it incomplete; with the option that the cure names, its token signs in."""
        self.session(monkeypatch, home, account, session_token(4102444800))
        vault.put("key")
        self.expect(
            error_of(vault.backend, KEY),
            BackendLocked,
            "oci-vault: oci: the profile is one of oci session authenticate",
            "  hint: set auth: security_token in the backend's config",
        )
        for auth in ("security_token", "session"):
            assert answers_of(OciVault("oci", auth=auth, **vault.options), KEY) == {"app/key": "v"}

    def test_a_session_whose_token_is_gone(self, vault, account, monkeypatch, home):
        """`oci session authenticate`, for the profile in question, writes one."""
        self.session(monkeypatch, home, account, "", "TEAM")
        store = OciVault("oci", auth="security_token", profile="TEAM", **vault.options)
        cure = "  run: oci session authenticate --profile-name TEAM"
        self.expect(error_of(store, KEY), BackendLocked, "oci-vault: oci: the session's token is gone", cure)
        (home / "token").write_text(session_token(1000))
        self.expect(error_of(store, KEY), BackendLocked, "oci-vault: oci: the session has expired", cure)
        vault.put("key")
        (home / "token").write_text(session_token(4102444800))
        assert answers_of(store, KEY) == {"app/key": "v"}

    def test_a_profile_without_a_session(self, vault, account, monkeypatch, home):
        """`auth` asks for one that there is not."""
        forget_credentials(monkeypatch)
        write_configuration(home, "[DEFAULT]\nregion=us-ashburn-1\ntenancy=x\n")
        store = OciVault("oci", auth="security_token", **vault.options)
        error = error_of(store, KEY)
        self.expect(
            error, BackendLocked, "oci-vault: oci: the profile has no session", "  run: oci session authenticate"
        )

    @both_ways
    def test_refused_keys_of_the_environment(self, vault, way, account, monkeypatch):
        """The variables are named; without them the profile counts."""
        for name, text in account.strangers().items():
            monkeypatch.setenv(name, text)
        [cure] = error_of(vault.backend, KEY).cure()
        assert cure == (
            "hint: check OCI_CLI_FINGERPRINT, OCI_CLI_KEY_FILE, OCI_CLI_TENANCY, OCI_CLI_USER of the environment"
        )
        vault.put("key")
        for name, text in account.environment.items():
            monkeypatch.setenv(name, text)
        assert answers_of(OciVault("oci", **vault.options), KEY) == {"app/key": "v"}

    def test_how_to_sign_in_is_an_option(self, programs):
        """As `oci` names it; another word is refused before anything is started."""
        programs("printf '%s ' \"$@\" >&2; exit 1")
        error = error_of(OciVault("oci", auth="instance_principal", profile="P", **options()), KEY)
        assert "--profile=P --auth=instance_principal secrets" in error.message
        with pytest.raises(BackendInvalid, match=r"auth must be one of api_key, security_token, .* not .magic.$"):
            OciVault("oci", auth="magic", **options())

    def test_no_instance_of_oracle(self, programs):
        """Where the machine has no principal, `oci` says so after a while."""
        programs(
            "echo 'ERROR: Failed retrieving certificates from localhost. Instance principal auth is only possible "
            "from OCI compute instances. ' >&2; exit 1"
        )
        self.expect(
            error_of(OciVault("oci", auth="instance_principal", **options()), KEY),
            BackendLocked,
            "oci-vault: oci: this machine is not an OCI instance",
            "  hint: run on an instance of Oracle Cloud, or leave the option auth out",
        )

    @pytest.mark.parametrize(("what", "word"), [("command", "'get-secret-bundle-by-name'"), ("option", "'--no-retry'")])
    def test_an_old_oci(self, programs, what, word):
        """A program that does not know what it is told is too old."""
        programs(f"printf 'Usage: oci [OPTIONS]\\n\\nError: No such {what} {word}.\\n'; exit 2")
        article = "an option" if what == "option" else "a command"
        error = error_of(OciVault("oci", **options()), KEY)
        self.expect(
            error,
            BackendInvalid,
            f"oci-vault: oci: this version is too old: it lacks {article}",
            "  hint: update oci-cli",
        )


def session_token(until):
    """A session token that ends then, in seconds since 1970; nobody looks at its signature."""
    parts = ({"alg": "RS256", "typ": "JWT"}, {"exp": until}, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Writes a stand-in for `oci`, the lines of a shell script, and puts it first on PATH; returns its path."""
    return lambda script: shim.stand_in(tmp_path / "bin", "oci", script, monkeypatch)


HANGS = {
    "itself": "sleep 60",
    "grandchild": "echo rubbish; sleep 60 & exit 0",
    "both": "sleep 60 & sleep 60",
    "deaf": "trap '' TERM INT HUP; while :; do sleep 1; done",
    "drip": "while :; do printf x; sleep 0.1; done",
}

LATE = "oci-vault: no answer within 0.5 s; raise --timeout or the backend's timeout"
UNKNOWN = "oci printed an answer that envref does not know"
# a program that has ended has answered, whatever it left running
HUNG = {"grandchild": (BackendInvalid, f"oci-vault: {UNKNOWN}")}

# what a broken program does -> the end of the message; VALUE on its standard input comes back on its stderr
BROKEN = {
    "rubbish": ("echo rubbish", BackendInvalid, UNKNOWN),
    "no_data": ("echo '{}'", BackendInvalid, UNKNOWN),
    "array": ("echo '[1]'", BackendInvalid, UNKNOWN),
    "number": ("""echo '{"data": 3}'""", BackendInvalid, UNKNOWN),
    "null": ("""echo '{"data": null}'""", BackendInvalid, UNKNOWN),
    "no_names": ("""echo '{"data": [{"id": 1}]}'""", BackendInvalid, UNKNOWN),
    "megabyte": (
        "head -c 1000000 /dev/zero | tr '\\0' x",
        BackendInvalid,
        "oci printed an answer that envref does not know",
    ),
    "not_utf8": (r"printf '{\"data\": \"\377\"}'", BackendInvalid, UNKNOWN),
    "deep": (
        "head -c 200000 /dev/zero | tr '\\0' '['",
        BackendInvalid,
        "oci printed an answer that envref does not know",
    ),
    "half": (
        """printf '{"data": {"secret-bundle'""",
        BackendInvalid,
        "oci printed an answer that envref does not know",
    ),
    "killed": ("printf '{\"data\": ['; kill -9 $$", BackendUnavailable, "failed without a message"),
    "silent": ("exit 3", BackendUnavailable, "failed without a message"),
    "colours": (r"printf '\033[31mbroken\033[0m\n' >&2; exit 1", BackendUnavailable, "broken"),
    "bad_errors": (r"printf 'b\377d\n' >&2; exit 1", BackendUnavailable, "b\ufffdd"),
    "long_errors": ("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1", BackendUnavailable, "x" * 299 + "…"),
    "traceback": ("printf 'Traceback (most):\\n File\\nOSError: no\\n' >&2; exit 1", BackendUnavailable, "OSError: no"),
    "half_errors": ("printf 'ServiceError:\\n{\"code\": 4' >&2; exit 1", BackendUnavailable, "ServiceError:"),
    "odd_errors": ("echo 'E: {\"message\": 4}' >&2; exit 1", BackendUnavailable, "E: 4"),
}


class TestFaults:
    def calls(self, store):
        """Every kind of call, by name; each raises its error."""

        def raising(*addresses, deadline):
            raise error_of(store, *addresses, deadline=deadline)

        return {
            "one": lambda deadline: raising(KEY, deadline=deadline),
            "several": lambda deadline: raising(KEY, *keys("a", "b"), deadline=deadline),
            "set": lambda deadline: store.set(KEY, Secret(VALUE), deadline),
            "delete": lambda deadline: store.delete(KEY, deadline),
            "list": lambda deadline: list(store.list("app", deadline)),
        }

    @pytest.mark.parametrize(
        ("environment", "cure"),
        [
            ({}, "brew install oci-cli, then oci setup config"),
            ({"FLOX_ENV": "/flox"}, "flox install oci-cli, then oci setup config"),
        ],
    )
    def test_without_the_program(self, monkeypatch, tmp_path, environment, cure):
        """The program's absence says how it is installed where one is."""
        monkeypatch.setenv("PATH", str(tmp_path))
        for name, text in environment.items():
            monkeypatch.setenv(name, text)
        for call in self.calls(OciVault("oci", **options())).values():
            with pytest.raises(BackendUnavailable) as caught:
                call(soon())
            assert caught.value.lines() == [
                "error: oci-vault: start oci: executable file not found in $PATH",
                f"  run: {cure}",
            ]

    def test_the_command_may_be_a_path(self, programs, tmp_path):
        """`command` is a name or a path; a relative one starts at the project's root."""
        programs("echo here >&2; exit 1").rename(tmp_path / "my-oci")
        store = OciVault("oci", command="./my-oci", root=str(tmp_path), **options())
        assert error_of(store, KEY).message == "oci-vault: here"

    @first_python
    @pytest.mark.parametrize("kind", HANGS)
    @pytest.mark.parametrize("call", ["one", "several", "set"])
    def test_a_program_that_hangs_is_ended(self, programs, monkeypatch, tmp_path, kind, call):
        """Whatever hangs, the call ends in time and leaves no process behind."""
        programs(HANGS[kind])
        monkeypatch.setenv("TEST_MARKER", str(tmp_path))
        watch = Stopwatch()
        with pytest.raises(BackendError) as caught:
            self.calls(OciVault("oci", **options()))[call](watch.started + 0.5)
        assert watch.seconds() < 1.5
        error, message = HUNG.get(kind, (BackendTimeout, LATE))
        assert (type(caught.value), as_set(caught.value.message, 0.5)) == (error, message)
        assert VALUE not in values_of(caught.value)
        assert left_of(str(tmp_path)) == []

    @pytest.mark.parametrize("kind", BROKEN)
    def test_a_program_that_is_broken_is_no_absence(self, programs, kind):
        """Rubbish, half an answer or none is an error of every call, fit to be printed and without a value."""
        script, error, message = BROKEN[kind]
        programs(script)
        for call in self.calls(OciVault("oci", **options())).values():
            with pytest.raises(error) as caught:
                call(soon())
            assert caught.value.message == f"oci-vault: {message}"

    def test_a_value_that_comes_back_in_an_error_is_hidden(self, programs):
        """What a program says is quoted without the value, plain or in base64."""
        listing = '{"data": []}'
        programs(f"case \"$*\" in *list*) echo '{listing}' ;; *) cat >&2; echo ' {VALUE}' >&2; exit 1 ;; esac")
        with pytest.raises(BackendError) as caught:
            self.calls(OciVault("oci", **options()))["set"](soon())
        assert "***" in caught.value.message
        assert not [each for each in (VALUE, ENCODED_VALUE) if each in values_of(caught.value)]

    def test_a_value_printed_before_a_failure_is_not_shown(self, programs):
        """Standard output is never quoted: it may hold a value that envref did not know."""
        programs(f"echo '{ENCODED_VALUE}'; exit 1")
        assert error_of(OciVault("oci", **options()), KEY).message == "oci-vault: failed without a message"

    def test_a_warning_is_no_failure(self, vault, loaded, programs):
        """What a successful call writes on stderr does not count."""
        vault.put("key")
        programs(f"echo 'Warning: old' >&2; exec {loaded.program} \"$@\"")
        assert answers_of(vault.backend, KEY) == {"app/key": "v"}

    def test_usual_warnings_are_not_quoted(self, programs):
        """`oci` is told not to warn of the key's file, which it does in front of everything else."""
        programs('echo "$SUPPRESS_LABEL_WARNING $OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING" >&2; exit 1')
        for call in self.calls(OciVault("oci", **options())).values():
            with pytest.raises(BackendUnavailable, match="oci-vault: True True"):
                call(soon())


class TestAsInstalled:
    """The real `oci` with its own start, where that may matter."""

    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch):
        self.program = need_store_program("oci", "oci")
        monkeypatch.setenv("PATH", f"{os.path.dirname(self.program)}:{os.environ['PATH']}")

    def test_it_sets_and_gets(self, service):
        """A value goes in and comes back."""
        store = OciVault("oci", **options())
        store.set(KEY, Secret(VALUE), soon())
        assert answers_of(store, KEY) == {"app/key": VALUE}

    def test_its_question_is_not_waited_for(self, service, monkeypatch):
        """Not configured, it asks; its standard input is empty and it has no terminal."""
        forget_credentials(monkeypatch)
        watch = Stopwatch()
        assert isinstance(error_of(OciVault("oci", **options()), KEY), BackendLocked)
        assert watch.seconds() < 10

    def test_a_service_that_hangs(self, service):
        """The deadline is envref's, and `oci` is gone when it has passed."""
        service.hangs = True
        watch = Stopwatch()
        error = error_of(OciVault("oci", **options()), KEY, *keys("other"), deadline=watch.started + 2)
        assert isinstance(error, BackendTimeout)
        assert watch.seconds() < 3


class TestCommands(StoreCommands):
    """envref's own commands, each as a process of its own."""

    @pytest.fixture
    def app(self, project, oci):
        """A project with two backends in the service, "oci" and "other", and a profile."""
        self.vaults = [options(), options()]
        entries = [
            {"name": "oci", "type": "oci-vault", "config": self.vaults[0], "names": {"token": "Shared.token"}},
            {"name": "other", "type": "oci-vault", "config": self.vaults[1]},
        ]
        project.write(
            ".envref.yaml",
            json.dumps({"project": "oci-microservice", "backends": entries, "profiles": {"staging": None}}),
        )
        return project

    def run(self, app, *arguments, stdin="", status=0):
        """stdout of a command that ends with `status`."""
        done = super().run(app, *arguments, stdin=stdin, status=status)
        self.errors = done.stderr
        return done.stdout

    def test_the_documented_commands(self, app, oci):
        """Store with --value, resolve, get, list and delete, as the documentation shows them."""
        self.run(app, "secret", "set", "db_password", "--backend", "oci", "--value", "oracle-secret-123")
        vault = self.vaults[0]["vault_id"]
        assert base64.b64decode(oci.content(vault, "oci-microservice.-db_password")) == b"oracle-secret-123"
        app.write(".env", "DB_PASSWORD=ref://secrets/db_password\n")
        assert self.run(app, "resolve") == "DB_PASSWORD=oracle-secret-123\n"
        assert self.run(app, "secret", "get", "db_password", "--backend", "oci") == "oracle-secret-123\n"
        assert self.run(app, "secret", "list", "--backend", "oci") == "db_password\n"
        self.run(app, "secret", "delete", "db_password", "--backend", "oci", "--force")
        assert self.run(app, "secret", "list", "--backend", "oci") == ""
        self.run(app, "secret", "get", "db_password", "--backend", "oci", status=1)
        self.run(app, "secret", "set", "db_password", "--backend", "oci", stdin="again\n", status=1)
        assert 'oci-vault: "oci-microservice/db_password" is scheduled for deletion until 2030-01-02' in self.errors

    def test_profiles(self, app):
        """A profile's value is written, read and listed apart, and wins where it is asked for."""
        self.run(app, "secret", "set", "key", stdin="one")
        self.run(app, "secret", "set", "key", "--profile", "staging", stdin="two")
        app.write(".env", "KEY=ref://oci/key\n")
        assert self.run(app, "resolve") == "KEY=one\n"
        assert self.run(app, "resolve", "--profile", "staging") == "KEY=two\n"
        assert self.run(app, "secret", "list", "--profile", "staging") == "key\n"

    def test_two_backends_and_foreign_names(self, app, oci):
        """Each backend has a vault of its own; a name of the store's is read by `//` and by `names:`, never written."""
        first, second = (each["vault_id"] for each in self.vaults)
        oci.put(first, "oci-microservice.-key", b"of the first")
        oci.put(second, "oci-microservice.-key", b"of the second")
        oci.put(first, "Shared.token", b'{"user": "shared"}')
        app.write(
            ".env",
            "ONE=ref://oci/key\nTWO=ref://other/key\nRAW=ref://oci//Shared.token#user\nMAPPED=ref://secrets/token#user\n",
        )
        assert self.run(app, "resolve") == "ONE=of the first\nTWO=of the second\nRAW=shared\nMAPPED=shared\n"
        self.run(app, "secret", "set", "token", stdin="x", status=1)
        assert "mapped to an existing secret" in self.errors

    def test_an_absent_secret_and_a_denied_one(self, app, oci):
        """Absence names the command that stores it; a denied secret stops the chain."""
        app.write(".env", "A=ref://oci/nope\n")
        self.run(app, "resolve", status=3)
        assert 'secret "nope" not found in backend "oci"; run: envref secret set nope --backend oci' in self.errors
        oci.denied = {"get_by_name", "list"}
        app.write(".env", "A=ref://secrets/nope\n")
        self.run(app, "resolve", status=3)
        assert "oci-vault: denied: NotAuthorizedOrNotFound" in self.errors

    def test_the_three_ocids_are_required(self, app):
        """A backend without them is refused with their names."""
        app.write(".envref.yaml", json.dumps({"project": "app", "backends": [{"name": "o", "type": "oci-vault"}]}))
        self.run(app, "resolve", status=1)
        assert "oci-vault requires vault_id, compartment_id and key_id" in self.errors
