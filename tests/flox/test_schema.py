"""The oracle itself: it refuses what Flox refuses, so that its silence means something."""

from __future__ import annotations

import pytest

from tests.flox import schema


@pytest.fixture(autouse=True)
def _oracle():
    schema.need()


HOOK = "[hook]\non-activate = 'true'\n"


@pytest.mark.parametrize(
    "text",
    [
        f"version = 1\n{HOOK}",
        f"schema-version = '1.12.0'\n{HOOK}",
        "schema-version = '1.13.0'\n[profile.deactivate]\nbash = 'unset X'\n",
        "schema-version = '1.14.0'\n[plugins.envref]\nX = 'ref://secrets/x'\n",
    ],
)
def test_what_flox_accepts_passes(text):
    """Each form under a schema that has it."""
    assert schema.errors(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\n[hook]\nscript = 'true'\n",
        "version = 1\n[hook]\non-deactivate = 'true'\n",
        "schema-version = '1.12.0'\n[profile.deactivate]\nbash = 'unset X'\n",
        "schema-version = '1.13.0'\n[plugins.envref]\nX = 'ref://secrets/x'\n",
        "schema-version = '1.14.0'\n[install]\nx.pkg = 'x'\n",
        "version = 1\n[vars]\nX = 1\n",
        "version = 1\nschema-version = '1.14.0'\n",
        "schema-version = '1.15.0'\n[services.x]\ncommand = 'x'\ndepends-on = ['y']\n",
    ],
)
def test_what_flox_rejects_fails(text):
    """A key newer than the declared schema, an unknown key, a value of another type."""
    assert schema.errors(text)
