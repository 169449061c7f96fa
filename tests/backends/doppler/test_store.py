"""Doppler: its real program against a loopback double of its service, and stand-ins for a program that fails."""

from __future__ import annotations

import os
import time

import pytest

from envref.backends.doppler.store import Doppler
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
from tests.backends.asking import KEY, answer_of, error_of, soon
from tests.backends.commands import StoreCommands
from tests.backends.contract import EXACT, KEYS, BackendContract, only_reading, values_of
from tests.backends.doubles.doppler_service import OTHER, PROJECT, DopplerService
from tests.backends.stores import doppler, shim
from tests.cli.conftest import config
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python

LOST = ("carriage_returns",)  # `doppler` reads its input line by line
MARKER = "marker-5b81d0"
KNOWN_TO_NOBODY = "DOPPLER_KNOWN_TO_NOBODY"  # and so it may have a meaning for another `doppler`
both_ways = pytest.mark.parametrize("way", ["direct", "doppler"], indirect=True)
UNNAMEABLE = ("with space", "100%", "50%41", "ключ")


@pytest.fixture(scope="module")
def running_service():
    with DopplerService() as service:
        yield service


@pytest.fixture
def service(running_service, monkeypatch):
    """The double, empty; `doppler` finds it by the environment, and is set up for the config "dev"."""
    running_service.reset()
    for name, value in doppler.environment(running_service).items():
        monkeypatch.setenv(name, value)
    return running_service


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The real `doppler`, first on PATH, with a record of how it was started."""
    recorded = shim.recorded(tmp_path / "shim", doppler.program(), "doppler")
    monkeypatch.setenv("PATH", recorded.path, prepend=":")
    return recorded


@pytest.fixture
def way(request, monkeypatch):
    """How secrets are read: by envref's own requests, or through the program."""
    name = getattr(request, "param", "direct")
    if name == "doppler":
        monkeypatch.setenv(KNOWN_TO_NOBODY, "1")
    return name


@pytest.fixture
def store(way, service, installed):
    return Doppler("doppler")


class TestContract(BackendContract):
    foreign_name = "STRIPE_KEY"
    throttles = True

    @pytest.fixture
    def store(self, service, installed):
        self.service = service
        return Doppler("doppler")

    def plant(self, store, name, value):
        self.service.configs["dev"][name] = value

    def throttle(self, times):
        self.service.throttled, self.service.refused = times, 0
        return lambda: self.service.refused

    @pytest.mark.parametrize("kind", [kind for kind in EXACT if kind not in LOST])
    def test_a_value_comes_back_as_it_was_set(self, store, kind):
        """Every character of a value survives, but for a carriage return at the end of a line."""
        super().test_a_value_comes_back_as_it_was_set(store, kind)

    @pytest.mark.parametrize("end", ["\n", "\n\n"])
    def test_line_ends_at_the_end_of_a_value_are_kept(self, store, end):
        """A value keeps the line feeds that it ends with, although `doppler` drops the last one."""
        super().test_line_ends_at_the_end_of_a_value_are_kept(store, end)

    @pytest.mark.parametrize("key", [key for key in KEYS if key not in UNNAMEABLE])
    def test_a_key_may_be_any_text(self, store, key):
        """A key of letters, digits, "_", "/", "." and "-" is stored, listed and deleted under its name."""
        super().test_a_key_may_be_any_text(store, key)

    def test_keys_that_look_alike_are_apart(self, store):
        """Keys that fall on one name are refused together, lest a value be read as another key's."""
        alike = [Address("app", key) for key in ("a/b", "a.b", "a_b", "a-b", "A/b")]
        self.put(store, "a/b", "value")
        answers = store.get_many([*alike, Address("app", "ab")], self.deadline)
        assert set(answers) == set(alike)
        assert answers[alike[0]].message == (
            'doppler: "a/b" and "a.b" and "a_b" and "a-b" and "A/b" are one secret there, A_B; use one of them'
        )
        assert all(isinstance(answer, BackendInvalid) for answer in answers.values())
        store.delete(alike[0], self.deadline)
        assert store.get_many(alike, self.deadline) == {}

    def test_projects_are_apart(self, store):
        """Names hold no project: what separates projects is the backend's `project` and `config`."""
        self.put(store, "key", "value")
        assert self.read(store, "key", project="other") == "value"
        assert not store.carries_project

    def test_the_list_holds_the_projects_keys(self, store):
        """Keys of the config are listed, and those of the configs that stand for profiles."""
        self.put(store, "one", "1")
        self.put(store, "deep/two", "2")
        self.put(store, "one", "3", profile="staging")
        assert sorted(store.list("app", self.deadline)) == ["deep/two", "one", "staging/one"]


@only_reading
class TestThroughDoppler(TestContract):
    """The same answers where the program reads; written past it, for it is slow."""

    @pytest.fixture(autouse=True)
    def _through_doppler(self, monkeypatch):
        monkeypatch.setenv(KNOWN_TO_NOBODY, "1")

    def put(self, store, key, value):
        self.service.configs["dev"][key.upper()] = value


class TestOneConfig:
    """`config` is set, and holds every profile."""

    @pytest.fixture
    def store(self, service, installed):
        return Doppler("doppler", project="shop", config="production")

    def test_scopes_are_apart(self, store, service):
        """Project scope and each profile have their own values, lists and deletions."""
        scopes = {profile: Address("app", "key", profile=profile) for profile in (None, "staging", "eu-west")}
        for profile, address in scopes.items():
            store.set(address, Secret(f"of {profile}"), soon())
        assert service.configs["production"] == {
            "KEY": "of None",
            "STAGING__KEY": "of staging",
            "EU_WEST__KEY": "of eu-west",
        }
        store.delete(scopes["staging"], soon())
        assert store.get_many(list(scopes.values()), soon()) == {
            scopes[None]: Secret("of None"),
            scopes["eu-west"]: Secret("of eu-west"),
        }
        assert sorted(store.list("app", soon())) == ["eu-west/key", "key"]

    def test_two_underscores_end_a_profile(self, store, service):
        """A name that this run has not spelt: what comes before two underscores is listed as a profile."""
        names = ("STAGING__DB_PASS", "__INIT", "END__", "P__K___HISTORY_12")
        service.configs["production"] = dict.fromkeys(names, "v")
        assert sorted(store.list("app", soon())) == ["__init", "end__", "p/k.__history.12", "staging/db_pass"]

    def test_the_options_win_over_the_environment(self, store, service, monkeypatch):
        """`project` and `config` are what is asked for, whatever the caller is set up for."""
        monkeypatch.setenv("DOPPLER_PROJECT", "elsewhere")
        service.configs["production"]["KEY"] = "v"
        assert answer_of(store) == "v"


class TestNames:
    def test_a_key_is_upper_case_with_underscores(self, store, service):
        """`/`, `.` and `-` become `_`, and letters upper case."""
        store.set(Address("app", "db/pass.word-2"), Secret("v"), soon())
        assert service.configs["dev"] == {"DB_PASS_WORD_2": "v"}

    def test_a_profile_is_a_config(self, store, service):
        """Without `config`, a profile's secrets are in the Doppler config of its name."""
        store.set(Address("app", "key", profile="staging"), Secret("v"), soon())
        assert service.configs["staging"] == {"KEY": "v"}

    @pytest.mark.parametrize("key", [*UNNAMEABLE, "straße", "7up", "ſ"])
    def test_a_key_without_a_name_is_absent_and_refused(self, store, service, key):
        """What no name of Doppler's can stand for is not there, and can't be put there; Doppler is not asked."""
        address = Address("app", key)
        assert "can have no name there" in error_of(lambda: store.set(address, Secret("v"), soon())).message
        assert isinstance(error_of(lambda: store.delete(address, soon())), SecretNotFound)
        assert answer_of(store, address) is None
        assert service.requests == []

    def test_a_foreign_name_is_taken_verbatim(self, store, service):
        """A foreign name is looked for as it is written, beside a key that falls on the same name."""
        service.configs["dev"] = {"STRIPE_KEY": "v"}
        foreign, key = Address("", "", foreign="STRIPE_KEY"), Address("app", "stripe-key")
        assert store.get_many([foreign, key], soon()) == {foreign: Secret("v"), key: Secret("v")}
        assert answer_of(store, Address("", "", foreign="stripe_key")) is None

    def test_a_foreign_name_may_name_its_config_and_project(self, store, service, installed):
        """`NAME` is in the directory's config, `CONFIG/NAME` in another, `PROJECT/CONFIG/NAME` anywhere."""
        service.configs["dev"]["KEY"] = "of dev"
        service.configs["production"]["KEY"] = "of production"
        service.others["prd"]["KEY"] = "of another project"
        names = ["KEY", "production/KEY", f"{PROJECT}/production/KEY", f"{OTHER}/prd/KEY", f"{OTHER}/prd/NONE"]
        wanted = [Address("", "", foreign=name) for name in names]
        answers = store.get_many(wanted, soon())
        assert {str(address): answer.reveal() for address, answer in answers.items()} == {
            "KEY": "of dev",
            "production/KEY": "of production",
            f"{PROJECT}/production/KEY": "of production",
            f"{OTHER}/prd/KEY": "of another project",
        }
        for name in ("a/b/c/D", "/KEY", "dev//KEY", "dev/"):
            assert answer_of(store, Address("", "", foreign=name)) is None

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (f"{OTHER}/nope/KEY", "Could not find requested config 'nope'"),
            ("nope/prd/KEY", "Could not find requested project 'nope'"),
        ],
    )
    def test_a_place_that_there_is_not_is_no_absent_secret(self, store, name, message):
        """It is a mistake in the reference, with where to look."""
        error = answer_of(store, Address("", "", foreign=name))
        assert isinstance(error, BackendInvalid)
        assert error.message == f"doppler: {message}"
        assert error.hint.startswith("doppler ")

    def test_a_foreign_name_is_only_read(self, store, service):
        """Setting and deleting a foreign name is refused without asking Doppler."""
        address = Address("", "", foreign="STRIPE_KEY")
        for call in (lambda: store.set(address, Secret("v"), soon()), lambda: store.delete(address, soon())):
            error = error_of(call)
            assert isinstance(error, BackendInvalid)
            assert error.message == 'doppler: "STRIPE_KEY" is a foreign name, which is only read'
        assert service.requests == []


class TestList:
    def test_unknown_spellings_are_lower_case(self, store, service):
        """A name that this run has not spelt is listed in lower case, old values as what they are."""
        service.configs["dev"] = {"DB_PASS": "v", "DB_PASS___HISTORY_1": "v", "A__B": "v"}
        service.configs["staging"] = {"DB_PASS": "v"}
        assert sorted(store.list("app", soon())) == ["a__b", "db_pass", "db_pass.__history.1", "staging/db_pass"]

    def test_known_spellings_are_kept(self, store, service):
        """A key that was asked for is listed as it was spelt, and its old values too: rotation finds them."""
        service.configs["dev"] = {"DB_PASS": "v", "DB_PASS___HISTORY_1": "v"}
        assert answer_of(store, Address("app", "db.Pass")) == "v"
        assert sorted(store.list("app", soon())) == ["db.Pass", "db.Pass.__history.1"]

    def test_a_service_token_lists_its_config(self, installed, service, monkeypatch):
        """A token that may not see the project's configs lists its own, and says that the others are missing."""
        monkeypatch.delenv("DOPPLER_PROJECT")
        monkeypatch.delenv("DOPPLER_CONFIG")
        monkeypatch.setenv("DOPPLER_TOKEN", doppler.DEV)
        service.configs["dev"] = {"KEY": "v"}
        store = Doppler("doppler")
        assert list(store.list("app", soon())) == ["key"]
        assert store.warnings == ["doppler: the project's configs can't be listed; secrets of profiles are left out"]

    def test_a_config_that_may_not_be_read_is_left_out(self, store, service):
        """One config of the project that is closed to the caller does not hide the others."""
        service.configs["staging"] = {"KEY": "v"}
        service.closed = {"production"}
        assert list(store.list("app", soon())) == ["staging/key"]
        assert store.warnings == ['doppler: config "production" may not be read; it is left out']

    def test_no_value_is_fetched(self, store, service):
        """Listing asks for names only."""
        list(store.list("app", soon()))
        assert not [line for line in service.requests if "download" in line]


@both_ways
class TestValues:
    @pytest.mark.parametrize("value", ["one\r\ntwo", "one\r", "\r\n"])
    def test_a_carriage_return_at_the_end_of_a_line_is_refused(self, store, service, value):
        """`doppler` would drop it: the value is refused with the way to keep it, and nothing is written."""
        error = error_of(lambda: store.set(KEY, Secret(value), soon()))
        assert isinstance(error, BackendInvalid)
        assert error.message == (
            "doppler: a carriage return at the end of a line would be lost; store it as base64 and add ?encoding=base64"
        )
        assert service.requests == []

    def test_the_longest_line(self, store):
        """A line of 65535 bytes is stored; a longer one is refused before `doppler` would fail on it."""
        store.set(KEY, Secret("é" * 32767 + "x\n" + "y" * 65535), soon())
        assert answer_of(store) == "é" * 32767 + "x\n" + "y" * 65535
        error = error_of(lambda: store.set(KEY, Secret("short\n" + "y" * 65536), soon()))
        assert error.message.startswith("doppler: a line of the value is longer than 65535 bytes; store it as base64")

    def test_a_value_that_reads_back_different_is_an_error(self, store, service):
        """A value that the service keeps differently is told, without the value."""
        service.keeps = lambda value: value.strip()
        error = error_of(lambda: store.set(KEY, Secret(f"{MARKER} "), soon()))
        assert isinstance(error, BackendInvalid)
        assert error.message == 'doppler: "KEY" does not read back as it was written'
        assert MARKER not in values_of(error)

    def test_a_value_that_doppler_fills_in_is_an_error(self, store, service):
        """`${NAME}` of another secret is replaced by Doppler: the write says so."""
        service.configs["dev"]["USER"] = "admin"
        error = error_of(lambda: store.set(KEY, Secret("${USER}:x"), soon()))
        assert error.hint == "Doppler fills in ${NAME}; store a value that is to keep it as base64"

    def test_a_restricted_value_is_denied(self, store, service):
        """A secret whose value the token may not see is denied, not absent."""
        service.configs["dev"] = {"KEY": None}
        error = answer_of(store)
        assert isinstance(error, BackendDenied)
        assert error.message == 'doppler: "KEY" is restricted; its value is not shown'

    @pytest.mark.parametrize("value", ["a\0b", "\ud800"])
    def test_a_value_that_no_variable_can_hold(self, store, service, value):
        """One undecodable value is an error of its own; the others are read."""
        service.configs["dev"] = {"KEY": value, "OTHER": "v"}
        other = Address("app", "other")
        answers = store.get_many([KEY, other], soon())
        assert isinstance(answers[KEY], BackendInvalid)
        assert answers[other] == Secret("v")


@both_ways
class TestProcesses:
    def test_a_hundred_secrets_are_one_download(self, store, way, service, installed):
        """One request for any number of secrets of one config, and a process only where the program makes it."""
        service.configs["dev"] = {f"KEY{number}": str(number) for number in range(0, 100, 2)}
        answers = store.get_many([Address("app", f"key{number}") for number in range(100)], soon())
        assert len(answers) == 50
        assert len(service.requests) == 1
        assert installed.count() == (way == "doppler")

    def test_profiles_are_one_download_a_config(self, store, service):
        """Candidates at profile scope cost one more download; with `config` they cost none."""
        service.configs["staging"] = {"KEY1": "v"}
        asked = [Address("app", f"key{n}", profile=profile) for n in range(50) for profile in ("staging", None)]
        assert len(store.get_many(asked, soon())) == 1
        assert len(service.requests) == 2
        service.requests.clear()
        service.configs["dev"] = {"STAGING__KEY1": "v", "KEY2": "v"}
        assert len(Doppler("doppler", config="dev").get_many(asked, soon())) == 2
        assert len(service.requests) == 1

    def test_no_value_is_an_argument(self, store, installed):
        """A value goes through standard input: writing, reading, deleting and listing show it to nobody."""
        store.set(KEY, Secret(MARKER), soon())
        assert answer_of(store) == MARKER
        list(store.list("app", soon()))
        store.delete(KEY, soon())
        started = installed.argvs()
        assert len(started) >= 7
        assert MARKER not in repr(started)
        assert all({"--attempts=1", "--no-timeout", "--silent", "--no-check-version"} <= set(argv) for argv in started)

    def test_nothing_is_left_on_disk(self, store, service, home, tmp_path):
        """No copy of the secrets is kept for a time without network."""
        service.configs["dev"] = {"KEY": MARKER}
        assert answer_of(store) == MARKER
        files = [path for path in (*home.rglob("*"), *tmp_path.rglob("*")) if path.is_file()]
        assert not [path for path in files if MARKER.encode() in path.read_bytes()]

    def test_options_that_look_like_flags_are_values(self, way, installed, service):
        """A config that starts with a dash is a config that is not there, and no flag."""
        error = answer_of(Doppler("doppler", config="--help"))
        assert error.message == "doppler: Could not find requested config '--help'"


@both_ways
class TestErrors:
    def test_a_bad_token_is_denied(self, store, service):
        """A token that Doppler does not know is denied, with the way to sign in."""
        service.tokens.clear()
        error = answer_of(store)
        assert isinstance(error, BackendDenied)
        assert error.lines() == [
            "error: doppler: denied: Invalid Auth token",
            "  run: unset DOPPLER_TOKEN, then doppler login",
        ]

    def test_without_the_variable_what_login_stored_counts(self, store, service, monkeypatch, home):
        """The cure, done: the refused token of the environment is taken away."""
        service.configs["dev"]["KEY"] = "v"
        (home / ".doppler").mkdir()
        stored = "scoped:\n  /:\n    token: %s\n"
        (home / ".doppler/.doppler.yaml").write_text(stored % doppler.EVERYTHING)
        monkeypatch.setenv("DOPPLER_TOKEN", "dp.st.old")
        error = answer_of(store)
        assert error.run == ("unset", "DOPPLER_TOKEN")
        monkeypatch.delenv("DOPPLER_TOKEN")
        assert answer_of(Doppler("doppler")) == "v"
        (home / ".doppler/.doppler.yaml").write_text(stored % "dp.ct.old")
        assert answer_of(Doppler("doppler")).lines() == [
            "error: doppler: denied: Invalid Auth token",
            "  run: doppler login",
        ]

    def test_no_token_is_not_signed_in(self, store, monkeypatch):
        """Without any token, nobody is signed in."""
        monkeypatch.delenv("DOPPLER_TOKEN")
        error = answer_of(store)
        assert isinstance(error, BackendLocked)
        assert error.lines() == ["error: doppler: not signed in", "  run: doppler login"]

    def test_a_config_that_is_not_the_tokens_is_denied(self, way, installed, service, monkeypatch):
        """A service token asked for another config is denied: for a profile too, that is no absence."""
        for name, value in {**doppler.environment(service, doppler.DEV), "DOPPLER_CONFIG": ""}.items():
            monkeypatch.setenv(name, value)
        service.configs["dev"]["KEY"] = "v"
        staging = Address("app", "key", profile="staging")
        monkeypatch.delenv("DOPPLER_PROJECT")
        answers = Doppler("doppler").get_many([staging, KEY], soon())
        assert answers[KEY] == Secret("v")
        assert isinstance(answers[staging], BackendDenied)
        assert answers[staging].message == "doppler: This token does not have access to requested config 'staging'"
        assert "set the backend's config" in answers[staging].hint

    def test_a_project_must_be_chosen(self, store, monkeypatch):
        """A personal token without a project is told where to name one."""
        monkeypatch.delenv("DOPPLER_PROJECT")
        error = answer_of(store)
        assert isinstance(error, BackendInvalid)
        assert error.lines() == [
            "error: doppler: You must specify a project",
            "  hint: set project and config of the backend, or run doppler setup",
        ]

    def test_a_configured_config_that_does_not_exist_is_an_error(self, way, installed, service):
        """A `config` that is not there is a mistake, and no absence of its secrets."""
        error = answer_of(Doppler("doppler", config="nope"))
        assert isinstance(error, BackendInvalid)
        assert error.message == "doppler: Could not find requested config 'nope'"

    def test_a_profile_without_a_config_has_nothing(self, store):
        """A profile for which Doppler has no config is empty when read, and an error when written."""
        local = Address("app", "key", profile="local")
        assert answer_of(store, local) is None
        assert isinstance(error_of(lambda: store.delete(local, soon())), SecretNotFound)
        error = error_of(lambda: store.set(local, Secret("v"), soon()))
        assert error.message == "doppler: Could not find requested config 'local'"

    def test_an_unreachable_service_is_unavailable(self, store, monkeypatch):
        """Nobody listening is unavailable at once: `doppler` does not try again."""
        monkeypatch.setenv("DOPPLER_API_HOST", "http://127.0.0.1:9")
        watch = Stopwatch()
        error = answer_of(store)
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            "error: doppler: unavailable: no connection to the service",
            "  hint: check the network, and DOPPLER_API_HOST if it is set",
        ]
        assert watch.seconds() < 3

    def test_throttling_by_its_status_alone(self, store, service):
        """Where the answer is a proxy's, the program prints its status."""
        service.configs["dev"]["KEY"] = "v"
        service.too_often = b'{"messages": ["Request failed with HTTP 429"]}'
        service.throttled = 1
        assert answer_of(store) == "v"
        service.throttled = 9
        assert answer_of(store).lines() == [
            "error: doppler: Request failed with HTTP 429",
            "  hint: Doppler limits how often it is asked; try again in a moment",
        ]

    @pytest.mark.parametrize("status", [404, 500, 503])
    def test_an_unknown_text_is_unavailable(self, store, service, status):
        """What nobody knows is never absence; the service's sentence is quoted."""
        service.failure = (status, "secret not found, says the proxy")
        for call in (
            lambda: store.get_many([KEY], soon())[KEY],
            lambda: store.set(KEY, Secret("v"), soon()),
            lambda: store.delete(KEY, soon()),
            lambda: list(store.list("app", soon())),
        ):
            error = raised_or_given(call)
            assert type(error) is BackendUnavailable
            assert "says the proxy" in error.message

    def test_a_hanging_service_is_a_timeout(self, store, service):
        """A service that does not answer costs the time that was given, and no more."""
        service.hangs = True
        watch = Stopwatch()
        error = answer_of(store, deadline=time.monotonic() + 0.5)
        assert isinstance(error, BackendTimeout)
        assert as_set(error.message, 0.5) == "doppler: no answer within 0.5 s; raise --timeout or the backend's timeout"
        assert watch.seconds() < 1.5

    @pytest.mark.parametrize(
        "body",
        [
            f"rubbish {MARKER}".encode(),
            b"",
            b"[]",
            b'{"KEY": 3}',
            b'{"KEY": "\xff"}',
            b"[" * 100_000,
            b"\x1b[2J" * 250_000,
        ],
        ids=["rubbish", "empty", "array", "number", "utf8", "deep", "megabyte"],
    )
    def test_a_malformed_answer_is_invalid(self, store, service, body):
        """An answer that is not the JSON that was asked for is an error that shows nothing of it."""
        service.failure = body
        error = answer_of(store)
        assert isinstance(error, BackendInvalid)
        assert MARKER not in values_of(error)
        assert "\x1b" not in values_of(error)


def raised_or_given(call):
    try:
        return call()
    except BackendError as error:
        return error


STAND_INS = {
    "hangs": ("sleep 600", BackendTimeout),
    "hangs_with_a_grandchild": ("sleep 600 & sleep 600", BackendTimeout),
    "ignores_term": ("trap '' TERM INT HUP; while :; do sleep 1; done", BackendTimeout),
    "rubbish": ("echo rubbish", BackendInvalid),
    "ansi": (r"printf '\033[31mDoppler Error:\033[0m \033[2Jyou must provide a token\n' >&2; exit 1", BackendLocked),
    "bad_utf8": (r"printf '\377\376'", BackendInvalid),
    "bad_utf8_on_stderr": (r"printf '\377\376' >&2; exit 1", BackendUnavailable),
    "megabyte_of_stderr": ("head -c 1048576 /dev/zero | tr '\\0' x >&2; exit 1", BackendUnavailable),
    "json_error": ("""echo '{"error":"you must provide a token"}' >&2; exit 1""", BackendLocked),
    "json_without_error": ("echo '[]' >&2; exit 1", BackendUnavailable),
    "dies_half_way": ("""printf '{"KEY": "val'; kill -9 $$""", BackendUnavailable),
    "half_an_answer": ("""printf '{"KEY": "val'""", BackendInvalid),
    "silent": ("exit 1", BackendUnavailable),
}


class TestProgram:
    def test_it_is_used_as_it_is_installed(self, service, monkeypatch):
        """What is installed as `doppler` is a script in front of the program, and answers as it does."""
        monkeypatch.setenv("PATH", os.path.dirname(doppler.installed()), prepend=":")
        store = Doppler("doppler")
        store.set(KEY, Secret("v"), soon())
        assert answer_of(store) == "v"

    @pytest.fixture
    def stand_in(self, tmp_path, monkeypatch):
        """Puts a shell script in the place of `doppler`; it reads what it is given first."""

        def write(body):
            shim.stand_in(tmp_path / "bin", "doppler", f"cat > /dev/null\n{body}", monkeypatch)
            return Doppler("doppler")

        return write

    @pytest.mark.parametrize(
        ("flox", "cure"),
        [
            ("", "brew install dopplerhq/cli/doppler, then doppler login"),
            ("/env", "flox install doppler, then doppler login"),
        ],
    )
    def test_a_missing_program_is_named_with_its_cure(self, monkeypatch, tmp_path, flox, cure):
        """Without `doppler` the message says how to get it: with Flox in a Flox environment."""
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("FLOX_ENV", flox)
        error = answer_of(Doppler("doppler"))
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            "error: doppler: start doppler: executable file not found in $PATH",
            f"  run: {cure}",
        ]

    def test_a_program_of_ones_own(self, service, installed, tmp_path):
        """`command` may be a path, a relative one from the project root."""
        service.configs["dev"]["KEY"] = "v"
        assert answer_of(Doppler("doppler", command="shim/doppler", root=str(tmp_path))) == "v"
        assert installed.argvs()[-1][-1] == f"--scope={tmp_path}"

    @first_python
    @pytest.mark.parametrize("kind", STAND_INS)
    def test_a_failing_program_is_an_error_in_time(self, stand_in, tmp_path, kind):
        """Whatever the program does, reading and writing end in time, with the right class, and without a value."""
        body, expected = STAND_INS[kind]
        store = stand_in(body)
        for call in (
            lambda: store.get_many([KEY], time.monotonic() + 0.7)[KEY],
            lambda: store.set(KEY, Secret(MARKER), time.monotonic() + 0.7),
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

    @pytest.mark.parametrize("configs", ["[{}]", "3", "rubbish", '{"name": "dev"}'])
    def test_a_malformed_list_of_configs_is_said(self, stand_in, configs):
        """A list of configs that is none leaves out the profiles' secrets, with a warning."""
        cases = f"""*"configs get"*) echo '{{"name":"dev"}}';; *configs*) echo '{configs}';; *) echo '{{"KEY":{{}}}}'"""
        store = stand_in(f'case "$*" in {cases};; esac')
        assert list(store.list("app", soon())) == ["key"]
        assert len(store.warnings) == 1

    @pytest.mark.parametrize("end", ["lookup api.doppler.com: no such host", "1.2.3.4:443: i/o timeout"])
    def test_offline(self, stand_in, end):
        """Go's sentence, with the address in it, is not the user's business."""
        stand_in(f"echo 'Doppler Error: Get \"https://api.doppler.com\": dial tcp {end}' >&2; exit 1")
        assert answer_of(Doppler("doppler")).message == "doppler: unavailable: no connection to the service"

    def test_an_echoed_value_is_hidden(self, stand_in):
        """A program that repeats what it read does not get it into a message."""
        store = stand_in(f"echo 'Doppler Error: cannot store {MARKER}' >&2; exit 1")
        error = error_of(lambda: store.set(KEY, Secret(MARKER), soon()))
        assert error.message == "doppler: cannot store ***"


class TestCommands(StoreCommands):
    """The whole process."""

    @pytest.fixture
    def shop(self, project, service, installed):
        """A project with two backends of the type: the configs "dev" and, for all profiles, "production"."""
        project.write(
            ".envref.yaml",
            config(
                {"name": "doppler", "type": "doppler", "names": {"stripe": "STRIPE_KEY"}},
                {"name": "live", "type": "doppler", "config": {"project": "shop", "config": "production"}},
                profiles={"staging": None},
            ),
        )
        return project

    def test_a_secret_is_set_read_listed_and_deleted(self, shop, service):
        """`envref secret` works on the backend that is named, at project and at profile scope."""
        for scope, where in (((), ("production", "API_KEY")), (("-P", "staging"), ("production", "STAGING__API_KEY"))):
            self.run(shop, "secret", "set", "api_key", "--backend", "live", *scope, stdin="line\nsecret\n\n")
            assert service.configs[where[0]][where[1]] == "line\nsecret\n"
            got = self.run(shop, "secret", "get", "api_key", "--backend", "live", "-n", *scope)
            assert got.stdout == "line\nsecret\n"
            assert self.run(shop, "secret", "list", "--backend", "live", *scope).stdout == "api_key\n"
            self.run(shop, "secret", "delete", "api_key", "--backend", "live", "--force", *scope)
            assert where[1] not in service.configs[where[0]]
        gone = self.run(shop, "secret", "delete", "api_key", "--backend", "live", "--force", status=1)
        assert gone.stderr == 'error: deleting secret: doppler: secret not found: "app/api_key" (backend "live")\n'

    def test_a_profiles_secrets_are_in_its_config(self, shop, service):
        """Without `config`, `--profile` is a Doppler config; the profile's value wins, the project's stands in."""
        self.run(shop, "secret", "set", "a", stdin="of the project")
        self.run(shop, "secret", "set", "b", stdin="shared")
        self.run(shop, "secret", "set", "a", "--profile", "staging", stdin="of staging")
        assert service.configs["staging"] == {"A": "of staging"}
        shop.write(".env", "A=ref://doppler/a\nB=ref://doppler/b\n")
        assert self.run(shop, "resolve").stdout == "A=of the project\nB=shared\n"
        assert self.run(shop, "resolve", "--profile", "staging").stdout == "A=of staging\nB=shared\n"
        assert self.run(shop, "secret", "list", "-P", "staging").stdout == "a\n"
        assert self.run(shop, "secret", "list").stdout == "a\nb\n"

    def test_existing_secrets_are_reached_by_their_names(self, shop, service, installed):
        """`ref://NAME//…` and `names:` reach a secret that envref did not make; it is not written."""
        service.configs["dev"] = {"STRIPE_KEY": "sk", "JSON": '{"user": "root"}'}
        service.configs["production"] = {"STRIPE_KEY": "live sk"}
        shop.write(
            ".env",
            "A=ref://doppler//STRIPE_KEY\nB=ref://secrets/stripe\nC=ref://doppler//JSON#user\nD=ref://live//STRIPE_KEY\n",
        )
        assert self.run(shop, "resolve").stdout == "A=sk\nB=sk\nC=root\nD=live sk\n"
        assert (len(service.requests), installed.count()) == (2, 0)
        refused = self.run(shop, "secret", "set", "stripe", stdin="x", status=1)
        assert 'key "stripe" is mapped to an existing secret in backend "doppler"' in refused.stderr

    def test_rotation_keeps_old_values(self, shop, service):
        """Rotating finds the old values again, however the key is spelt; `list` hides them."""
        self.run(shop, "secret", "set", "Db.Pass", stdin="first")
        for value in ("second", "third"):
            self.run(shop, "secret", "rotate", "Db.Pass", "--value-stdin", stdin=value)
        assert service.configs["dev"] == {
            "DB_PASS": "third",
            "DB_PASS___HISTORY_1": "second",
            "DB_PASS___HISTORY_2": "first",
        }
        assert self.run(shop, "secret", "list").stdout == "db_pass\n"

    def test_a_failure_is_told_with_its_cure(self, shop, service):
        """`resolve` leaves the variable out, names the backend and the cure, and exits 3."""
        service.tokens.clear()
        shop.write(".env", "A=ref://live/a\nB=plain\n")
        failed = self.run(shop, "resolve", status=3)
        assert failed.stdout == "B=plain\n"
        assert failed.stderr == (
            'error: A: failed to resolve ref://live/a: backend "live": doppler: denied: Invalid Auth token\n'
            "  run: unset DOPPLER_TOKEN, then doppler login\n"
            "1 reference(s) could not be resolved\n"
        )
