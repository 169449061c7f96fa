"""`envref backend`: what is configured, what there is, what is ready, and one more."""

from __future__ import annotations

import json

import pytest

from envref.backends.keychain.entry import USE_A_VAULT
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


def test_a_backend_of_one_s_own_is_for_projects_without_a_list(project, home):
    """The user's own config is made, private; it keeps what it had; a project with a list is not changed by it."""
    project.write(".envref.yaml", "project: app\n")
    done = project.envref("backend", "add", "--own", "vault")
    own = home / ".config" / "envref" / "config.yaml"
    assert (done.returncode, done.stderr) == (
        0,
        'added backend "vault" of type vault to ~/.config/envref/config.yaml\n',
    )
    own.write_text("trust: strict # mine\n" + own.read_text())
    assert project.envref("backend", "add", "--own", "--first", "pass").returncode == 0
    assert own.read_text().startswith("trust: strict # mine\nbackends:\n  - name: pass\n")
    assert listed(project) == ["pass", "vault"]
    project.write(".envref.yaml", config(PLUGIN_ENTRY))
    warned = project.envref("backend", "add", "--own", "doppler", "--name", "team").stderr
    assert f"warning: it does not count here: {project.path}/.envref.yaml lists backends of its own\n" in warned
    nowhere = project.envref("backend", "add", "--own", "pass", env={"HOME": "here"})
    assert nowhere.stderr.splitlines()[1:] == ["  hint: set HOME to an absolute path"]
    again = project.envref("backend", "add", "--own", "pass")
    assert again.stderr.startswith('error: backend "pass" is in your own config already\n')


def listed(project):
    """The configured names, in their order."""
    as_json = project.envref("backend", "list", "--format", "json").stdout
    return [each["name"] for each in json.loads(as_json)["configured"]]


@pytest.mark.parametrize(
    ("options", "names"),
    [([], ["store", "vault"]), (["--first"], ["vault", "store"]), (["--name", "mine", "--first"], ["mine", "store"])],
)
def test_a_backend_is_added_where_it_is_to_be_asked(shop, options, names):
    """After the others, or first; under its type's name, or another; the project stays as trusted as it was."""
    shop.configure()
    done = shop.envref("backend", "add", "vault", *options)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "  run: envref backend list --check"
    assert "no longer counts" not in done.stderr
    assert listed(shop) == names


def test_the_cure_of_a_missing_keychain_cures(project, monkeypatch):
    """Its two commands, pasted: the vault is there and asked first, and the value that was refused is stored."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    project.write(".envref.yaml", "project: app # mine\n")
    project.envref("trust", "--yes")
    assert USE_A_VAULT[3] == "&&"
    assert project.envref("secret", "set", "key", stdin="v").returncode == 1
    assert project.envref(*USE_A_VAULT[1:3]).returncode == 0
    done = project.envref(*USE_A_VAULT[5:])
    assert 'backend "keychain" no longer counts here: the project has a list of its own now\n' in done.stderr
    assert project.read(".envref.yaml") == "project: app # mine\nbackends:\n  - name: vault\n    type: vault\n"
    assert project.envref("secret", "set", "key", stdin="v").returncode == 0
    assert project.envref("secret", "get", "key").stdout == "v\n"


@pytest.mark.parametrize(
    ("arguments", "status", "lines"),
    [
        (["valut"], 2, ['error: unknown backend type "valut"', "  run: envref backend list --all"]),
        (["oci-vault"], 2, ['error: backend type "oci-vault" needs vault_id, compartment_id, key_id']),
        (["pass", "--name", "store"], 1, ['error: backend "store" is in .envref.yaml already']),
        (["pass", "--name", "secrets"], 2, ['error: "secrets" is reserved']),
    ],
)
def test_a_backend_that_can_t_be_added(shop, arguments, status, lines):
    """Nothing is written."""
    shop.configure()
    before = shop.read(".envref.yaml")
    done = shop.envref("backend", "add", *arguments)
    assert (done.returncode, done.stderr.splitlines()[: len(lines)]) == (status, lines)
    assert shop.read(".envref.yaml") == before


def test_the_types_with_their_options(said):
    """With -v, for the types that have some."""
    told = said("backend", "list", "--all", "-v").stdout
    assert "    options: path\n" in told.partition("\n  vault ")[2]
    assert "    options: " not in said("backend", "list", "--all").stdout
