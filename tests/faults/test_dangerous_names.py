"""P13: a dangerous name of an env file takes effect only after trust, whichever way it would get into a shell."""

from __future__ import annotations

import re

import pytest

from envref.formats.shells import is_evaluated
from envref.project.trust.dangerous import is_dangerous
from tests.project.trust.test_dangerous import ENDPOINTS, IN_BOTH_MODES, LEADING, PROXIES, spelt

# A shell that evaluates the output must survive these being set: they are tried one by one in `test_dangerous`.
NAMES = sorted(
    name
    for name in set(spelt(IN_BOTH_MODES) + spelt(ENDPOINTS) + spelt(LEADING) + spelt(PROXIES))
    if not name.startswith("ENVREF_")  # no file can set these, trusted or not
    if not is_evaluated(name)  # no shell gets these but as numbers, trusted or not
)


@pytest.fixture
def app(project):
    """A project whose file sets dangerous names of every kind, and one that is ordinary."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "ORDINARY=1\n" + "".join(f"{name}=marker\n" for name in NAMES))
    return project


@pytest.fixture(params=["default", "strict"])
def waiting(request, home):
    """The names that the user's mode asks for."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"trust: {request.param}\n")
    return [name for name in NAMES if request.param == "strict" or is_dangerous(name, "marker")]


@pytest.mark.parametrize("shell", ["sh", "fish", "tcsh"])
def test_export_sets_none_before_trust(app, waiting, shell):
    """And has every one after it."""
    before = app.envref("resolve", "--export", "--shell", shell)
    assert (before.returncode, before.stdout) == (4, "false\n")
    assert f" and {len(waiting) - 5} more\n" in before.stderr
    told = app.envref("trust").stderr.partition(" to set ")[2]
    assert [name for name in waiting if f"{name}=" not in told] == []
    after = app.envref("resolve", "--export", "--shell", shell)
    assert (exported(after.stdout), after.stderr) == (["ORDINARY", *NAMES], "")


def test_a_person_is_shown_the_others_before_trust(app, waiting):
    """Plain output goes to no shell."""
    before = app.envref("resolve")
    rest = ["ORDINARY", *(name for name in NAMES if name not in waiting)]
    assert [line.partition("=")[0] for line in before.stdout.splitlines()] == rest
    assert before.stderr.startswith(f"warning: {', '.join(waiting)}: left out")


def exported(code):
    """The names in code for any of the three shells, a line each."""
    return [re.match(r"(?:export|setenv|set -gx) (\w+)", line)[1] for line in code.splitlines()]


def test_run_sets_none_before_trust(app, waiting):
    """It does not start."""
    done = app.envref("run", "--pristine", "--", "/usr/bin/env")
    assert (done.returncode, done.stdout) == (4, "")
    assert f" and {len(waiting) - 5} more\n" in done.stderr


@pytest.mark.parametrize("name", ["BASH_ENV", "ENV", "PROMPT_COMMAND", "LD_PRELOAD", "PATH"])
def test_no_payload_runs_before_trust(project, name):
    """Through `run`, and through the eval of what `resolve` prints."""
    project.write(".envref.yaml", "project: app\n")
    payload = project.write("bin/true", f"#!/bin/sh\n: > {project.path}/was-run\n")
    payload.chmod(0o755)
    value = payload.parent if name == "PATH" else payload
    project.write(".env", f"{name}={value}\nA=1\n")
    project.envref("run", "--", "bash", "-c", "true")
    code = project.envref("resolve", "--export").stdout
    assert code == "false\n"
    assert not (project.path / "was-run").exists()
