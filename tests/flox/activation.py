"""A native block in a real bash, as an environment's hook: what it exports, what it leaves behind, what it says."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from envref.env.environment import Environment
from envref.flox.native import native
from envref.project.project import load

# Sources the hook as Flox does: stdout to stderr, the options of the caller. `after` is written by what runs behind it.
_DRIVER = """\
{setup}
_options_before="$(set +o; shopt -p)"
source "$HOOK" {redirection}
_options_after="$(set +o; shopt -p)"
set +x
[ "$_options_before" = "$_options_after" ] || echo changed >"$RESULT/options"
compgen -A function >"$RESULT/functions" || true
compgen -v >"$RESULT/variables" || true
"$PYTHON" -IS -c 'import json, os, sys
environment = {{os.fsdecode(name): value.decode("utf-8", "surrogateescape") for name, value in os.environb.items()}}
with open(sys.argv[1], "w") as file:
    json.dump(environment, file)' "$RESULT/environment"
"""


class Result:
    """What became of an activation. `exported` are the variables that are new or changed; None where it was stopped."""

    def __init__(self, finished, directory, before):
        self.status = finished.returncode
        self.stdout = finished.stdout
        self.stderr = finished.stderr
        after = directory / "environment"
        self.exported = None
        if after.exists():
            environment = json.loads(after.read_text())
            own = {"_", "SHLVL", "PWD", "OLDPWD", "_options_before", "_options_after"}
            self.exported = {
                name: value for name, value in environment.items() if before.get(name) != value and name not in own
            }
        self.left = [
            name
            for kind in ("functions", "variables")
            if (directory / kind).exists()
            for name in (directory / kind).read_text().split()
            if name.startswith("_envref")
        ]
        self.options_changed = (directory / "options").exists()


def block_of(root, *, strict=False, profile=None):
    """The native block of the project at `root`."""
    project = load(str(root), profile)
    ambient = os.environ if project.config.interpolate_environment else None
    return native(project, Environment(project.files, ambient), strict=strict)


def activate(text, directory, *, setup="", environment=None, stdin=None, cwd=None, redirection="1>&2"):
    """Runs the text as a hook in bash; `setup` is code before it, `stdin` an open file of the caller's."""
    directory = pathlib.Path(directory)
    number = len(list(directory.glob("activation*")))
    result = directory / f"activation{number}"
    result.mkdir()
    hook = result / "hook"
    hook.write_text(text)
    given = {**os.environ, "HOOK": str(hook), "RESULT": str(result), "PYTHON": sys.executable, **(environment or {})}
    given = {name: value for name, value in given.items() if value is not None}
    finished = subprocess.run(
        ["/usr/bin/env", "bash", "--noprofile", "--norc", "-c", _DRIVER.format(setup=setup, redirection=redirection)],
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env=given,
        cwd=cwd or directory,
        timeout=120,
        check=False,
    )
    return Result(finished, result, given)
