"""`envref doctor`: streams, exit status, the JSON report, and that no value is in any of it."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.conftest import PLUGIN_ENTRY, config
from tests.lateness import as_set

MARKER = "marker-91be"


@pytest.fixture
def healthy(project):
    """A project without secrets and without a fault."""
    project.write(".envref.yaml", config())
    project.write(".env", "A=1\n")
    return project


def test_a_healthy_project(healthy):
    """One line on stdout; none with -q; status 0."""
    done = healthy.envref("doctor")
    assert (done.returncode, done.stdout, done.stderr) == (0, "OK: no issues found\n", "")
    done = healthy.envref("doctor", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_findings_are_told_on_stderr(healthy):
    """File, line, cure; what concerns one file together and in the order of its lines; the number twice; status 1."""
    healthy.write(".env", "A=a b\nmy-var=1\nA=2\n")
    healthy.write(".env.local", "B=\n").chmod(0o644)
    done = healthy.envref("doctor")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        ".env:",
        '  line 1: unquoted value with spaces for "A" (consider quoting to avoid portability issues)',
        '  line 2: "my-var" is not a valid shell variable name; shell output leaves it out',
        "    hint: use letters, digits and _; envref run and JSON carry any name",
        '  line 3: duplicate key "A" (previously defined on line 1, using latest value)',
        "    hint: keep one of the lines",
        ".env.local:",
        '  line 1: empty value for "B" without explicit quotes (use KEY="" if intentional)',
        "  readable by others (mode 0644)",
        "    run: chmod 600 .env.local",
        "",
        "Doctor found 4 issue(s)",
        "4 issue(s) found",
    ]
    assert healthy.envref("doctor", "-q").stderr == done.stderr


def test_an_empty_value_is_a_note(project):
    """`KEY=` is how most templates say "yours to fill in"; it fails no CI step."""
    project.write(".env", "A=1\nB=\n")
    done = project.envref("doctor")
    assert (done.returncode, done.stdout) == (0, "OK: no issues found\n")
    assert done.stderr == '.env:\n  line 2: empty value for "B" without explicit quotes (use KEY="" if intentional)\n'
    report = json.loads(project.envref("doctor", "--format", "json").stdout)
    assert (report["issues"], report["findings"][0]["is_note"]) == (0, True)


def test_a_directory_without_a_config(project):
    """Its env files are examined, the rest is not asked for; nothing looked at is never OK."""
    done = project.envref("doctor")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: no env file in {project.path}: nothing was looked at\n")
    done = project.envref("-C", "nowhere", "doctor")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: nowhere: no such directory\n")
    project.write(".env", "A=b c\n")
    project.write(".env.local", "K=ref://secrets/k\n").chmod(0o644)
    done = project.envref("doctor")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "1 issue(s) found")


def test_files_named_on_the_command_line(project):
    """They stand in for the project's own, and have to exist."""
    project.write("a.env", "A=\n")
    project.write("b.env", "B=\n")
    done = project.envref("doctor", "-f", "a.env", "--local-file", "b.env")
    assert [line for line in done.stderr.splitlines() if line.endswith(":")] == ["a.env:", "b.env:"]
    done = project.envref("doctor", "-f", "gone.env")
    assert done.returncode == 1
    assert done.stderr.startswith("gone.env:\n  no such file or directory\n    hint: ")


def test_the_effective_profile_is_examined(healthy):
    """By option and by environment; other profiles' files are not."""
    healthy.write(".env.staging", "B=a b\n")
    assert healthy.envref("doctor").returncode == 0
    for done in (
        healthy.envref("doctor", "-P", "staging"),
        healthy.envref("doctor", env={"ENVREF_PROFILE": "staging"}),
    ):
        assert done.stderr.startswith('.env.staging:\n  line 1: unquoted value with spaces for "B"')


def test_the_project_s_base_file_is_missing(healthy):
    """Every other command needs it."""
    (healthy.path / ".env").unlink()
    done = healthy.envref("doctor")
    assert done.stderr.startswith(".env:\n  no such file or directory\n    hint: ")


def test_a_config_that_can_t_be_used(healthy):
    """A finding, not the end: the env files are examined nevertheless."""
    healthy.write(".envref.yaml", "backends: []\n")
    healthy.write(".env", "A=b c\n")
    done = healthy.envref("doctor")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[:3] == [
        ".envref.yaml:",
        "  invalid config: project name is required",
        "    hint: correct it; every command that needs the project stops here",
    ]
    assert lines[-1] == "2 issue(s) found"


def test_the_report_as_json(healthy):
    """The whole of it on stdout, nothing on stderr; each finding with where it is and one cure."""
    healthy.write(".env", "A=1\nA=2\n")
    healthy.write(".env.local", "").chmod(0o644)
    done = healthy.envref("doctor", "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert set(report) == {"version", "checks", "issues", "findings", "secrets"}
    assert (report["version"], report["issues"]) == (1, 2)
    assert report["findings"] == [
        {
            "check": "duplicate-key",
            "subject": ".env",
            "message": 'duplicate key "A" (previously defined on line 1, using latest value)',
            "hint": "keep one of the lines",
            "line": 2,
            "column": 1,
            "key": "A",
        },
        {
            "check": "readable",
            "subject": ".env.local",
            "message": "readable by others (mode 0644)",
            "run": "chmod 600 .env.local",
        },
    ]
    assert {"duplicate-key", "store"} < set(report["checks"])
    assert not any(check.startswith("flox") for check in report["checks"])


def test_the_report_of_a_healthy_project_as_json(healthy):
    """No finding, status 0."""
    done = healthy.envref("doctor", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["findings"] == []


def test_no_value_is_told(shop, home):
    """Values in env files, in the store, in the environment and in what Flox left: none of them in either report."""
    shop.configure()
    shop.fill(k=f"{MARKER}-store")
    text = [
        f"A={MARKER}-a b",
        f"A={MARKER}-again ",
        f'B="{MARKER}-$GONE"',
        f"my-var={MARKER}-c",
        "K=ref://secrets/k",
        "L=ref://secrets/l",
    ]
    shop.write(".env", "\n".join(text) + "\n")
    shop.write(".env.local", f"X={MARKER}-unterminated\nPASSWORD='{MARKER}-open\n").chmod(0o644)
    left = home / ".cache/flox/run/activations/x/y.1"
    left.mkdir(parents=True)
    (left / "end.env.json").write_text(json.dumps({"K": f"{MARKER}-flox"}))
    for arguments in (["--flox"], ["--flox", "--format", "json"], ["--flox", "--debug"]):
        done = shop.envref("doctor", *arguments, env={"GONE_TOO": MARKER, "ENVREF_VAULT_PASSPHRASE": MARKER})
        assert done.returncode == 1
        assert MARKER not in done.stdout + done.stderr


def test_a_name_with_control_characters_steers_no_terminal(project):
    """What a repository's files hold is escaped on its way to the terminal."""
    project.write(".env", "A=ref://x\x1b[31m/y\n")
    done = project.envref("doctor")
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


def test_flox_is_asked_about_by_the_option(healthy):
    """Without it an environment beside the config is only hinted at; -q hides the hint."""
    healthy.write(".flox/env/manifest.toml", 'schema-version = "1.12.0"\n')
    done = healthy.envref("doctor")
    assert (done.returncode, done.stdout) == (0, "OK: no issues found\n")
    assert done.stderr == "hint: there is a Flox environment here; envref doctor --flox looks at it too\n"
    assert healthy.envref("doctor", "-q").stderr == ""
    done = healthy.envref("doctor", "--flox")
    assert (done.returncode, "XDG_RUNTIME_DIR:\n  not set: Flox keeps" in done.stderr) == (1, True)
    assert "hint: there is a Flox" not in done.stderr


def test_a_store_that_hangs_ends_by_its_time_out(project, trusted):
    """ENVREF_TIMEOUT counts here as well."""
    project.write("plugin", "#!/bin/sh\nexec sleep 60\n").chmod(0o755)
    project.write(".envref.yaml", config(PLUGIN_ENTRY))
    project.write(".env", "K=ref://secrets/k\n")
    done = project.envref("doctor", env={"ENVREF_TIMEOUT": "0.5"})
    assert done.returncode == 1
    assert "no answer within 0.5 s" in as_set(done.stderr, 0.5)


def test_it_is_fast_on_long_files(healthy):
    """Ten thousand lines, each with a finding, take seconds of CPU time at most."""
    healthy.write(".env", "".join(f"A{number}=x y\n" for number in range(10_000)))
    before = os.times()
    done = healthy.envref("doctor")
    after = os.times()
    assert done.stderr.endswith("10000 issue(s) found\n")
    assert after.children_user - before.children_user < 20
