"""`envref profile`: what the transcripts don't show. tests/properties/test_config_edit.py has layouts of the config."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from envref.formats import shells
from envref.project.config.load import load
from envref.project.project import choice_path, configured
from tests.cli.conftest import PLUGIN_ENTRY, VAULT_ENTRY, config
from tests.requirements import others_at_night

pytestmark = others_at_night

HEAD = "\ufeff# kept\r\n\r\nproject:   'app'   # c\r\n"


@pytest.fixture
def app(project):
    """A project with a profile that is configured, and one that only has its file."""
    project.write(".envref.yaml", "project: app\nprofiles:\n  prod:\n")
    project.write(".env", "A=1\n")
    project.write(".env.qa", "A=2\n")
    return project


def status_and_error(done):
    return done.returncode, done.stdout, done.stderr.splitlines()[0]


def test_switching_changes_no_file_of_the_project(app, home):
    """NEW-14: a pull never meets it; the choice is the user's, for this project alone."""
    text = (HEAD + "env_file: .env").encode()
    app.write(".envref.yaml", text)
    names = sorted(path.name for path in app.path.iterdir())
    assert app.envref("profile", "use", "qa").returncode == 0
    assert app.envref("get", "A").stdout == "2\n"
    [kept] = (home / ".local/state/envref/profile").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert app.envref("profile", "use", "--clear").returncode == 0
    assert app.envref("get", "A").stdout == "1\n"
    assert (app.path / ".envref.yaml").read_bytes() == text
    assert sorted(path.name for path in app.path.iterdir()) == names
    assert not kept.exists()


def test_a_choice_is_seen_by_what_watches_the_config(app):
    """direnv loads anew when the config's time changes; the same profile again is no change."""
    before = (app.path / ".envref.yaml").stat()
    os.utime(app.path / ".envref.yaml", (1, 1))
    app.envref("profile", "use", "prod")
    chosen = (app.path / ".envref.yaml").stat()
    assert (chosen.st_ino, chosen.st_mtime_ns > 10**9) == (before.st_ino, True)
    done = app.envref("profile", "use", "prod")
    assert (done.returncode, done.stderr) == (0, 'Active profile set to "prod"\n')
    assert (app.path / ".envref.yaml").stat().st_mtime_ns == chosen.st_mtime_ns


@pytest.mark.parametrize("own", [True, False])
def test_a_choice_beats_the_config_s_profile(app, home, own):
    """Of the project or of the user's config; `--clear` is a choice of none, and the variable beats both."""
    text = "project: app\nprofiles:\n  prod:\n"
    place = home / ".config/envref/config.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("active_profile: qa\n" if own else "")
    app.write(".envref.yaml", text + ("" if own else "active_profile: qa\n"))
    assert app.envref("get", "A").stdout == "2\n"
    assert app.envref("profile", "use", "prod").returncode == 0
    assert configured(str(app.path)).profile == "prod"
    assert configured(str(app.path), environment={**os.environ, "ENVREF_PROFILE": "qa"}).profile == "qa"
    assert app.envref("profile", "use", "--clear").stderr == "Cleared active profile\n"
    assert configured(str(app.path)).profile is None
    assert "ActiveProfile" not in app.envref("config", "show").stdout
    assert app.envref("profile", "use", "qa").returncode == 0
    assert "ActiveProfile: qa" in app.envref("config", "show").stdout


def test_a_choice_of_another_project_or_hand_counts_nothing(app):
    """A file of another root, and one that others could have written, say nothing."""
    app.envref("profile", "use", "prod")
    place = Path(choice_path(str(app.path), os.environ))
    place.chmod(0o622)
    assert configured(str(app.path)).profile is None
    place.chmod(0o600)
    place.write_text("/elsewhere\0prod")
    assert configured(str(app.path)).profile is None


def test_a_chosen_profile_may_be_gone(app):
    """It is warned about, as any name that is not known."""
    app.envref("profile", "use", "qa")
    (app.path / ".env.qa").unlink()
    assert app.envref("get", "A").stderr == ('warning: profile "qa" is not configured and .env.qa does not exist\n')


def test_without_a_home_no_choice_is_kept(app):
    """It says so, and what to do."""
    done = app.envref("profile", "use", "qa", env={"HOME": "."})
    assert done.returncode == 1
    assert done.stderr == (
        "error: keeping the active profile: no home directory\n  hint: set HOME to an absolute path\n"
    )


def test_the_last_active_profile_may_be_gone(app):
    """A config whose only fault is its active profile is mended by the command that sets it."""
    for words in (["prod"], ["--clear"]):
        app.write(".envref.yaml", "project: app\nprofiles:\n  prod:\nactive_profile: gone\n")
        assert app.envref("get", "A").returncode == 1
        done = app.envref("profile", "use", *words)
        assert done.returncode == 0
        assert done.stderr.startswith("Removed active_profile from .envref.yaml: there is no such profile\n")
        assert load(str(app.path / ".envref.yaml")).active_profile is None
        assert app.envref("get", "A").returncode == 0


@pytest.mark.parametrize(
    "broken", ["project: app\nenv_file: /etc/x\n", "project: app\nteam: [\n", "project: &a app\n", "profiles:\n  qa:\n"]
)
@pytest.mark.parametrize("command", [["use", "qa"], ["use", "--clear"], ["create", "new", "--register"]])
def test_a_config_with_another_fault_stays_as_it_is(app, broken, command):
    """The fault is told, nothing is written: neither the config nor an env file."""
    app.write(".envref.yaml", broken)
    names = sorted(path.name for path in app.path.iterdir())
    done = app.envref("profile", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: loading config: ")
    assert app.read(".envref.yaml") == broken
    assert sorted(path.name for path in app.path.iterdir()) == names


def test_a_layout_that_can_t_be_edited_is_refused(app):
    """An explicit key, `? x`, is one: the file stays, and the message says how to go on."""
    text = "project: app\nprofiles: {prod: }\n? active_profile\n: gone\n"
    app.write(".envref.yaml", text)
    done = app.envref("profile", "use", "--clear")
    assert status_and_error(done) == (
        1,
        "",
        "error: .envref.yaml: this layout can't be changed without touching other lines; nothing was changed",
    )
    assert done.stderr.splitlines()[1] == "  hint: change it by hand: envref edit --config"
    assert app.read(".envref.yaml") == text


def test_a_config_may_not_grow_too_large(app):
    """What a load would refuse is not written."""
    text = "project: app\n" + "#" * (256 * 1024 - 14) + "\n"
    app.write(".envref.yaml", text)
    done = app.envref("profile", "create", "new", "--register")
    assert status_and_error(done) == (1, "", "error: loading config: .envref.yaml:1:1: larger than 256 KiB")
    assert app.read(".envref.yaml") == text


def test_a_link_out_of_the_project_is_not_written(app, tmp_path):
    """The config itself as a symlink to somewhere else."""
    outside = tmp_path / "elsewhere.yaml"
    outside.write_text("project: app\n")
    (app.path / ".envref.yaml").unlink()
    (app.path / ".envref.yaml").symlink_to(outside)
    done = app.envref("profile", "create", "new", "--register")
    assert done.returncode == 1
    assert "refusing to write .envref.yaml: it is a symlink to" in done.stderr
    assert outside.read_text() == "project: app\n"


def test_the_user_s_own_config_is_told_of(app, home):
    """Profiles from there end where the project gets its own."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    app.write(".envref.yaml", "project: app\n")
    own.write_text("profiles:\n  mine:\n")
    done = app.envref("profile", "create", "new", "--register")
    assert "warning: profiles of ~/.config/envref/config.yaml no longer counts here" in done.stderr


def test_every_active_profile_counts_in_the_list(app):
    """The star is on the one in effect: the variable beats the config."""
    app.envref("profile", "use", "prod")
    rows = json.loads(app.envref("profile", "list", "--format", "json", env={"ENVREF_PROFILE": "qa"}).stdout)
    assert rows == [
        {"name": "prod", "file": ".env.prod", "active": False, "in_config": True, "exists": False},
        {"name": "qa", "file": ".env.qa", "active": True, "in_config": False, "exists": True},
    ]


@pytest.mark.parametrize("name", ["example", "sample", "template", "local", "bak~", "a.b"])
def test_files_that_are_no_profiles_are_not_listed(project, name):
    """`.env.example` and its like, editors' copies, names with a dot."""
    project.write(".envref.yaml", "project: app\n")
    project.write(f".env.{name}", "")
    done = project.envref("profile", "list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no profiles found\n")


@pytest.mark.parametrize("name", ["null", "no", "1", "0x1f", "_"])
def test_any_name_that_a_profile_may_have_is_written_so_that_it_reads_back(project, name):
    """Words that YAML takes for something else are quoted."""
    project.write(".envref.yaml", "project: app\n")
    assert project.envref("profile", "create", name, "--register").returncode == 0
    assert project.envref("profile", "use", name).returncode == 0
    made = load(str(project.path / ".envref.yaml"))
    assert made.profiles == {name: f".env.{name}"}
    assert configured(str(project.path)).profile == name


@pytest.mark.parametrize("options", [[], ["--register"]])
def test_a_missing_active_profile_can_be_created(app, options):
    """The config is invalid until it is there; any other profile has to wait."""
    text = "project: app\nprofiles:\n  prod:\nactive_profile: new\n"
    app.write(".envref.yaml", text)
    done = app.envref("profile", "create", "other", *options)
    assert status_and_error(done) == (
        1,
        "",
        'error: loading config: invalid config: active_profile "new" is not defined in profiles',
    )
    assert not (app.path / ".env.other").exists()
    assert app.envref("profile", "create", "new", *options).returncode == 0
    assert app.envref("get", "A").returncode == 0
    assert load(str(app.path / ".envref.yaml")).active_profile == "new"


@pytest.mark.parametrize("name", ["example", "sample", "template"])
def test_reserved_names_are_not_created(app, name):
    """`.env.example` means something else."""
    done = app.envref("profile", "create", name)
    assert status_and_error(done) == (2, "", f'error: cannot create profile "{name}": reserved')


def test_the_modes_of_new_files(app):
    """0644, and a copy is no more readable than its original; what is overwritten keeps its own."""
    app.write(".env.local", "TOKEN=t\n").chmod(0o600)
    app.envref("profile", "create", "a")
    app.envref("profile", "create", "b", "--from", ".env.local")
    (app.path / ".env.qa").chmod(0o640)
    app.envref("profile", "create", "qa", "--force", "--from", ".env")
    modes = [stat.S_IMODE((app.path / f".env.{name}").stat().st_mode) for name in ("a", "b", "qa")]
    assert modes == [0o644, 0o600, 0o640]
    assert (app.read(".env.b"), app.read(".env.qa")) == ("TOKEN=t\n", "A=1\n")


def test_a_broken_file_is_no_beginning(app):
    """The problem is told with its place, and nothing is created."""
    app.write(".env", b"A=1\nB=\xff\n")
    done = app.envref("profile", "create", "new", "--from", ".env")
    assert status_and_error(done) == (1, "", "error: .env:2:3: invalid UTF-8")
    assert not (app.path / ".env.new").exists()


def test_a_new_file_does_not_leave_the_project(app, tmp_path):
    """A profile's file below a symlinked folder is refused."""
    (tmp_path / "outside").mkdir()
    (app.path / "deploy").symlink_to(tmp_path / "outside")
    done = app.envref("profile", "create", "new", "--env-file", "deploy/new.env", "--register")
    assert done.returncode == 1
    assert "refusing to write new.env: it is a symlink to" in done.stderr
    assert list((tmp_path / "outside").iterdir()) == []
    assert "new" not in app.read(".envref.yaml")


@pytest.mark.parametrize("path", ["../x.env", "/x.env", ""])
def test_a_file_outside_is_a_usage_error(app, path):
    """The rules of `env_file` in the config."""
    assert app.envref("profile", "create", "new", "--env-file", path).returncode == 2


def test_differences_are_told_on_one_line_each(app):
    """A value over several lines, or one that would steer the terminal, is escaped."""
    app.write(".env.qa", "A=\"two\nlines\"\nB='\x1b[31m'\n")
    done = app.envref("profile", "diff", "prod", "qa")
    assert done.stdout == (
        "~ A: 1 -> two\\nlines   (changed)\n"
        "+ B=\\x1b[31m           (only in qa)\n"
        "\n2 difference(s): 1 only in qa, 1 changed\n"
    )


def test_personal_overrides_count_on_both_sides(app):
    """Merged means what `get` would say."""
    app.write(".env.local", "A=mine\n")
    assert app.envref("profile", "diff", "prod", "qa").stdout == 'Profiles "prod" and "qa" are identical (1 keys)\n'


def test_a_broken_file_stops_a_comparison(app):
    """With its place; nothing on stdout."""
    app.write(".env.qa", "no line\n")
    done = app.envref("profile", "diff", "prod", "qa")
    assert status_and_error(done) == (1, "", "error: .env.qa:1:1: expected NAME=VALUE")


@pytest.mark.parametrize("format_", shells.FORMATS)
def test_every_format_is_exported_as_resolve_writes_it(vaulted, format_):
    """With --resolve the two commands print the same bytes; without, no store is asked."""
    vaulted.write(".envref.yaml", config(VAULT_ENTRY, profiles={"staging": None}))
    vaulted.write(".env", "A='it''s'\nB=plain\n".replace("''", ""))
    vaulted.write(".env.staging", "SECRET_ONE=ref://secrets/one\n")
    assert vaulted.envref("secret", "set", "one", "-P", "staging", stdin="v").returncode == 0
    exported = vaulted.envref("profile", "export", "staging", "--resolve", "--format", format_)
    resolved = vaulted.envref("resolve", "--profile", "staging", "--format", format_)
    assert (exported.returncode, exported.stdout) == (0, resolved.stdout)
    unresolved = vaulted.envref(
        "profile", "export", "staging", "--format", format_, env={"ENVREF_VAULT_PASSPHRASE": "wrong"}
    )
    assert unresolved.returncode == 0
    assert "ref://secrets/one" in unresolved.stdout


def test_names_that_a_shell_can_t_have_are_left_out_with_a_warning(app):
    """As `list` does."""
    app.write(".env.qa", "my-var=1\n")
    done = app.envref("profile", "export", "qa", "--format", "shell")
    assert done.stdout == "export A=1\n"
    assert done.stderr == "warning: my-var: not a valid shell variable name; left out of shell output\n"


def test_a_failing_export_is_code_that_fails(app):
    """A shell evaluates it: `false`, and the error on stderr."""
    app.write(".env.qa", "A=${B?}\n")
    done = app.envref("profile", "export", "qa", "--resolve", "--format", "shell")
    assert (done.returncode, done.stdout) == (1, "false\n")


def test_a_team_s_workflow(vaulted):
    """Three profiles, a default, overrides, secrets where they differ, switching, and an explicit one for CI."""
    for name in ("development", "staging", "production"):
        assert vaulted.envref("profile", "create", name, "--register").returncode == 0
    vaulted.write(".env", "LOG_LEVEL=info\nDB=ref://secrets/db_password\n")
    vaulted.write(".env.staging", "LOG_LEVEL=debug\n")
    for name in ("staging", "production"):
        vaulted.envref("secret", "set", "db_password", "--profile", name, stdin=f"of {name}")
    assert vaulted.envref("profile", "use", "staging").returncode == 0
    assert vaulted.envref("resolve").stdout == "LOG_LEVEL=debug\nDB=of staging\n"
    assert vaulted.envref("run", "--", "sh", "-c", "echo $DB").stdout == "of staging\n"
    explicit = vaulted.envref("resolve", "--profile", "production", "--strict")
    assert (explicit.returncode, explicit.stdout) == (0, "LOG_LEVEL=info\nDB=of production\n")
    assert vaulted.envref("get", "LOG_LEVEL", "--profile-file", ".env.staging").stdout == "debug\n"


CLOSED = {"staging": None, "production": {"fallback": False}, "open": {"fallback": True, "env_file": "open.env"}}


@pytest.fixture
def closed(shop):
    """The project has a secret, staging another under the same key; production has none and does without."""
    shop.write(".envref.yaml", config(PLUGIN_ENTRY, profiles=CLOSED))
    shop.write(".env", "A=ref://secrets/a\nB=ref://secrets/a?default=none\nC=ref://secrets/a?optional\n")
    for options, value in (([], "dev"), (["-P", "staging"], "staged")):
        assert shop.envref("secret", "set", "a", *options, stdin=value).returncode == 0
    return shop


def test_a_profile_may_do_without_the_project_s_secrets(closed):
    """`fallback: false`: what the profile lacks is missing, and the cure is the profile's own."""
    for profile, value in (("staging", "staged"), ("open", "dev"), ("unlisted", "dev")):
        assert closed.envref("resolve", "-P", profile, "--only", "A").stdout == f"A={value}\n"
    done = closed.envref("resolve", "-P", "production")
    assert done.stdout == "B=none\n"
    assert "run: envref secret set a --profile production\n" in done.stderr
    assert closed.envref("resolve", "--strict", "-P", "production").returncode == 1
    for command in (["secret", "get", "a"], ["run", "--", "env"], ["get", "A", "--resolve"]):
        done = closed.envref(*command, env={"ENVREF_PROFILE": "production"})
        assert done.returncode == 1
        assert "dev" not in done.stdout
    assert closed.envref("secret", "set", "a", "-P", "production", stdin="real").returncode == 0
    assert closed.envref("get", "A", "--resolve", "-P", "production").stdout == "real\n"


def test_what_a_closed_profile_lacks_is_not_pinned(closed):
    """`lock` looks where `resolve` does; the others' lock has the project's secret."""
    assert closed.envref("lock", "--profile", "production").returncode == 1
    assert not (closed.path / "envref.lock").exists()
    assert closed.envref("lock", "--profile", "open").returncode == 0


def test_what_a_closed_profile_lacks_has_no_age(vaulted):
    """`doctor` looks there too."""
    vaulted.write(".envref.yaml", config(VAULT_ENTRY, profiles=CLOSED))
    vaulted.write(".env", "A=ref://secrets/a\n")
    assert vaulted.envref("secret", "set", "a", stdin="dev").returncode == 0
    for profile, names in (("open", ["A"]), ("production", [])):
        report = json.loads(vaulted.envref("doctor", "--profile", profile, "--format", "json").stdout)
        assert [row["name"] for row in report["secrets"]] == names


def test_a_closed_profile_is_shown(closed):
    """For people and as data; the compiled copy of the config has it too."""
    for _ in range(2):
        assert "production -> .env.production (no fallback)\n" in closed.envref("config", "show").stdout
        shown = json.loads(closed.envref("config", "show", "--format", "json").stdout)["profiles"]
        assert shown["production"] == {"env_file": ".env.production", "fallback": False}
        assert shown["open"] == {"env_file": "open.env"}


def test_a_profile_that_a_parent_closed_is_closed(closed):
    """A project that extends another can't open it by saying nothing, or otherwise."""
    for profiles in ("", "profiles: {production: {fallback: true}}\n"):
        closed.write("api/.envref.yaml", f"extends: ..\nproject: app\n{profiles}")
        done = closed.envref("-C", "api", "resolve", "-P", "production", "--only", "A")
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
