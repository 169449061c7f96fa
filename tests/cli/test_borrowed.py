"""A credential that one plugin borrows from another: how often each command asks for it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import PLUGIN_ENTRY, config, install_plugin
from tests.requirements import others_at_night

pytestmark = others_at_night

# It answers like a store with one secret, and writes down that it was asked.
LENDER = """\
#!/bin/sh
grep -q app/token && echo asked >> asked
echo '{"value": "lent-value"}'
"""
LENDING = {"name": "lender", "type": "plugin", "config": {"command": "./lender"}}


@pytest.fixture
def borrowing(project, trusted):
    """A project with a secret, `key`, in a plugin whose option `api_key` is in another one."""
    install_plugin(project)
    project.write("lender", LENDER).chmod(0o755)
    own = {**PLUGIN_ENTRY, "config": {**PLUGIN_ENTRY["config"], "api_key": "ref://lender/token"}}
    project.write(".envref.yaml", config(own, LENDING, profiles={"staging": None}))
    project.write(".env", "KEY=ref://store/key\n")
    project.write("store.json", '{"values": {"app/key": "v", "app/staging/key": "s"}, "writes": 0, "log": []}')
    return project


@pytest.mark.parametrize(
    ("command", "times"),
    [
        ("resolve", 1),
        ("run -- true", 1),
        ("status", 1),
        ("secret get key", 1),
        ("secret set new", 1),
        ("secret list", 1),
        ("secret generate other", 1),
        ("secret rotate key", 1),
        ("secret copy key --from other", 1),
        ("secret delete key --force", 1),
        ("doctor", 1),
        ("backend list --check", 1),
        ("list", 0),
        ("validate", 0),
        ("config show", 0),
        ("backend list", 0),
        ("flox-hook", 0),
    ],
)
def test_a_credential_is_asked_for_once_a_command(borrowing, command, times):
    """Where the store is asked; never where only its names matter."""
    done = borrowing.envref(*command.split(), stdin="value-of-the-test")
    asked = borrowing.path / "asked"
    assert (len(asked.read_text().split()) if asked.exists() else 0) == times, done
    assert "lent-value" not in done.stdout + done.stderr


def test_a_parent_s_store_lends(borrowing):
    """`extends:` brings the lender, or the borrower; a lender that nobody has is told when it is asked."""
    borrowing.write("part/.envref.yaml", "project: app\nextends: ..\n")
    borrowing.write("part/.env", "KEY=ref://store/key\n")
    part = borrowing.path / "part"
    assert borrowing.envref("resolve", cwd=part).stdout == "KEY=v\n"
    own = {**PLUGIN_ENTRY, "config": {"command": "../plugin", "api_key": "ref://lender/token"}}
    borrowing.write("part/.envref.yaml", config(own, extends=".."))
    borrowing.write("part/store.json", borrowing.read("store.json"))
    assert borrowing.envref("resolve", cwd=part).stdout == "KEY=v\n"
    borrowing.write(".envref.yaml", config())
    failed = borrowing.envref("resolve", cwd=part)
    assert (failed.stdout, failed.returncode) == ("", 3)
    assert (
        'plugin "store": api_key ref://lender/token: backend "lender" is not configured (configured: store)'
        in failed.stderr
    )


def test_doctor_tells_of_a_credential_that_is_not_there(borrowing):
    """In the lender's words, once."""
    borrowing.write("lender", '#!/bin/sh\ncat > /dev/null\necho \'{"error": "not found"}\'\n').chmod(0o755)
    done = borrowing.envref("doctor")
    told = done.stdout + done.stderr
    assert told.count('secret "token" not found in backend "lender"') == 1
    assert "envref secret set token --backend lender" in told
    done = borrowing.envref("status")
    assert 'api_key ref://lender/token: secret "token" not found in backend "lender"' in done.stdout + done.stderr
