"""HashiCorp Vault in other tools' files, commands and plugins, and in a hook without envref."""

from __future__ import annotations

import pytest

from envref.backends.hashicorp_vault.store import HashicorpVault
from tests.backends.words import command, declared, hook, of_command, of_file
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ("vault kv get -field=pw secret/web/db", ("web/db#pw", {"mount": "secret"})),
        ("bao kv get --field=pw -mount=kv web", ("web#pw", {"mount": "kv"})),
        ("bao kv get -mount=/kv/ -field=pw web", ("web#pw", {"mount": "kv"})),
        ("vault kv get secret/web", ("", {})),
        ("vault kv get -field=pw secret", ("", {})),
        ("vault kv get -field=pw -format secret/web", ("web#pw", {"mount": "secret"})),
        ("vault kv put -field=pw secret/web", ("", {})),
        ("vault read -field=pw secret/web", ("", {})),
        ("consul kv get -field=pw secret/web", ("", {})),
    ],
)
def test_a_command_names_a_member(words, result):
    """The mount may be an option or the first part of the path; without a field it prints no secret."""
    assert of_command("hashicorp-vault", words) == result


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"value": "db"}, ("db#value", {"mount": "secret"})),
        ({"value": "db/pw", "path": "kv/web"}, ("web/db#pw", {"mount": "kv"})),
        ({"value": "db/pw/x"}, ("db#pw/x", {"mount": "secret"})),
        ({"item": "db", "path": "/kv/"}, ("db#value", {"mount": "kv"})),
        ({"item": "db", "field": "pw"}, ("db#pw", {"mount": "secret"})),
        ({"path": "kv"}, ("", {})),
        ({}, ("", {})),
    ],
)
def test_a_file_names_a_member(said, result):
    """fnox by value below its path; SecretSpec by item and field in the URL's mount."""
    assert of_file("hashicorp-vault", **said) == result


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        ("kv/web/db#pw", ("kv", "web/db", "pw")),
        ("kv/web", ("kv", "web", "value")),
        ("kv/web#", ("kv", "web", "value")),
        ("kv", None),
        ("kv/", None),
        ("/web", None),
        ("kv/web//db", None),
        ("kv/web/", None),
        ("vault://kv/web#pw", None),
        ("kv/web#a://b", None),
    ],
)
def test_an_entry_of_flox_s_own_plugin(value, entry):
    """`MOUNT/PATH#FIELD`; its example plugin reads `value` where no field is named."""
    assert HashicorpVault.flox_entry(value) == entry


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("ref+vault://secret/web#/pw", "secret/web#/pw"),
        ("ref+vault://secret/web#/pw+", "secret/web#/pw"),
        ("ref+vault://secret/web?address=x#/pw", "secret/web#/pw"),
        ("ref+vault://secret/web/", "secret/web"),
        ("ref+vault://secret/web+", "secret/web"),
        ("ref+vault://#/pw", ""),
    ],
)
def test_a_reference_of_vals(value, name):
    """`ref+KIND://NAME?OPTIONS#/FIELD`, and a plus sign at the end of one inside a text."""
    assert HashicorpVault.adopted(value) == name


def test_a_hook_asks_for_one_member():
    """The options of the backend are flags, and only those that are set."""
    assert (
        command("hashicorp-vault", "kv", "web/db", name="web/db", field="pw", addr="https://v:8200", namespace="team")
        == "vault kv get -address='https://v:8200' -namespace='team' -format=table -field=pw 'kv/web/db'"
    )
    assert (
        command("hashicorp-vault", "kv", "app/key", command="bao")
        == "bao kv get -format=table -field=value 'kv/app/key'"
    )
    assert command("hashicorp-vault", "kv", "a", field="a b").endswith(" -field='a b' 'kv/a'")


def test_a_hook_does_not_take_a_mount_for_an_option():
    """A path has no way to say that it is none."""
    assert hook("hashicorp-vault", "-kv", "web") == [
        'error: the mount "-kv" looks like an option; use the hook form (without --native)'
    ]


@pytest.mark.parametrize(
    ("environment", "more"),
    [
        ({}, ()),
        ({"BAO_CONFIG_PATH": "/b"}, ("/b",)),
        ({"VAULT_CONFIG_PATH": "/v", "BAO_CONFIG_PATH": "/b"}, ("/b", "/v")),
        ({"VAULT_CONFIG_PATH": ""}, ()),
    ],
)
def test_the_files_that_hold_the_token(environment, more):
    """Those of both programs, and where the environment has its settings."""
    assert HashicorpVault.credential_files(environment) == ("~/.vault-token", "~/.bao", "~/.vault", *more)


def test_whose_address_counts():
    """bao's own variable before the one that it shares with vault."""
    assert HashicorpVault.address_variables("bao") == ("BAO_ADDR", "VAULT_ADDR")
    assert HashicorpVault.address_variables("vault") == ("VAULT_ADDR",)


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    own = {
        "asks_beside_data",
        "reads_fields",
        "retrieves_fields",
        "keeps_revisions",
        "foreign_names",
        "carries_project",
    }
    assert declared("hashicorp-vault") == {"asks_beside_data", *own}
