"""A project that keeps secrets for some programs, in a store that counts how often it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.arguments import PYTHONPATH

TOKEN = "t0ken-f0r-one-t00l"
STORE = """\
#!/bin/sh
echo asked >> asked
request=$(cat)
case $request in
  *missing*) echo '{"error": "not found"}' ;;
  *) echo '{"value": "%s"}' ;;
esac
"""
ENV = """\
PLAIN=1
GH_TOKEN=ref://secrets/token
URL=https://$GH_TOKEN@localhost/
OTHER=ref://secrets/other?default=other
PGPASSWORD=l1teral-passw0rd
DSN=${DSN_OVERRIDE:-postgres://me:$PGPASSWORD@localhost/}
LAYERED=$PGPASSWORD
LONG=1
"""
LOCAL = 'LAYERED=free\nLONG="$LONG $DSN"\n'
TOOLS = {"gh": ["GH_TOKEN"], "psql": {"variables": ["PGPASSWORD"]}, "aws": {"credential-process": ["AWS_KEY"]}}


class Kept:
    """The project; its real programs lie in `bin`, which is on PATH."""

    def __init__(self, project):
        self.path = project.path
        self.write = project.write
        self.read = project.read
        self.envref = project.envref
        self.configure(TOOLS)
        project.write("store", STORE % TOKEN).chmod(0o755)
        project.write(".env", ENV)
        project.write(".env.local", LOCAL)

    def configure(self, tools, **more):
        entry = {"name": "store", "type": "plugin", "config": {"command": "./store"}}
        self.write(".envref.yaml", json.dumps({"project": "app", "backends": [entry], "tools": tools} | more))

    def program(self, name, text, where="bin"):
        """A program on PATH."""
        path = self.write(f"{where}/{name}", f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def environment(self, *folders, **more):
        """Of a shell with the project's programs, and envref, on PATH."""
        self.program("envref", f'exec {sys.executable} -m envref "$@"', where="envrefs")
        first = [str(self.path / folder) for folder in (*folders, "bin", "envrefs")]
        path = os.pathsep.join([*first, os.environ["PATH"]])
        return {**os.environ, "PYTHONPATH": PYTHONPATH, **more, "PATH": path}

    def typed(self, text, *folders, shell=("sh",), cwd=None, **more):
        """What a shell does with the text."""
        return subprocess.run(
            [*shell, "-c", text],
            cwd=cwd or self.path,
            env=self.environment(*folders, **more),
            capture_output=True,
            encoding="utf-8",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,  # seconds; whatever takes longer hangs
        )

    @property
    def asked(self):
        """How often the store was asked."""
        log = self.path / "asked"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def app(project, trusted):
    return Kept(project)


@pytest.fixture
def app_of():
    """Makes the project where nobody has trusted it."""
    return Kept
