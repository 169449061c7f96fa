"""Parameter Store: the real `aws` against moto, and stand-ins for what moto can't be made to say."""

from __future__ import annotations

import json

import pytest

from envref.backends.aws.ssm import AwsSsm
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendUnavailable, SecretNotFound
from tests.backends.asking import BY_HAND, answers_of, foreign_keys, keys, soon, texts
from tests.backends.contract import EXACT
from tests.backends.stores import aws

ROLE = "  hint: the role needs ssm:GetParameter, ssm:PutParameter, ssm:DeleteParameter and ssm:GetParametersByPath"
DOCUMENTED = ("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParametersByPath")


def fill(service, **parameters):
    """Parameters put past envref; `__` in a name is a slash, and each begins with one."""
    for name, value in parameters.items():
        put(service, "/" + name.replace("__", "/"), value)


def put(service, name, value, **more):
    service.call("AmazonSSM.PutParameter", Name=name, Value=value, **{"Type": "SecureString", **more})


def operations(program):
    return [argv[1] for argv in program.argvs()]


class TestAwsSsm(aws.AwsContract):
    first_version = "1"
    foreign_name = "/team/db"
    holds = tuple(kind for kind in EXACT if kind != "long")
    keys = ("dot.ted", "a_b-c", "nested/deeper/key", "UPPER", "K.__history.1")
    refused_keys = ("with space", "100%", "50%41", "ключ", "a:b", "a@b", "/".join("abcdefghijklmno"))

    @pytest.fixture
    def store(self, program):
        return AwsSsm("ssm")

    def write(self, service, name, value):
        put(service, f"/envref/{name}", value, Overwrite=True)

    def plant(self, store, name, value):
        put(self.service, name, value)


@aws.of_reading
class TestThroughAws(TestAwsSsm):
    """The same answers where the program reads."""


class TestRevisions:
    def test_names_of_others_are_asked_for_by_name(self, service, program):
        """In a listing of their own; no value is decrypted for either."""
        fill(service, envref__app__key="value", team__db="value")
        asked = [Address("app", "key"), *foreign_keys("/team/db", "/team/none")]
        store = AwsSsm("ssm")
        told = store.revisions(asked, soon())
        assert told == {address: each.revision for address, each in store.get_many(asked, soon()).items()}
        assert len(told) == 2
        assert all(each.startswith("1.") for each in told.values())

    def test_the_right_that_is_missing_is_named(self, service, program, limited):
        """By path it takes none but that of reading; else one of its own."""
        fill(service, envref__app__key="value", team__db="value")
        limited("ssm:GetParametersByPath")
        (address,) = foreign_keys("/team/db")
        told = AwsSsm("ssm").revisions([Address("app", "key"), address], soon())
        assert isinstance(told[Address("app", "key")], str)
        assert isinstance(told[address], BackendDenied)
        assert told[address].hint == "the role needs ssm:DescribeParameters"


class TestNames:
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({}, "/envref/app/key"),
            ({"prefix": "/myapp/prod"}, "/myapp/prod/key"),
            ({"prefix": "myapp/prod/"}, "/myapp/prod/key"),
            ({"prefix": "/envref"}, "/envref/key"),
            ({"prefix": "/"}, "/key"),
            ({"prefix": "/shared", "namespace": "project"}, "/shared/app/key"),
            ({"namespace": "none"}, "/envref/key"),
        ],
    )
    def test_a_prefix_is_the_namespace(self, service, program, options, name):
        """A prefix of one's own holds the keys, the shared one the projects; each begins with a slash."""
        put(service, name, "value")
        store = AwsSsm("ssm", **options)
        assert texts(store.get_many(keys("key", "other"), soon())) == {"app/key": "value"}
        assert list(store.list("app", soon())) == ["key"]

    def test_a_name_is_written_with_or_without_its_slash(self, service, program, project):
        """As the console shows it, as envref wrote it before, and as an ARN; a version or label by either way."""
        arn = "arn:aws:ssm:us-east-1:123456789012:parameter/team/db"
        put(service, "/team/db", '{"p": {"q": "one"}}')
        service.call("AmazonSSM.LabelParameterVersion", Name="/team/db", ParameterVersion=1, Labels=["good"])
        service.call("AmazonSSM.PutParameter", Name="/team/db", Value='{"p": {"q": "two"}}', Overwrite=True)
        project.write(".envref.yaml", config({"name": "ssm", "type": "aws-ssm"}))
        names = ["/team/db", "team/db", "/team/db?version=1", "team/db?version=good", "team/db:1", "/team/db:good"]
        lines = [f"N{number}=ref://ssm//{name}#/p/q\n" for number, name in enumerate(names)]
        project.write(".env", "".join(lines))
        done = project.envref("resolve")
        assert [line.partition("=")[2] for line in done.stdout.splitlines()] == ["two", "two", *["one"] * 4], (
            done.stderr
        )
        for wanted in ("team/db:1?version=2", "team/db?version=a:b"):
            assert (
                "is not a version; write a number, or a label"
                in project.envref("secret", "get", f"ref://ssm//{wanted}").stderr
            )
        assert AwsSsm("ssm").location(Address("", "", foreign=arn)) == (arn,)

    def test_a_profile_comes_after_the_prefix(self, service, program):
        """The key of a profile is PREFIX/PROFILE/KEY."""
        fill(service, myapp__staging__key="value")
        store = AwsSsm("ssm", prefix="/myapp")
        assert texts(store.get_many(keys("key", profile="staging"), soon())) == {"app/staging/key": "value"}

    def test_whether_names_carry_the_project_is_known(self):
        """Copying from another project makes sense under the shared prefix only."""
        assert AwsSsm("ssm").carries_project
        assert not AwsSsm("ssm", prefix="/app").carries_project

    @pytest.mark.parametrize("prefix", ["/my app", "--endpoint-url=http://127.0.0.1:9", "/a\nb", "/a//b", "/{{x}}"])
    def test_a_prefix_that_no_name_has_is_refused(self, program, prefix):
        """It is an error that says so; no program is started, and no other is asked instead."""
        store = AwsSsm("ssm", prefix=prefix)
        for call in (
            lambda: store.get_many(keys("key"), soon()),
            lambda: store.set(*keys("key"), Secret("value"), soon()),
            lambda: store.delete(*keys("key"), soon()),
            lambda: store.list("app", soon()),
        ):
            with pytest.raises(BackendInvalid, match="no name can begin with"):
                call()
        assert program.count() == 0

    def test_an_unknown_namespace_is_refused(self):
        """`namespace` is auto, project or none."""
        with pytest.raises(BackendInvalid):
            AwsSsm("ssm", namespace="other")


class TestForeign:
    @pytest.mark.usefixtures("through_aws")
    def test_a_name_with_levels_begins_with_a_slash(self, service, program):
        """`//a/b` and `/a/b` are the parameter /a/b, a name without a slash is the top-level one; in one call."""
        fill(service, prod__db__password="deep")
        put(service, "token", "top", Type="String")
        asked = foreign_keys("prod/db/password", "/prod/db/password", "token", "absent", "/absent")
        assert texts(AwsSsm("ssm").get_many(asked, soon())) == {
            "prod/db/password": "deep",
            "/prod/db/password": "deep",
            "token": "top",
        }
        assert operations(program) == ["get-parameters"]

    def test_a_version_a_label_and_an_arn_are_names(self, service, program):
        """`NAME:VERSION`, `NAME:LABEL` and a parameter's ARN are taken as AWS takes them."""
        fill(service, prod__key="first")
        put(service, "/prod/key", "second", Overwrite=True)
        service.call("AmazonSSM.LabelParameterVersion", Name="/prod/key", ParameterVersion=1, Labels=["old"])
        arn = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/key"
        answers = texts(AwsSsm("ssm").get_many(foreign_keys("prod/key", "prod/key:1", "prod/key:old", arn), soon()))
        assert answers == {"prod/key": "second", "prod/key:1": "first", "prod/key:old": "first", arn: "second"}

    @pytest.mark.parametrize(
        "name",
        ["--endpoint-url=http://127.0.0.1:9", "-x", "file:///etc/hostname", "http://127.0.0.1:9/x", "[1]", "a b", "ä"],
    )
    def test_what_aws_would_read_as_something_else_is_no_name(self, program, name):
        """An option, a file, a URL or JSON is no parameter: it is not there, and `aws` never sees it."""
        assert AwsSsm("ssm").get_many(foreign_keys(name), soon()) == {}
        assert program.count() == 0

    def test_foreign_names_are_not_written(self, program):
        """What envref did not make it does not change."""
        store = AwsSsm("ssm")
        for call in (
            lambda: store.set(*foreign_keys("prod/key"), Secret("value"), soon()),
            lambda: store.delete(*foreign_keys("prod/key"), soon()),
        ):
            with pytest.raises(BackendInvalid) as caught:
                call()
            assert caught.value.message == 'aws-ssm: envref only reads "prod/key"; change it there'
        assert program.count() == 0


class TestRefused:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("", "a parameter can't be empty"),
            ("x" * 4097, "a standard parameter holds at most 4096 characters"),
            ("{{ssm:other}}", 'a parameter can\'t hold "{{", which stands for another parameter'),
        ],
    )
    def test_a_value_that_the_service_refuses_is_refused_before(self, program, value, reason):
        """The reason is told without a call, and without the value."""
        with pytest.raises(BackendInvalid) as caught:
            AwsSsm("ssm").set(*keys("key"), Secret(value), soon())
        assert caught.value.lines() == [f"error: aws-ssm: {reason}"]
        assert program.count() == 0

    def test_the_largest_value_is_stored(self, service, program):
        """4096 characters fit, of any script."""
        store = AwsSsm("ssm")
        store.set(*keys("key"), Secret("ж" * 4096), soon())
        assert texts(store.get_many(keys("key"), soon())) == {"app/key": "ж" * 4096}

    def test_the_service_has_these_limits(self, service, program):
        """The double refuses what envref refuses, as the real service does."""
        for value in ("x" * 4097, "{{x}}"):
            with pytest.raises(OSError, match="400"):
                fill(service, key=value)


class TestBatch:
    @pytest.mark.usefixtures("through_aws")
    def test_a_hundred_keys_are_one_call(self, service, program):
        """By path, whatever their number, with those of the profile and absent ones among them."""
        for number in range(50):
            put(service, f"/envref/app/key{number}", f"value {number}")
        put(service, "/envref/app/staging/key7", "staging")
        asked = [*keys(*(f"key{n}" for n in range(50)), profile="staging"), *keys(*(f"key{n}" for n in range(50)))]
        answers = texts(AwsSsm("ssm").get_many(asked, soon()))
        assert answers == {**{f"app/key{n}": f"value {n}" for n in range(50)}, "app/staging/key7": "staging"}
        assert operations(program) == ["get-parameters-by-path"]

    @pytest.mark.usefixtures("through_aws")
    def test_one_key_is_one_get(self, service, program):
        """A single key needs no listing."""
        fill(service, envref__app__key="value")
        assert texts(AwsSsm("ssm").get_many(keys("key"), soon())) == {"app/key": "value"}
        assert operations(program) == ["get-parameter"]

    @pytest.mark.usefixtures("through_aws")
    def test_a_path_with_much_else_is_left_for_names(self, service, program):
        """A listing ends some pages after what is wanted; what it did not reach is asked for by name, ten a call."""
        for number in range(140):
            put(service, f"/shared/a{number:03}", "other")
        for number in range(12):
            put(service, f"/shared/z{number}", f"value {number}")
        answers = texts(AwsSsm("ssm", prefix="/shared").get_many(keys(*(f"z{n}" for n in range(13))), soon()))
        assert answers == {f"app/z{n}": f"value {n}" for n in range(12)}
        assert operations(program) == ["get-parameters-by-path", "get-parameters", "get-parameters"]

    @pytest.mark.usefixtures("through_aws")
    def test_names_elsewhere_are_asked_beside_the_path(self, service, program):
        """Foreign names are asked ten a call; one that lies under the prefix is in the listing."""
        fill(service, app__one="1", app__two="2", app__three="3", **{f"else__f{n}": f"f{n}" for n in range(11)})
        asked = [*keys("one", "two"), *foreign_keys("app/three", *(f"else/f{n}" for n in range(11)))]
        answers = texts(AwsSsm("ssm", prefix="/app").get_many(asked, soon()))
        assert answers == {
            "app/one": "1",
            "app/two": "2",
            "app/three": "3",
            **{f"else/f{n}": f"f{n}" for n in range(11)},
        }
        assert sorted(operations(program)) == ["get-parameter", "get-parameters", "get-parameters-by-path"]


class TestPermissions:
    @pytest.mark.usefixtures("through_aws")
    def test_the_documented_ones_suffice(self, service, program, limited):
        """With the four permissions of the documentation all can be done, names outside the prefix one by one."""
        fill(service, else__one="1", else__two="2")
        limited(*DOCUMENTED)
        store = AwsSsm("ssm", prefix="/my-api/production")
        for key in ("a", "b"):
            store.set(*keys(key), Secret(f"value {key}"), soon())
        answers = answers_of(store, *keys("a", "b", "c"), *foreign_keys("else/one", "else/two", "else/none"))
        assert answers == {"app/a": "value a", "app/b": "value b", "else/one": "1", "else/two": "2"}
        store.delete(*keys("a"), soon())
        assert list(store.list("app", soon())) == ["b"]
        assert sorted(operations(program)[2:4]) == ["get-parameters", "get-parameters-by-path"]
        assert operations(program)[4:7] == ["get-parameter"] * 3

    @pytest.mark.usefixtures("through_aws")
    def test_without_the_path_names_are_asked(self, service, program, limited):
        """A role that may not list is still served: ten names a call."""
        fill(service, envref__app__a="1", envref__app__b="2")
        limited("ssm:GetParameters")
        assert texts(AwsSsm("ssm").get_many(keys("a", "b", "c"), soon())) == {"app/a": "1", "app/b": "2"}
        assert operations(program) == ["get-parameters-by-path", "get-parameters"]

    def test_a_denial_names_the_permission_and_the_parameter(self, service, program, limited):
        """Each key that may not be read is denied by itself, with the operation, the name and what the role needs."""
        limited("s3:ListBuckets")
        store = AwsSsm("ssm", prefix="/myapp/prod")
        answers = store.get_many(keys("api_key", "other"), soon())
        assert [type(answer) for answer in answers.values()] == [BackendDenied, BackendDenied]
        assert answers[keys("api_key")[0]].lines() == [
            'error: aws-ssm: denied: 403 for ssm:GetParameter on "/myapp/prod/api_key"',
            ROLE,
        ]
        for call, words in (
            (lambda: store.set(*keys("k"), Secret("value"), soon()), 'ssm:PutParameter on "/myapp/prod/k"'),
            (lambda: store.delete(*keys("k"), soon()), 'ssm:DeleteParameter on "/myapp/prod/k"'),
            (lambda: store.list("app", soon()), 'ssm:GetParametersByPath on "/myapp/prod"'),
        ):
            with pytest.raises(BackendDenied) as caught:
                call()
            assert caught.value.lines() == [f"error: aws-ssm: denied: 403 for {words}", ROLE]


SAID = {
    "ParameterNotFound": (SecretNotFound, None),
    "ParameterVersionNotFound": (SecretNotFound, None),
    "InvalidKeyId": (BackendDenied, "  hint: the role needs kms:Decrypt and kms:Encrypt on a key that is enabled"),
    "HierarchyTypeMismatchException": (BackendInvalid, "  hint: delete the parameter, then set it again"),
    "HierarchyLevelLimitExceededException": (BackendInvalid, None),
    "ValidationException": (BackendInvalid, "  hint: choose another key, or another prefix of the backend"),
    "InternalServerError": (BackendUnavailable, BY_HAND),
    "ParameterNotFoundAtAll": (BackendUnavailable, BY_HAND),
}


class TestWords:
    @pytest.mark.parametrize("code", SAID)
    def test_a_code_is_an_error_class(self, tmp_path, monkeypatch, code):
        """The code in the service's sentence decides, at every exit status; one that nobody knows is not absence."""
        kind, cure = SAID[code]
        text = f"\nAn error occurred ({code}) when calling the DeleteParameter operation: some reason"
        aws.stand_in(tmp_path / "bin", monkeypatch, aws.saying(text, 254))
        with pytest.raises(BackendError) as caught:
            AwsSsm("ssm").delete(*keys("key"), soon())
        assert type(caught.value) is kind
        assert caught.value.lines()[1:] == ([cure] if cure else [])
        if kind in (BackendInvalid, BackendUnavailable):
            assert caught.value.message == f"aws-ssm: {text.strip()}"

    @pytest.mark.parametrize("code", ["ParameterNotFound", "ParameterVersionNotFound"])
    def test_absence_is_left_out(self, tmp_path, monkeypatch, code):
        """A parameter, or a version of one, that the service does not have is not there."""
        text = f"aws: [ERROR]: An error occurred ({code}) when calling the GetParameter operation: no"
        aws.stand_in(tmp_path / "bin", monkeypatch, aws.saying(text, 254))
        assert AwsSsm("ssm").get_many(keys("key"), soon()) == {}

    @pytest.mark.parametrize(
        "reply",
        ["{}", '{"Parameters": null}', '{"Parameters": {}}', '{"Parameter": {}}', '{"Parameter": {"Value": 1}}', "[]"],
    )
    def test_an_answer_without_the_expected_members_is_not_absence(self, tmp_path, monkeypatch, reply):
        """Output that is not the operation's is an error for every key, and for the list."""
        aws.stand_in(tmp_path / "bin", monkeypatch, f"echo '{reply}'")
        store = AwsSsm("ssm")
        answers = store.get_many(keys("a", "b"), soon())
        assert [type(answer) for answer in answers.values()] == [BackendInvalid] * 2
        assert answers[keys("a")[0]].message == "aws-ssm: unexpected output of aws"
        with pytest.raises(BackendInvalid):
            store.list("app", soon())

    def test_a_name_that_a_batch_does_not_mention_is_asked_alone(self, tmp_path, monkeypatch):
        """Only the service's own words mean that a parameter is not there."""
        script = """case "$2" in
        get-parameters) echo '{"Parameters": [{"Name": "/a/one", "Value": "1"}], "InvalidParameters": ["/a/two"]}' ;;
        *) echo '{"Parameter": {"Value": "alone"}}' ;;
        esac"""
        aws.stand_in(tmp_path / "bin", monkeypatch, script)
        answers = AwsSsm("ssm").get_many(foreign_keys("a/one", "a/two", "a/three"), soon())
        assert texts(answers) == {"a/one": "1", "a/three": "alone"}


def config(*backends, **fields):
    return json.dumps({"project": "my-api", "backends": list(backends), **fields})


class TestDocumented:
    @pytest.mark.usefixtures("through_aws")
    def test_production_secrets(self, service, program, project):
        """The documentation's commands for one backend: set, list and resolve, names under the prefix."""
        options = {"prefix": "/my-api/production", "region": "us-west-2"}
        project.write(".envref.yaml", config({"name": "ssm", "type": "aws-ssm", "config": options}))
        url = "postgres://admin:s3cret@rds.amazonaws.com:5432/mydb"
        assert project.envref("secret", "set", "database_url", "--backend", "ssm", "--value", url).returncode == 0
        assert project.envref("secret", "set", "jwt_secret", "--backend", "ssm", stdin="jwt\n").returncode == 0
        assert project.envref("secret", "list", "--backend", "ssm").stdout == "database_url\njwt_secret\n"
        project.write(".env", "DATABASE_URL=ref://secrets/database_url\nJWT_SECRET=ref://secrets/jwt_secret\n")
        program.clear()
        resolved = project.envref("resolve")
        assert (resolved.stdout, resolved.returncode) == (f"DATABASE_URL={url}\nJWT_SECRET=jwt\n", 0)
        assert [argv[1] for argv in program.argvs()] == ["get-parameters-by-path"]
        assert all("--region=us-west-2" in argv for argv in program.argvs())
        deleted = project.envref("secret", "delete", "jwt_secret", "--backend", "ssm", "--force")
        assert deleted.returncode == 0
        missing = project.envref("secret", "get", "jwt_secret", "--backend", "ssm")
        assert missing.returncode == 1
        assert "not found" in missing.stderr

    def test_two_environments(self, service, program, project, home):
        """Two backends of one type keep their own values, each with its prefix and profile."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text("[profile staging]\n[profile production]\nregion = eu-west-1\n")
        credentials = "aws_access_key_id = test\naws_secret_access_key = test\n"
        (home / ".aws/credentials").write_text(f"[staging]\n{credentials}[production]\n{credentials}")
        backends = [
            {"name": f"ssm-{short}", "type": "aws-ssm", "config": {"prefix": f"/my-api/{name}", "profile": name}}
            for short, name in (("staging", "staging"), ("prod", "production"))
        ]
        project.write(".envref.yaml", config(*backends))
        for name, value in (("ssm-staging", "sk_test_abc"), ("ssm-prod", "sk_live_xyz")):
            project.envref("secret", "set", "api_key", "--backend", name, "--value", value)
        assert project.envref("secret", "get", "api_key", "--backend", "ssm-staging").stdout == "sk_test_abc\n"
        project.write(".env", "A=ref://ssm-staging/api_key\nB=ref://ssm-prod/api_key\n")
        assert project.envref("resolve").stdout == "A=sk_test_abc\nB=sk_live_xyz\n"
        assert {argv[-1] for argv in program.argvs()} == {"--profile=staging", "--profile=production"}

    def test_profiles_and_names_of_others(self, service, program, project):
        """A profile's value comes first; `ref://NAME//…` and `names:` read parameters that envref did not make."""
        fill(service, envref__my_api="unused", shared__db__password="foreign", legacy__token="mapped")
        entry = {"name": "ssm", "type": "aws-ssm", "names": {"token": "/legacy/token"}}
        project.write(".envref.yaml", config(entry, profiles={"staging": None}))
        project.envref("secret", "set", "key", stdin="project")
        project.envref("secret", "set", "key", "--profile", "staging", stdin="staging")
        project.write(".env", "K=ref://secrets/key\nF=ref://ssm//shared/db/password\nT=ref://secrets/token\n")
        assert project.envref("resolve", "--profile", "staging").stdout == "K=staging\nF=foreign\nT=mapped\n"
        assert project.envref("resolve").stdout == "K=project\nF=foreign\nT=mapped\n"
        refused = project.envref("secret", "set", "token", stdin="new")
        assert 'is mapped to an existing secret in backend "ssm"' in refused.stderr
        assert project.envref("secret", "list", "--profile", "staging").stdout == "key\n"
