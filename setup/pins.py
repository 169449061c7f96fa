"""`constraints.txt`: one version of every package for every Python and platform, with the hashes of all its files.

docs/adr/0003-pins.md says why. uv writes it, because pip can't resolve for a machine it does not run on.
"""

from __future__ import annotations

import os
import subprocess
import tomllib

from setup.environment import ROOT, Environment
from setup.interpreters import OLDEST, interpreters

_HEADER = "# Written by `make pins`; docs/adr/0003-pins.md says why.\n"


def write() -> int:
    """Resolves anew, to the newest versions that pyproject.toml allows. The exit status of uv."""
    uv = Environment("pins", interpreters()[0]).with_packages("pins").program("uv")
    resolved = subprocess.run(
        [uv, *_OPTIONS, *_groups(), "pyproject.toml"], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if resolved.returncode == 0:
        with open(os.path.join(ROOT, "constraints.txt"), "w", encoding="ascii") as file:
            file.write(_HEADER + resolved.stdout.decode())
    return resolved.returncode


_OPTIONS = ["pip", "compile", "--quiet", "--universal", "--python-version", ".".join(map(str, OLDEST))]
_OPTIONS += ["--generate-hashes", "--no-header", "--no-annotate", "--upgrade"]


def _groups() -> list[str]:
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        return [word for group in tomllib.load(file)["dependency-groups"] for word in ("--group", group)]
