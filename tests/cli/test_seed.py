"""The commands of the user documentation that envref grew from, typed as they stand there.

Keychain, vault, plugin, names in stores, `secret`, `ref://` and the troubleshooting of the stores there are so far.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pyrage
import pytest

from tests.cli.conftest import PLUGIN
from tests.cli.terminal import Terminal
from tests.loaded import ENVREF
from tests.requirements import first_python, need

pytestmark = first_python

WARNING = "warning: --value is visible in process lists and shell history; prefer the prompt or stdin\n"


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """A folder of PATH that holds `envref`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    ENVREF.install(folder)
    return folder


def add_program(folder, name, text):
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def typed(on_path, project):
    """Types lines into bash in the project; what they printed on stdout and stderr."""

    def type_lines(script, *, stdin=""):
        done = subprocess.run(
            [need("bash"), "--norc", "-c", script],
            cwd=project.path,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return done.stdout, done.stderr.replace(WARNING, "")

    return type_lines


@pytest.fixture
def mystore(on_path, project):
    """A plugin found by its name on PATH, as the first backend of project my-app."""
    add_program(on_path, "envref-backend-mystore", PLUGIN.format(python=sys.executable))
    project.write(
        ".envref.yaml",
        "project: my-app\nprofiles:\n  staging:\nbackends:\n  - name: mystore\n    type: plugin\n",
    )
    return project


@pytest.mark.parametrize("backends", ["", "backends:\n  - name: keychain\n    type: keychain\n"])
def test_keychain_store_and_retrieve(typed, project, keychain, backends):
    """The keychain needs no configuration: set, get, reference, resolve."""
    project.write(".envref.yaml", f"project: my-app\n{backends}")
    stdout, stderr = typed(
        """
        envref secret set database_url --value "postgres://user:pass@localhost/mydb"
        envref secret get database_url
        echo 'DATABASE_URL=ref://secrets/database_url' >> .env
        envref resolve
        """
    )
    assert stderr == 'secret "database_url" stored in backend "keychain"\n'
    assert stdout == "postgres://user:pass@localhost/mydb\nDATABASE_URL=postgres://user:pass@localhost/mydb\n"


def test_vault_for_a_pipeline(typed, project):
    """Initialised with the passphrase of the environment, at the default path; stored to, and resolved from."""
    project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: vault\n    type: vault\n")
    stdout, stderr = typed(
        """
        ENVREF_VAULT_PASSPHRASE=my-secret-passphrase envref vault init
        export ENVREF_VAULT_PASSPHRASE="my-secret-passphrase"
        envref secret set api_key --backend vault --value "sk-abc123"
        envref secret set db_password --backend vault < <(echo hunter2)
        printf 'API_KEY=ref://secrets/api_key\\nDB_PASSWORD=ref://secrets/db_password\\n' > .env
        envref resolve
        ls ~/.config/envref/vault.db | wc -l
        """
    )
    assert stdout.split() == ["API_KEY=sk-abc123", "DB_PASSWORD=hunter2", "1"]
    assert 'secret "db_password" stored in backend "vault"\n' in stderr


def test_vault_init_asks_for_a_passphrase(typed, project):
    """At a terminal it is typed twice, unseen, and opens the vault."""
    project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: vault\n    type: vault\n")
    terminal = Terminal(project.path, "vault", "init")
    for question in ("Enter vault passphrase: ", "Confirm vault passphrase: "):
        terminal.await_text(question)
        assert not terminal.echoes()
        terminal.type("my-secret-passphrase\n")
    assert terminal.end() == 0
    assert "my-secret" not in terminal.output
    stdout, _ = typed(
        "export ENVREF_VAULT_PASSPHRASE=my-secret-passphrase; echo v | envref secret set k; envref secret get k"
    )
    assert stdout == "v\n"


def test_vault_lifecycle(typed, vaulted):
    """Locked, nothing works; unlocked, all is there; exported and imported, it comes back."""
    typed("echo v | envref secret set k; envref vault lock")
    for line in ("secret get k", "secret list", "secret delete k --force", "secret set k --value x", "resolve"):
        vaulted.write(".env", "K=ref://secrets/k\n")
        stdout, stderr = typed(f"envref {line}")
        assert (stdout, "vault: locked\n  run: envref vault unlock\n" in stderr) == ("", True), line
    stdout, stderr = typed(
        """
        envref vault unlock
        envref vault export > vault-backup.json
        envref secret delete k --force
        envref vault import < vault-backup.json
        envref secret get k
        """
    )
    assert stdout == "v\n", stderr


def test_plugin_by_its_name_on_path(typed, mystore):
    """A program `envref-backend-NAME` is a backend: it stores, reads, lists, deletes and resolves."""
    stdout, stderr = typed(
        """
        envref secret set api_key --value "sk-abc123"
        envref secret get api_key
        envref secret list
        echo 'API_KEY=ref://mystore/api_key' > .env
        envref resolve
        envref secret delete api_key --force
        envref secret list
        """
    )
    assert stdout == "sk-abc123\napi_key\nAPI_KEY=sk-abc123\n"
    assert stderr.endswith("no secrets found\n")


def test_names_in_the_store(typed, mystore):
    """PROJECT/KEY without a profile, PROJECT/PROFILE/KEY with one."""
    typed("echo 1 | envref secret set api_key; echo 2 | envref secret set api_key --profile staging")
    assert '"values": {"my-app/api_key": "1", "my-app/staging/api_key": "2"}' in mystore.read("store.json")


def test_the_first_hit_wins_and_the_profile_falls_back(typed, mystore, monkeypatch):
    """Backends in order; with a profile its own value first, then the project's."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "my-secret-passphrase")
    config = mystore.read(".envref.yaml")
    mystore.write(".envref.yaml", config + "  - name: vault\n    type: vault\n")
    stdout, _ = typed(
        """
        envref vault init
        echo first | envref secret set both; echo second | envref secret set both --backend vault
        echo vault | envref secret set only_vault --backend vault
        echo staging | envref secret set both --backend vault --profile staging
        printf 'BOTH=ref://secrets/both\\nONLY=ref://secrets/only_vault\\n' > .env
        envref resolve
        envref resolve --profile staging
        """
    )
    assert stdout.split() == ["BOTH=first", "ONLY=vault", "BOTH=staging", "ONLY=vault"]


def test_storing_interactively(mystore):
    """The value is typed, unseen."""
    terminal = Terminal(mystore.path, "secret", "set", "database_url")
    terminal.await_text("Enter secret value: ")
    terminal.type("postgres://user:pass@host/db\n")
    assert terminal.end() == 0
    assert "postgres" not in terminal.output
    assert mystore.envref("secret", "get", "database_url").stdout == "postgres://user:pass@host/db\n"


@pytest.mark.parametrize(
    ("line", "length", "alphabet"),
    [
        ("envref secret generate session_secret && envref secret get session_secret", 32, ""),
        (
            "envref secret generate api_key --length 64 --charset hex && envref secret get api_key",
            64,
            "0123456789abcdef",
        ),
        ("envref secret generate api_key --print", 32, ""),
    ],
)
def test_generating(typed, mystore, line, length, alphabet):
    """The default is 32 alphanumeric characters; --print shows them."""
    stdout, _ = typed(line)
    assert len(stdout) == length + 1
    assert stdout.strip().isalnum()
    assert not alphabet or set(stdout.strip()) <= set(alphabet)


def test_managing(typed, mystore):
    """get, list, delete, copy and rotate, at project scope and at a profile's."""
    typed("echo app | envref secret set api_key; echo stg | envref secret set api_key --profile staging")
    assert typed("envref secret get api_key")[0] == "app\n"
    assert typed("envref secret get api_key --profile staging")[0] == "stg\n"
    assert typed("envref secret list; envref secret list --profile staging")[0] == "api_key\napi_key\n"
    assert typed("envref secret rotate api_key; envref secret rotate api_key --keep 10")[0] == ""
    stdout, _ = typed("envref secret list --all; envref secret get api_key.__history.2")
    assert stdout == "api_key\napi_key.__history.1\napi_key.__history.2\napp\n"
    stdout, stderr = typed("envref secret delete api_key", stdin="y\n")
    assert "Confirm deletion? (y/N) " in stderr
    assert typed("envref secret delete api_key --profile staging --force")[0] == ""
    assert typed("envref secret get api_key --profile staging")[0] == ""


def test_copying_between_projects(typed, mystore):
    """From another project's scope, and from a profile of it into one of ours."""
    theirs = {"other-project/api_key": "1", "other-project/production/api_key": "2"}
    mystore.write("store.json", f'{{"values": {theirs}, "writes": 0, "log": []}}'.replace("'", '"'))
    stdout, _ = typed(
        """
        envref secret copy api_key --from other-project
        envref secret copy api_key --from other-project --from-profile production --profile staging
        envref secret get api_key
        envref secret get api_key --profile staging
        """
    )
    assert stdout == "1\n2\n"


def test_sharing(typed, mystore):
    """Armoured age ciphertext, for a key on the command line or in a file."""
    reader = pyrage.x25519.Identity.generate()
    mystore.write("recipient.pub", f"{reader.to_public()}\n")
    typed("echo v | envref secret set api_key")
    for option in (f"--to {reader.to_public()}", "--to-file recipient.pub"):
        stdout, _ = typed(f"envref secret share api_key {option}")
        assert pyrage.decrypt(stdout.encode(), [reader]) == b"v"


def test_references_in_env_files(typed, mystore):
    """Whole values, interpolation beside them, and references inside longer text."""
    mystore.write(
        ".env",
        "# Simple secret reference\n"
        "API_KEY=ref://secrets/api_key\n"
        "DATABASE_URL=ref://secrets/database_url\n"
        "DB_DISPLAY=${DATABASE_URL}\n"
        "FULL_URL=postgres://${ref://secrets/db_user}:${ref://secrets/db_pass}@localhost/app\n",
    )
    stdout, stderr = typed(
        """
        for key in api_key database_url db_user db_pass; do echo "the-$key" | envref secret set $key; done
        envref resolve
        """
    )
    assert stdout.splitlines() == [
        "API_KEY=the-api_key",
        "DATABASE_URL=the-database_url",
        "DB_DISPLAY=the-database_url",
        "FULL_URL=postgres://the-db_user:the-db_pass@localhost/app",
    ], stderr


def test_trouble_keychain_secret_not_found(typed, project, keychain):
    """The message of the documentation, and its cure."""
    project.write(".envref.yaml", "project: my-app\n")
    _, stderr = typed("envref secret get api_key")
    assert stderr == (
        'error: retrieving secret: keychain: secret not found: "my-app/api_key"\n  run: envref secret set api_key\n'
    )


def test_trouble_no_session_bus(typed, project):
    """Without a desktop the cure is the vault; following it works."""
    project.write(".envref.yaml", "project: my-app\n")
    _, stderr = typed("envref secret set api_key --value v")
    assert stderr.splitlines() == [
        "error: storing secret: keychain: exec: dbus-launch: not found; no desktop session is available",
        "  run: envref vault init && envref backend add vault --first",
    ]


def test_trouble_vault_not_initialized(typed, project):
    """The cure is `envref vault init`."""
    project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: vault\n    type: vault\n")
    _, stderr = typed("envref secret get api_key")
    assert stderr == "error: retrieving secret: vault: not initialized\n  run: envref vault init\n"


def test_trouble_unknown_backend_type(typed, project):
    """The types there are, and the way to one of your own."""
    project.write(".envref.yaml", "project: my-app\nbackends:\n  - name: x\n    type: wat\n")
    _, stderr = typed("envref secret get api_key")
    assert 'unknown backend type "wat" (backend "x"); recognized types: keychain, vault, ' in stderr
    assert "for custom backends use type: plugin" in stderr


def test_trouble_overall_status(typed, mystore):
    """Which references are resolved, which are missing, and hints that mend it when they are typed."""
    mystore.write(".env", "APP=1\nAPI_KEY=ref://secrets/api_key\nDB=ref://mystore/db\n")
    stdout, _ = typed("envref secret set api_key --value v; envref status")
    assert "  Resolved: 1/2\n  Missing:  DB\n" in stdout
    hint = stdout.partition("Set missing secret: ")[2].splitlines()[0]
    stdout, _ = typed(f"{hint} --value w; envref status")
    assert "  Resolved: 2/2\n" in stdout
    assert stdout.endswith("Status: OK\n")


def test_a_team_with_a_keychain_each(typed, project, keychain):
    """ "Each dev has own keychain, sync via git": push to the team, and pull into another keychain."""
    project.write(".envref.yaml", "project: my-app\n")
    stdout, stderr = typed(
        f"""
        {need("age-keygen")} -o dev.key 2> /dev/null
        envref team add dev "$({need("age-keygen")} -y dev.key)"
        envref secret set database_url --value "postgres://localhost/mydb"
        envref sync push --to-team
        envref secret delete database_url --force
        envref sync pull -i dev.key
        envref secret get database_url
        """
    )
    assert stdout == "postgres://localhost/mydb\n"
    assert "pulled 1 secrets from .envref.secrets.age (1 imported, 0 skipped)" in stderr
