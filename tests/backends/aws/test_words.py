"""The stores of AWS in other tools' files and commands, and in a hook without envref."""

from __future__ import annotations

import pytest

from tests.backends.words import command, declared, hook, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

SM, SSM = "aws-secrets-manager", "aws-ssm"
GET_SECRET = "aws secretsmanager get-secret-value"
GET_PARAMETER = "aws ssm get-parameter"


@pytest.mark.parametrize(
    ("kind", "words", "result"),
    [
        (SM, f"{GET_SECRET} --secret-id db --query SecretString --output text", ("db", {})),
        (SM, f"{GET_SECRET} --region eu-west-1 --secret-id db", ("db", {"region": "eu-west-1"})),
        (SM, f"{GET_SECRET} --secret-id db --profile p", ("db", {"profile": "p"})),
        (SM, f"{GET_SECRET} --secret-id db --version-id 1", ("", {})),
        (SM, "aws secretsmanager describe-secret --secret-id db", ("", {})),
        (SM, f"{GET_PARAMETER} --name /db", ("", {})),
        (SM, "oci secretsmanager get-secret-value --secret-id db", ("", {})),
        (SM, GET_SECRET, ("", {})),
        (SSM, f"{GET_PARAMETER} --name /db --query Parameter.Value --with-decryption", ("/db", {})),
        (SSM, f"{GET_PARAMETER} --with-decryption --name /db", ("", {})),
        (SSM, f"{GET_SECRET} --secret-id db", ("", {})),
    ],
)
def test_a_command_names_a_secret(kind, words, result):
    """Only an option that leaves the value what it is may stand there, `--with-decryption` last."""
    assert of_command(kind, words) == result


@pytest.mark.parametrize(
    ("kind", "said", "result"),
    [
        (SM, {"value": "db", "prefix": "web/", "region": "r"}, ("web/db", {"region": "r"})),
        (SM, {"value": "db", "role_arn": "arn:r", "profile": "p"}, ("db", {"role_arn": "arn:r", "profile": "p"})),
        (SM, {"item": "db", "field": "pw", "host": "p@r"}, ("db#pw", {"region": "r", "profile": "p"})),
        (SM, {"item": "db", "host": "r"}, ("db", {"region": "r"})),
        (SM, {"item": "db", "host": "p@r", "region": "own"}, ("db", {"region": "own", "profile": "p"})),
        (SM, {"item": "db", "host": "p@r", "profile": "own"}, ("db", {"region": "r", "profile": "own"})),
        (SM, {"item": "db", "is_usual": "1"}, ("db", {})),
        (SSM, {"item": "db", "is_usual": "1"}, ("/db", {})),
        (SSM, {"item": "db"}, ("db", {})),
        (SSM, {"value": "db", "is_usual": "1"}, ("db", {})),
        (SM, {"field": "pw"}, ("", {})),
        (SM, {}, ("", {})),
    ],
)
def test_a_file_names_a_secret(kind, said, result):
    """fnox by prefix and value; SecretSpec by item and field, profile and region in the URL."""
    assert of_file(kind, **said) == result


def test_a_hook_asks_for_one_secret():
    """With the region and the profile that are configured; it says which program prints None."""
    assert (
        command(SM, "db", name="db", region="r", profile="p")
        == "aws secretsmanager get-secret-value --secret-id 'db' --query SecretString --output text"
        " --region 'r' --profile 'p'"
    )
    assert (
        command(SSM, "/db", name="/db", command="/opt/aws")
        == "'/opt/aws' ssm get-parameter --name '/db' --with-decryption --query Parameter.Value --output text"
    )
    assert hook(SM, "db", name="db").says_none == "aws"
    assert hook(SM, "db", name="db", command="/opt/aws").says_none == "'/opt/aws'"


def test_a_hook_can_t_take_a_role():
    """It takes a call of its own."""
    assert hook(SM, "db", name="db", role_arn="arn:aws:iam::1:role/r") == [
        "error: role_arn takes a call of its own; name a profile with that role, or use the hook form"
    ]


@pytest.mark.parametrize("kind", [SM, SSM])
def test_what_it_declares(kind):
    """The rest of envref asks nothing else of it."""
    assert declared(kind) == {"asks_beside_data", "keeps_revisions", "foreign_names", "carries_project"}
