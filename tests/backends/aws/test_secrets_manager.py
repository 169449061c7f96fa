"""Secrets Manager: the real `aws` against moto, and stand-ins for what moto can't be made to say."""

from __future__ import annotations

import json
import urllib.error

import pytest

from envref.backends.aws.secrets_manager import AwsSecretsManager
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendUnavailable, SecretNotFound
from tests.backends.asking import foreign_keys, keys, soon, texts
from tests.backends.contract import EXACT
from tests.backends.stores import aws

ROLE = (
    "  hint: the role needs secretsmanager:GetSecretValue, secretsmanager:PutSecretValue, secretsmanager:CreateSecret, "
    "secretsmanager:DeleteSecret, secretsmanager:RestoreSecret and secretsmanager:ListSecrets"
)
DENIED = "error: aws-secrets-manager: denied:"
PENDING = "its deletion is scheduled, and aws secretsmanager restore-secret brings it back"


def create(service, name, value):
    """A secret made past envref; its ARN."""
    return service.call("secretsmanager.CreateSecret", Name=name, SecretString=value)["ARN"]


def operations(program):
    return [argv[1] for argv in program.argvs()]


ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:team/db-AbCdEf"


class TestAwsSecretsManager(aws.AwsContract):
    first_version = "AWSPREVIOUS"
    absent_version = "AWSPENDING"
    foreign_name = "team/db!x"
    holds = tuple(EXACT)
    keys = ("dot.ted", "a_b-c", "nested/deeper/key", "UPPER", "K.__history.1", "a+b=c@d")
    refused_keys = ("with space", "100%", "50%41", "ключ", "a:b", "a!b", "k" * 510)

    @pytest.fixture
    def store(self, program):
        return AwsSecretsManager("sm")

    def write(self, service, name, value):
        try:
            create(service, f"envref/{name}", value)
        except urllib.error.HTTPError:
            service.call("secretsmanager.PutSecretValue", SecretId=f"envref/{name}", SecretString=value)

    def plant(self, store, name, value):
        create(self.service, name, value)


@aws.of_reading
class TestThroughAws(TestAwsSecretsManager):
    """The same answers where the program reads."""


class TestRevisions:
    def test_a_version_that_is_rolled_back_is_the_old_one(self, service, program):
        """AWSCURRENT on the version before: nobody's value is old then who had that one."""
        create(service, "envref/app/key", "one")
        create(service, "envref/app/other", "x")
        store, both = AwsSecretsManager("sm"), keys("key", "other")
        first = store.revisions(both, soon())
        service.call("secretsmanager.PutSecretValue", SecretId="envref/app/key", SecretString="two")
        second = store.revisions(both, soon())
        assert {address for address in both if first[address] != second[address]} == {both[0]}
        service.call(
            "secretsmanager.UpdateSecretVersionStage",
            SecretId="envref/app/key",
            VersionStage="AWSCURRENT",
            MoveToVersionId=first[both[0]],
            RemoveFromVersionId=second[both[0]],
        )
        # moto 5.2 goes on answering GetSecretValue with the other version; by AWS's documentation AWS answers with
        # AWSCURRENT's, which nobody saw here.
        assert store.revisions(both, soon()) == first

    def test_where_listing_is_refused_each_is_described(self, service, program, limited):
        """One question for each."""
        create(service, "envref/app/key", "one")
        create(service, "envref/app/other", "x")
        both = keys("key", "other")
        limited("secretsmanager:DescribeSecret")
        told = AwsSecretsManager("sm").revisions([*both, *keys("absent")], soon())
        assert set(told) == set(both)
        assert all(isinstance(each, str) for each in told.values())

    def test_the_right_that_is_missing_is_named(self, service, program, limited):
        """Who may read values need not have it: "denied" is not "fresh"."""
        create(service, "envref/app/key", "one")
        limited("secretsmanager:GetSecretValue")
        (told,) = AwsSecretsManager("sm").revisions(keys("key"), soon()).values()
        assert isinstance(told, BackendDenied)
        assert told.hint == "the role needs secretsmanager:DescribeSecret"


class TestNames:
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({}, "envref/app/key"),
            ({"prefix": "myapp/prod"}, "myapp/prod/key"),
            ({"prefix": "/myapp/prod/"}, "/myapp/prod/key"),
            ({"prefix": "shared", "namespace": "project"}, "shared/app/key"),
        ],
    )
    def test_a_prefix_is_the_namespace(self, service, program, options, name):
        """A prefix of one's own holds the keys, the shared one the projects (commands.md 8.2)."""
        create(service, name, "value")
        create(service, f"{name.removesuffix('/key')}more/key", "value")
        store = AwsSecretsManager("sm", **options)
        assert texts(store.get_many(keys("key", "other"), soon())) == {"app/key": "value"}
        assert list(store.list("app", soon())) == ["key"]

    @pytest.mark.parametrize("prefix", ["my app", "--endpoint-url=http://127.0.0.1:9", "-x", "file:///etc/hostname"])
    def test_a_prefix_that_no_name_has_is_refused(self, program, prefix):
        """It is an error that says so; no program is started, and no other is asked instead."""
        store = AwsSecretsManager("sm", prefix=prefix)
        for call in (lambda: store.get_many(keys("key"), soon()), lambda: store.list("app", soon())):
            with pytest.raises(BackendInvalid, match="no name can begin with"):
                call()
        assert program.count() == 0

    def test_foreign_names_are_ids_and_arns(self, service, program):
        """A secret's id or ARN, as AWS takes it, also an ARN without its random end; all of them read-only."""
        arn = create(service, "prod/db", "value")
        create(service, "rds!cluster-1", "managed")
        store = AwsSecretsManager("sm")
        answers = store.get_many(
            foreign_keys("prod/db", arn, arn[:-7], "rds!cluster-1", "absent", "-x", "file:///x"), soon()
        )
        assert texts(answers) == {"prod/db": "value", arn: "value", arn[:-7]: "value", "rds!cluster-1": "managed"}
        for call in (
            lambda: store.set(*foreign_keys("prod/db"), Secret("new"), soon()),
            lambda: store.delete(*foreign_keys("prod/db"), soon()),
        ):
            with pytest.raises(BackendInvalid, match='envref only reads "prod/db"'):
                call()


class TestRefused:
    @pytest.mark.parametrize(
        ("value", "reason"), [("", "a secret can't be empty"), ("ж" * 32769, "a secret holds at most 65536 bytes")]
    )
    def test_a_value_that_the_service_refuses_is_refused_before(self, program, value, reason):
        """The reason is told without a call, and without the value."""
        with pytest.raises(BackendInvalid) as caught:
            AwsSecretsManager("sm").set(*keys("key"), Secret(value), soon())
        assert caught.value.lines() == [f"error: aws-secrets-manager: {reason}"]
        assert program.count() == 0

    def test_the_largest_value_is_stored(self, service, program):
        """65,536 bytes fit."""
        store = AwsSecretsManager("sm")
        store.set(*keys("key"), Secret("x" * 65536), soon())
        assert texts(store.get_many(keys("key"), soon())) == {"app/key": "x" * 65536}

    def test_bytes_are_no_value(self, service, program):
        """A binary secret is an error of its own, alone and in a batch."""
        service.call("secretsmanager.CreateSecret", Name="envref/app/key", SecretBinary="aGVsbG8=")
        create(service, "envref/app/text", "value")
        store = AwsSecretsManager("sm")
        for asked in (keys("key"), keys("key", "text")):
            answer = store.get_many(asked, soon())[asked[0]]
            assert isinstance(answer, BackendInvalid)
            assert answer.message == 'aws-secrets-manager: "envref/app/key" holds bytes, not text'
            assert answer.cure() == ["hint: add ?encoding=base64"]

    def test_bytes_are_taken_as_base64(self, service, program, project):
        """Text that somebody stored as bytes, with a field of it; bytes that are no text fit no variable."""
        for name, content in (("bin", "dGV4dGJpbg=="), ("json", "eyJhIjogMX0="), ("key", "/+8=")):
            service.call("secretsmanager.CreateSecret", Name=name, SecretBinary=content)
        project.write(".envref.yaml", config({"name": "sm", "type": "aws-secrets-manager"}))
        project.write(".env", "A=ref://sm//bin?encoding=base64\nB=ref://sm//json?encoding=base64#a\n")
        assert project.envref("resolve").stdout == "A=textbin\nB=1\n"
        assert project.envref("secret", "get", "ref://sm//bin?encoding=base64").stdout == "textbin\n"
        done = project.envref("secret", "get", "ref://sm//key?encoding=base64")
        assert "is not the base64 of UTF-8 text" in done.stderr
        done = project.envref("secret", "get", "ref://sm//bin")
        assert done.stderr.splitlines() == [
            'error: retrieving secret: aws-secrets-manager: "bin" holds bytes, not text (backend "sm")',
            "  hint: add ?encoding=base64",
        ]


class TestVersions:
    def test_an_id_or_a_stage(self, service, program):
        """What AWS numbers a value with, the stages that it moves, and one's own; of a name and of an ARN."""
        arn = create(service, "team/db", '{"p": "one"}')
        first = service.call("secretsmanager.GetSecretValue", SecretId="team/db")["VersionId"]
        service.call("secretsmanager.PutSecretValue", SecretId="team/db", SecretString='{"p": "two"}')
        store = AwsSecretsManager("sm")
        for name in ("team/db", arn):
            wanted = {version: Address("", "", foreign=name, version=version) for version in (first, "AWSPREVIOUS")}
            answers = store.get_many([*wanted.values(), *foreign_keys(name)], soon())
            assert [answers[address].reveal() for address in wanted.values()] == ['{"p": "one"}'] * 2
            assert answers[foreign_keys(name)[0]].reveal() == '{"p": "two"}'

    def test_what_is_no_version_is_refused(self, program):
        """With what one may be; nothing is started."""
        wanted = Address("app", "key", version="-x y")
        answer = AwsSecretsManager("sm").get_many([wanted], soon())[wanted]
        assert answer.message == (
            'aws-secrets-manager: "-x y" is not a version; write an id, or a stage such as AWSPREVIOUS'
        )
        assert program.count() == 0

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("db:AWSPREVIOUS", "db?version=AWSPREVIOUS"),
            (f"{ARN}:password::", f"{ARN}#password"),
            (f"{ARN}:password:AWSPREVIOUS:", f"{ARN}?version=AWSPREVIOUS#password"),
            (f"{ARN}:::9d4cb84b", f"{ARN}?version=9d4cb84b"),
            (f"{ARN}:password", f"{ARN}#password"),
        ],
    )
    def test_forms_of_other_services_are_explained(self, program, name, meant):
        """Amazon ECS's and Parameter Store's ways are no names here, and not absent: what to write is said."""
        [answer] = AwsSecretsManager("sm").get_many(foreign_keys(name), soon()).values()
        assert isinstance(answer, BackendInvalid)
        assert answer.cure() == [f"hint: write {meant}"]
        assert program.count() == 0


class TestBatch:
    @pytest.mark.usefixtures("through_aws")
    def test_a_hundred_keys_are_five_calls(self, service, program):
        """Twenty secrets a call, absent ones among them."""
        for number in range(0, 100, 2):
            create(service, f"envref/app/key{number}", f"value {number}")
        answers = texts(AwsSecretsManager("sm").get_many(keys(*(f"key{n}" for n in range(100))), soon()))
        assert answers == {f"app/key{n}": f"value {n}" for n in range(0, 100, 2)}
        assert operations(program) == ["batch-get-secret-value"] * 5

    @pytest.mark.usefixtures("through_aws")
    def test_one_key_is_one_get(self, service, program):
        """A single key needs no permission for batches."""
        create(service, "envref/app/key", "value")
        assert texts(AwsSecretsManager("sm").get_many(keys("key"), soon())) == {"app/key": "value"}
        assert operations(program) == ["get-secret-value"]

    @pytest.mark.usefixtures("through_aws")
    def test_without_the_permission_for_batches_each_is_asked(self, service, program, limited):
        """GetSecretValue alone suffices for reading."""
        create(service, "envref/app/a", "1")
        create(service, "envref/app/b", "2")
        limited("secretsmanager:GetSecretValue")
        answers = texts(AwsSecretsManager("sm").get_many(keys("a", "b", "c"), soon()))
        assert answers == {"app/a": "1", "app/b": "2"}
        assert operations(program) == ["batch-get-secret-value", *["get-secret-value"] * 3]

    def test_an_old_aws_without_batches_is_asked_for_each(self, tmp_path, monkeypatch):
        """An `aws` of before November 2023 does not know the operation; one by one works with it."""
        refusal = aws.saying("usage: aws\naws: error: argument operation: Invalid choice, valid choices are:\n\nget", 2)
        script = f'[ "$2" = get-secret-value ] && echo \'{{"SecretString": "old"}}\' && exit\n{refusal}'
        aws.stand_in(tmp_path / "bin", monkeypatch, script)
        assert texts(AwsSecretsManager("sm").get_many(keys("a", "b"), soon())) == {"app/a": "old", "app/b": "old"}

    def test_what_a_batch_says_of_one_is_said_of_that_one(self, tmp_path, monkeypatch):
        """A batch's errors fail their own names; one that it does not mention, or throttles, is asked alone."""
        reply = {
            "SecretValues": [
                {"Name": "envref/app/here", "SecretString": "value"},
                {"Name": "other", "SecretString": "x"},
            ],
            "Errors": [
                {"SecretId": "envref/app/absent", "ErrorCode": "ResourceNotFoundException", "Message": "none"},
                {"SecretId": "envref/app/denied", "ErrorCode": "AccessDeniedException", "Message": "no"},
                {"SecretId": "envref/app/key", "ErrorCode": "DecryptionFailure", "Message": "no"},
                {"SecretId": "envref/app/broken", "ErrorCode": "InternalServiceError", "Message": "later"},
                {"SecretId": "envref/app/often", "ErrorCode": "ThrottlingException", "Message": "Rate exceeded"},
            ],
        }
        script = f"""case "$2" in
        batch*) echo '{json.dumps(reply)}' ;;
        *) echo '{{"SecretString": "alone"}}' ;;
        esac"""
        aws.stand_in(tmp_path / "bin", monkeypatch, script)
        asked = keys("here", "absent", "denied", "key", "broken", "open", "often")
        answers = AwsSecretsManager("sm").get_many(asked, soon())
        here, absent, denied, key, broken, left, often = asked
        assert absent not in answers
        assert [answers[each].reveal() for each in (here, left, often)] == ["value", "alone", "alone"]
        assert [type(answers[each]) for each in (denied, key, broken)] == [
            BackendDenied,
            BackendDenied,
            BackendUnavailable,
        ]
        assert answers[denied].lines() == [
            f'{DENIED} AccessDeniedException for secretsmanager:GetSecretValue on "envref/app/denied"',
            ROLE,
        ]


class TestDeletion:
    def test_it_is_scheduled(self, service, program):
        """Deleting leaves AWS its 30 days; until then the secret is absent and not listed, and that is said."""
        create(service, "envref/app/key", "value")
        store = AwsSecretsManager("sm")
        (address,) = keys("key")
        store.delete(address, soon())
        assert "DeletedDate" in service.call("secretsmanager.DescribeSecret", SecretId="envref/app/key")
        assert list(store.list("app", soon())) == []
        for asked in ([address], [address, *keys("other")]):
            assert store.get_many(asked, soon()) == {}
            assert store.absent(address).message == f'aws-secrets-manager: secret not found: "app/key"; {PENDING}'
        with pytest.raises(SecretNotFound):
            store.delete(address, soon())

    def test_setting_it_again_restores_it(self, service, program):
        """A key whose deletion is scheduled is set as any other: restored first, for AWS refuses it otherwise."""
        create(service, "envref/app/key", "old")
        store = AwsSecretsManager("sm")
        (address,) = keys("key")
        store.delete(address, soon())
        program.clear()
        store.set(address, Secret("new"), soon())
        assert operations(program) == ["put-secret-value", "restore-secret", "put-secret-value"]
        assert texts(store.get_many([address], soon())) == {"app/key": "new"}
        assert store.absent(address).message == 'aws-secrets-manager: secret not found: "app/key"'


SAID = {
    "(ResourceNotFoundException)": "Secrets Manager can't find the specified secret.",
    "(InvalidRequestException) 1": "You tried to perform the operation on a secret that's currently marked deleted.",
    "(InvalidRequestException) 2": "You can't perform this operation on the secret because it was marked for deletion.",
    "(InvalidRequestException) 3": "You can't create this secret: it is already scheduled for deletion.",
    "(InvalidRequestException) 4": "You can't perform this operation on a replica.",
    "(DecryptionFailure)": "Secrets Manager can't decrypt the protected secret text.",
    "(ResourceExistsException)": "The operation failed because the secret already exists.",
    "(InvalidParameterException)": "Invalid name.",
    "(InternalServiceError)": "An error occurred on the server side.",
}
MEANS = (
    *[SecretNotFound] * 4,
    BackendUnavailable,
    BackendDenied,
    BackendInvalid,
    BackendInvalid,
    BackendUnavailable,
)


@pytest.mark.parametrize(("code", "kind"), list(zip(SAID, MEANS, strict=True)))
def test_a_code_is_an_error_class(tmp_path, monkeypatch, code, kind):
    """The service's code decides, or its words where one code means many things; unknown ones are not absence."""
    text = f"An error occurred {code[:-2] if code[-1].isdigit() else code} when calling the DeleteSecret operation"
    aws.stand_in(tmp_path / "bin", monkeypatch, aws.saying(f"\n{text}: {SAID[code]}", 254))
    with pytest.raises(BackendError) as caught:
        AwsSecretsManager("sm").delete(*keys("key"), soon())
    assert type(caught.value) is kind
    if kind in (BackendInvalid, BackendUnavailable):
        assert caught.value.message == f"aws-secrets-manager: {text}: {SAID[code]}"


@pytest.mark.parametrize("reply", ["{}", '{"SecretValues": 1, "Errors": 2}', '{"SecretString": 7}', "[]"])
def test_an_answer_without_the_expected_members_is_not_absence(tmp_path, monkeypatch, reply):
    """Output that is not the operation's is an error for every key, and for the list."""
    aws.stand_in(tmp_path / "bin", monkeypatch, f"echo '{reply}'")
    store = AwsSecretsManager("sm")
    answers = store.get_many(keys("a", "b"), soon())
    assert [answer.message for answer in answers.values()] == ["aws-secrets-manager: unexpected output of aws"] * 2
    with pytest.raises(BackendInvalid):
        store.list("app", soon())


def test_denials_name_what_is_missing(service, program, limited):
    """A denial has the operation, the name and what the role needs."""
    limited("s3:ListBuckets")
    store = AwsSecretsManager("sm", prefix="myapp")
    (answer,) = store.get_many(keys("key"), soon()).values()
    start = f"{DENIED} 403 for secretsmanager:"
    assert answer.lines() == [f'{start}GetSecretValue on "myapp/key"', ROLE]
    with pytest.raises(BackendDenied) as caught:
        store.set(*keys("key"), Secret("value"), soon())
    assert caught.value.lines() == [f'{start}PutSecretValue on "myapp/key"', ROLE]


def config(*backends, **fields):
    return json.dumps({"project": "app", "backends": list(backends), **fields})


class TestCommands:
    def test_secrets_of_a_project_and_its_profiles(self, service, program, project):
        """set, get, list, resolve and delete, at both scopes, and the secrets of others by their names."""
        create(service, "shared/db", '{"password": "foreign"}')
        entry = {"name": "sm", "type": "aws-secrets-manager", "names": {"db": "shared/db"}}
        other = {"name": "other", "type": "aws-secrets-manager", "config": {"prefix": "other", "region": "eu-west-1"}}
        project.write(".envref.yaml", config(entry, other, profiles={"staging": None}))
        for arguments, value in (
            (["--backend", "sm"], "project"),
            (["--profile", "staging"], "staging"),
            (["-b", "other"], "else"),
        ):
            assert project.envref("secret", "set", "key", *arguments, stdin=value).returncode == 0
        project.write(
            ".env",
            "K=ref://secrets/key\nO=ref://other/key\nF=ref://sm//shared/db#password\nN=ref://secrets/db#password\n",
        )
        program.clear()
        resolved = project.envref("resolve", "--profile", "staging")
        assert (resolved.stdout, resolved.stderr) == ("K=staging\nO=else\nF=foreign\nN=foreign\n", "")
        assert project.envref("secret", "get", "key", "--backend", "other").stdout == "else\n"
        assert project.envref("secret", "list", "--profile", "staging").stdout == "key\n"
        assert project.envref("secret", "delete", "key", "--force").returncode == 0
        assert project.envref("secret", "get", "key", "--backend", "sm").returncode == 1

    def test_rotation_keeps_the_old_values(self, service, program, project):
        """A key is rotated again and again, though its oldest value waits for its deletion."""
        project.write(".envref.yaml", config({"name": "sm", "type": "aws-secrets-manager"}))
        for value in ("1", "2", "3"):
            rotated = project.envref("secret", "rotate", "key", "--keep", "1", "--value-stdin", stdin=value)
            assert rotated.returncode == 0, rotated.stderr
        assert project.envref("secret", "list", "--all").stdout == "key\nkey.__history.1\n"
        assert project.envref("secret", "get", "key.__history.1").stdout == "2\n"
