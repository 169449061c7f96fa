"""`envref init`: what it writes, what it leaves alone, and that the result works."""

from __future__ import annotations

import stat
import subprocess

import pytest

from envref.project.config.load import load
from tests.backends.stores.secret_service import SecretService
from tests.cli.terminal import Terminal
from tests.lateness import Stopwatch
from tests.requirements import first_python


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_project_has_its_files_and_resolves(project):
    """One line a file on stderr, nothing on stdout; `resolve` works at once."""
    done = project.envref("init", "-p", "my-app", "--direnv")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "  create .envref.yaml",
        "  create .env",
        "  create .env.local",
        "  create .envrc",
        "  update .gitignore (added .env.local)",
        "",
        f'Initialized envref project "my-app" in {project.path}',
        "  run: direnv allow",
        "  keychain: exec: dbus-launch: not found; no desktop session is available",
        "  run: envref vault init && envref backend add vault --first",
    ]
    resolved = project.envref("resolve")
    assert (resolved.stdout, resolved.stderr) == ("APP_NAME=myapp\nAPP_ENV=development\nAPP_PORT=3000\n", "")


def test_the_files_hold_what_the_contract_says(project):
    """Texts and modes of commands.md 2.1."""
    project.envref("init", "--direnv")
    assert project.read(".env").startswith("# ")
    assert project.read(".env").splitlines()[1:] == ["APP_NAME=myapp", "APP_ENV=development", "APP_PORT=3000"]
    assert all(line.startswith("#") for line in project.read(".env.local").splitlines())
    stamp = '"${XDG_STATE_HOME:-$HOME/.local/state}/envref/stamp"'
    lines = [f"watch_file .envref.yaml envref.lock .env .env.local {stamp}", 'eval "$(envref resolve --direnv)"']
    assert project.read(".envrc").splitlines() == lines
    assert project.read(".gitignore") == ".env.local\n"
    assert mode(project.path / ".env.local") == 0o600
    assert mode(project.path / ".env") == 0o644


@pytest.mark.parametrize("name", ["shop", "my shop: 2", "ünï", "null", "1.10", "# no comment", '"quoted"', "-", "yes"])
def test_any_name_that_a_project_may_have_is_kept(project, name):
    """The config is read back with exactly that name, whatever YAML makes of such words."""
    project.envref("init", "-p", name)
    assert load(str(project.path / ".envref.yaml")).project == name


def test_the_name_is_the_directory_s_without_the_option(project):
    """As the directory is called; -C and --dir choose it, and --dir makes it."""
    assert '"project"' in project.envref("init").stderr
    made = project.envref("init", "-C", str(project.path), "--dir", "new/shop")
    assert made.returncode == 0
    assert load(str(project.path / "new/shop/.envref.yaml")).project == "shop"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a/b", r"project name must not contain path separators (/ or \)"),
        (" a", "project name must not have leading or trailing whitespace"),
        ("", "project name is required"),
    ],
)
def test_a_name_that_no_project_may_have_is_refused(project, name, text):
    """A usage error, and no file is written."""
    done = project.envref("init", "-p", name)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {text}")
    assert list(project.path.iterdir()) == []


def test_what_is_there_stays(project):
    """A second run changes no file and says so; a foreign .envrc is not recommended to direnv."""
    for name in (".envref.yaml", ".env", ".env.local", ".envrc"):
        project.write(name, "mine\n")
    project.write(".gitignore", "/.env.local\n")
    done = project.envref("init", "--direnv")
    assert done.stderr.splitlines()[:5] == [
        "  skip .envref.yaml (already exists)",
        "  skip .env (already exists)",
        "  skip .env.local (already exists)",
        "  skip .envrc (already exists)",
        "  skip .gitignore (.env.local already listed)",
    ]
    assert "direnv allow" not in done.stderr
    assert {path.read_text() for path in project.path.iterdir()} == {"mine\n", "/.env.local\n"}


def test_force_overwrites(project):
    """--force writes every file anew."""
    project.write(".env", "mine\n")
    assert "  create .env\n" in project.envref("init", "--force").stderr
    assert "APP_NAME=myapp" in project.read(".env")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"*.pyc", b"*.pyc\n.env.local\n"),
        (b"*.pyc\r\n", b"*.pyc\r\n.env.local\r\n"),
        (b"\xff\n", b"\xff\n.env.local\n"),
        (b"# .env.local\n", b"# .env.local\n.env.local\n"),
    ],
)
def test_gitignore_gets_one_line_and_keeps_its_bytes(project, before, after):
    """Line ends and foreign bytes stay; a comment is no entry."""
    project.write(".gitignore", before)
    project.envref("init")
    assert (project.path / ".gitignore").read_bytes() == after


def test_a_link_out_of_the_project_is_not_written_through(project, tmp_path):
    """A repository can't have init write elsewhere."""
    (tmp_path / "other").write_text("mine\n")
    (project.path / ".gitignore").symlink_to(tmp_path / "other")
    done = project.envref("init")
    assert done.returncode == 1
    assert "refusing to write .gitignore: it is a symlink to" in done.stderr
    assert (tmp_path / "other").read_text() == "mine\n"


def example(project):
    """The type that the commented example shows; it is what is left when the comment signs go."""
    project.envref("init", "--force", "-p", "app")
    text = project.read(".envref.yaml").replace("# backends:", "backends:").replace("#   - ", "  - ")
    project.write(".envref.yaml", text.replace("#     type", "    type"))
    (backend,) = load(str(project.path / ".envref.yaml")).backends
    assert backend.name == backend.type
    return backend.type


def test_the_example_is_the_vault_where_no_credential_store_answers(project):
    """No session bus: a keychain would only fail."""
    assert example(project) == "vault"


def test_the_example_is_the_keychain_where_one_answers(project, tmp_path, monkeypatch):
    """A running keyring, locked or not, is the first choice."""
    with SecretService(tmp_path / "keyring") as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        assert example(project) == "keychain"


def test_a_bus_that_never_answers_costs_one_second(project, monkeypatch, tmp_path):
    """A hung desktop must not hold up the first command a newcomer runs."""
    import socket

    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "bus"))
        deaf.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'bus'}")
        watch = Stopwatch()
        assert example(project) == "vault"
        assert watch.seconds() < 5


def test_a_dangling_config_is_no_project(project):
    """The link would be skipped as "already there", and no project come of it."""
    (project.path / ".envref.yaml").symlink_to("nowhere")
    done = project.envref("init")
    assert done.returncode == 1
    assert "error: .envref.yaml is a symlink to " in done.stderr
    assert "which does not exist" in done.stderr
    assert "Initialized" not in done.stderr + done.stdout


def test_two_commands_without_a_keychain_make_a_secret_that_resolves(project, home, monkeypatch):
    """From an empty HOME: `init --backend vault` makes the vault too, and is the agreement to the project."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    made = project.envref("init", "-p", "app", "--backend", "vault")
    assert (made.returncode, made.stdout) == (0, "")
    assert made.stderr.startswith("vault initialized at ~/.config/envref/vault.db\n  create .envref.yaml\n")
    assert project.envref("secret", "set", "key", "--env", "KEY", stdin="s3cret").returncode == 0
    assert project.envref("resolve").stdout.endswith("\nKEY=s3cret\n")


def test_a_vault_that_can_t_be_made_leaves_no_half_made_project(project):
    """Nobody is there to choose a passphrase: no file is written, and the same command works later."""
    done = project.envref("init", "--backend", "vault")
    assert done.returncode == 1
    assert done.stderr.startswith("error: vault passphrase required")
    assert not (project.path / ".envref.yaml").exists()


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("valut", 2, 'unknown backend type "valut"'),
        ("oci-vault", 2, 'backend type "oci-vault" needs vault_id, compartment_id, key_id'),
    ],
)
def test_a_backend_that_can_t_be_used_as_it_is(project, kind, status, message):
    """Refused before any file is written."""
    done = project.envref("init", "--backend", kind)
    assert (done.returncode, done.stderr.splitlines()[0]) == (status, f"error: {message}")
    assert not (project.path / ".envref.yaml").exists()


def test_a_config_that_is_there_is_not_said_to_have_a_new_backend(project):
    """`init` leaves it alone, so the option could not take effect."""
    project.write(".envref.yaml", "project: app\n")
    done = project.envref("init", "--backend", "pass")
    assert done.returncode == 1
    assert done.stderr.endswith("\n  run: envref backend add pass\n")
    assert project.read(".envref.yaml") == "project: app\n"
    assert not (project.path / ".env").exists()


def test_one_command_without_a_keychain(project, monkeypatch):
    """The vault is made in the same breath if somebody is there who gave its passphrase; a second project uses it."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    made = project.envref("init", "-p", "app")
    assert (made.returncode, made.stdout) == (0, "")
    assert made.stderr.startswith(
        "No keychain answers here: the vault keeps the secrets (another store: --backend TYPE).\n"
        "vault initialized at ~/.config/envref/vault.db\n  create .envref.yaml\n"
    )
    assert "run: " not in made.stderr
    assert project.envref("secret", "set", "key", "--env", "KEY", stdin="s3cret").returncode == 0
    assert project.envref("resolve").stdout.endswith("\nKEY=s3cret\n")
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    assert "vault is already initialized" in project.envref("init", "--dir", "../second").stderr
    assert load(str(project.path.parent / "second" / ".envref.yaml")).backends[0].type == "vault"


@first_python
def test_at_a_terminal_it_asks_for_the_passphrase_of_a_new_vault(project):
    """And nothing else: the project is whole."""
    terminal = Terminal(project.path, "init", "-p", "app")
    for prompt in ("Enter vault passphrase: ", "Confirm vault passphrase: "):
        terminal.await_text(prompt)
        terminal.type("correct horse battery\r")
    assert terminal.end() == 0, terminal.output
    assert "correct horse" not in terminal.output
    assert load(str(project.path / ".envref.yaml")).backends[0].type == "vault"


def test_stores_of_one_s_own_for_every_project_stay(project, home, monkeypatch):
    """A list in the new config would hide them."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("backends: [{name: pass}]\n")
    done = project.envref("init", "-p", "app")
    assert done.stderr.splitlines()[0] == "  create .envref.yaml"
    assert load(str(project.path / ".envref.yaml")).backends[0].type == "pass"


def test_a_second_time_under_another_name(project):
    """The project keeps its name, and the last line has that one (NEW-26)."""
    project.write(".envref.yaml", "project: my-app\n")
    done = project.envref("init", "-p", "shop", "--direnv")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-3:] == [
        'warning: .envref.yaml keeps the name "my-app"; to change it: envref edit --config',
        f'{project.path} was envref project "my-app" already',
        "  run: direnv allow",
    ]


def test_a_project_within_another_is_said_to_be_one(project):
    """Its cure, pasted, gives it the stores of the one around it (NEW-26)."""
    project.write(".envref.yaml", "project: outer\nbackends: [{name: pass}]\n")
    done = project.envref("init", "--dir", "svc/api")
    assert (
        f"warning: {project.path} is a project too; to use its layers and backends here, add: extends: ../..\n"
    ) in done.stderr
    config = project.path / "svc" / "api" / ".envref.yaml"
    config.write_text(config.read_text() + "extends: ../..\n")
    assert "type=pass" in project.envref("backend", "list", "-C", "svc/api").stdout
    assert "is a project too" not in project.envref("init", "--dir", "svc/api").stderr


def test_a_file_that_was_there_is_looked_at(project):
    """Secrets in plain text, and a file that git ignores: each with its cure (NEW-4, NEW-5)."""
    subprocess.run(["git", "init", "-q"], cwd=project.path, check=True)
    project.write(".gitignore", ".env\n")
    project.write(".env", "STRIPE_SECRET_KEY=tr0ub4dor-and-3\n")
    lines = project.envref("init").stderr.splitlines()
    assert "  .env: 1 value looks like a secret: STRIPE_SECRET_KEY; run: envref import .env" in lines
    assert [line for line in lines if line.startswith("  .env: git ignores it (.gitignore:1: .env)")]
