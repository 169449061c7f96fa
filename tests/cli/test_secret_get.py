"""`envref secret get` and `list`: what is found where, and how it is shown."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import PLUGIN_ENTRY, VAULT_ENTRY
from tests.cli.terminal import Terminal


def test_get_prints_the_value_and_one_line_end(shop):
    """stdout is the value to the byte and LF; -n leaves the LF out."""
    shop.fill(k="a\n b ")
    assert shop.envref("secret", "get", "k").stdout == "a\n b \n"
    assert shop.envref("secret", "get", "k", "-n").stdout == "a\n b "


def test_get_takes_the_profile_s_value_before_the_project_s(shop):
    """Profile scope first, then project scope."""
    shop.fill(both="project", staging__both="profile", only="project")
    assert shop.envref("secret", "get", "both", "-P", "staging").stdout == "profile\n"
    assert shop.envref("secret", "get", "only", "-P", "staging").stdout == "project\n"
    assert shop.envref("secret", "get", "both").stdout == "project\n"


def test_get_as_json(shop):
    """--format json names key and value."""
    shop.fill(k='"q"\n')
    done = shop.envref("secret", "get", "k", "--format", "json")
    assert json.loads(done.stdout) == {"key": "k", "value": '"q"\n'}


def test_get_asks_the_whole_chain_and_with_a_backend_only_that_one(shop, vaulted):
    """Without -b the first store that has it answers; with -b no other is asked."""
    shop.configure(VAULT_ENTRY)
    shop.envref("secret", "set", "k", "-b", "vault", stdin="in the vault")
    assert shop.envref("secret", "get", "k").stdout == "in the vault\n"
    done = shop.envref("secret", "get", "k", "-b", "store")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        'error: retrieving secret: plugin "store": secret not found: "app/k"',
        "  run: envref secret set k --backend store",
    ]


def test_get_says_what_every_store_of_a_chain_answered(shop, vaulted):
    """Absence in a chain lists the stores in their own words."""
    shop.configure(VAULT_ENTRY)
    done = shop.envref("secret", "get", "my key")
    stores = 'plugin "store": secret not found; vault: secret not found'
    assert done.stderr.splitlines() == [
        f'error: retrieving secret: secret "my key" not found in any backend ({stores})',
        "  run: envref secret set 'my key'",
    ]


def test_a_store_that_fails_ends_the_search(shop, vaulted, monkeypatch):
    """A vault that can't be opened is an error, although the next store has the key."""
    shop.fill(k="other")
    shop.write(".envref.yaml", json.dumps({"project": "app", "backends": [VAULT_ENTRY, PLUGIN_ENTRY]}))
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "not the one")
    done = shop.envref("secret", "get", "k")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: retrieving secret: vault: wrong passphrase")


def test_a_mapped_key_is_read_under_its_foreign_name(shop):
    """`names:` gives a key the name that the store knows, for get as for references."""
    shop.configure(names={"token": "GitHub Work Token"})
    shop.write("store.json", json.dumps({**shop.state, "values": {"GitHub Work Token": "ghp"}}))
    assert shop.envref("secret", "get", "token").stdout == "ghp\n"


def test_on_a_terminal_control_characters_are_escaped_unless_raw(shop):
    """A value can't steer the terminal; its lines stay lines, and --raw shows it as it is."""
    shop.fill(k="a\x1b[2Jb\nc")
    shown, raw = (_on_terminal(shop, *options) for options in ([], ["--raw"]))
    assert shown == "a\\x1b[2Jb\r\nc\r\n"
    assert raw == "a\x1b[2Jb\r\nc\r\n"


def _on_terminal(shop, *options):
    terminal = Terminal(shop.path, "secret", "get", "k", *options)
    assert terminal.end() == 0
    return terminal.output


def test_list_shows_the_names_of_one_scope_sorted(shop):
    """Project scope leaves out the profiles' names, profile scope shows its own without the prefix."""
    shop.fill(b="1", a="2", db__url="3", staging__c="4", staging__a="5")
    assert shop.envref("secret", "list").stdout.split() == ["a", "b", "db/url"]
    assert shop.envref("secret", "list", "-P", "staging").stdout.split() == ["a", "c"]


def test_list_leaves_out_profiles_that_only_the_audit_log_knows(shop):
    """A profile used once and configured nowhere is still no part of the project's scope."""
    shop.envref("secret", "set", "k", "-P", "gone", stdin="v")
    shop.fill(gone__other="1", kept__other="2")
    assert shop.envref("secret", "list").stdout == "kept/other\n"


def test_list_hides_history_unless_all(shop):
    """The values that rotation keeps are shown with --all only."""
    shop.fill({"k": "2", "k.__history.1": "1"})
    assert shop.envref("secret", "list").stdout == "k\n"
    assert shop.envref("secret", "list", "--all").stdout == "k\nk.__history.1\n"


def test_list_as_json_is_an_array_of_names(shop):
    """Machines get the names, and never a value."""
    shop.fill(b="MARKER", a="MARKER")
    done = shop.envref("secret", "list", "--format", "json")
    assert json.loads(done.stdout) == ["a", "b"]
    assert "MARKER" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [([], "no secrets found"), (["-P", "staging"], 'no secrets found for profile "staging"')],
)
def test_an_empty_list_is_no_failure(shop, options, text):
    """stdout is empty, stderr says why, the status is 0."""
    done = shop.envref("secret", "list", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{text}\n")


def test_list_escapes_what_a_plugin_calls_its_keys(shop):
    """A name from a store can't steer the terminal."""
    shop.fill({"k\x1b[2J": "v"})
    assert shop.envref("secret", "list").stdout == "k\\x1b[2J\n"


def test_list_asks_the_backend_that_is_named(shop, vaulted):
    """Without -b the first configured backend, with it that one."""
    shop.configure(VAULT_ENTRY)
    shop.envref("secret", "set", "v", "-b", "vault", stdin="1")
    shop.envref("secret", "set", "s", stdin="1")
    assert shop.envref("secret", "list").stdout == "s\n"
    assert shop.envref("secret", "list", "-b", "vault").stdout == "v\n"


def test_an_explicit_empty_list_of_backends_is_told(shop):
    """Without any backend no secret command can work."""
    shop.write(".envref.yaml", "project: app\nbackends: []\n")
    done = shop.envref("secret", "list")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: no backends configured in .envref.yaml")


def test_get_takes_a_whole_reference(shop):
    """With its options and its field, as a line of `.env` has it; it names its backend itself."""
    shop.fill(k='{"a": "aGk="}')
    assert shop.envref("secret", "get", "ref://store/k?encoding=base64#a").stdout == "hi\n"
    assert shop.envref("secret", "get", "ref://secrets/none?default=d").stdout == "d\n"
    done = shop.envref("secret", "get", "ref://store/k?version=1")
    assert done.stderr.splitlines() == [
        'error: retrieving secret: plugin "store" has no versions, as in "ref://store/k?version=1"',
        "  hint: leave ?version out, or name a backend that has versions",
    ]
    done = shop.envref("secret", "get", "ref://store/k#none")
    assert done.stderr.splitlines() == [
        'error: retrieving secret: backend "store": field "none": "k" has no such field; its fields: a'
    ]
    done = shop.envref("secret", "get", "ref://store/k", "-b", "store")
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["error: a reference names its backend", "  hint: leave --backend out"],
    )
    assert "ref:// URI" in shop.envref("secret", "get", "ref://store").stderr


def test_get_of_a_locked_store_that_is_always_optional(shop, monkeypatch):
    """Its own words, and never the command that would set the secret."""
    shop.configure({**VAULT_ENTRY, "name": "shut", "type": "vault", "optional": "always"})
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse")
    shop.envref("vault", "init")
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    done = shop.envref("secret", "get", "k", "-b", "shut")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        'error: retrieving secret: backend "shut": vault passphrase required: set ENVREF_VAULT_PASSPHRASE'
    )
