"""What envref makes of each answer of `oci`, and what it asks for: no service and no program."""

from __future__ import annotations

import base64
import json

import pytest

from envref.backends.command import Finished
from envref.backends.oci.complaints import READING, WRITING, AbsentOrDenied, SignIn, failure, refused, throttled
from envref.backends.oci.questions import Misunderstood, entry, hyphenated, listing, value_of
from envref.backends.oci.store import LARGEST, OciVault, decoded, encoded
from envref.backends.throttling import Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendUnavailable,
    SecretNotFound,
)
from tests.backends.asking import answers_of, error_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

GLOBAL = ["--no-retry", "--connection-timeout=3", "--read-timeout=10", "--output=json", "--query=@"]
LIST = ["vault", "secret", "list", "--compartment-id=c", "--vault-id=v"]
BY_NAME = ["secrets", "secret-bundle", "get-secret-bundle-by-name", "--vault-id=v"]
WAIT = ["--wait-for-state=ACTIVE", "--wait-for-state=FAILED", "--wait-interval-seconds=1"]
OCID = "ocid1.vaultsecret.oc1.x"
STATE = "oci vault secret get shows its state"


def store(**options):
    return OciVault("o", vault_id="v", compartment_id="c", key_id="k", command="oci2", **options)


def data(told):
    return json.dumps({"data": told})


def bundle(value, version=1):
    content = base64.b64encode(value.encode()).decode()
    return data(
        {"secret-bundle-content": {"content": content}, "version-number": version, "time-created": "1970-01-01"}
    )


def entries(*names, state="ACTIVE", **more):
    found = [{"id": f"id-{name}", "secret-name": name, "lifecycle-state": state, **more} for name in names]
    return data(found)


def said(code, message="words", status=404):
    return (1, "", f"ServiceError:\n{json.dumps({'code': code, 'message': message, 'status': status})}")


NOT_FOUND = said("NotAuthorizedOrNotFound")


def asked(answering):
    """The calls, without what every one of them has."""
    assert all(words[:5] == GLOBAL for words in answering.asked)
    return [words[5:] for words in answering.asked]


def answers(**by_command):
    """An answer for each command, by its last word; a list gives one after the other."""
    waiting = {name: [*each] if isinstance(each, list) else each for name, each in by_command.items()}

    def answer(words, _):
        name = next(word for word in words if word.replace("-", "_") in waiting).replace("-", "_")
        return waiting[name].pop(0) if isinstance(waiting[name], list) else waiting[name]

    return answer


class TestReading:
    def test_one_is_asked_for_alone(self, answering):
        """By its name, or its OCID; its revision has the version and the date."""
        answering(bundle("v", 3))
        [key] = keys("a/b")
        found = store().get_many([key], soon())[key]
        assert (found.reveal(), found.revision) == ("v", "3.0")
        assert answers_of(store(), foreign(OCID)) == {OCID: "v"}
        assert asked(answering) == [
            [*BY_NAME, "--secret-name=app.-a.-b"],
            ["secrets", "secret-bundle", "get", f"--secret-id={OCID}"],
        ]

    def test_of_several_those_that_exist_are_read(self, answering):
        """One listing tells; an OCID may be elsewhere."""
        answering(answers(list=entries("app.-a", "app.-x"), get_secret_bundle_by_name=bundle("v"), get=NOT_FOUND))
        found = answers_of(store(), *keys(*"ab"), foreign(OCID))
        assert found["app/a"] == "v"
        assert isinstance(found[OCID], AbsentOrDenied)
        assert [words[:3] for words in asked(answering)] == [LIST[:3], BY_NAME[:3], ["secrets", "secret-bundle", "get"]]
        answering(bundle("v"))
        answers_of(store(), foreign(OCID), foreign(f"{OCID}y"))
        assert [words[2] for words in asked(answering)] == ["get", "get"]

    def test_where_the_user_may_not_list_all_are_read(self, answering):
        """A refusal may then mean that it is not there: it stays a refusal."""
        answering(answers(list=NOT_FOUND, get_secret_bundle_by_name=[bundle("v"), NOT_FOUND]))
        found = answers_of(store(), *keys(*"ab"))
        assert found["app/a"] == "v"
        assert isinstance(found["app/b"], AbsentOrDenied)

    @pytest.mark.parametrize(
        ("listed", "is_absent"),
        [
            (entries(), True),
            ("", True),
            (entries("app.-key", state="PENDING_DELETION"), True),
            (entries("app.-key"), False),
            (entries("app.-key-more"), True),
            (NOT_FOUND, False),
        ],
    )
    def test_a_refusal_is_absence_where_no_listing_has_it(self, answering, listed, is_absent):
        """The service says the same of both."""
        answering(answers(list=listed, get_secret_bundle_by_name=NOT_FOUND))
        found = answers_of(store(), *keys("key"))
        assert found == {} if is_absent else isinstance(found["app/key"], AbsentOrDenied)
        assert asked(answering)[1] == [*LIST, "--name=app.-key", "--all"]

    @pytest.mark.parametrize(
        ("version", "words"),
        [
            ("007", "--version-number=7"),
            ("0", "--version-number=0"),
            ("\u0663", "--secret-version-name=\u0663"),
            *((stage, f"--stage={stage}") for stage in ("CURRENT", "PENDING", "LATEST", "PREVIOUS", "DEPRECATED")),
            ("current", "--secret-version-name=current"),
        ],
    )
    def test_a_version(self, answering, version, words):
        """A number, a stage, or a name."""
        answering(bundle("v"))
        answers_of(store(), Address("app", "key", version=version))
        assert asked(answering)[0][-1] == words

    @pytest.mark.parametrize(
        ("current", "listed", "is_absent"),
        [
            (bundle("v"), None, True),
            (NOT_FOUND, entries(), True),
            (NOT_FOUND, entries("app.-key"), False),
            (said("X"), None, False),
        ],
    )
    def test_a_version_that_there_is_not_is_absent(self, answering, current, listed, is_absent):
        """Where the current one can be read, or there is none at all."""
        answering(answers(list=listed, get_secret_bundle_by_name=[NOT_FOUND, current]))
        found = answers_of(store(), Address("app", "key", version="9"))
        assert (found == {}) == is_absent

    @pytest.mark.parametrize(
        "printed",
        [
            "rubbish",
            "{}",
            "[]",
            data([]),
            data(None),
            data({}),
            data({"secret-bundle-content": {"content": "a"}}),
            "[" * 100_000,
        ],
    )
    def test_an_answer_that_it_does_not_know(self, answering, printed):
        """Is no absence."""
        answering(printed)
        [error] = store().get_many(keys("key"), soon()).values()
        assert error.lines() == [
            "error: oci-vault: oci printed an answer that envref does not know",
            "  hint: a proxy or the network's sign-in page may have answered; else update oci-cli",
        ]

    def test_listing(self, answering):
        """Names that envref makes, of what is not being deleted."""
        going = {"id": "x", "secret-name": "app.-gone", "lifecycle-state": "PENDING_DELETION"}
        found = json.loads(entries("app.-a", "app.-p.-b", "apple.-c", "app.-", "a.xzz", "a.x41"))["data"]
        answering(data([*found, going]))
        assert store().list("app", soon()) == ["a", "p/b"]
        assert asked(answering) == [[*LIST, "--all"]]
        answering(NOT_FOUND)
        assert isinstance(error_of(lambda: store().list("app", soon())), AbsentOrDenied)

    def test_nothing_asked_is_nothing(self, answering):
        """No program is started."""
        answering("")
        assert store().get_many([], soon()) == {}
        assert store()._oci.ask([], soon()) == []


class TestWriting:
    def write(self, answering, value="v", **by_command):
        answering(answers(**by_command))
        store().set(keys("key")[0], Secret(value), soon())

    def test_a_new_one(self, answering):
        """With the vault's own places, on standard input; it is read back."""
        self.write(
            answering,
            list=entries(),
            create_base64=entries("x").replace("[", "").replace("]", ""),
            get_secret_bundle_by_name=bundle("v"),
        )
        listed, made, read = asked(answering)
        assert listed == [*LIST, "--name=app.-key", "--all"]
        assert made == ["vault", "secret", "create-base64", "--from-json=file:///dev/stdin", *WAIT]
        assert json.loads(answering.payloads[1]) == {
            "compartmentId": "c",
            "vaultId": "v",
            "keyId": "k",
            "secretName": "app.-key",
            "secretContentContent": "dg==",
        }
        assert read == [*BY_NAME, "--secret-name=app.-key"]

    def test_one_that_is_there(self, answering):
        """By its OCID; an existing one comes before one that is being deleted."""
        both = [*json.loads(entries("app.-key", state="DELETING"))["data"], *json.loads(entries("app.-key"))["data"]]
        both[1]["id"] = "id-2"
        updated = data({"id": "x", "secret-name": "y", "lifecycle-state": "ACTIVE"})
        self.write(answering, list=data(both), update_base64=updated, get_secret_bundle_by_name=bundle("v"))
        assert json.loads(answering.payloads[1]) == {"secretId": "id-2", "secretContentContent": "dg=="}

    def test_one_whose_deletion_is_scheduled(self, answering):
        """Can't be written until that is cancelled."""
        listed = entries("app.-key", state="SCHEDULING_DELETION", **{"time-of-deletion": "2026-01-02T03:04:05Z"})
        with pytest.raises(BackendInvalid) as caught:
            self.write(answering, list=listed)
        fact = '"app/key" is scheduled for deletion until 2026-01-02; cancel the deletion or use another key'
        assert caught.value.lines() == [
            f"error: oci-vault: {fact}",
            "  run: oci vault secret cancel-secret-deletion --secret-id id-app.-key",
        ]

    @pytest.mark.parametrize(
        ("state", "read", "message", "hint"),
        [
            ("FAILED", bundle("v"), '"app/key": the service failed to store the value', f"set it again; {STATE}"),
            ("ACTIVE", bundle("w"), '"app/key" does not read back as it was set', f"set it again; {STATE}"),
            (
                "ACTIVE",
                NOT_FOUND,
                "denied: NotAuthorizedOrNotFound; the value was set and can't be read back",
                READING,
            ),
        ],
    )
    def test_a_write_that_did_not_work(self, answering, state, read, message, hint):
        """The service answers before it is done."""
        made = data({"id": "x", "secret-name": "y", "lifecycle-state": state})
        with pytest.raises(BackendError) as caught:
            self.write(answering, list=entries(), create_base64=made, get_secret_bundle_by_name=read)
        assert (caught.value.message, caught.value.hint) == (f"oci-vault: {message}", hint)

    def test_a_right_that_is_missing(self, answering):
        """Writing takes another one."""
        with pytest.raises(AbsentOrDenied) as caught:
            self.write(answering, list=entries(), create_base64=NOT_FOUND)
        assert caught.value.hint == WRITING

    @pytest.mark.parametrize(("printed", "value"), [("", None), (" \n", None), ("rubbish", "v")])
    def test_what_a_write_printed(self, answering, printed, value):
        """Nothing is no entry."""
        with pytest.raises(BackendInvalid, match="oci printed an answer that envref does not know"):
            self.write(answering, list=entries(), create_base64=printed)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("", "the value is empty, which the service does not take"),
            ("ä" * 12800, None),
            ("ä" * 12800 + "x", "the value is longer than 25600 bytes, which is the most the service takes"),
        ],
    )
    def test_a_value_that_it_does_not_take(self, answering, value, message):
        """Counted in bytes, and not sent."""
        made = data({"id": "x", "secret-name": "y", "lifecycle-state": "ACTIVE"})
        given = {"list": entries(), "create_base64": made, "get_secret_bundle_by_name": bundle(value)}
        assert LARGEST == 25600
        if message is None:
            self.write(answering, value, **given)
            return
        with pytest.raises(BackendInvalid) as caught:
            self.write(answering, value, **given)
        assert caught.value.message == f"oci-vault: {message}"
        assert answering.asked == []

    def test_deleting(self, answering):
        """It is scheduled."""
        answering(answers(list=entries("app.-key"), schedule_secret_deletion=""))
        store().delete(keys("key")[0], soon())
        assert asked(answering)[1] == ["vault", "secret", "schedule-secret-deletion", "--secret-id=id-app.-key"]

    @pytest.mark.parametrize("listed", [entries(), entries("app.-key", state="DELETING"), entries("other")])
    def test_what_is_not_there_is_not_deleted(self, answering, listed):
        """Nor what is being deleted."""
        answering(answers(list=listed))
        error = error_of(lambda: store().delete(keys("key")[0], soon()))
        assert (type(error), error.message) == (SecretNotFound, 'oci-vault: secret not found: "app/key"')

    def test_a_foreign_name_is_only_read(self, answering):
        """It is changed there."""
        answering("")
        for call in (lambda: store().set(foreign("x"), Secret("v"), soon()), lambda: store().delete(foreign("x"), 0.0)):
            assert error_of(call).message == 'oci-vault: "x" is not envref\'s own; change it there'


class TestNames:
    @pytest.mark.parametrize(
        ("key", "name"),
        [("a/b.c", "a.-b..c"), ("A_9-", "A_9-"), ("ä ", ".xc3.xa4.x20"), ("ﬁ", ".xef.xac.x81"), ("٣", ".xd9.xa3")],
    )
    def test_a_key_as_a_name(self, key, name):
        """And back; only one name is that of a key."""
        assert (encoded(key), decoded(name)) == (name, key)

    @pytest.mark.parametrize("name", ["a.b", "a.x4", "a.x41", "a.xff", "a b", "a.", "ä"])
    def test_a_name_of_no_key(self, name):
        """Somebody else made it."""
        assert decoded(name) is None

    def test_the_place(self):
        """Vault and name; an OCID needs no vault."""
        assert store().location(keys("a/b")[0]) == ("v", "app.-a.-b")
        assert store().location(foreign("x")) == ("v", "x")
        assert error_of(lambda: store().location(foreign(OCID))).message == (
            f'oci-vault: "{OCID}" is an OCID; name the secret instead'
        )

    @pytest.mark.parametrize(
        ("auth", "words"),
        [("session", ["--auth=security_token"]), ("instance_principal", ["--auth=instance_principal"]), ("", [])],
    )
    def test_how_it_signs_in(self, answering, auth, words):
        """The option as `oci` has it, and the profile."""
        answering(bundle("v"))
        answers_of(store(auth=auth, profile="-p"), *keys("a"))
        assert answering.asked[0][5:] == ["--profile=-p", *words, *BY_NAME, "--secret-name=app.-a"]
        assert answering.environments[0]["SUPPRESS_LABEL_WARNING"] == "True"
        assert answering.environments[0]["OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING"] == "True"

    def test_another_way_to_sign_in(self):
        """With those that there are."""
        known = "api_key, security_token, instance_principal, resource_principal, oke_workload_identity"
        assert error_of(lambda: store(auth="x")).message == f'oci-vault: auth must be one of {known}, not "x"'


GOOD = {"id": "i", "secret-name": "n", "lifecycle-state": "s"}


class TestQuestions:
    @pytest.mark.parametrize(
        ("state", "exists"),
        [
            ("ACTIVE", True),
            ("FAILED", True),
            ("SCHEDULING_DELETION", False),
            ("PENDING_DELETION", False),
            ("DELETING", False),
        ],
    )
    def test_an_entry(self, state, exists):
        """It can be read until it is being deleted."""
        found = entry({"id": "i", "secret-name": "n", "lifecycle-state": state, "time-of-deletion": "2026-01-02T03"})
        assert (found.identity, found.name, found.state, found.until, found.exists) == (
            "i",
            "n",
            state,
            "2026-01-02",
            exists,
        )
        assert entry({"id": "i", "secret-name": "n", "lifecycle-state": state}).until == "an unknown day"

    @pytest.mark.parametrize(
        "written",
        [
            *(None, [], {}),
            *({**GOOD, name: odd} for name in GOOD for odd in (None, 1)),
            *({each: GOOD[each] for each in GOOD if each != name} for name in GOOD),
        ],
    )
    def test_what_is_no_entry(self, written):
        """Of another object `oci` prints an empty one of its own kind."""
        with pytest.raises(Misunderstood):
            entry(written)

    def test_a_listing_has_what_is_not_deleted(self):
        """And nothing but a list is one."""
        read = listing({}).read
        gone = {"id": "i", "secret-name": "n", "lifecycle-state": "DELETED"}
        assert [each.state for each in read([gone, {**gone, "lifecycle-state": "DELETING"}])] == ["DELETING"]
        with pytest.raises(Misunderstood):
            read({})

    def test_names_with_hyphens(self):
        """As `oci` has them; one word each, so that a hyphen in a value begins no option."""
        assert [hyphenated(name) for name in ("secretName", "vaultId", "stage")] == ["secret-name", "vault-id", "stage"]
        assert value_of({"secretId": "-x", "versionNumber": "1"}).arguments() == [
            *("secrets", "secret-bundle", "get", "--secret-id=-x", "--version-number=1")
        ]


SESSION = "oci session authenticate --profile-name p"
TOO_OFTEN = "Oracle limits how often it is asked; try again in a moment"
CHANGING = "try again in a moment: the secret is being changed"
OLD = "oci: this version is too old"
SKEW = "NotAuthenticated: x not within allowed clock skew"
CLOCK = "set this machine's clock: Oracle takes no request that is minutes old, or ahead"
NETWORK = "check the network, and region of the oci profile"


class TestComplaints:
    @pytest.mark.parametrize(
        ("text", "kind", "message", "cure"),
        [
            ("NotAuthorizedOrNotFound: x", AbsentOrDenied, "denied: NotAuthorizedOrNotFound", READING),
            ("NotAuthorized: x", BackendDenied, "denied: NotAuthorized", READING),
            ("TooManyRequests: x", Throttled, "TooManyRequests: x", TOO_OFTEN),
            ("IncorrectState: x", BackendInvalid, "IncorrectState: x", CHANGING),
            ("InvalidParameter: x", BackendInvalid, "InvalidParameter: x", "check the OCIDs of the backend"),
            ("Could not find config file at", BackendLocked, "oci: not configured", "oci setup config"),
            ("profile x not found in config file", BackendLocked, "oci: no such profile", "oci setup config"),
            ("your session has expired", BackendLocked, "oci: the session has expired", SESSION),
            ("'security_token_file' does not exist", BackendLocked, "oci: the session's token is gone", SESSION),
            ("'security_token_file' must be", BackendLocked, "oci: the profile has no session", SESSION),
            ("No such command 'x'", BackendInvalid, f"{OLD}: it lacks a command", "update oci-cli"),
            ("No such option '-x'", BackendInvalid, f"{OLD}: it lacks an option", "update oci-cli"),
            (SKEW, BackendDenied, SKEW, CLOCK),
            ("The connection to endpoint", BackendUnavailable, "unavailable: no connection to the service", NETWORK),
        ],
    )  # fmt: skip
    def test_its_words(self, text, kind, message, cure):
        """Each with its cure."""
        error = refused(text, SignIn("", "p"))
        assert (type(error), error.message) == (kind, f"oci-vault: {message}")
        assert cure in (error.hint, " ".join(error.run))

    @pytest.mark.parametrize(
        ("auth", "variables", "cure"),
        [
            ("", {}, "check user, tenancy, fingerprint and key_file of the oci profile"),
            ("api_key", {"OCI_CLI_KEY_FILE": "x"}, "check user, tenancy, fingerprint and key_file of the oci profile"),
            (
                "",
                {"OCI_CLI_USER": "x", "OCI_CLI_KEY_FILE": "y"},
                "check OCI_CLI_KEY_FILE, OCI_CLI_USER of the environment",
            ),
            ("security_token", {}, "oci session authenticate"),
            ("instance_principal", {}, "a dynamic group has to hold this instance, and a policy allow the group"),
            (
                "",
                {"OCI_CLI_AUTH": "security_token", "OCI_CLI_PROFILE": "q"},
                "oci session authenticate --profile-name q",
            ),
        ],
    )
    def test_a_signature_that_is_not_taken(self, monkeypatch, auth, variables, cure):
        """By how the user signs in."""
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        error = refused("NotAuthenticated: x", SignIn(auth, ""))
        assert (error.message, error.hint or " ".join(error.run)) == ("oci-vault: denied: NotAuthenticated", cure)

    @pytest.mark.parametrize(
        ("text", "config", "message", "cure"),
        [
            ("config file at x", "", "oci: its configuration is incomplete", "oci setup config"),
            (
                "config file at x |  user | missing",
                "",
                "oci: its configuration is incomplete",
                "set auth: security_token if oci session authenticate made the profile; else run oci setup config",
            ),
            (
                "config file at x | user | missing",
                "[p]\nsecurity_token_file = t\n",
                "oci: the profile is one of oci session authenticate",
                "set auth: security_token in the backend's config",
            ),
            (
                "config file at x | user | missing",
                "[q]\nsecurity_token_file = t\n",
                "oci: its configuration is incomplete",
                "set auth: security_token if oci session authenticate made the profile; else run oci setup config",
            ),
        ],
    )
    def test_a_profile_without_a_user(self, home, text, config, message, cure):
        """Is one of a session, perhaps."""
        (home / ".oci").mkdir()
        (home / ".oci/config").write_text(config)
        error = refused(text, SignIn("", "p"))
        assert (error.message, error.hint or " ".join(error.run)) == (f"oci-vault: {message}", cure)

    @pytest.mark.parametrize(
        ("stderr", "message", "pause"),
        [
            ('ServiceError:\n{"code": "TooManyRequests", "message": "slow"}', "TooManyRequests: slow", 0.0),
            ('ServiceError:\n{"code": "X", "message": "slow", "status": 429}', "TooManyRequests: slow", 0.0),
            ('ServiceError:\n{"code": "X", "message": "slow", "status": 430}', "X: slow", None),
            ('Warning: y\nTransientServiceError:\n{"message": "m", "code": null}', "TransientServiceError: m", None),
            ('a {"code": "X"}', 'a {"code": "X"}', None),
            ('a {"code": ', 'a {"code":', None),
            ("words", "words", None),
        ],
    )
    def test_its_json_is_told_in_one_line(self, stderr, message, pause):
        """Code and message; a refusal by rate by its status too."""
        error = failure(Finished(1, b"", stderr), SignIn("", ""), READING)
        assert (error.message, throttled(stderr)) == (f"oci-vault: {message}", pause)

    def test_in_its_output_only_known_phrases_count(self):
        """It may hold a value."""
        error = failure(Finished(1, b"value\nPrivate key passphrase: ", ""), SignIn("", ""), READING)
        assert error.message == "oci-vault: oci: the private key needs a passphrase"
        error = failure(Finished(1, b"value", ""), SignIn("", ""), READING)
        assert error.message == "oci-vault: failed without a message"
