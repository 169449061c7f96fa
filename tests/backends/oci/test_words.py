"""Vaults of Oracle's cloud in a hook without envref."""

from __future__ import annotations

import pytest

from tests.backends.words import command, declared, hook
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

PLACE = "secrets secret-bundle get-secret-bundle-by-name --vault-id 'ocid1.vault' --secret-name 'db'"
LIMITS = "--no-retry --connection-timeout 3 --read-timeout 10"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, f"oci {LIMITS} {PLACE}"),
        ({"profile": "p"}, f"oci {LIMITS} --profile 'p' {PLACE}"),
        ({"auth": "instance_principal"}, f"oci {LIMITS} --auth 'instance_principal' {PLACE}"),
        ({"command": "/opt/oci"}, f"'/opt/oci' {LIMITS} {PLACE}"),
    ],
)
def test_a_hook_asks_by_name(options, words):
    """With limits of its own: an unreachable endpoint costs a minute and a half else."""
    assert command("oci-vault", "ocid1.vault", "db", name="db", **options) == f"_envref_oci {words}"
    assert hook("oci-vault", "ocid1.vault", "db", name="db").functions == ("_envref_oci",)


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    assert declared("oci-vault") == {"asks_beside_data", "keeps_revisions", "foreign_names", "carries_project"}
