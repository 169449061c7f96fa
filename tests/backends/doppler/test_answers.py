"""What envref makes of each answer of `doppler`, and what it asks for: no service and no program."""

from __future__ import annotations

import json

import pytest

from envref.backends.doppler.complaints import DopplerRefusal, NoSuchConfig, output, throttled
from envref.backends.doppler.store import Doppler
from envref.backends.throttling import Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendUnavailable, SecretNotFound
from tests.backends.asking import answers_of, error_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

FLAGS = ["--no-check-version", "--silent", "--attempts=1", "--no-timeout"]
DOWNLOAD = ["secrets", "download", "--no-file", "--no-fallback", "--format=json"]
BASE64 = "store it as base64 and add ?encoding=base64"
PROXY = "a proxy or the network's sign-in page may have answered; else update the doppler program"


def store(**options):
    return Doppler("d", **{"command": "doppler2", **options})


def said(text):
    return (1, "", f"Doppler Error: {text}\n")


def one(printed, answering, **options):
    """The answer for one key, where every call prints this."""
    answering(printed)
    return answers_of(store(**options), *keys("key")).get("app/key")


CONFIG, PROJECT = "Could not find requested config 'x'", "Could not find requested project 'x'"
SPECIFY = "You must specify a project"
TOO_OFTEN = "Doppler limits how often it is asked; try again in a moment"
OFFLINE = "unavailable: no connection to the service"
UNREACHED = ("dial tcp", "no such host", "connection refused", "i/o timeout", "network is unreachable")
MASKED = "change its visibility in Doppler to masked"


class TestReading:
    def test_one_download_for_each_config(self, answering):
        """Of the profile's config and that of a foreign name; several keys of one are one call."""
        answering(lambda words, _: json.dumps({"A": words[-1], "B": "b"}))
        profile = Address("app", "a", profile="prd")
        found = answers_of(store(project="web", root="/p"), *keys("a", "b"), profile, foreign("shop/dev/A"))
        assert found == {
            "app/a": "--project=web",
            "app/b": "b",
            "app/prd/a": "--config=prd",
            "shop/dev/A": "--config=dev",
        }
        place = [*DOWNLOAD, *FLAGS, "--scope=/p"]
        assert answering.asked == [
            [*place, "--project=web"],
            [*place, "--project=web", "--config=prd"],
            [*place, "--project=shop", "--config=dev"],
        ]

    def test_nothing_that_can_be_asked_for(self, answering):
        """A key without a name there is absent."""
        answering("{}")
        assert store().get_many(keys("1a"), soon()) == {}
        assert answering.asked == []

    @pytest.mark.parametrize(
        ("printed", "kind", "message", "hint"),
        [
            (
                '{"KEY": null}',
                BackendDenied,
                '"KEY" is restricted; its value is not shown',
                MASKED,
            ),
            ('{"KEY": 1}', BackendInvalid, 'the value of "KEY" is not text', "update the doppler program"),
            ("rubbish", BackendInvalid, "the answer is not the JSON that was asked for", PROXY),
            ("[" * 100_000, BackendInvalid, "the answer is not the JSON that was asked for", PROXY),
            ("[]", BackendInvalid, "the answer is not the JSON object that was asked for", PROXY),
        ],
    )
    def test_what_is_no_value(self, answering, printed, kind, message, hint):
        """And no absence."""
        error = one(printed, answering)
        assert (type(error), error.message, error.hint) == (kind, f"doppler: {message}", hint)

    def test_keys_that_share_a_name(self, answering):
        """Where both are there; where it is not, nobody is bothered."""
        answering('{"A_B": "v"}')
        found = store().get_many([*keys("a-b", "a_b"), foreign("A_B")], soon())
        assert [type(each).__name__ for each in found.values()] == ["BackendInvalid", "BackendInvalid", "Secret"]
        answering("{}")
        assert store().get_many(keys("a-b", "a_b"), soon()) == {}

    @pytest.mark.parametrize(
        ("options", "address", "is_absent"),
        [
            ({}, Address("app", "k", profile="prd"), True),
            ({}, Address("app", "k"), False),
            ({"config": "dev"}, Address("app", "k"), False),
            ({}, foreign("prd/K"), True),
            ({"project": "web"}, foreign("shop/prd/K"), False),
        ],
    )
    def test_a_config_that_there_is_not(self, answering, options, address, is_absent):
        """A profile's was never made; the configured one is a mistake."""
        answering(said("Could not find requested config 'x'"))
        found = store(**options).get_many([address], soon())
        assert found == {} if is_absent else isinstance(found[address], NoSuchConfig)


class TestWriting:
    def test_a_value_is_read_back(self, answering):
        """It is on standard input alone, with one line end more."""
        answering(lambda words, _: '{"KEY": "v"}' if "download" in words else "")
        store(project="web", config="dev").set(keys("key")[0], Secret("v"), soon())
        place = [*FLAGS, "--project=web", "--config=dev"]
        assert answering.asked == [["secrets", "set", "KEY", "--no-interactive", *place], [*DOWNLOAD, *place]]
        assert answering.payloads == [b"v\n", None]

    @pytest.mark.parametrize("printed", ['{"KEY": "other"}', "{}"])
    def test_one_that_comes_back_changed(self, answering, printed):
        """Doppler fills in names."""
        answering(printed)
        assert error_of(lambda: store().set(keys("key")[0], Secret("v"), soon())).lines() == [
            'error: doppler: "KEY" does not read back as it was written',
            "  hint: Doppler fills in ${NAME}; store a value that is to keep it as base64",
        ]

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ("a\r\nb", "a carriage return at the end of a line would be lost"),
            ("a\r", "a carriage return at the end of a line would be lost"),
            ("a\rb", None),
            ("x" * 65535 + "\n" + "x" * 65535, None),
            ("x" * 65536, "a line of the value is longer than 65535 bytes"),
            ("a\n" + "ä" * 32768, "a line of the value is longer than 65535 bytes"),
        ],
    )
    def test_a_value_that_would_be_changed(self, answering, value, fault):
        """Is not sent."""
        answering(lambda words, _: json.dumps({"KEY": value}) if "download" in words else "")
        if fault is None:
            store().set(keys("key")[0], Secret(value), soon())
            assert answering.payloads[0] == value.encode() + b"\n"
        else:
            error = error_of(lambda: store().set(keys("key")[0], Secret(value), soon()))
            assert error.message == f"doppler: {fault}; {BASE64}"
            assert answering.asked == []

    def test_deleting(self, answering):
        """What is there: the program reports success for what is not."""
        answering('{"KEY": {}}')
        store().delete(keys("key")[0], soon())
        assert [words[:4] for words in answering.asked] == [
            ["secrets", "--only-names", "--json", FLAGS[0]],
            ["secrets", "delete", "KEY", "--yes"],
        ]
        for key in ("other", "1a"):
            error = error_of(lambda key=key: store().delete(keys(key)[0], soon()))
            assert (type(error), error.message) == (SecretNotFound, f'doppler: secret not found: "app/{key}"')

    def test_a_key_that_can_have_no_name(self, answering):
        """Is not written, and has no place."""
        answering("")
        for call in (lambda: store().set(keys("1a")[0], Secret("v"), soon()), lambda: store().location(keys("1a")[0])):
            assert error_of(call).message.startswith('doppler: key "1a" can have no name there: ')
        assert store(project="web", config="dev").location(keys("a")[0]) == ("web", "dev", "A")
        assert answering.asked == []

    def test_a_write_that_fails(self, answering):
        """Is an error."""
        answering(said("you must provide a token"))
        error = error_of(lambda: store().set(keys("key")[0], Secret("v"), soon()))
        assert (type(error), error.message) == (BackendLocked, "doppler: not signed in")
        assert len(answering.asked) == 1


def configs(*names):
    return json.dumps([{"name": name} for name in names])


DEV_AND_PRD = configs("dev", "prd")


class TestListing:
    def listed(self, answering, *, others=DEV_AND_PRD, own='{"name": "dev"}', **options):
        names = {"": {"A": 0, "DOPPLER_CONFIG": 0}, "--config=prd": {"A": 0, "B_C": 0, "DOPPLER_PROJECT": 0}}

        def answer(words, _):
            if words[0] == "configs":
                return own if words[1] == "get" else others
            found = names.get(words[-1] if words[-1].startswith("--config") else "")
            return said("This token does not have access to requested config") if found is None else json.dumps(found)

        answering(answer)
        made = store(**options)
        return sorted(made.list("app", soon())), made.warnings

    def test_other_configs_are_profiles(self, answering):
        """Without Doppler's own names; the config that the program is set up for is none."""
        assert self.listed(answering, project="web") == (["a", "prd/a", "prd/b_c"], [])
        assert [words[0:3] for words in answering.asked[1:3]] == [
            ["configs", "--json", "--number=1000"],
            ["configs", "get", "--json"],
        ]

    def test_one_config_for_all(self, answering):
        """Asks for no others."""
        answering('{"A": {}, "PRD__B": {}, "DOPPLER_ENVIRONMENT": {}}')
        assert sorted(store(config="dev").list("app", soon())) == ["a", "prd/b"]
        assert len(answering.asked) == 1

    @pytest.mark.parametrize(
        "others", [said("does not have access to requested"), "{}", "[1]", '[{"x": 1}]', "rubbish"]
    )
    def test_a_service_token_sees_one(self, answering, others):
        """A warning says what is left out."""
        warning = "doppler: the project's configs can't be listed; secrets of profiles are left out"
        assert self.listed(answering, others=others) == (["a"], [warning])
        assert self.listed(answering, own="[]") == (["a"], [warning])

    def test_a_config_that_may_not_be_read(self, answering):
        """Is left out, with a warning."""
        found = self.listed(answering, others=configs("dev", "prd", "x"))
        assert found == (["a", "prd/a", "prd/b_c"], ['doppler: config "x" may not be read; it is left out'])

    def test_any_other_error_is_one(self, answering):
        """As nobody knows what is there."""
        with pytest.raises(BackendUnavailable):
            self.listed(answering, others=said("dial tcp"))


class TestComplaints:
    @pytest.mark.parametrize(
        ("text", "kind", "message", "cure"),
        [
            (CONFIG, NoSuchConfig, CONFIG, "doppler configs lists those that there are"),
            (PROJECT, BackendInvalid, PROJECT, "doppler projects lists those that there are"),
            ("you must provide a token", BackendLocked, "not signed in", "doppler login"),
            (SPECIFY, BackendInvalid, SPECIFY, "set project and config of the backend, or run doppler setup"),
            ("Invalid Auth token", BackendDenied, "denied: Invalid Auth token", "doppler login"),
            ("API Rate Limit", Throttled, "API Rate Limit", TOO_OFTEN),
            ("HTTP 429", Throttled, "HTTP 429", TOO_OFTEN),
            *(
                (f"Get x: {words}", BackendUnavailable, OFFLINE, "check the network, and DOPPLER_API_HOST if it is set")
                for words in UNREACHED
            ),
        ],
    )
    @pytest.mark.parametrize("form", ["program", "JSON", "service"])
    def test_its_words(self, answering, text, kind, message, cure, form):
        """From the line, the JSON, or the service itself."""
        if form == "service":
            error = error_of(lambda: output(DopplerRefusal(text, None)))
        else:
            error = one((1, "", json.dumps({"error": text})) if form == "JSON" else said(text), answering, config="c")
        assert (type(error), error.message) == (kind, f"doppler: {message}")
        assert cure in (error.hint, " ".join(error.run))

    def test_a_token_of_the_environment(self, monkeypatch):
        """Comes before what a login stores."""
        monkeypatch.setenv("DOPPLER_TOKEN", "x")
        error = error_of(lambda: output(DopplerRefusal("Invalid Auth token", None)))
        assert (error.run, error.hint) == (("unset", "DOPPLER_TOKEN"), "doppler login")

    @pytest.mark.parametrize(
        ("text", "pause"),
        [("Rate limit exceeded", 0.0), ("TOO MANY REQUESTS", 0.0), ("status 429.", 0.0), ("a4290", None), ("x", None)],
    )
    def test_what_is_about_too_often(self, text, pause):
        """By its words, or the number alone."""
        assert throttled(text) == pause

    @pytest.mark.parametrize("stderr", ['{"x": 1}', "[1]", "3"])
    def test_another_text(self, answering, stderr):
        """Is told as it is."""
        assert one((1, "", f"Doppler Error: {stderr}"), answering).message == f"doppler: {stderr}"
        assert one((1, "", stderr), answering).message == f"doppler: {stderr}"

    def test_the_way(self, answering):
        """By the program, where one is named."""
        assert store().way == "through doppler (the option command)"
        assert store(command="doppler").way == store(command="").way == ""
