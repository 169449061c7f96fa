"""`envref backend list`: what is configured, what there is, what is ready."""

from __future__ import annotations

import json

import pytest

from envref.backends.table import BUILTIN
from tests.cli.conftest import PLUGIN_ENTRY, VAULT_ENTRY, config


def test_the_configured_backends_in_their_order(shop):
    """Name padded to 20, then the type; stdout is the report."""
    shop.configure(VAULT_ENTRY)
    done = shop.envref("backend", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Configured backends:\n  store                type=plugin\n  vault                type=vault\n"
    )


def test_the_implied_keychain_is_called_the_default(project):
    """Without `backends:`, and only then; a keychain that is written down is no default."""
    project.write(".envref.yaml", "project: app\n")
    assert project.envref("backend", "list").stdout.splitlines()[1] == "  keychain             type=keychain (default)"
    project.write(".envref.yaml", config({"name": "keychain"}))
    assert project.envref("backend", "list").stdout.splitlines()[1] == "  keychain             type=keychain"


def test_an_explicit_empty_list(project):
    """None is not the default."""
    project.write(".envref.yaml", config())
    assert project.envref("backend", "list").stdout == "Configured backends:\n  (none)\n"


@pytest.mark.parametrize("configured", [True, False])
def test_every_type_with_a_line_of_description(project, configured):
    """With --all, and where there is no config."""
    if configured:
        project.write(".envref.yaml", config(VAULT_ENTRY))
    done = project.envref("backend", "list", *(["--all"] if configured else []))
    lines = done.stdout.partition("Supported backend types:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(BUILTIN)
    assert all(len(line.split()) > 4 for line in lines)
    assert ("Configured backends:" in done.stdout) is configured


def test_verbose_shows_the_options_and_masks_what_is_secret(shop):
    """Options as configured; a token never."""
    shop.configure(api_token="MARKER-123", region="eu")
    done = shop.envref("-v", "backend", "list")
    assert "    region: eu\n" in done.stdout
    assert "    api_token: ********\n" in done.stdout
    as_json = shop.envref("backend", "list", "--format", "json")
    assert "MARKER-123" not in done.stdout + done.stderr + as_json.stdout


def test_check_asks_every_store(shop, vaulted):
    """A store that says "not there" is ready; one that can't be opened is told with its cure, and fails the check."""
    missing = {"name": "none", "type": "vault", "config": {"path": "none.db"}}
    shop.configure(VAULT_ENTRY, missing)
    done = shop.envref("backend", "list", "--check")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Configured backends:",
        "  store                type=plugin ok",
        "  vault                type=vault ok",
        "  none                 type=vault unavailable",
        '    vault: not initialized (backend "none")',
        "    run: envref vault init",
    ]


def test_an_optional_store_may_be_away(shop):
    """`optional: true` is shown as it is, and fails nothing."""
    shop.write(".envref.yaml", config(PLUGIN_ENTRY, {"name": "ghost", "type": "plugin", "optional": True}))
    done = shop.envref("backend", "list", "--check")
    assert done.returncode == 0
    assert '    plugin "ghost": executable "envref-backend-ghost" not found on $PATH' in done.stdout


@pytest.mark.parametrize("word", ["locked", "denied"])
def test_check_tells_locked_and_denied_apart(project, trusted, word):
    """The class of the store's error, not its wording, is what is shown."""
    project.write("plugin", f'#!/bin/sh\ncat >/dev/null\necho \'{{"error": "{word} today"}}\'\n').chmod(0o755)
    project.write(".envref.yaml", config(PLUGIN_ENTRY))
    done = project.envref("backend", "list", "--check", "--format", "json")
    (row,) = json.loads(done.stdout)["configured"]
    assert (done.returncode, row["status"], row["reason"]) == (1, word, f'plugin "store": {word} today')


def test_json_names_backends_and_types(shop):
    """Both lists with --all, the types with their options."""
    report = json.loads(shop.envref("backend", "list", "--all", "--format", "json").stdout)
    assert report["configured"] == [
        {"name": "store", "type": "plugin", "default": False, "options": {"command": "./plugin"}, "optional": False}
    ]
    types = {each["type"]: each for each in report["supported"]}
    assert list(types) == list(BUILTIN)
    assert types["vault"]["options"] == ["path"]


def test_a_broken_config_is_an_error(project):
    """It is not taken for no config."""
    project.write(".envref.yaml", "backends: []\n")
    done = project.envref("backend", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: loading config: invalid config: project name is required\n"
