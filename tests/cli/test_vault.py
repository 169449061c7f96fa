"""`envref vault` as a person and a script use it (commands.md 2.8)."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys

import pytest

from envref.backends.vault import session
from envref.cli.vault import import_
from envref.errors import EnvrefError
from envref.secret import Secret
from tests.backends.vaults import PASSPHRASE, new_ancestor, unlocked_vault
from tests.cli.terminal import Terminal
from tests.conftest import ROOT
from tests.requirements import need

TOO_SHORT = "vault passphrase must have at least 8 characters"
CONFIG = """\
project: app
backends:
  - name: store
    type: vault
    config:
      path: ~/secrets/store.db
"""
GIVEN = {"ENVREF_VAULT_PASSPHRASE": PASSPHRASE}
USUAL = "~/.config/envref/vault.db"


@pytest.fixture
def run(project):
    """`envref vault …` with the passphrase in the environment; its result."""

    def run(*arguments, stdin="", **environment):
        return project.envref("vault", *arguments, stdin=stdin, env=GIVEN | environment)

    return run


@pytest.fixture
def vault(run, home, monkeypatch):
    """A vault at the usual place with one secret."""
    unlocked_vault(home / ".config" / "envref" / "vault.db", monkeypatch, {"key": "value"})
    return run


def document(secrets, version=1):
    return json.dumps({"version": version, "exported_at": "2026-01-02T03:04:05Z", "secrets": secrets})


def imported(run, secrets, *options):
    result = run("import", *options, stdin=document(secrets))
    assert result.returncode == 0, result.stderr
    return result.stderr


def exported(run):
    result = run("export")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["secrets"]


CHEAP = "warning: with a work factor of 15 a guess costs 1/4 of what it does with 17"


def outcome(result):
    assert result.stdout == ""
    return result.returncode, result.stderr.splitlines()


class TestInit:
    def test_without_a_project(self, run, home):
        """A vault needs no config; it is at the usual place, for its owner only."""
        assert outcome(run("init", "--work-factor", "17")) == (0, [f"vault initialized at {USUAL}"])
        path = home / ".config" / "envref" / "vault.db"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_again(self, vault):
        """A vault that is there is left alone, and that is no failure."""
        assert outcome(vault("init")) == (0, [f"vault is already initialized at {USUAL}"])
        assert exported(vault) == {"app/key": "value"}

    def test_short_passphrases(self, run):
        """Seven characters are refused, eight warned about."""
        short = run("init", ENVREF_VAULT_PASSPHRASE="1234567")
        assert outcome(short) == (1, [f"error: {TOO_SHORT}", "  hint: use several words"])
        warned = run("init", "--work-factor", "15", ENVREF_VAULT_PASSPHRASE="12345678")
        assert outcome(warned) == (
            0,
            [
                CHEAP,
                f"vault initialized at {USUAL}",
                "warning: a vault passphrase of fewer than 14 characters is easy to guess",
            ],
        )

    @pytest.mark.parametrize(("factor", "warned"), [("16", True), ("17", False)])
    def test_a_small_work_factor_warns(self, run, factor, warned):
        """P5 is the usual factor's: what a guess costs less is said (SEC-D5)."""
        done = run("init", "--work-factor", factor)
        told = "warning: with a work factor of 16 a guess costs 1/2 of what it does with 17\n"
        assert (done.returncode, told in done.stderr) == (0, warned)

    @pytest.mark.parametrize("factor", ["14", "21", "x", "-1", ""])
    def test_a_wrong_work_factor(self, run, factor):
        """Only 15 to 20 are written."""
        result = run("init", f"--work-factor={factor}")
        assert outcome(result)[0] == 2
        assert result.stderr.startswith(f'error: invalid work factor "{factor}": must be 15 to 20\n')

    def test_nobody_to_ask(self, project):
        """Without a passphrase and a terminal nothing is created."""
        result = project.envref("vault", "init")
        expected = "error: vault passphrase required: set ENVREF_VAULT_PASSPHRASE or use an interactive terminal"
        assert outcome(result) == (1, [expected])


@pytest.mark.usefixtures("trusted")
class TestWhichVault:
    def test_the_first_of_the_config(self, run, project, home):
        """Inside a project the first backend of type vault is meant, its path as configured."""
        project.write(".envref.yaml", CONFIG)
        assert outcome(run("init", "--work-factor", "15")) == (0, [CHEAP, "vault initialized at ~/secrets/store.db"])
        assert (home / "secrets" / "store.db").exists()

    def test_by_name(self, run, project):
        """`-b` names it; another name and another type are errors."""
        project.write(".envref.yaml", f"{CONFIG}  - name: keys\n    type: keychain\n")
        assert outcome(run("init", "-b", "store", "--work-factor", "15"))[0] == 0
        unknown = run("lock", "-b", "other")
        assert outcome(unknown) == (1, ['error: backend "other" is not configured (configured: store, keys)'])
        status, lines = outcome(run("lock", "-b", "keys"))
        assert (status, lines[0]) == (1, 'error: backend "keys" is of type keychain, not vault')

    def test_by_path(self, run, project):
        """`--path` needs no config and starts where the command does."""
        result = run("init", "--path", "my.db", "--work-factor", "15")
        assert outcome(result)[0] == 0
        assert (project.path / "my.db").exists()

    def test_errors_name_the_backend(self, run, project):
        """A backend that is not called by its type is named at the end."""
        project.write(".envref.yaml", CONFIG)
        assert outcome(run("lock")) == (
            1,
            ['error: vault: not initialized (backend "store")', "  run: envref vault init"],
        )


class TestLock:
    def test_lock_and_unlock(self, vault):
        """A locked vault gives nothing, although the passphrase is known, until it is unlocked."""
        assert outcome(vault("lock")) == (0, [f"vault locked at {USUAL}"])
        assert outcome(vault("export")) == (1, ["error: vault: locked", "  run: envref vault unlock"])
        assert outcome(vault("lock")) == (1, ["error: vault is already locked"])
        assert outcome(vault("unlock")) == (0, [f"vault unlocked at {USUAL}"])
        hint = "  run: envref vault unlock --ttl 8h"
        assert outcome(vault("unlock")) == (1, ["error: vault is not locked", hint])
        assert exported(vault) == {"app/key": "value"}

    def test_a_wrong_passphrase(self, vault):
        """Neither locks nor unlocks."""
        wrong = {"ENVREF_VAULT_PASSPHRASE": "another one"}
        assert outcome(vault("lock", **wrong)) == (1, ["error: vault: wrong passphrase"])

    def test_a_session(self, vault):
        """`--ttl` makes the passphrase unnecessary, and `lock` ends that."""
        if not session.remember("probe", "probe", 1):
            pytest.skip("the kernel's keyring is denied here")
        assert outcome(vault("unlock", "--ttl", "1m")) == (0, [f"vault unlocked at {USUAL}"])
        none = {"ENVREF_VAULT_PASSPHRASE": ""}
        assert json.loads(vault("export", **none).stdout)["secrets"] == {"app/key": "value"}
        assert outcome(vault("lock", **none)) == (0, [f"vault locked at {USUAL}"])  # the session is enough to end it
        vault("unlock")
        assert vault("export", **none).returncode == 1

    def test_lock_ends_a_session_even_where_it_fails(self, vault):
        """The environment's wrong passphrase can't lock, but nobody gets in without one either."""
        if not session.remember("probe", "probe", 1):
            pytest.skip("the kernel's keyring is denied here")
        vault("unlock", "--ttl", "1m")
        assert outcome(vault("lock", ENVREF_VAULT_PASSPHRASE="another one")) == (1, ["error: vault: wrong passphrase"])
        assert vault("export", ENVREF_VAULT_PASSPHRASE="").returncode == 1

    @pytest.mark.parametrize("duration", ["0s", "8", "h", "1y", "31d", "-1h", ""])
    def test_a_wrong_duration(self, run, duration):
        """A duration is a number and a unit, at most 30 days."""
        result = run("unlock", f"--ttl={duration}")
        assert outcome(result)[0] == 2
        assert result.stderr.startswith(f'error: invalid duration "{duration}": ')


class TestExport:
    def test_the_document(self, vault):
        """The ancestor's JSON on stdout, a warning on stderr."""
        imported(vault, {"app/staging/key": "a\nü & <b>", "other/key": ""})
        result = vault("export", "--stdout")
        found = json.loads(result.stdout)
        assert list(found) == ["version", "exported_at", "secrets"]
        assert found["version"] == 1
        assert found["exported_at"].endswith("Z")
        assert found["secrets"] == {"app/key": "value", "app/staging/key": "a\nü & <b>", "other/key": ""}
        assert result.stderr == "warning: this output contains plaintext secrets\n"

    @pytest.mark.usefixtures("vault")
    def test_a_terminal_shows_none_of_it(self, project, monkeypatch):
        """Unless somebody insists."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        terminal = Terminal(project.path, "vault", "export")
        assert terminal.end() == 1
        assert "refusing to show all secrets on a terminal" in terminal.output
        assert "value" not in terminal.output

    @pytest.mark.usefixtures("trusted")
    def test_where_reads_are_logged_it_is_one(self, vault, project):
        """One line for all, since they may be other projects' too; which, is not said."""
        project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\naudit_log: {reads: true}\n")
        assert vault("export").returncode == 0
        [line] = project.envref("audit-log", "--reads").stdout.splitlines()
        assert "  *  [vault] app  vault export" in line

    def test_a_file(self, vault, project):
        """0600, never over another file unless forced, and then 0600 too."""
        vault("export", "--file", "out.json")
        path = project.path / "out.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.write_text("precious")
        path.chmod(0o644)
        assert outcome(vault("export", "--file", "out.json")) == (
            1,
            ['error: refusing to overwrite "out.json"', "  hint: give --force to overwrite it"],
        )
        assert path.read_text() == "precious"
        assert vault("export", "--file", "out.json", "--force").returncode == 0
        assert json.loads(path.read_text())["secrets"] == {"app/key": "value"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_for_recipients(self, vault, project):
        """`--to` leaves nothing readable; the recipient's key opens it."""
        identity = project.path / "identity"
        subprocess.run([need("age-keygen"), "-o", identity], check=True, capture_output=True)
        public = identity.read_text().partition("public key: ")[2].splitlines()[0]
        result = vault("export", "--to", public)
        assert result.stderr == ""
        opened = subprocess.run(
            [need("age"), "-d", "-i", identity], input=result.stdout.encode(), capture_output=True, check=True
        )
        assert json.loads(opened.stdout)["secrets"] == {"app/key": "value"}

    def test_what_is_exported_can_be_imported(self, vault, run):
        """The documented pair, `export > f` and `import < f`, from one vault to another."""
        text = vault("export").stdout
        other = ("--path", "other.db")
        run("init", *other, "--work-factor", "15")
        assert outcome(run("import", *other, stdin=text)) == (0, ["imported 1 secrets from stdin (1 new, 0 changed)"])
        assert json.loads(run("export", *other).stdout)["secrets"] == {"app/key": "value"}


class TestImport:
    def test_counts(self, vault, project):
        """New and changed values are counted, equal ones are neither."""
        values = {"app/key": "value", "app/new": "1"}
        assert imported(vault, values) == "imported 2 secrets from stdin (1 new, 0 changed)\n"
        project.write("backup.json", document(values | {"app/key": "other"}))
        result = vault("import", "--file", "backup.json")
        assert outcome(result) == (0, ["imported 2 secrets from backup.json (0 new, 1 changed)"])
        assert exported(vault) == {"app/key": "other", "app/new": "1"}

    @pytest.mark.parametrize("file", [None, "backup.json"])
    def test_the_largest_document_is_taken(self, project, monkeypatch, file):
        """One byte more is refused, from standard input and from a file."""
        monkeypatch.setattr(import_, "directory", lambda: str(project.path))
        monkeypatch.setattr("os.isatty", lambda _: False)
        text = document({"app/key": "1"})
        monkeypatch.setattr(import_, "_LARGEST", len(text))

        def read(text):
            project.write("backup.json", text)
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
            return import_._secrets(import_._read(file))

        assert read(text) == {"app/key": Secret("1")}
        with pytest.raises(EnvrefError, match="larger than"):
            read(f"{text}\n")

    def test_nothing_to_do(self, vault):
        """What is there already is said so, and not counted as imported."""
        values = {"app/key": "value"}
        assert imported(vault, values) == "nothing to import: 1 secret is there already\n"
        assert imported(vault, values, "--dry-run") == "nothing to import: 1 secret is there already\n"
        imported(vault, {"app/new": "1"})
        told = imported(vault, {"app/key": "other", "app/new": "1"}, "--no-overwrite")
        assert told == "nothing to import: 2 secrets are there already\n"

    def test_no_overwrite(self, vault):
        """Values that are there stay."""
        told = imported(vault, {"app/key": "other", "app/new": "1"}, "--no-overwrite")
        assert told == "imported 1 secrets from stdin (1 new, 0 changed)\n"
        assert exported(vault) == {"app/key": "value", "app/new": "1"}

    def test_dry_run(self, vault):
        """Nothing is written."""
        told = imported(vault, {"app/key": "other", "app/new": "1"}, "--dry-run")
        assert told == "would import 2 secrets from stdin (1 new, 1 changed)\n"
        assert exported(vault) == {"app/key": "value"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "reading import file: 1:1: not JSON"),
            ('{"version": 1, "secrets": {"a/b": "marker-1"', "reading import file: 1:45: not JSON"),
            ("[]", "reading import file: not an export of a vault"),
            (document({}, version=2), "unsupported export version 2 (expected 1)"),
            (document([]), 'reading import file: "secrets" is not a mapping of keys to text'),
            (document({"app/n": 1}), 'reading import file: "secrets" is not a mapping of keys to text'),
            (document({"key": "x"}), 'reading import file: key "key" has no project'),
            (document({"app/../k": "x"}), 'reading import file: key "app/../k" must not have "." or ".." as a segment'),
            ("[" * 100_000, "reading import file: nested too deeply"),
        ],
    )
    def test_anything_else_is_refused(self, vault, text, message):
        """What is no export is refused whole, without a word of it."""
        status, lines = outcome(vault("import", stdin=text))
        assert (status, lines[0]) == (1, f"error: {message}")

    def test_one_transaction(self, vault):
        """A value that can't be stored leaves the vault as it was."""
        result = vault("import", stdin=document({"app/new": "1", "app/nul": "a\0b"}))
        assert result.returncode == 1
        assert exported(vault) == {"app/key": "value"}

    def test_a_missing_file(self, vault):
        """Named, with the reason."""
        result = vault("import", "--file", "none.json")
        assert outcome(result) == (1, ["error: reading import file: none.json: No such file or directory"])


class TestKeys:
    def test_passwd(self, vault, project):
        """The old passphrase is proved, the new one typed twice; afterwards only the new one opens the vault."""
        environment = {**os.environ, **GIVEN, "PYTHONPATH": str(ROOT)}
        script = (
            f"set timeout 30\nspawn {sys.executable} -m envref vault passwd\n"
            'expect "Enter new vault passphrase: " { send "a brand new one\\r" } timeout { exit 1 }\n'
            'expect "Confirm vault passphrase: " { send "a brand new one\\r" } timeout { exit 1 }\n'
            "expect eof\nlassign [wait] pid spawned os status\nexit $status\n"
        )
        result = subprocess.run(
            [need("expect")],
            input=script,
            env=environment,
            cwd=project.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert f"vault passphrase changed at {USUAL}" in result.stdout
        assert outcome(vault("export")) == (1, ["error: vault: wrong passphrase"])
        new = vault("export", ENVREF_VAULT_PASSPHRASE="a brand new one")
        assert json.loads(new.stdout)["secrets"] == {"app/key": "value"}

    def test_rekey(self, vault):
        """Every value is there under the new key; the advice says what a new key can't do."""
        assert outcome(vault("rekey")) == (
            0,
            [
                f"vault rekeyed at {USUAL} (1 secrets)",
                "hint: if a copy of the old file leaked, rotate the secrets themselves",
            ],
        )
        assert exported(vault) == {"app/key": "value"}

    def test_upgrade(self, run, project):
        """An ancestor's vault is converted once."""
        new_ancestor(project.path / "old.db", {"key": "value"})
        first, second = (outcome(run("upgrade", "--path", "old.db")) for _ in range(2))
        assert first[0] == 0
        assert first[1][0] == f"vault upgraded at {project.path}/old.db"
        assert second == (0, [f"vault is up to date at {project.path}/old.db"])
        assert json.loads(run("export", "--path", "old.db").stdout)["secrets"] == {"app/key": "value"}

    def test_backup(self, vault, project):
        """A copy opens like the vault; a second one does not overwrite it."""
        assert outcome(vault("backup", "copy.db")) == (0, [f"vault {USUAL} copied to copy.db"])
        assert json.loads(vault("export", "--path", "copy.db").stdout)["secrets"] == {"app/key": "value"}
        status, lines = outcome(vault("backup", "copy.db"))
        assert (status, lines) == (1, ['error: refusing to overwrite "copy.db"', "  hint: name another file"])


def test_the_group_alone_prints_its_help(run):
    """`envref vault` names its commands."""
    result = run()
    assert result.returncode == 0
    for command in ("init", "lock", "unlock", "export", "import", "passwd", "rekey", "upgrade", "backup"):
        assert f"\n  {command} " in result.stdout
