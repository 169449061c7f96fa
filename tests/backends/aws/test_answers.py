"""What envref makes of each answer of `aws`, and what it asks for: no service and no program."""

from __future__ import annotations

import json

import pytest

from envref.backends.aws.complaints import Complaints, Refusal, throttled, tries, usual_sign_in
from envref.backends.aws.credentials import Cure, Origin
from envref.backends.aws.questions import Question
from envref.backends.aws.secrets_manager import AwsSecretsManager
from envref.backends.aws.service import chunks, members
from envref.backends.aws.ssm import AwsSsm
from envref.backends.command import AsksOnTerminal
from envref.backends.throttling import Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendLocked, SecretNotFound
from tests.backends.asking import answers_of, error_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

SETTINGS = ["--output=json"]


def ssm(**options):
    return AwsSsm("s", command="aws2", **options)


def manager(**options):
    return AwsSecretsManager("s", command="aws2", **options)


def said(code, operation="GetX", words="words"):
    return (254, "", f"An error occurred ({code}) when calling the {operation} operation: {words}")


def asked(answering):
    """The calls, without the service and the settings."""
    assert all(words[-1:] == SETTINGS for words in answering.asked)
    return [words[1:-1] for words in answering.asked]


def parameters(*names, **more):
    items = [{"Name": name, "Value": f"v{name}", "Version": 2} for name in names]
    return json.dumps({"Parameters": items, **more})


class TestSsm:
    def test_one_is_asked_alone(self, answering):
        """Decrypted; its revision has the version and the date."""
        item = {"Value": "v", "Version": 7, "LastModifiedDate": 1.5}
        answering(json.dumps({"Parameter": item}))
        [key] = keys("key")
        found = ssm().get_many([key], soon())[key]
        assert (found.reveal(), found.revision) == ("v", "7.1500")
        assert asked(answering) == [["get-parameter", "--name", "/envref/app/key", "--with-decryption"]]

    def test_several_below_a_path_are_asked_by_it(self, answering):
        """With what else may be there; if the listing ends, the others are absent."""
        answering(parameters("/envref/app/a", "/envref/app/x"))
        assert answers_of(ssm(), *keys(*"abc")) == {"app/a": "v/envref/app/a"}
        words = ["get-parameters-by-path", "--path", "/envref/app", "--recursive", "--with-decryption"]
        assert asked(answering) == [[*words, "--max-items", "103"]]

    def test_a_listing_that_goes_on_says_nothing_of_the_others(self, answering):
        """They are asked for by their names, ten at a time; a single one alone."""
        wanted = keys(*(f"k{number:02}" for number in range(12)))

        def answer(words, _):
            if words[1] == "get-parameters-by-path":
                return parameters("/envref/app/k00", NextToken="n")
            if words[1] == "get-parameters":
                return parameters(
                    "/envref/app/k01", InvalidParameters=[f"/envref/app/k{each:02}" for each in range(2, 12)]
                )
            return said("ParameterNotFound")

        answering(answer)
        assert sorted(answers_of(ssm(), *wanted)) == ["app/k00", "app/k01"]
        assert [words[0] for words in asked(answering)] == ["get-parameters-by-path", "get-parameters", "get-parameter"]
        assert len(asked(answering)[1]) == 1 + 1 + 10 + 1

    def test_names_elsewhere_are_asked_together(self, answering):
        """Versions and ARNs alone: the answer to a batch does not tell them apart."""
        answering(
            lambda words, _: (
                parameters("/a", "/b") if words[1] == "get-parameters" else json.dumps({"Parameter": {"Value": "x"}})
            )
        )
        found = answers_of(ssm(), foreign("/a"), foreign("/b"), foreign("/a:3"), foreign("arn:aws:ssm:r:1:parameter/c"))
        assert [*found.values()] == ["v/a", "v/b", "x", "x"]
        assert [words[:3] for words in asked(answering)] == [
            ["get-parameter", "--name", "/a:3"],
            ["get-parameter", "--name", "arn:aws:ssm:r:1:parameter/c"],
            ["get-parameters", "--names", "/a"],
        ]

    def test_what_a_batch_does_not_mention_is_asked_alone(self, answering):
        """It is neither there nor absent."""
        answering(lambda words, _: parameters("/a") if words[1] == "get-parameters" else said("ParameterNotFound"))
        assert answers_of(ssm(), foreign("/a"), foreign("/b")) == {"/a": "v/a"}
        assert [words[0] for words in asked(answering)] == ["get-parameters", "get-parameter"]

    @pytest.mark.parametrize(
        ("version", "name"),
        [("3", "/envref/app/key:3"), ("prod", "/envref/app/key:prod"), ("x" * 100, f"/envref/app/key:{'x' * 100}")],
    )
    def test_a_version_or_a_label(self, answering, version, name):
        """In AWS's own form."""
        answering(json.dumps({"Parameter": {"Value": "v"}}))
        answers_of(ssm(), Address("app", "key", version=version))
        assert asked(answering)[0][2] == name

    @pytest.mark.parametrize("address", [
        *(Address("app", "key", version=version) for version in ("", "a b", "x" * 101, "a:b")),
        Address("", "", foreign="/a:1", version="2"),
        Address("", "", foreign="arn:aws:ssm:r:1:parameter/a:1", version="2"),
    ])  # fmt: skip
    def test_what_is_no_version(self, answering, address):
        """Nor is a second one."""
        answering("")
        [error] = ssm().get_many([address], soon()).values()
        assert error.message.endswith("is not a version; write a number, or a label")
        assert answering.asked == []

    def test_revisions_are_listed_without_values(self, answering):
        """By path; where it goes on, by name, fifty at a time."""

        def answer(words, _):
            if words[1] == "get-parameters-by-path":
                return parameters("/envref/app/k0", NextToken="n")
            return parameters("/envref/app/k1")

        answering(answer)
        found = ssm().revisions(keys(*(f"k{number}" for number in range(53))), soon())
        assert {address.key: each for address, each in found.items()} == {"k0": "2", "k1": "2"}
        calls = asked(answering)
        assert calls[0] == ["get-parameters-by-path", "--path", "/envref/app", "--recursive", "--max-items", "153"]
        filters = [json.loads(words[2]) for words in calls[1:]]
        assert [len(each["Values"]) for each in filters] == [50, 2]
        assert (filters[0]["Key"], filters[0]["Option"]) == ("Name", "Equals")

    def test_the_right_for_revisions_is_named(self, answering):
        """One that reading does not take."""
        answering(said("AccessDeniedException"))
        [error] = ssm().revisions([foreign("/a")], soon()).values()
        assert error.hint == "the role needs ssm:DescribeParameters"
        [error] = ssm().get_many([foreign("/a")], soon()).values()
        assert error.message == 'aws-ssm: denied: AccessDeniedException for ssm:GetX on "/a"'
        rights = "ssm:GetParameter, ssm:PutParameter, ssm:DeleteParameter and ssm:GetParametersByPath"
        assert error.hint == f"the role needs {rights}"

    def test_writing(self, answering):
        """The value is on standard input alone."""
        answering("{}")
        ssm().set(keys("key")[0], Secret("v"), soon())
        words = ["put-parameter", "--name", "/envref/app/key", "--type", "SecureString", "--overwrite"]
        assert asked(answering) == [[*words, "--value", "file:///dev/stdin"]]
        assert answering.payloads == [b"v"]
        ssm().delete(keys("key")[0], soon())
        assert asked(answering)[1] == ["delete-parameter", "--name", "/envref/app/key"]
        answering(said("ParameterNotFound"))
        error = error_of(lambda: ssm().delete(keys("key")[0], soon()))
        assert (type(error), error.message) == (SecretNotFound, 'aws-ssm: secret not found: "app/key"')

    def test_listing(self, answering):
        """By path, without values; what is not the project's is left out."""
        answering(parameters("/envref/app/a", "/envref/app/p/b", "/envref/apple/c", "/envref/app/"))
        assert ssm().list("app", soon()) == ["a", "p/b"]
        assert asked(answering) == [["get-parameters-by-path", "--path", "/envref/app", "--recursive"]]
        ssm(prefix="/", namespace="none").list("app", soon())
        assert asked(answering)[1][2] == "/"

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ("", "a parameter can't be empty"),
            ("x" * 4097, "a standard parameter holds at most 4096 characters"),
            ("a{{b", 'a parameter can\'t hold "{{", which stands for another parameter'),
            ("a\rb", "aws turns carriage returns into line feeds; store the value as base64 and add ?encoding=base64"),
            ("ä" * 4096, None),
            ("a{b", None),
        ],
    )
    def test_a_value_that_it_can_t_hold(self, answering, value, fault):
        """Is not sent."""
        answering("{}")
        if fault is None:
            ssm().set(keys("key")[0], Secret(value), soon())
        else:
            assert error_of(lambda: ssm().set(keys("key")[0], Secret(value), soon())).message == f"aws-ssm: {fault}"
        assert len(answering.asked) == (fault is None)

    @pytest.mark.parametrize(
        ("key", "is_one"),
        [
            ("/".join("a" * 13), True),
            ("/".join("a" * 14), False),
            ("x" * 999, True),
            ("x" * 1000, False),
            ("a b", False),
        ],
    )
    def test_a_name_that_it_can_t_hold(self, answering, key, is_one):
        """Fifteen levels and 1,011 characters; such a key is absent, and can't be written."""
        answering(json.dumps({"Parameter": {"Value": "v"}}))
        [address] = keys(key)
        assert bool(answers_of(ssm(), address)) == is_one
        if not is_one:
            error = error_of(lambda: ssm().location(address))
            rule = "a parameter's name has at most 15 levels of letters, digits and . - _"
            assert error.message == f'aws-ssm: no name for key "{key}": {rule}'

    @pytest.mark.parametrize(
        ("name", "called"),
        [
            ("a", "a"),
            ("a/b", "/a/b"),
            ("/a", "/a"),
            ("arn:x:y/z", "arn:x:y/z"),
            ("-a", None),
            ("a b", None),
            ("a:b:c", None),
        ],
    )
    def test_a_foreign_name(self, answering, name, called):
        """With levels it begins with a slash; what `aws` would take for something else is none."""
        answering(json.dumps({"Parameter": {"Value": "v"}}))
        answers_of(ssm(), foreign(name))
        assert [words[2] for words in asked(answering)] == ([called] if called else [])


def secrets(*names, **more):
    items = [{"Name": name, "SecretString": f"v{name}", "VersionId": "1"} for name in names]
    return json.dumps({"SecretValues": items, **more})


class TestSecretsManager:
    def test_one_is_asked_alone(self, answering):
        """Its revision is the version's id."""
        answering(json.dumps({"SecretString": "v", "VersionId": "abc"}))
        [key] = keys("key")
        found = manager().get_many([key], soon())[key]
        assert (found.reveal(), found.revision) == ("v", "abc")
        assert asked(answering) == [["get-secret-value", "--secret-id", "envref/app/key"]]

    def test_twenty_at_a_time(self, answering):
        """By name or ARN; a partial ARN stays unanswered, and is asked alone."""
        wanted = [*keys(*(f"k{number:02}" for number in range(20))), foreign("arn:a:full"), foreign("arn:a:part")]

        def answer(words, _):
            if words[1] == "get-secret-value":
                return json.dumps({"SecretString": "alone"})
            return (
                secrets(*(name for name in words[3:-1] if name != "arn:a:full"), "x")
                if len(words) > 10
                else json.dumps({"SecretValues": [{"Name": "n", "ARN": "arn:a:full", "SecretString": "by ARN"}]})
            )

        answering(answer)
        found = answers_of(manager(), *wanted)
        assert (found["app/k19"], found["arn:a:full"], found["arn:a:part"]) == ("venvref/app/k19", "by ARN", "alone")
        assert [len(words) for words in asked(answering)] == [22, 4, 3]

    def test_what_a_batch_says_of_each(self, answering):
        """Absence, denial; what was throttled is asked again, alone."""
        errors = [
            {"SecretId": "envref/app/a", "ErrorCode": "ResourceNotFoundException", "Message": "no"},
            {"SecretId": "envref/app/b", "ErrorCode": "AccessDeniedException", "Message": "no"},
            {"SecretId": "envref/app/c", "ErrorCode": "ThrottlingException", "Message": "no"},
            "no object",
        ]
        answering(
            lambda words, _: secrets(Errors=errors) if words[1][0] == "b" else json.dumps({"SecretString": "again"})
        )
        found = answers_of(manager(), *keys(*"abc"))
        assert sorted(found) == ["app/b", "app/c"]
        assert isinstance(found["app/b"], BackendDenied)
        assert found["app/c"] == "again"

    @pytest.mark.parametrize(
        ("version", "words"),
        [
            ("AWSPREVIOUS", ["--version-stage", "AWSPREVIOUS"]),
            ("a" * 32, ["--version-id", "a" * 32]),
            ("a" * 64, ["--version-id", "a" * 64]),
            ("a" * 31, ["--version-stage", "a" * 31]),
            ("a" * 65, ["--version-stage", "a" * 65]),
            ("a" * 256, ["--version-stage", "a" * 256]),
        ],
    )
    def test_an_id_or_a_stage(self, answering, version, words):
        """By its form."""
        answering(json.dumps({"SecretString": "v"}))
        answers_of(manager(), Address("app", "key", version=version))
        assert asked(answering) == [["get-secret-value", "--secret-id", "envref/app/key", *words]]

    @pytest.mark.parametrize("version", ["", "-a", "a b", "a" * 257])
    def test_what_is_no_version(self, answering, version):
        """Nobody is asked."""
        answering("")
        [error] = manager().get_many([Address("app", "key", version=version)], soon()).values()
        assert error.message.endswith("is not a version; write an id, or a stage such as AWSPREVIOUS")
        assert answering.asked == []

    @pytest.mark.parametrize(
        ("item", "expected"),
        [
            ({"SecretBinary": "AAE="}, "HoldsBytes"),
            ({"SecretBinary": "AAE=", "SecretString": "v"}, "Secret"),
            ({}, "BackendInvalid"),
            ({"SecretString": 1}, "BackendInvalid"),
            ({"SecretString": None}, "BackendInvalid"),
        ],
    )
    def test_what_a_secret_holds(self, answering, item, expected):
        """Text, or bytes; anything else is no absence."""
        answering(json.dumps(item))
        [found] = manager().get_many(keys("key"), soon()).values()
        assert type(found).__name__ == expected

    @pytest.mark.parametrize(
        ("answers", "calls"),
        [
            (["{}"], ["put-secret-value"]),
            ([said("ResourceNotFoundException"), "{}"], ["put-secret-value", "create-secret"]),
            (
                [said("InvalidRequestException", words="it was marked for deletion"), "{}", "{}"],
                ["put-secret-value", "restore-secret", "put-secret-value"],
            ),
        ],
    )
    def test_writing(self, answering, answers, calls):
        """Over what is there; else it is made, or brought back first."""
        waiting = [*answers]
        answering(lambda *_: waiting.pop(0))
        manager().set(keys("key")[0], Secret("v"), soon())
        assert [words[0] for words in asked(answering)] == calls
        named = {"create-secret": "--name"}
        for words, payload in zip(asked(answering), answering.payloads, strict=True):
            assert words[1:3] == [named.get(words[0], "--secret-id"), "envref/app/key"]
            is_restoring = words[0] == "restore-secret"
            assert words[3:] == ([] if is_restoring else ["--secret-string", "file:///dev/stdin"])
            assert payload == (None if is_restoring else b"v")

    def test_deleting(self, answering):
        """What is absent says so."""
        answering("{}")
        manager().delete(keys("key")[0], soon())
        assert asked(answering) == [["delete-secret", "--secret-id", "envref/app/key"]]
        answering(said("ResourceNotFoundException"))
        error = error_of(lambda: manager().delete(keys("key")[0], soon()))
        assert (type(error), error.message) == (SecretNotFound, 'aws-secrets-manager: secret not found: "app/key"')

    def test_what_is_due_to_be_deleted_is_absent_with_its_way_back(self, answering):
        """The hint stays with the absence."""
        answering(said("InvalidRequestException", words="it was marked for deletion"))
        store, [key] = manager(), keys("key")
        assert answers_of(store, key) == {}
        way_back = "its deletion is scheduled, and aws secretsmanager restore-secret brings it back"
        assert way_back in store.absent(key).message
        assert way_back not in store.absent(keys("other")[0]).message

    def test_listing(self, answering):
        """By a filter on the beginning of the name."""
        items = [{"Name": name} for name in ("envref/app/a", "envref/app/p/b", "envref/apple/c")]
        answering(json.dumps({"SecretList": items}))
        assert manager().list("app", soon()) == ["a", "p/b"]
        filters = '[{"Key": "name", "Values": ["envref/app/"]}]'
        assert asked(answering) == [["list-secrets", "--filters", filters]]

    def test_revisions(self, answering):
        """One listing for several that begin alike, without what is not there; others are described."""
        now = {"SecretVersionsToStages": {"old": ["AWSPREVIOUS"], "new": ["AWSCURRENT"]}}
        listed = [{"Name": "envref/app/a", **now}, {"Name": "envref/app/b", "SecretVersionsToStages": []}]

        def answer(words, _):
            if words[1] == "list-secrets":
                return json.dumps({"SecretList": listed})
            gone = {"DeletedDate": 1} if words[3] == "gone" else {}
            return json.dumps({"VersionIdsToStages": {"one": ["AWSCURRENT", "x"]}, **gone})

        answering(answer)
        found = manager().revisions([*keys(*"abc"), foreign("other"), foreign("gone")], soon())
        assert {str(address): each for address, each in found.items()} == {"app/a": "new", "other": "one"}
        assert [words[0] for words in asked(answering)] == ["list-secrets", "describe-secret", "describe-secret"]
        answering(answer)
        manager().revisions(keys("a"), soon())
        assert [words[0] for words in asked(answering)] == ["describe-secret"]

    def test_where_listing_is_refused_each_is_described(self, answering):
        """With the right that this takes."""
        answering(said("AccessDeniedException"))
        found = manager().revisions(keys(*"ab"), soon())
        assert {each.hint for each in found.values()} == {"the role needs secretsmanager:DescribeSecret"}
        assert [words[0] for words in asked(answering)] == ["list-secrets", "describe-secret", "describe-secret"]

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("arn:aws:secretsmanager:r:1:secret:db-x:pw::", "arn:aws:secretsmanager:r:1:secret:db-x#pw"),
            (
                "arn:aws:secretsmanager:r:1:secret:db-x::AWSPREVIOUS:",
                "arn:aws:secretsmanager:r:1:secret:db-x?version=AWSPREVIOUS",
            ),
            ("arn:aws:secretsmanager:r:1:secret:db-x::S:V", "arn:aws:secretsmanager:r:1:secret:db-x?version=V"),
            ("arn:aws:secretsmanager:r:1:secret:db-x:pw:S", "arn:aws:secretsmanager:r:1:secret:db-x?version=S#pw"),
            ("db:3", "db?version=3"),
        ],
    )
    def test_a_version_as_other_services_write_it(self, answering, name, meant):
        """With what to write instead."""
        answering("")
        [error] = manager().get_many([foreign(name)], soon()).values()
        assert error.lines() == [
            f'error: aws-secrets-manager: "{name}" is not how a secret is named',
            f"  hint: write {meant}",
        ]

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ("", "a secret can't be empty"),
            ("ä" * 32769, "a secret holds at most 65536 bytes"),
            ("ä" * 32768, None),
        ],
    )
    def test_a_value_that_it_can_t_hold(self, answering, value, fault):
        """Counted in bytes."""
        answering("{}")
        if fault is None:
            manager().set(keys("key")[0], Secret(value), soon())
        else:
            error = error_of(lambda: manager().set(keys("key")[0], Secret(value), soon()))
            assert error.message == f"aws-secrets-manager: {fault}"

    @pytest.mark.parametrize(
        ("key", "is_one"), [("x" * 501, True), ("x" * 502, False), ("a!", False), ("a+=.@-_", True)]
    )
    def test_a_name_that_it_can_t_hold(self, answering, key, is_one):
        """512 characters, of those that it takes."""
        answering(json.dumps({"SecretString": "v"}))
        assert bool(answers_of(manager(), *keys(key))) == is_one


class TestService:
    @pytest.mark.parametrize("printed", ["rubbish", "[]", "\xff", "[" * 100_000, "{}"])
    @pytest.mark.parametrize("made", [ssm, manager])
    def test_output_that_it_does_not_know(self, answering, made, printed):
        """Is no absence and no empty list."""
        answering((0, printed.encode("latin-1"), ""))
        [error] = made().get_many(keys("key"), soon()).values()
        hint = "a proxy or the network's sign-in page may have answered"
        for each in (error, error_of(lambda: made().list("app", soon()))):
            assert each.message == f"{made().type}: unexpected output of aws"
            assert each.hint == f"{hint}; aws sts get-caller-identity shows what is added to its output"

    def test_settings_and_environment(self, answering):
        """Region and profile as one word each; nothing of the user's output, history and pager."""
        answering("{}")
        ssm(region="-r", profile="p").delete(keys("key")[0], soon())
        assert answering.asked[0][-3:] == ["--output=json", "--region=-r", "--profile=p"]
        assert answering.asked[0][0] == "ssm"
        given = answering.environments[0]
        assert {name: given.get(name) for name in ("AWS_PAGER", "AWS_MAX_ATTEMPTS", "AWS_CLI_AUTO_PROMPT")} == {
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CLI_AUTO_PROMPT": "off",
        }
        assert (given["AWS_CLI_HISTORY_FILE"], given["AWS_CLI_FILE_ENCODING"]) == ("/dev/null", "UTF-8")

    def test_a_role_is_taken_on_once(self, answering):
        """By the profile, whose region still counts; its keys are in the environment alone."""
        given = {"AccessKeyId": "AR", "SecretAccessKey": "sr", "SessionToken": "tr"}
        answering(lambda words, _: json.dumps({"Credentials": given}) if words[0] == "sts" else "{}")
        store = ssm(role_arn="arn:r", profile="p", region="r")
        store.delete(keys("a")[0], soon())
        store.delete(keys("b")[0], soon())
        first, second, third = answering.asked
        assert first == [
            *("sts", "assume-role", "--role-arn=arn:r", "--role-session-name=envref"),
            *("--output=json", "--region=r", "--profile=p"),
        ]
        assert second[-2:] == third[-2:] == ["--output=json", "--region=r"]
        assert answering.environments[1].items() >= {
            ("AWS_ACCESS_KEY_ID", "AR"),
            ("AWS_SECRET_ACCESS_KEY", "sr"),
            ("AWS_SESSION_TOKEN", "tr"),
            ("AWS_PROFILE", "p"),
        }
        answering(lambda words, _: json.dumps({"Credentials": given}) if words[0] == "sts" else "{}")
        ssm(role_arn="arn:r").delete(keys("a")[0], soon())
        assert "AWS_PROFILE" not in answering.environments[1]
        assert answering.asked[0][-1] == "--output=json"

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (said("AccessDenied", "AssumeRole"), 'denied: the role "arn:r" may not be assumed'),
            ("{}", "unexpected output of aws"),
            ('{"Credentials": []}', "unexpected output of aws"),
            (AsksOnTerminal("x"), "the profile's role needs an MFA code"),
        ],
    )
    def test_a_role_that_is_not_had(self, answering, answer, message):
        """Nothing is asked without it."""
        answering(answer)
        assert error_of(lambda: ssm(role_arn="arn:r").delete(keys("a")[0], soon())).message == f"aws-ssm: {message}"
        assert len(answering.asked) == 1

    def test_a_program_that_asks_the_person(self, answering):
        """It does so for a second factor alone."""
        answering(AsksOnTerminal("x"))
        [read] = ssm().get_many(keys("key"), soon()).values()
        for error in (read, error_of(lambda: ssm().delete(keys("key")[0], soon()))):
            assert (type(error), error.message) == (BackendLocked, "aws-ssm: the profile's role needs an MFA code")

    def test_another_error_is_that_of_each_name(self, answering):
        """It is not asked again in another way."""
        answering(BackendError("late"))
        assert [each.message for each in ssm().get_many([foreign("/a"), foreign("/b")], soon()).values()] == [
            "late"
        ] * 2
        assert len(answering.asked) == 1

    def test_the_agent_is_handed_on(self, answering):
        """It keeps the keys of roles."""
        store, agent = ssm(), object()
        assert store._aws.agent is None
        store.keep_credentials(agent)
        assert store._aws.agent is agent

    @pytest.mark.parametrize(
        ("size", "parts"), [(2, [["a", "b"], ["c"]]), (3, [["a", "b", "c"]]), (1, [["a"], ["b"], ["c"]])]
    )
    def test_a_few_at_a_time(self, size, parts):
        """In their order."""
        assert chunks(["a", "b", "c"], size) == parts
        assert chunks([], size) == []

    def test_the_objects_of_a_list(self):
        """Nothing else counts."""
        assert members({"a": [{"x": 1}, 2, None]}, "a") == [{"x": 1}]
        assert members({"a": {"x": 1}}, "a") == members({}, "a") == []

    def test_a_question_as_words(self):
        """Names with hyphens; True is a flag alone, a list its words, an object JSON."""
        question = Question(
            "GetXByPath", {"SecretId": "a", "Recursive": True, "Names": ["b", {"c": 1}]}, [], dict, most=3
        )
        assert question.arguments() == [
            *("get-x-by-path", "--secret-id", "a", "--recursive", "--names", "b", '{"c": 1}', "--max-items", "3")
        ]
        assert question._replace(most=0).arguments()[-1] == '{"c": 1}'


REFUSED = "An error occurred (AccessDenied) when calling the Get operation: "
ALL = "the role needs x:A, x:B and x:C"
SLOW = "An error occurred (SlowDown) when calling the Get operation"
INVALID = "An error occurred (ValidationException) when calling the Get operation: x"
EXPIRED = "An error occurred (InvalidSignatureException) when calling the Get operation: Signature expired: 1"
CLOCK = "set this machine's clock: AWS takes no request that is minutes old, or ahead"
UPDATE = "update the aws program, or correct the options of the backend"


class TestComplaints:
    def error(self, text, about="n", **options):
        words = Complaints("aws-x", "x", options.get("profile", ""), actions=("A", "B", "C"), own=())
        return words.error(text, about)

    @pytest.mark.parametrize(
        ("text", "kind", "message", "hint"),
        [
            (f"{REFUSED}no", BackendDenied, 'denied: AccessDenied for x:Get on "n"', ALL),
            (
                f"{REFUSED}User is not authorized to perform: x:Read on resource: arn:r because",
                *(BackendDenied, 'denied: AccessDenied for x:Read on "n"', ALL),
            ),
            (
                f"{REFUSED}not authorized to perform: kms:Decrypt on resource: arn:k",
                *(BackendDenied, 'denied: AccessDenied for kms:Decrypt on "arn:k"', "the role needs kms:Decrypt on it"),
            ),
            (SLOW, Throttled, SLOW, "AWS limits how often it is asked; try again in a moment"),
            (INVALID, BackendInvalid, INVALID, "choose another key, or another prefix of the backend"),
            (
                "Warning: old\naws: error: argument x (reached max retries: 0)",
                *(BackendInvalid, "aws: error: argument x", UPDATE),
            ),
            (EXPIRED, BackendDenied, 'denied: InvalidSignatureException for x:Get on "n"', CLOCK),
        ],
    )
    def test_a_refusal_says_what_is_missing(self, home, text, kind, message, hint):
        """The permission may be another service's."""
        error = self.error(text)
        assert (type(error), error.message, error.hint) == (kind, f"aws-x: {message}", hint)

    @pytest.mark.parametrize(
        ("code", "is_about_keys", "pause"),
        [
            *((code, True, None) for code in ("ExpiredTokenException", "RequestExpired", "UnrecognizedClientException",
              "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch")),
            *((code, False, 0.0) for code in ("ThrottlingException", "Throttled", "TooManyRequestsException",
              "RequestLimitExceeded", "RequestThrottled", "SlowDown")),
            ("AccessDenied", False, None),
            ("LimitExceededException", False, None),
        ],
    )  # fmt: skip
    def test_what_a_refusal_is_about(self, code, is_about_keys, pause):
        """Keys that others may replace; or how often it is asked."""
        refusal = Refusal(said(code)[2])
        assert (refusal.is_about_keys, refusal.pause()) == (is_about_keys, pause)
        assert throttled(refusal.text) == pause

    @pytest.mark.parametrize(("text", "number"), [("", 3), ("5", 5), ("x", 3), ("-1", 3), ("\u0665", 3)])
    def test_how_often_the_user_wants_it_asked(self, monkeypatch, text, number):
        """As `aws` itself reads it."""
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", text)
        assert tries() == number

    @pytest.mark.parametrize(
        ("text", "kind", "message"),
        [
            (f"{REFUSED}no", BackendDenied, 'denied: the role "r" may not be assumed'),
            (SLOW, Throttled, SLOW),
            ("Unable to locate credentials", BackendLocked, "no credentials"),
            (
                "An error occurred (InvalidClientTokenId) when calling the AssumeRole operation: x",
                *(BackendDenied, "An error occurred (InvalidClientTokenId) when calling the AssumeRole operation: x"),
            ),
        ],
    )
    def test_a_role_that_was_not_assumed(self, home, text, kind, message):
        """Only a refusal of the role is one; what a sign-in would mend is not."""
        error = Complaints("aws-x", "x", "", actions=("A", "B"), own=()).of_role(text, "r")
        assert (type(error), error.message) == (kind, f"aws-x: {message}")

    def test_who_signs_in_and_how(self, monkeypatch):
        """At a profile by single sign-on."""
        assert usual_sign_in("") == ("aws", "configure")
        monkeypatch.setenv("AWS_PROFILE", "p")
        assert usual_sign_in("") == ("aws", "sso", "login", "--profile", "p")
        assert usual_sign_in("q") == ("aws", "sso", "login", "--profile", "q")


LOGIN, CONFIGURE = ("aws", "sso", "login", "--profile", "p"), ("aws", "configure", "--profile", "p")
MACHINE = "the machine needs a role that is attached to it"
TEMPORARY = Cure(hint="its keys are temporary: put new ones, with their session token, in their place")
SERVICE = Cure(hint="the token of its service account is renewed by what runs this machine")
ANEW = Cure(hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY anew")
PROCESS = Cure(("aws", "configure", "get", "credential_process", "--profile", "p"), "run what it prints")


class TestOrigin:
    @pytest.mark.parametrize(
        ("config", "keys", "cure"),
        [
            ("sso_session = s", "", Cure(LOGIN)),
            ("sso_start_url = u", "", Cure(LOGIN)),
            ("login_session = s", "", Cure(("aws", "login", "--profile", "p"))),
            ("aws_session_token = t", "", TEMPORARY),
            ("region = r", "aws_session_token = t", TEMPORARY),
            ("aws_session_token = t", "aws_access_key_id = a", Cure(CONFIGURE)),
            ("credential_process = c", "", PROCESS),
            ("credential_process = c", "aws_access_key_id = a", Cure(CONFIGURE)),
            ("region = r", "", Cure(CONFIGURE)),
            ("", "aws_access_key_id = a", Cure(CONFIGURE)),
            (None, "", Cure(LOGIN)),
            ("role_arn = r\nsource_profile = q", "", Cure(("aws", "sso", "login", "--profile", "q"))),
            ("role_arn = r\nsource_profile = p", "", Cure(CONFIGURE)),
            ("role_arn = r\nweb_identity_token_file = f", "", SERVICE),
            ("role_arn = r\ncredential_source = Environment", "", ANEW),
            ("role_arn = r\ncredential_source = Ec2InstanceMetadata", "", Cure(hint=MACHINE)),
            ("role_arn = r", "", Cure(CONFIGURE)),
        ],
    )  # fmt: skip
    def test_what_renews_a_profile(self, home, config, keys, cure):
        """By where `aws` would find its credentials."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text("" if config is None else f"[profile p]\n{config}\n")
        (home / ".aws/credentials").write_text(f"[p]\n{keys}\n" if keys else "")
        assert Origin("p").renewal() == cure

    def test_a_circle_of_roles_ends(self, home):
        """At the last of it."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text(
            "[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p\n"
        )
        assert Origin("p").renewal() == Cure(("aws", "configure", "--profile", "p"))

    def test_variables_come_first(self, home):
        """Unless the profile is the backend's own; what is left then is told too."""
        given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SESSION_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": ""}
        assert Origin("", given).renewal() == Cure(("unset", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"), "aws configure")
        assert Origin("p", given).renewal() == Cure(LOGIN)
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            assert Origin("", {name: "p"}).renewal() == Cure(LOGIN)
        assert Origin("", {"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"}).keys() == Cure(CONFIGURE)

    def test_a_sign_in_a_factor_and_keys(self, home):
        """At the profile; at a role's source, where that has the sign-on."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text(
            "[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nsso_session = s\n[default]\nsso_session = s\n"
        )
        assert Origin("p").sign_in() == Cure(("aws", "sso", "login", "--profile", "q"))
        assert Origin("").sign_in() == Cure(("aws", "sso", "login"))
        assert Origin("x").sign_in() == Cure(("aws", "sso", "login", "--profile", "x"))
        factor = Cure(("aws", "sts", "get-caller-identity", "--profile", "p"), "enter the code there")
        assert Origin("p").second_factor() == factor
        assert Origin("").keys() == Cure(("aws", "configure"))
