"""No failure is hidden by evaluation (security.md P14): the status in each shell is not 0."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.arguments import PYTHONPATH
from tests.loaded import ENVREF
from tests.requirements import first_python, need

pytestmark = first_python

POSIX = 'eval "$(envref resolve --export {})"'
# How a shell loads the output, and what it calls the status of the last command.
SHELLS = {
    "sh": (["sh"], POSIX, "$?"),
    "dash": (["dash"], POSIX, "$?"),
    "bash": (["bash"], POSIX, "$?"),
    "zsh": (["zsh", "-f"], POSIX, "$?"),
    "ksh": (["ksh"], POSIX, "$?"),
    "mksh": (["mksh"], POSIX, "$?"),
    "busybox": (["busybox", "sh"], POSIX, "$?"),
    "fish": (["fish", "--no-config"], "envref resolve --export --shell fish {} | source", "$status"),
    "tcsh": (["tcsh", "-f"], 'eval "`envref resolve --export --shell tcsh {}`"', "$status"),
}
STORE = """\
#!/bin/sh
case $(cat) in
  *app/here*) echo '{"value": "it is"}' ;;
  *app/nul*) printf '{"value": "a\\\\u0000b"}' ;;
  *app/broken*) echo '{"error": "exploded"}' ;;
  *app/slow*) sleep 60 ;;
  *) echo '{"error": "not found"}' ;;
esac
"""
CONFIG = "project: app\nbackends:\n  - {name: store, type: plugin, timeout: 1, config: {command: ./store}}\n"
GOOD = "HERE=ref://store/here\nPLAIN=plain\n"

# What is wrong -> the files, and the options
FATAL = {
    "missing, strict": ({".env": f"{GOOD}A=ref://store/none\n"}, "--strict"),
    "failing, strict": ({".env": f"{GOOD}A=ref://store/broken\n"}, "--strict"),
    "late, strict": ({".env": f"{GOOD}A=ref://store/slow\n"}, "--strict"),
    "not a value, strict": ({".env": f"{GOOD}A=ref://store/nul\n"}, "--strict"),
    "a bad name, strict": ({".env": f"{GOOD}my-var=1\n"}, "--strict"),
    "config": ({".envref.yaml": "project: [\n"}, ""),
    "no config": ({".envref.yaml": None}, ""),
    "env file": ({".env": "not an assignment\n"}, ""),
    "no env file": ({".env": None}, ""),
    "interpolation": ({".env": "A=${B:?set it}\n"}, ""),
    "a mistyped option": ({}, "--strcit"),
    "no name of a profile": ({}, "--profile a.b"),
    "a value no environment holds": ({".env": f"A={'x' * 140_000}\n"}, ""),
}


@pytest.fixture
def load(project, tmp_path):
    """What the shell says of its own after it has loaded the project: the status, and the variables."""
    project.write(".envref.yaml", CONFIG)
    project.write("store", STORE).chmod(0o755)
    programs = tmp_path / "bin"
    programs.mkdir()
    ENVREF.install(programs)

    def run(shell, options, then=""):
        (program, *words), text, status = SHELLS[shell]
        script = f"{text.format(options)}\necho status={status}\n{then}"
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": PYTHONPATH, "ENVREF_TRUST": "all"}
        return subprocess.run(
            [need(program), *words, "-c", script],
            cwd=project.path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    run.project = project
    return run


@pytest.mark.parametrize("reason", FATAL)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_failure_is_the_status_of_the_evaluation(load, shell, reason):
    """Whatever stops `resolve`, the shell's own status is 1, and no variable was set on the way."""
    files, options = FATAL[reason]
    for name, content in {".env": GOOD, **files}.items():
        if content is None:
            (load.project.path / name).unlink(missing_ok=True)
        else:
            load.project.write(name, content)
    done = load(shell, options, "env")
    told = done.stdout.splitlines()
    assert told[0] == "status=1", done.stderr
    assert not [line for line in told if line.startswith(("HERE=", "PLAIN=", "A=", "my-var="))]
    assert "error: " in done.stderr


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh", "ksh", "mksh", "busybox"])
def test_a_script_that_stops_at_errors_stops(load, shell):
    """`set -e` sees it as well."""
    load.project.write(".env", "A=ref://store/none\n")
    (program, *words), text, _ = SHELLS[shell]
    done = load(shell, "--strict")
    assert "status=1" in done.stdout
    SHELLS["set -e"] = ([program, *words, "-e"], text, "$?")
    try:
        done = load("set -e", "--strict", "echo went on")
    finally:
        del SHELLS["set -e"]
    assert done.returncode == 1
    assert done.stdout == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_without_strict_what_resolved_is_there_and_the_rest_is_not(load, shell):
    """Neither empty nor `ref://` text; each is named on stderr."""
    load.project.write(".env", f"{GOOD}GONE=ref://store/none\nBROKEN=ref://store/broken\nAFTER=x${{GONE}}\n")
    done = load(shell, "", "env")
    lines = done.stdout.splitlines()
    assert {"HERE=it is", "PLAIN=plain"} <= set(lines)
    assert not [line for line in lines if line.startswith(("GONE=", "BROKEN=", "AFTER="))]
    assert "ref://" not in done.stdout
    assert [name for name in ("GONE", "BROKEN", "AFTER") if f"error: {name}: " not in done.stderr] == []


def test_the_status_tells_a_partial_result(load):
    """3, for whoever asks for it before the evaluation."""
    load.project.write(".env", f"{GOOD}GONE=ref://store/none\n")
    SHELLS["status"] = (["sh"], 'text=$(envref resolve --export {}); echo "was=$?"', "$?")
    try:
        assert load("status", "").stdout.splitlines()[0] == "was=3"
    finally:
        del SHELLS["status"]


@pytest.mark.parametrize("before", [["--no-color"], ["-q"], ["-C", "."], ["-v", "--project", "."]], ids=" ".join)
def test_an_option_before_the_command_hides_no_failure(load, before):
    """A mistyped option is no success, wherever it stands."""
    done = load.project.envref(*before, "resolve", "--export", "--strcit")
    assert (done.stdout, done.returncode) == ("false\n", 2)
