"""Cures for refused credentials: each is derived from where they came from, and each is done here, and cures (ST-F5).

With the real `aws` and moto where the cure can be done on this machine; single sign-on needs a browser.
"""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import time

import pytest

from envref.backends.aws.credentials import Origin
from envref.backends.aws.secrets_manager import AwsSecretsManager
from envref.backends.aws.ssm import AwsSsm
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendLocked
from tests.backends.asking import KEY, soon

GOOD = "aws_access_key_id = test\naws_secret_access_key = test\n"
ROLE = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture
def configured(home, monkeypatch):
    """Writes the user's config and credentials; none in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    (home / ".aws").mkdir()

    def write(config="", credentials=""):
        (home / ".aws/config").write_text(config)
        (home / ".aws/credentials").write_text(credentials)

    return write


def renewal(profile="", **environment):
    return Origin(profile, {"HOME": os.environ["HOME"], **environment}).renewal()


@pytest.mark.parametrize(
    ("section", "run"),
    [
        ("sso_session = corp", ("aws", "sso", "login", "--profile", "p")),
        ("sso_start_url = https://corp.example", ("aws", "sso", "login", "--profile", "p")),
        ("login_session = arn:aws:iam::1:user/x", ("aws", "login", "--profile", "p")),
        ("credential_process = ./give", ("aws", "configure", "get", "credential_process", "--profile", "p")),
        ("region = eu-west-1", ("aws", "configure", "--profile", "p")),
        (GOOD, ("aws", "configure", "--profile", "p")),
        ("role_arn = r\nsource_profile = other", ("aws", "sso", "login", "--profile", "other")),
        ("role_arn = r\nsource_profile = p", ("aws", "configure", "--profile", "p")),
        ("role_arn = r\ncredential_source = Environment", ()),
        ("role_arn = r\ncredential_source = Ec2InstanceMetadata", ()),
        ("role_arn = r\nweb_identity_token_file = /t", ()),
        ("aws_session_token = t", ()),
    ],
)
def test_the_profile_says_what_renews_it(configured, section, run):
    """The command names the profile that holds the credentials; where no command helps there is a hint."""
    configured(f"[profile p]\n{section}\n[profile other]\nsso_session = corp\n")
    cure = renewal("p")
    assert cure.run == run
    assert run or cure.hint


def test_variables_come_before_a_profile_of_the_environment_only(configured):
    """`--profile` alone passes them over (botocore's resolver)."""
    configured("[profile p]\nsso_session = corp\n")
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_PROFILE": "p"}
    unset = ("unset", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert renewal(**given) == (unset, "aws sso login --profile p")
    assert renewal("p", **given).run == ("aws", "sso", "login", "--profile", "p")


@pytest.mark.parametrize("text", ["[p\n", "no section", "\xff"])
def test_a_file_that_is_no_config_says_nothing(configured, home, text):
    """The error is about the credentials; that file is `aws`'s to complain of."""
    configured()
    (home / ".aws/config").write_bytes(text.encode("latin-1"))
    assert renewal().run == ("aws", "configure")


@pytest.fixture
def shop(service, program, monkeypatch):
    """A parameter that only somebody with a known key may read."""
    service.call("AmazonSSM.PutParameter", Name="/envref/app/key", Value="value", Type="SecureString")
    service.limited = service.limited_to("ssm:*", "sts:*")
    yield service
    service.unlimited()


def reading(**options):
    return AwsSsm("ssm", **options).get_many([KEY], soon())[KEY]


def does(error, **shell):
    """Does what the cure says, in the caller's own shell; returns what it printed."""
    [cure] = error.cure()
    command = cure.removeprefix("run: ").partition(", then ")[0]
    return subprocess.run(["sh", "-c", command], check=True, encoding="utf-8", capture_output=True, **shell).stdout


class TestCures:
    def test_refused_keys_of_the_environment(self, shop, configured, home, monkeypatch):
        """They are unset, and the profile's own keys count then."""
        good = {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
        configured("", "[default]\n" + "".join(f"{name} = {shop.limited[key]}\n" for key, name in good.items()))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOLD")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "old")
        error = reading()
        assert isinstance(error, BackendDenied)
        assert error.cure() == ["run: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY, then aws configure"]
        for name in error.run[1:]:
            monkeypatch.delenv(name)
        assert reading() == Secret("value")

    def test_refused_keys_of_a_profile(self, shop, configured, home):
        """`aws configure` asks for new ones, and writes them over the old."""
        configured("[profile p]\nregion = us-east-1\n", "[p]\naws_access_key_id = AKIAOLD\naws_secret_access_key = x\n")
        error = reading(profile="p")
        assert error.cure() == ["run: aws configure --profile p"]
        does(error, input="{AWS_ACCESS_KEY_ID}\n{AWS_SECRET_ACCESS_KEY}\n\n\n".format(**shop.limited))
        assert reading(profile="p") == Secret("value")

    def test_a_process_that_fails(self, service, program, configured, home, tmp_path):
        """What it prints by hand is why; once it has its reason, it gives the keys."""
        script = tmp_path / "give keys"
        ready = tmp_path / "ready"
        keys = {"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}
        script.write_text(
            f"#!/bin/sh\n[ -e '{ready}' ] || {{ echo sign in first >&2; exit 3; }}\necho '{json.dumps(keys)}'\n"
        )
        script.chmod(0o755)
        configured(f'[profile cp]\nregion = us-east-1\ncredential_process = "{script}"\n')
        service.call("AmazonSSM.PutParameter", Name="/envref/app/key", Value="value", Type="SecureString")
        error = reading(profile="cp")
        assert isinstance(error, BackendLocked)
        assert error.message == "aws-ssm: Error when retrieving credentials from custom-process: sign in first"
        assert shlex.split(does(error)) == [str(script)]
        ready.touch()
        assert reading(profile="cp") == Secret("value")

    def test_a_role_with_a_second_factor(self, service, program, configured, home, tmp_path):
        """`aws` asks for the code once, at a terminal, and keeps the role's keys: envref finds them then."""
        mfa = "mfa_serial = arn:aws:iam::123456789012:mfa/u"
        configured(
            f"[profile mfa]\nrole_arn = {ROLE}\nsource_profile = base\n{mfa}\nregion = us-east-1\n", f"[base]\n{GOOD}"
        )
        service.call("AmazonSSM.PutParameter", Name="/envref/app/key", Value="value", Type="SecureString")
        error = reading(profile="mfa")
        assert isinstance(error, BackendLocked)
        assert error.lines() == [
            "error: aws-ssm: the profile's role needs an MFA code",
            "  run: aws sts get-caller-identity --profile mfa, then enter the code there",
        ]
        at_a_terminal(error.run, "123456\n")
        assert reading(profile="mfa") == Secret("value")


def at_a_terminal(command, answer):
    """Runs it with a terminal of its own, and types the answer once it asks."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvp(command[0], command)
    printed = b""
    while b"MFA code" not in printed:
        printed += os.read(terminal, 1024)
    time.sleep(0.1)  # what is typed before the echo is off is thrown away
    os.write(terminal, answer.encode())
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:  # the terminal of a program that ended
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


class TestRole:
    @pytest.mark.usefixtures("through_aws")
    def test_its_keys_are_asked_for_once(self, service, program):
        """Whatever the store does afterwards is the role's doing; the keys are in no argument."""
        store = AwsSsm("ssm", role_arn=ROLE, region="us-east-1")
        store.set(KEY, Secret("value"), soon())
        assert store.get_many([KEY], soon())[KEY] == Secret("value")
        assert [argv[:2] for argv in program.argvs()] == [
            ["sts", "assume-role"],
            ["ssm", "put-parameter"],
            ["ssm", "get-parameter"],
        ]

    def test_the_profile_is_who_assumes_it(self, service, program, configured):
        """And its region counts on; its keys do not, once the role has given others."""
        configured("[profile p]\nregion = eu-west-1\n", f"[p]\n{GOOD}")
        AwsSecretsManager("sm", role_arn=ROLE, profile="p").set(KEY, Secret("value"), soon())
        assume, *others = program.argvs()
        assert assume[-1] == "--profile=p"
        assert not any("--profile=p" in argv for argv in others)

    def test_a_role_that_may_not_be_assumed(self, service, program, limited):
        """Which role, and both policies that have to allow it."""
        limited("ssm:GetParameter")
        error = AwsSsm("ssm", role_arn=ROLE)
        with pytest.raises(BackendDenied) as caught:
            error.get_many([KEY], soon())
        assert caught.value.lines() == [
            f'error: aws-ssm: denied: the role "{ROLE}" may not be assumed',
            "  hint: its trust policy has to allow you, and yours sts:AssumeRole on it",
        ]
