"""What both stores of AWS share: signing in, the words of `aws`, and programs that do not behave."""

from __future__ import annotations

import os
import time

import pytest

from envref.backends.aws.secrets_manager import AwsSecretsManager
from envref.backends.aws.ssm import AwsSsm
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
)
from tests.backends.asking import BY_HAND, KEY, soon
from tests.backends.contract import values_of
from tests.backends.stores import aws, shim
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python

STORES = {"aws-ssm": AwsSsm, "aws-secrets-manager": AwsSecretsManager}


def reading(store, *keys, deadline=None):
    """The error of reading a key, or several."""
    addresses = [Address("app", key) for key in keys] or [KEY]
    answers = store.get_many(addresses, deadline or soon())
    return answers[addresses[0]]


def calls(store, deadline):
    """Every operation of a store, as one that fails: its name and its error."""
    value = Secret("marker-9f31b2")
    for name, call in {
        "get": lambda: (_ for _ in ()).throw(reading(store, deadline=deadline())),
        "get_many": lambda: (_ for _ in ()).throw(reading(store, "key", "other", deadline=deadline())),
        "set": lambda: store.set(KEY, value, deadline()),
        "delete": lambda: store.delete(KEY, deadline()),
        "list": lambda: store.list("app", deadline()),
    }.items():
        with pytest.raises(BackendError) as caught:
            call()
        assert "marker-9f31b2" not in values_of(caught.value)
        yield name, caught.value


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """The real `aws` on PATH, and nothing that it needs to know."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.UNREACHABLE)
    monkeypatch.setenv("PATH", shim.recorded(tmp_path / "shim", aws.program(), "aws").path, prepend=":")


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A way to put a stand-in for `aws` on PATH."""
    return lambda script: aws.stand_in(tmp_path / "bin", monkeypatch, script)


class TestSigningIn:
    def test_without_credentials(self, stranger, monkeypatch):
        """The cure is `aws configure`, or single sign-on with the profile that is configured or in the environment."""
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        error = reading(AwsSsm("ssm"))
        assert isinstance(error, BackendLocked)
        assert error.lines() == ["error: aws-ssm: no credentials", "  run: aws configure"]
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
        assert isinstance(reading(AwsSsm("ssm")), BackendLocked)

    @pytest.mark.parametrize("as_option", [True, False])
    def test_with_a_profile_that_has_no_credentials(self, stranger, monkeypatch, home, as_option):
        """The command that gives it keys: there is no single sign-on to log in to."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text("[profile production]\nregion = us-east-1\n")
        if not as_option:
            monkeypatch.setenv("AWS_PROFILE", "production")
        error = reading(AwsSsm("ssm", profile="production" if as_option else ""))
        assert error.lines() == ["error: aws-ssm: no credentials", "  run: aws configure --profile production"]

    def test_an_unknown_profile(self, stranger):
        """A profile that is not configured is named, with the command that makes it."""
        error = reading(AwsSsm("ssm", profile="my prod; rm"))
        assert isinstance(error, BackendLocked)
        assert error.lines() == [
            "error: aws-ssm: The config profile (my prod; rm) could not be found",
            "  run: aws configure --profile 'my prod; rm'",
        ]

    def test_a_profile_cannot_steer_the_terminal(self, stand_in):
        """A profile's name is escaped in the command that is to be pasted."""
        stand_in(aws.saying("Unable to locate credentials"))
        error = reading(AwsSsm("ssm", profile="\x1b[2J"))
        assert error.cure() == ["run: aws sso login --profile $'\\033[2J'"]

    def test_a_profile_that_looks_like_an_option_is_a_profile(self, stranger):
        """A profile or region is one word with its option, whatever it begins with."""
        error = reading(AwsSsm("ssm", profile="--debug"))
        assert error.message == "aws-ssm: The config profile (--debug) could not be found"

    def test_a_bad_key_is_denied(self, service, program, monkeypatch):
        """Credentials that the service does not know are no absence."""
        service.limited_to("ssm:GetParameter")
        try:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
            assert isinstance(reading(AwsSsm("ssm")), BackendDenied)
            assert isinstance(reading(AwsSecretsManager("sm")), BackendDenied)
        finally:
            service.unlimited()

    def test_without_a_region(self, stranger, monkeypatch):
        """A missing region, or one that is none, is a fault of the configuration."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        error = reading(AwsSsm("ssm"))
        assert isinstance(error, BackendInvalid)
        assert error.lines() == [
            "error: aws-ssm: no region; set the backend's option region",
            "  run: aws configure",
        ]
        error = reading(AwsSsm("ssm", region="a..b"))
        assert isinstance(error, BackendInvalid)
        assert error.message == "aws-ssm: Provided region_name 'a..b' doesn't match a supported format."

    @pytest.mark.parametrize("kind", STORES)
    def test_nobody_there(self, stranger, monkeypatch, kind):
        """An endpoint that does not answer is unavailable, after one attempt."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
        watch = Stopwatch()
        error = reading(STORES[kind]("store", region="us-east-1"))
        assert watch.seconds() < 7
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            f'error: {kind}: Could not connect to the endpoint URL: "http://127.0.0.1:9/"',
            "  hint: check the network and the region",
        ]


SSO = "Token has expired and refresh failed"
SERVICE = "An error occurred (%s) when calling the GetParameter operation (reached max retries: 0): Rate exceeded"
SIGN_IN = "  run: aws sso login --profile production"
CONFIGURE = "  run: aws configure --profile production"
TOO_OFTEN = "  hint: AWS limits how often it is asked; try again in a moment"
NETWORK = "  hint: check the network and the region"
OTHER_KEY = "  hint: choose another key, or another prefix of the backend"
SAID = {
    'Unable to locate credentials. You can configure credentials by running "aws login".': (
        BackendLocked,
        "no credentials",
        SIGN_IN,
    ),
    "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY": (
        BackendLocked,
        "incomplete credentials",
        CONFIGURE,
    ),
    "Error loading SSO Token: Token for x does not exist": (
        BackendLocked,
        "the single sign-on session has expired",
        SIGN_IN,
    ),
    f"Error when retrieving token from sso: {SSO}": (BackendLocked, "the single sign-on session has expired", SIGN_IN),
    "The SSO session associated with this profile has expired or is otherwise invalid.": (
        BackendLocked,
        "the single sign-on session has expired",
        SIGN_IN,
    ),
    "Error when retrieving credentials from custom-process: no": (
        BackendLocked,
        None,
        "  run: aws configure get credential_process --profile production, then run what it prints",
    ),
    "Error when retrieving credentials from iam-role: no": (BackendLocked, None, SIGN_IN),
    SERVICE % "SignatureDoesNotMatch": (BackendDenied, None, SIGN_IN),
    SERVICE % "TooManyRequestsException": (Throttled, None, TOO_OFTEN),
    SERVICE % "RequestThrottledException": (Throttled, None, TOO_OFTEN),
    SERVICE % "LimitExceededException": (BackendUnavailable, None, BY_HAND),
    SERVICE % "ExpiredTokenException": (BackendLocked, "the credentials have expired", SIGN_IN),
    SERVICE % "ExpiredToken": (BackendLocked, "the credentials have expired", SIGN_IN),
    SERVICE % "RequestExpired": (BackendLocked, "the credentials have expired", SIGN_IN),
    SERVICE % "UnrecognizedClientException": (BackendDenied, None, SIGN_IN),
    SERVICE % "InvalidClientTokenId": (BackendDenied, None, SIGN_IN),
    SERVICE % "InvalidSignatureException": (BackendDenied, None, SIGN_IN),
    "An error occurred (SignatureDoesNotMatch) when calling the GetParameter operation: Signature expired: 20220127T0Z "
    "is now earlier than 20220127T014428Z (20220127T015928Z - 15 min.)": (
        BackendDenied,
        'denied: SignatureDoesNotMatch for ssm:GetParameter on "/envref/app/key"',
        "  hint: set this machine's clock: AWS takes no request that is minutes old, or ahead",
    ),
    SERVICE % "IncompleteSignatureException": (BackendDenied, None, SIGN_IN),
    SERVICE % "ThrottlingException": (
        Throttled,
        None,
        TOO_OFTEN,
    ),
    SERVICE % "ValidationException": (BackendInvalid, None, OTHER_KEY),
    SERVICE % "InternalServerError": (BackendUnavailable, None, BY_HAND),
    "aws: error: argument operation: Invalid choice, valid choices are:": (
        BackendInvalid,
        "this aws does not know the operation",
        "  hint: update the aws program",
    ),
    "aws: error: the following arguments are required: --name": (
        BackendInvalid,
        None,
        "  hint: update the aws program, or correct the options of the backend",
    ),
    'Connect timeout on endpoint URL: "https://ssm.us-east-1.amazonaws.com/"': (BackendUnavailable, None, NETWORK),
    'Read timeout on endpoint URL: "https://ssm.us-east-1.amazonaws.com/"': (BackendUnavailable, None, NETWORK),
    'Connection was closed before we received a valid response from endpoint URL: "https://ssm.amazonaws.com/".': (
        BackendUnavailable,
        None,
        NETWORK,
    ),
    "Segmentation fault": (BackendUnavailable, None, BY_HAND),
    "parameter not found, ResourceNotFoundException, 404": (BackendUnavailable, None, BY_HAND),
    "": (BackendUnavailable, "failed without a message", BY_HAND),
}


class TestWords:
    @pytest.mark.parametrize("text", SAID)
    def test_what_it_says_is_an_error_class(self, stand_in, text):
        """Each of its complaints has a class and a cure; without words of our own its line is quoted."""
        kind, says, cure = SAID[text]
        stand_in(aws.saying(f"\n{text}", 253))
        error = reading(AwsSsm("ssm", profile="production"))
        assert type(error) is kind
        quoted = text.replace(" (reached max retries: 0)", "")  # it is envref that tries again
        assert error.lines() == [f"error: aws-ssm: {says or quoted}", cure]

    @pytest.mark.parametrize("kind", STORES)
    @pytest.mark.parametrize("start", ["", "aws: [ERROR]: ", "\x1b[31m"])
    def test_a_denial_names_what_is_missing(self, stand_in, kind, start):
        """The code, the permission, the name and what the role needs (commands.md 13, row 12)."""
        service, name = {"aws-ssm": ("ssm", "/myapp/prod/key")}.get(kind, ("secretsmanager", "myapp/prod/key"))
        reason = f"User: arn:aws:iam::1:user/x is not authorized to perform: {service}:GetParameter on resource: y"
        text = f"An error occurred (AccessDeniedException) when calling the GetParameter operation: {reason}"
        stand_in(aws.saying(f"{start}{text}\x1b[0m", 254))
        error = reading(STORES[kind]("store", prefix="myapp/prod"))
        assert isinstance(error, BackendDenied)
        assert error.message == f'{kind}: denied: AccessDeniedException for {service}:GetParameter on "{name}"'
        assert error.cure()[0].startswith(f"hint: the role needs {service}:Get")

    def test_a_denial_may_be_another_services(self, stand_in):
        """Reading a parameter needs kms:Decrypt too: the permission that AWS names is the one that is missing."""
        reason = (
            "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:e:1:key/k"
        )
        stand_in(
            aws.saying(f"An error occurred (AccessDeniedException) when calling the GetParameter operation: {reason}")
        )
        assert reading(AwsSsm("ssm")).lines() == [
            'error: aws-ssm: denied: AccessDeniedException for kms:Decrypt on "arn:aws:kms:e:1:key/k"',
            "  hint: the role needs kms:Decrypt on it",
        ]

    def test_notes_around_the_complaint_are_not_it(self, stand_in):
        """Warnings and advertisements of `aws` are not quoted as the reason."""
        stand_in(aws.saying("Warning: Unable to record CLI history.\nusage: Note: AWS CLI version 2\n\nThe reason"))
        assert reading(AwsSsm("ssm")).message == "aws-ssm: The reason"

    def test_text_on_stderr_alone_is_no_failure(self, stand_in):
        """A program that ends well may complain."""
        stand_in('echo \'An error occurred (ParameterNotFound)\' >&2; echo \'{"Parameter": {"Value": "value"}}\'')
        assert reading(AwsSsm("ssm")) == Secret("value")


class TestSettings:
    def test_it_answers_in_json_once_and_keeps_nothing(self, stand_in, monkeypatch):
        """Retries, pager, prompt and history are off, whatever the caller's environment says; the output is JSON."""
        for name in ("AWS_MAX_ATTEMPTS", "AWS_PAGER", "AWS_OUTPUT", "AWS_CLI_AUTO_PROMPT", "AWS_CLI_HISTORY_FILE"):
            monkeypatch.setenv(name, "caller")
        names = "AWS_MAX_ATTEMPTS=%s AWS_PAGER=%s AWS_CLI_AUTO_PROMPT=%s AWS_CLI_HISTORY_FILE=%s AWS_OUTPUT=%s"
        values = '"$AWS_MAX_ATTEMPTS" "$AWS_PAGER" "$AWS_CLI_AUTO_PROMPT" "$AWS_CLI_HISTORY_FILE" "$AWS_OUTPUT"'
        stand_in(f'printf \'{{"Parameter": {{"Value": "%s {names}"}}}}\' "$*" {values}')
        seen = reading(AwsSsm("ssm", region="eu-west-1", profile="p")).reveal()
        assert seen == (
            "ssm get-parameter --name /envref/app/key --with-decryption --output=json --region=eu-west-1 --profile=p "
            "AWS_MAX_ATTEMPTS=1 AWS_PAGER= AWS_CLI_AUTO_PROMPT=off AWS_CLI_HISTORY_FILE=/dev/null AWS_OUTPUT="
        )

    def test_a_users_history_does_not_hold_values(self, program, home):
        """`cli_history = enabled` would write every answer into a database in the home directory."""
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text("[default]\ncli_history = enabled\n")
        AwsSsm("ssm").set(KEY, Secret("marker-22c8aa"), soon())
        assert reading(AwsSsm("ssm")) == Secret("marker-22c8aa")
        files = [path for path in home.rglob("*") if path.is_file()]
        assert not any(b"marker-22c8aa" in path.read_bytes() for path in files)
        assert not any("history" in path.name for path in files)

    def test_the_program_may_be_another(self, tmp_path):
        """`command` is a name or a path; a relative one starts at the project's root."""
        (tmp_path / "my-aws").write_text('#!/bin/sh\necho \'{"Parameter": {"Value": "mine"}}\'\n')
        (tmp_path / "my-aws").chmod(0o755)
        assert reading(AwsSsm("ssm", command=str(tmp_path / "my-aws"))) == Secret("mine")
        assert reading(AwsSsm("ssm", command="./my-aws", root=str(tmp_path))) == Secret("mine")


RUBBISH = {
    "nothing": "exit 0",
    "text": "echo not JSON",
    "megabyte": "head -c 1000000 /dev/zero | tr '\\0' '{'",
    "ansi": "printf '\\033[2J\\033]0;title\\007'",
    "bad_utf8": 'printf \'{"Parameter": {"Value": "\\377\\376"}}\'',
    "surrogate": """echo '{"Parameter": {"Value": "\\ud800"}, "SecretString": "\\ud800"}'""",
    "half": 'printf \'{"Parameter": {"Value": "marker-9f31b2\'',
    "dies": "printf '{\"Parameter\"'; kill -9 $$",
    "loud": "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; exit 1",
    "too_much": "head -c 20000000 /dev/zero",
}


class TestFaults:
    @pytest.mark.parametrize("kind", STORES)
    @pytest.mark.parametrize("flox", [True, False])
    def test_without_the_program(self, monkeypatch, tmp_path, kind, flox):
        """Every operation says what to install, with Flox inside a Flox environment (commands.md 13, rows 8 and 10)."""
        monkeypatch.setenv("PATH", str(tmp_path))
        if flox:
            monkeypatch.setenv("FLOX_ENV", str(tmp_path))
        store = STORES[kind]("store")
        install = "flox install awscli2" if flox else "brew install awscli"
        for call in (
            lambda: store.get_many([KEY], soon()),
            lambda: store.set(KEY, Secret("value"), soon()),
            lambda: store.delete(KEY, soon()),
            lambda: store.list("app", soon()),
        ):
            with pytest.raises(BackendUnavailable) as caught:
                call()
            assert caught.value.lines() == [
                f"error: {kind}: start aws: executable file not found in $PATH",
                f"  run: {install}, then aws configure",
            ]

    @first_python
    @pytest.mark.parametrize("kind", STORES)
    @pytest.mark.parametrize("script", ["sleep 600", "sleep 600 & sleep 600", "while :; do echo x; sleep 0.1; done"])
    def test_a_program_that_hangs_is_ended(self, stand_in, monkeypatch, kind, script):
        """Every operation ends within its time and a second, and leaves no process, a grandchild's pipe or not."""
        marker = f"hang-{os.getpid()}-{time.monotonic_ns()}"
        stand_in(script)
        monkeypatch.setenv("TEST_MARKER", marker)
        store = STORES[kind]("store")
        watch = Stopwatch()
        errors = dict(calls(store, lambda: time.monotonic() + 0.4))
        assert watch.seconds() < len(errors) * 1.4
        assert [type(error) for error in errors.values()] == [BackendTimeout] * 5
        message = as_set(errors["get"].message, 0.4)
        assert message == f"{kind}: no answer within 0.4 s; raise --timeout or the backend's timeout"
        assert left_of(f"TEST_MARKER={marker}") == []

    @first_python
    @pytest.mark.parametrize("kind", STORES)
    @pytest.mark.parametrize("rubbish", RUBBISH)
    def test_a_program_that_prints_rubbish_is_an_error(self, stand_in, kind, rubbish):
        """No rubbish is a value, an absence or a success of a list; the message is one clean line, and a cure."""
        stand_in(RUBBISH[rubbish])
        store = STORES[kind]("store")
        for keys in (["key"], ["key", "other"]):
            error = reading(store, *keys)
            assert isinstance(error, BackendInvalid | BackendUnavailable)
            assert all(line.isprintable() for line in error.lines())
            assert len(error.lines()[0]) < 400
            assert [line[:8] for line in error.lines()[1:]] in ([], ["  hint: "])
            assert "marker" not in values_of(error)
        with pytest.raises(BackendError):
            store.list("app", soon())

    @pytest.mark.parametrize("kind", STORES)
    def test_a_value_that_aws_repeats_is_not_shown(self, stand_in, kind):
        """A value in a complaint is redacted."""
        stand_in(aws.saying("An error occurred (ValidationException) when calling: Value 'marker-9f31b2' is bad"))
        errors = dict(calls(STORES[kind]("store"), soon))
        assert "Value '***' is bad" in errors["set"].message


class TestDoctor:
    def test_it_names_the_missing_permission(self, service, program, limited, project):
        """Which one was refused, and all that the role needs; nothing was stored for it."""
        limited("s3:ListBuckets")
        project.write(
            ".envref.yaml",
            "project: app\nbackends: [{name: ssm, type: aws-ssm}, {name: sm, type: aws-secrets-manager}]\n",
        )
        project.write(".env", "A=ref://ssm/a\nB=ref://sm/b\n")
        done = project.envref("doctor")
        assert done.returncode == 1
        assert "denied: 403 for ssm:GetParameter on " in done.stderr
        assert "hint: the role needs ssm:GetParameter, " in done.stderr
        assert "denied: 403 for secretsmanager:GetSecretValue on " in done.stderr
        assert "hint: the role needs secretsmanager:GetSecretValue, " in done.stderr
