"""`constraints.txt` and the stores' pins: one version a package for every Python and platform, all its files' hashes.

docs/adr/0003-pins.md says why. uv writes them, because pip can't resolve for a machine it does not run on.
"""

from __future__ import annotations

import os
import subprocess
import tomllib

from setup import stores
from setup.environment import ROOT, Environment
from setup.interpreters import OLDEST, interpreters

_HEADER = "# Written by `make pins`; docs/adr/0003-pins.md says why.\n"


def write() -> int:
    """Resolves anew, to the newest versions that are allowed; stops at the first failure. The exit status of uv."""
    uv = Environment("pins", interpreters()[0]).with_packages("pins").program("uv")
    status = _resolve(uv, "constraints.txt", *_groups(), "pyproject.toml")
    for group, packages in stores.GROUPS.items():
        status = status or _resolve(uv, stores.pins_of(group), "-", wanted="\n".join(packages))
    return status


def _resolve(uv: str, pins: str, *sources: str, wanted: str = "") -> int:
    """Writes one file of pins. `wanted` is what the source `-` stands for: requirements, one a line."""
    command = [uv, *_OPTIONS, *sources]
    resolved = subprocess.run(command, cwd=ROOT, input=wanted.encode(), stdout=subprocess.PIPE, check=False)
    if resolved.returncode == 0:
        with open(os.path.join(ROOT, pins), "w", encoding="ascii") as file:
            file.write(_HEADER + resolved.stdout.decode())
    return resolved.returncode


_OPTIONS = ["pip", "compile", "--quiet", "--universal", "--python-version", ".".join(map(str, OLDEST))]
_OPTIONS += ["--generate-hashes", "--no-header", "--no-annotate", "--upgrade"]


def _groups() -> list[str]:
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        return [word for group in tomllib.load(file)["dependency-groups"] for word in ("--group", group)]
