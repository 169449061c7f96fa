"""`envref flox-hook` and `envref init --flox`: a project's secrets in a Flox environment's manifest."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import time
import tomllib

import pytest

from envref.cli.commands import run
from envref.flox import block
from tests.flox import schema
from tests.flox.manifests import FRESH
from tests.requirements import first_python, need

pytestmark = first_python

MANIFEST = ".flox/env/manifest.toml"
CONFIG = {
    "project": "my-app",
    "backends": [
        {"name": "op", "type": "1password", "names": {"api_key": "API#key"}},
        {"name": "pass"},
    ],
    "services": {"web": ["API_KEY"]},
    "profiles": {"staging": None},
}
ENV = "APP_PORT=3000\nAPI_KEY=ref://op/api_key\nTOKEN=ref://pass//github/work\n"


class Floxed:
    """A project that is a Flox environment."""

    def __init__(self, project):
        self.path, self.write, self.read, self.envref = project.path, project.write, project.read, project.envref
        self.write(".envref.yaml", json.dumps(CONFIG))
        self.write(".env", ENV)
        self.write(MANIFEST, FRESH)

    @property
    def manifest(self):
        return (self.path / MANIFEST).read_bytes().decode()

    def hook(self, *arguments, **options):
        """`envref flox-hook ARGUMENTS`; the manifest is one that Flox's schema accepts, before and after."""
        done = self.envref("flox-hook", *arguments, **options)
        if done.returncode == 0:
            schema.accepted(self.manifest)
        return done

    def ok(self, *arguments, **options):
        """What it printed on stdout; it succeeded."""
        done = self.hook(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def flox(project):
    return Floxed(project)


FORMS = {
    "hook": ["--placement", "hook"],
    "strict hook": ["--strict", "-P", "staging"],
    "agent": ["--agent"],
    "profile and agent": ["--placement", "profile", "--agent"],
    "profile": ["--placement", "profile"],
    "strict profile": ["--placement", "profile", "--strict", "-P", "staging"],
    "native": ["--native"],
    "strict native": ["--native", "--strict"],
    "plugin": ["--plugin"],
    "install": ["--install"],
    "plugin and install": ["--plugin", "--install"],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_written_once(flox, form):
    """The second time nothing changes; --check agrees, --diff is empty, and nothing is on stdout."""
    assert flox.ok("--write", *FORMS[form]) == ""
    written = flox.manifest
    assert written != FRESH
    again = flox.hook("--write", *FORMS[form])
    assert (again.stdout, again.stderr) == ("", f"{MANIFEST} is up to date\n")
    assert flox.manifest == written
    assert flox.ok("--check", *FORMS[form]) == ""
    assert flox.ok("--diff", *FORMS[form]) == ""


@pytest.mark.parametrize("form", [form for form in FORMS if "install" not in form and "plugin" not in form])
def test_remove_restores_every_byte(flox, form):
    """The manifest is one that never had the block."""
    flox.ok("--write", *FORMS[form])
    assert flox.ok("--remove") == ""
    assert flox.manifest == FRESH
    assert flox.hook("--remove").stderr == f"{MANIFEST} holds nothing of envref\n"


def test_remove_after_plugin_leaves_the_raised_schema(flox):
    """A schema is never lowered: the rest is as before."""
    flox.ok("--write", "--plugin")
    flox.ok("--remove")
    assert flox.manifest == FRESH.replace("version = 1", 'schema-version = "1.14.0"')


KINDS = ["hook", "profile", "native", "plugin"]


@pytest.mark.parametrize(("old", "new"), [(old, new) for old in KINDS for new in KINDS if old != new])
def test_one_form_takes_the_place_of_another(flox, old, new):
    """Never two of them: every secret would be loaded twice."""
    flox.ok("--write", *FORMS[old])
    flox.ok("--write", *FORMS[new])
    data = tomllib.loads(flox.manifest)
    markers = flox.manifest.count("# >>> envref ")
    assert markers == (4 + 4 * ("deactivate" in data["profile"]) if new == "profile" else 1)
    flox.ok("--check", *FORMS[new])


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("strict profile", "strict native", "install")])
def test_without_an_action_a_snippet_is_printed(flox, form):
    """TOML to paste: under a version it is a manifest that Flox's schema accepts."""
    printed = flox.ok(*FORMS[form])
    assert flox.manifest == FRESH
    version = 'schema-version = "1.14.0"\n' if "plugin" in form else "version = 1\n"
    assert schema.errors(version + printed) == []


def test_the_snippet_of_the_hook_is_the_block_in_its_table(flox):
    """And nothing else."""
    assert flox.ok() == f"[hook]\non-activate = '''\n{block.hook()}\n'''\n"


def test_check_exits_3_with_the_difference_and_the_cure(flox):
    """On stderr; the file stays. Lines around the block, which may be private, are not shown."""
    flox.write(MANIFEST, FRESH.replace("# gum.pkg", "# hunter2.pkg").replace("[hook]", "[hook]\n# hunter3"))
    before = flox.manifest
    done = flox.hook("--check", "--placement", "profile")
    assert (done.returncode, done.stdout) == (3, "")
    lines = done.stderr.splitlines()
    assert lines[0] == f"--- {MANIFEST}"
    assert '+# >>> envref profile v1 >>> generated by "envref flox-hook --placement profile"' in lines
    assert lines[-2:] == [
        f"error: {MANIFEST} is not what envref flox-hook would write",
        "  run: envref flox-hook --write --placement profile",
    ]
    assert "hunter" not in done.stderr
    assert flox.manifest == before


KEPT = {**FORMS, "plugin and import": ["--plugin", "--import"], "services": ["--services"]}


@pytest.mark.parametrize("form", [form for form in KEPT if "install" not in form])
def test_the_form_that_is_there_is_kept(flox, form):
    """Whoever asks for no form means the one in the manifest, with its profile and strictness."""
    flox.write(MANIFEST, SERVICES)
    flox.ok("--write", *KEPT[form])
    written = flox.manifest
    assert flox.ok("--check") == ""
    assert flox.ok("--diff") == ""
    flox.ok("--write")
    assert flox.manifest == written
    flox.write(MANIFEST, written.replace("_envref_rc=0", "_envref_rc=0 # mine"))
    flox.write(".env", ENV + "NEW=ref://pass/new\n")
    flox.ok("--write")
    flox.ok("--check", *KEPT[form])
    flox.ok("--write", "--placement", "hook")
    assert "envref hook v1" in flox.manifest


def test_drift_is_seen(flox):
    """A block that was edited by hand, and a variable that is new where names are written."""
    flox.ok("--write")
    flox.write(MANIFEST, flox.manifest.replace("local -\n", "local - # mine\n"))
    assert flox.hook("--check").returncode == 3
    flox.ok("--write", "--plugin")
    flox.write(".env", ENV + "NEW=ref://pass/new\n")
    done = flox.hook("--check", "--plugin")
    assert (done.returncode, '+NEW = "ref://pass/new"' in done.stderr) == (3, True)


def test_diff_is_what_patch_takes(flox):
    """On stdout, exit 0, nothing written; applied, it gives what --write writes."""
    difference = flox.ok("--diff")
    assert flox.manifest == FRESH
    subprocess.run(
        [need("patch"), "-p0", "--quiet"], input=difference, text=True, cwd=flox.path, check=True, timeout=60
    )
    patched = flox.manifest
    flox.write(MANIFEST, FRESH)
    flox.ok("--write")
    assert flox.manifest == patched


def test_a_diff_without_a_last_line_end_says_so(flox):
    """As diff does."""
    flox.write(MANIFEST, "version = 1")
    assert "\n\\ No newline at end of file\n" in flox.ok("--diff")


def test_the_undo_is_written_where_the_schema_has_it(flox):
    """profile.deactivate from 1.13.0 on, by literal names; the declared schema is not raised."""
    flox.ok("--write", "--placement", "profile")
    assert "deactivate" not in flox.manifest
    flox.write(MANIFEST, FRESH.replace("version = 1", 'schema-version = "1.13.0"'))
    flox.ok("--write", "--placement", "profile")
    undo = tomllib.loads(flox.manifest)["profile"]["deactivate"]
    assert undo["tcsh"].split("\n")[1] == "unsetenv APP_PORT; unsetenv API_KEY; unsetenv TOKEN"


def test_that_there_is_no_undo_is_said_once(flox):
    """Below 1.13.0 the variables of the profile form outlive the activation; also where another form was."""
    stay = "note: the variables stay set after flox deactivate"
    needs = 'their undo needs schema-version = "1.13.0"'
    first = flox.hook("--write", "--placement", "profile")
    assert (stay in first.stderr, needs in first.stderr) == (True, True)
    assert stay not in flox.hook("--write", "--placement", "profile").stderr
    assert stay not in flox.hook("--write", "--placement", "hook").stderr
    assert stay in flox.hook("--diff", "--placement", "profile").stderr
    flox.hook("--remove")
    flox.write(MANIFEST, flox.manifest.replace("version = 1", 'schema-version = "1.13.0"'))
    assert stay not in flox.hook("--write", "--placement", "profile").stderr


def test_what_is_personal_stays_out(flox):
    """The manifest is everybody's: .env.local is not read for it."""
    flox.write(".env.local", "MINE=ref://pass/mine\nAPI_KEY=plain\n")
    flox.ok("--write", "--plugin")
    assert tomllib.loads(flox.manifest)["plugins"]["envref"] == {
        "API_KEY": "ref://op/api_key",
        "TOKEN": "ref://pass//github/work",
    }


def test_a_profile_s_file_counts(flox):
    """-P, or ENVREF_PROFILE for the forms that take no -P."""
    flox.write(".env.staging", "API_KEY=ref://pass/staging_key\n")
    flox.ok("--write", "--plugin", env={"ENVREF_PROFILE": "staging"})
    assert tomllib.loads(flox.manifest)["plugins"]["envref"]["API_KEY"] == "ref://pass/staging_key"
    flox.ok("--write", "-P", "staging")
    assert " --profile staging)" in flox.manifest


def test_plugin_raises_the_schema_and_says_so(flox):
    """Older Flox programs of team mates will not read the file any more."""
    done = flox.hook("--write", "--plugin")
    assert f'raised schema-version to "1.14.0": an older Flox will not read {MANIFEST} any more' in done.stderr
    assert tomllib.loads(flox.manifest)["schema-version"] == "1.14.0"
    assert "version = 1\n" not in flox.manifest


def test_plugin_says_once_what_is_missing(flox):
    """The table is read by a script of the envref package: without it in the environment nothing happens."""
    line = "[plugins.envref] does nothing until envref is in [install]\n"
    assert line in flox.hook("--write", "--plugin").stderr
    assert line not in flox.hook("--write", "--plugin").stderr
    flox.write(MANIFEST, FRESH.replace("[install]", '[install]\nsecrets.pkg-path = "me/envref"'))
    assert line not in flox.hook("--write", "--plugin").stderr


def test_plugin_import_takes_over_what_it_can(flox):
    """What it can't is named and left."""
    flox.write(MANIFEST, FRESH.replace("version = 1", 'schema-version = "1.14.0"') + OF_FLOX)
    done = flox.hook("--write", "--plugin", "--import")
    assert done.stderr.splitlines() == [
        "[plugins.envref] does nothing until envref is in [install]",
        "plugins.vault.DB: left: no backend of type hashicorp-vault with mount: secret in .envref.yaml",
        f"wrote {MANIFEST}",
    ]
    data = tomllib.loads(flox.manifest)["plugins"]
    assert data["envref"]["GH_TOKEN"] == "ref://op//GitHub%20Token#credential"
    assert data["1password"] == {"GH_TOKEN": "op://Personal/GitHub Token/credential"}
    flox.ok("--check", "--plugin")
    flox.ok("--check", "--plugin", "--import")


OF_FLOX = """
[plugins.1password]
GH_TOKEN = "op://Personal/GitHub Token/credential"

[plugins.vault]
DB = "secret/db#url"
"""


def test_plugin_needs_a_reference(flox):
    """An empty table would be no plugin at all; the file stays."""
    flox.write(".env", "A=1\n")
    done = flox.hook("--write", "--plugin")
    assert (done.returncode, done.stderr) == (
        1,
        (
            "error: no variable is a reference, so there is nothing for [plugins.envref]\n"
            "  run: envref flox-hook --write --placement hook\n"
        ),
    )
    assert flox.manifest == FRESH


def test_install_adds_what_the_stores_need(flox):
    """Beside the block, once; the lock is stale then, and the line says so."""
    done = flox.hook("--write", "--install")
    assert "[install] changed; run flox activate, then commit manifest.lock\n" in done.stderr
    install = tomllib.loads(flox.manifest)["install"]
    assert install["_1password-cli"] == {"pkg-path": "_1password-cli", "pkg-group": "1password"}
    assert {"pass", "gnupg", "pinentry-tty"} <= install.keys()
    assert "[install] changed" not in flox.hook("--write", "--install", "--strict").stderr


def test_install_of_an_unfree_program_that_is_not_allowed_is_refused(flox):
    """With the line to change; the file stays."""
    flox.write(MANIFEST, FRESH + "allow.unfree = false\n")
    before = flox.manifest
    done = flox.hook("--write", "--install")
    line = before[: before.index("allow.unfree")].count("\n") + 1
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"error: {MANIFEST}:{line}: options.allow.unfree = false, and _1password-cli is unfree"
    )
    assert flox.manifest == before


SERVICES = FRESH + "\n[services]\nweb.command = 'python -m http.server'\nother.command = 'sleep 1'\n"


def test_services_get_their_own_secrets(flox):
    """Those that .envref.yaml names are started by envref run, without a block; --remove gives the commands back."""
    flox.write(MANIFEST, SERVICES)
    flox.ok("--write", "--services")
    services = tomllib.loads(flox.manifest)["services"]
    assert services["web"]["command"] == "envref run --only API_KEY -- sh -c 'python -m http.server'"
    assert services["other"]["command"] == "sleep 1"
    assert ">>> envref" not in flox.manifest
    written = flox.manifest
    flox.ok("--write", "--services")
    assert flox.manifest == written
    flox.ok("--check", "--services")
    flox.ok("--write", "--placement", "hook")
    flox.ok("--remove", "--services")
    assert ">>> envref" in flox.manifest
    flox.ok("--write", "--services")
    flox.ok("--remove")
    assert flox.manifest == SERVICES


@pytest.mark.parametrize(("kind", "options"), [("hook", []), ("native", ["--native"]), ("plugin", ["--plugin"])])
def test_services_beside_a_form_that_exports_are_a_warning(flox, kind, options):
    """Flox logs the environment of what it starts, with every value, wrapped or not. The profile form has none."""
    flox.write(MANIFEST, SERVICES)
    warning = f"warning: {MANIFEST}: the {kind} form gives every service all secrets"
    logged = ", and Flox writes them into .flox/log/"
    narrowed = " (--services narrows nothing beside it)"
    writing, *wrapping = ["--write", *options], ["--write", "--services"], ["--check", "--services"]
    for arguments, more in ((writing, ""), *((each, narrowed) for each in wrapping), (writing, narrowed)):
        done = flox.hook(*arguments)
        assert (done.returncode, done.stderr.count(warning + more + logged)) == (0, 1)
    [line] = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    for command in line.partition("; run: ")[2].split(", then "):
        done = flox.hook(*shlex.split(command)[2:])
        assert (done.returncode, "warning: " in done.stderr) == (0, False)
    assert "warning: " not in flox.hook("--write", "--placement", "profile").stderr


def test_a_form_without_services_is_no_warning(flox):
    """Settings of the table are not services."""
    flox.write(MANIFEST, FRESH + "\n[services]\nauto-start = true\n")
    assert "warning: " not in flox.envref("flox-hook", "--write").stderr


def test_services_that_are_not_there_are_refused(flox):
    """A map that names none, a service that the manifest lacks, a variable that no file sets."""
    done = flox.hook("--write", "--services")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, 'error: services: the manifest has no service "web"')
    flox.write(MANIFEST, SERVICES)
    flox.write(".envref.yaml", json.dumps({**CONFIG, "services": {"web": ["API_KEX"]}}))
    assert (
        'services.web: no env file sets "API_KEX" (did you mean API_KEY?)' in flox.hook("--write", "--services").stderr
    )
    flox.write(".envref.yaml", json.dumps({**CONFIG, "services": {}}))
    assert "error: no services: in .envref.yaml\n" in flox.hook("--write", "--services").stderr
    assert flox.manifest == SERVICES


GROUP = "if any flags in the group [{}] are set none of the others can be; [{}] were all set"
USAGE = {
    ("--write", "--check"): GROUP.format("write check diff remove", "write check"),
    ("--diff", "--write", "x", "--remove"): GROUP.format("write check diff remove", "write diff remove"),
    ("--native", "--plugin"): GROUP.format("native plugin services", "native plugin"),
    ("--services", "--native"): GROUP.format("native plugin services", "native services"),
    ("--placement", "profile", "--native"): GROUP.format("placement native", "placement native"),
    ("--placement", "profile", "--plugin"): GROUP.format("placement plugin", "placement plugin"),
    ("--placement=profile", "--services"): GROUP.format("placement services", "placement services"),
    ("--remove", "--install"): GROUP.format("remove install", "remove install"),
    ("--placement", "common"): 'invalid placement "common": must be one of hook, profile',
    ("--import",): "--import needs --plugin",
    ("--plugin", "--strict"): "--strict is not for --plugin; set ENVREF_STRICT=1 where the environment is activated",
    ("--plugin", "-P", "x"): "--profile is not for --plugin; set ENVREF_PROFILE where the environment is activated",
    ("--plugin", "--agent"): "--agent is not for --plugin; your own config can say agent: true",
    ("--native", "--agent"): "--agent is not for --native; your own config can say agent: true",
    ("--services", "--write", "--agent"): "--agent is not for --services; your own config can say agent: true",
    ("--services", "--write", "--strict"): "--strict is not for --services",
    ("--services",): "--services works on a manifest: add --write, --check, --diff or --remove",
    ("--wrte",): 'unknown flag: --wrte. Did you mean "--write"?',
    ("x",): "accepts 0 arg(s), received 1",
}


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_what_does_not_go_together_is_a_usage_error(flox, arguments):
    """Exit 2, with the cure where one form has another way; the file stays."""
    done = flox.hook(*arguments)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (2, "", f"error: {USAGE[arguments]}")
    assert flox.manifest == FRESH


@pytest.mark.parametrize("action", ["--write", "--check", "--diff", "--remove"])
def test_a_manifest_can_be_named(flox, action):
    """As the option's value, with or without =, relative to where one is."""
    flox.write("sub/other.toml", "version = 1\n")
    for word in ((action, "other.toml"), (f"{action}=other.toml",), (action, str(flox.path / "sub/other.toml"))):
        assert flox.hook(*word, cwd=flox.path / "sub").returncode == (3 if action == "--check" else 0)
    assert flox.manifest == FRESH
    assert (">>> envref" in flox.read("sub/other.toml")) is (action == "--write")


def test_the_manifest_is_found_from_below_and_above(flox):
    """Upwards from the project's root, wherever in the project one is; messages say where it is from there."""
    flox.write("app/.envref.yaml", json.dumps(CONFIG))
    flox.write("app/.env", ENV)
    flox.write("app/src/x", "")
    done = flox.hook("--write", cwd=flox.path / "app" / "src")
    assert (done.returncode, done.stderr) == (0, f"wrote ../{MANIFEST}\n")
    assert ">>> envref" in flox.manifest
    assert flox.ok("-C", str(flox.path / "app"), "--check") == ""


def test_without_a_flox_environment_the_message_says_how_to_make_one(flox):
    """And without a project, how to make that; --remove needs none."""
    (flox.path / MANIFEST).unlink()
    done = flox.envref("flox-hook", "--write")
    assert (done.returncode, done.stderr) == (1, f"error: no {MANIFEST} in {flox.path} or above\n  run: flox init\n")
    done = flox.envref("flox-hook", "--write", "no.toml")
    assert (done.returncode, done.stderr) == (1, "error: reading no.toml: No such file or directory\n")
    flox.write(MANIFEST, FRESH)
    flox.ok("--write")
    (flox.path / ".envref.yaml").unlink()
    assert "no .envref.yaml found" in flox.hook("--write").stderr
    flox.ok("--remove")
    assert flox.manifest == FRESH


def test_no_trust_is_needed_and_no_store_asked(flox):
    """A config that may only be used after `envref trust`, with a store that would be started: it is not."""
    flox.write("plugin", "#!/bin/sh\ntouch started\n").chmod(0o755)
    entry = {"name": "mine", "type": "plugin", "config": {"command": "./plugin"}}
    flox.write(".envref.yaml", json.dumps({"project": "x", "backends": [entry]}))
    flox.write(".env", "A=ref://mine/a\n")
    for form in ([], ["--placement", "profile"], ["--plugin"]):
        flox.ok("--write", *form)
    assert not (flox.path / "started").exists()


NAMES = {
    "PATH": "it would run code or redirect credentials of every program; set it by hand where it is needed",
    "LD_PRELOAD": "it would run code or redirect credentials of every program; set it by hand where it is needed",
    "status": "it is special to a shell; use another name",
    "path": "it is special to a shell; use another name",
    "fish_greeting": "it is fish's own; use another name",
    "FLOX_ENV": "it is Flox's own; use another name",
    "SECONDS": "shells would evaluate its value as arithmetic; use another name",
    "my-var": "no shell has variables of this name; use letters, digits and _ only",
}


@pytest.mark.parametrize(
    ("form", "name"),
    [*(("hook", name) for name in NAMES), ("profile", "path"), ("plugin", "PATH"), ("native", "status")],
)
def test_secrets_under_a_name_that_means_something_else_are_refused(flox, form, name):
    """With the place in the env file, for every form; the manifest stays."""
    flox.write(".env", f"A=1\n{name}=ref://pass/x\n")
    done = flox.hook("--write", *FORMS[form])
    assert done.returncode == 1
    assert done.stderr.startswith("error: .env:2:")
    assert f" {name}: " in done.stderr
    assert NAMES[name] in done.stderr
    assert flox.manifest == FRESH


def test_plain_values_of_such_names(flox):
    """What trust asks about at each load passes, unless a block would unset it; a shell's own names never."""
    flox.write(".env", "VAULT_ADDR=https://vault.example\nPATH=/bin\nMY-VAR=1\n")
    flox.ok("--write")
    flox.ok("--write", "--placement", "profile")
    flox.write(MANIFEST, FRESH.replace("version = 1", 'schema-version = "1.13.0"'))
    done = flox.hook("--write", "--placement", "profile")
    assert [line.split(" it ")[0] for line in done.stderr.splitlines()] == [
        "error: .env:1:1: VAULT_ADDR:",
        "error: .env:2:1: PATH:",
    ]
    flox.write(".env", "path=/bin\n")
    assert "error: .env:1:1: path: it is special to a shell" in flox.hook("--write").stderr


BAD = {
    "both versions": FRESH.replace("version = 1", "version = 1\nschema-version = '1.12.0'"),
    "no TOML": FRESH + "[",
    "unbalanced": FRESH.replace("[hook]", "[hook]\non-activate = '# <<< envref hook v1 <<<'"),
    "hook.script": FRESH.replace("[hook]", "[hook]\nscript = 'x'"),
    "CRLF": FRESH.replace("\n", "\r\n"),
    "three quotes": FRESH.replace("[hook]", "[hook]\non-activate = \"'''\""),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("action", ["--write", "--check", "--diff"])
def test_a_refusal_names_file_line_and_column_and_changes_nothing(flox, action, name):
    """Exit 1 before anything is written."""
    flox.write(MANIFEST, BAD[name])
    done = flox.envref("flox-hook", action)
    assert done.returncode == 1
    place = done.stderr.removeprefix(f"error: {MANIFEST}:").split(": ")[0]
    assert all(part.isdigit() for part in place.split(":"))
    assert (done.stdout, flox.manifest) == ("", BAD[name])
    assert os.listdir(flox.path / ".flox/env") == ["manifest.toml"]


@pytest.mark.parametrize("options", [[], ["--placement", "profile"], ["--native"]])
def test_crlf_is_refused_in_every_form_that_a_shell_runs(flox, options):
    """In strict mode too, and where git gave them to a manifest with a block; what no shell runs is written."""
    crlf = FRESH.replace("\n", "\r\n")
    flox.ok("--write", *options)
    for text in (crlf, flox.manifest.replace("\n", "\r\n")):
        flox.write(MANIFEST, text)
        done = flox.hook("--write", "--strict", *options)
        assert done.stderr == (
            f"error: {MANIFEST}:1:14: line ends are CRLF, with which no shell runs a block; convert the file to LF\n"
        )
        assert (done.returncode, flox.manifest) == (1, text)
    flox.ok("--remove")
    assert flox.manifest == crlf
    flox.ok("--write", "--plugin")
    assert "\n" not in flox.manifest.replace("\r\n", "")


def test_a_newer_schema_is_a_warning(flox):
    """Written all the same; -q keeps it quiet."""
    flox.write(MANIFEST, "schema-version = '1.30.0'\n")
    done = flox.hook("--write", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    flox.write(MANIFEST, "schema-version = '1.30.0'\n")
    assert flox.hook("--write").stderr.startswith(f"warning: {MANIFEST}: schema-version is newer")


def test_a_link_out_of_the_project_is_refused(flox, tmp_path):
    """For reading and for writing."""
    outside = tmp_path / "outside.toml"
    outside.write_text(FRESH)
    (flox.path / MANIFEST).unlink()
    (flox.path / MANIFEST).symlink_to(outside)
    for action in ("--write", "--check", "--diff", "--remove"):
        done = flox.envref("flox-hook", action)
        assert done.returncode == 1
        assert f"{os.path.basename(MANIFEST)}: it is a symlink to {outside}, outside the project" in done.stderr
    assert outside.read_text() == FRESH


def write_and_remove(flox, pipe):
    """One form after the other in and out again, each command told on the pipe; for a fork. Never returns."""
    try:
        os.chdir(flox.path)
        for arguments in (["--placement", "profile"], ["--strict"], ["--plugin"], ["--native"]) * 1000:
            for action in (["--write", *arguments], ["--remove"]):
                assert run(["flox-hook", "-q", *action]) == 0
                os.write(pipe, b"done\n")
    finally:
        os._exit(1)  # the tests' own process must not go on twice


def test_a_kill_leaves_a_whole_manifest(flox):
    """After each of 30 kills at random moments: one of the states that it has between two commands, to the byte."""
    flox.write(MANIFEST, FRESH.replace("version = 1", 'schema-version = "1.14.0"'))
    states = {flox.manifest}
    for arguments in (["--placement", "profile"], ["--strict"], ["--plugin"], ["--native"]):
        flox.ok("--write", *arguments)
        states.add(flox.manifest)
        flox.ok("--remove")
    chance = random.Random(7)
    met = set()
    for _ in range(30):
        reading, writing = os.pipe()
        writer = os.fork()
        if writer == 0:
            write_and_remove(flox, writing)
        os.close(writing)
        with open(reading, encoding="ascii") as told:
            for _ in range(chance.randint(1, 6)):
                told.readline()
            time.sleep(chance.random() * 0.05)
            os.kill(writer, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(writer, 0)[1]), "a command failed"
        met.add(flox.manifest)
    assert met <= states
    assert len(met) > 1
    flox.ok("--write")
    flox.ok("--remove")
    assert os.listdir(flox.path / ".flox/env") == ["manifest.toml"]


def test_init_writes_the_block_too(project):
    """--flox, after the files of a project; a second time it is there already."""
    project.write(MANIFEST, FRESH)
    done = project.envref("init", "--flox")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"  update {MANIFEST} (added the envref hook)\n" in done.stderr
    assert block.hook() in project.read(MANIFEST)
    assert project.envref("flox-hook", "--check").returncode == 0
    assert f"  skip {MANIFEST} (envref is in it)\n" in project.envref("init", "--flox").stderr


@pytest.mark.parametrize("manifest", [None, "version = 2\n"])
def test_init_without_a_usable_flox_environment_writes_nothing(project, manifest):
    """The error comes before the first file."""
    if manifest:
        project.write(MANIFEST, manifest)
    before = sorted(project.path.rglob("*"))
    done = project.envref("init", "--flox")
    assert done.returncode == 1
    assert "version is always 1" in done.stderr if manifest else "  run: flox init\n" in done.stderr
    assert sorted(project.path.rglob("*")) == before


def test_init_warns_of_services_beside_the_hook(project):
    """As --write does."""
    project.write(MANIFEST, SERVICES)
    done = project.envref("init", "--flox")
    assert done.returncode == 0, done.stderr
    assert f"warning: {MANIFEST}: the hook form gives every service all secrets" in done.stderr


def test_init_leaves_another_form_alone(flox):
    """An environment that loads its secrets in another way keeps it."""
    flox.ok("--write", "--placement", "profile")
    before = flox.manifest
    assert f"  skip {MANIFEST} (envref is in it)\n" in flox.envref("init", "--flox").stderr
    assert flox.manifest == before
