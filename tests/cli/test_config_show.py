"""`envref config show`: nothing secret, and all that is in effect."""

from __future__ import annotations

import json

import pytest

from envref.backends.table import BUILTIN
from envref.project.config.backends import options_of
from envref.project.config.model import is_credential

FORMATS = ("plain", "json", "table")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "option", ["token", "passphrase", "api_key", "KEY", "secret", "client_secret", "Password", "db_password"]
)
def test_no_secret_is_shown(project, format_, option):
    """Options of a plugin, whose names nobody knows beforehand."""
    backend = {"name": "p", "type": "plugin", "config": {option: "hvs.abc123"}}
    file = "home" if option == "passphrase" else "project"  # a project's file may have none
    project.write(
        ".envref.yaml", json.dumps({"project": "app"} | ({"backends": [backend]} if file == "project" else {}))
    )
    project.write("own/config.yaml", json.dumps({"backends": [backend]}))
    done = project.envref("config", "show", "--format", format_, env={"ENVREF_CONFIG_DIR": str(project.path / "own")})
    assert done.returncode == 0
    assert "hvs.abc123" not in done.stdout + done.stderr
    assert "********" in done.stdout


@pytest.mark.parametrize("format_", FORMATS)
def test_key_id_and_other_options_are_shown(project, format_):
    """An OCID is no secret."""
    options = {name: f"value-of-{name}" for name in ("vault_id", "compartment_id", "key_id")}
    backend = {"name": "oci", "type": "oci-vault", "config": options}
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": [backend]}))
    shown = project.envref("config", "show", "--format", format_).stdout
    assert all(value in shown for value in options.values())


def test_every_option_that_is_hidden_is_one_of_these():
    """The options of all types that the rule hides; a new one has to be looked at."""
    hidden = {name for kind in BUILTIN for name in options_of(kind).names if is_credential(name)}
    assert hidden == {"token"}


def test_json_has_every_key_of_the_config(project):
    """With its default where the file says nothing."""
    project.write(".envref.yaml", "project: app\n")
    shown = json.loads(project.envref("config", "show", "--format", "JSON").stdout)
    assert shown == {
        "project": "app",
        "env_file": ".env",
        "local_file": ".env.local",
        "active_profile": None,
        "interpolate_environment": False,
        "precedence": "files",
        "locked": False,
        "extends": None,
        "agent": None,
        "audit_log": {"reads": False},
        "files_directory": None,
        "backends": [
            {
                "name": "keychain",
                "type": "keychain",
                "config": {},
                "timeout": None,
                "optional": False,
                "names": {},
                "agent": None,
            }
        ],
        "profiles": {},
        "team": [],
        "services": {},
        "tools": {},
        "trust": "default",
        "trusted_paths": [],
        "safe_directories": [],
        "config": str(project.path / ".envref.yaml"),
        "global": None,
        "warnings": [],
    }


def test_names_and_no_backends_at_all(project):
    """Mapped names are shown; an explicit empty list is told."""
    project.write(".envref.yaml", "project: app\nbackends:\n- {name: op, type: 1password, names: {a/b: Some Item#f}}\n")
    assert "    names.a/b: Some Item#f\n" in project.envref("config", "show").stdout
    project.write(".envref.yaml", "project: app\nbackends: []\ninterpolate_environment: true\n")
    assert "InterpolateEnvironment: true\nBackends:\n  (none)\nConfig: " in project.envref("config", "show").stdout


def test_settings_of_a_backend_are_shown_beside_its_options(project, home):
    """Those that somebody wrote: how long it may take and its values are kept, and that it may be away."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    first = "- {name: a, type: vault, timeout: 1.5, optional: true, agent: {ttl: 90s}}\n"
    own.write_text(f"backends:\n{first}- {{name: b, type: vault, agent: false}}\n")
    project.write(".envref.yaml", "project: app\n")
    shown = project.envref("config", "show").stdout
    assert "  - a (type: vault)\n    agent: 90s\n    optional: true\n    timeout: 1.5\n" in shown
    assert "  - b (type: vault)\n    agent: false\n" in shown


def test_text_of_a_repository_can_t_steer_the_terminal(project):
    """An escape in an option's value, and in a member's name."""
    project.write(".envref.yaml", 'project: app\nbackends:\n- {name: p, type: plugin, config: {x: "\\e[31m"}}\n')
    for format_ in ("plain", "table"):
        shown = project.envref("config", "show", "--format", format_).stdout
        assert "\x1b" not in shown
        assert "\\x1b[31m" in shown


def test_other_faults_are_errors(project):
    """Only an unknown type is tolerated."""
    project.write(".envref.yaml", "project: app\nenv_file: ''\nbackends:\n- {name: x, type: wat}\n")
    done = project.envref("config", "show")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: loading config: invalid config: env_file must not be empty\n"
