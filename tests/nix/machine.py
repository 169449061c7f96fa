"""Real Nix for the tests: a store of its own below a directory, no network, and the stand-in for nixpkgs.

Several processes may share the directory: Nix itself locks what it builds.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

from tests.backends.doubles.onepassword.account import OP

ROOT = pathlib.Path(__file__).parents[2]
STAND_IN = pathlib.Path(__file__).parent / "nixpkgs"
LINT = ROOT / ".venvs" / "lint"
_BASE = pathlib.Path(sys.base_prefix)
_PATH = "/usr/local/bin:/usr/bin:/bin"


class Nix:
    """The program `nix`, and where it works. `directory` is made by the first that uses it."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.nixpkgs = directory / "nixpkgs"

    def prepare(self):
        """The stand-in, told what this machine has."""
        shutil.copytree(STAND_IN, self.nixpkgs)
        machine = {
            "bash": shutil.which("bash"),
            "lint": str(LINT),
            "op": str(OP),
            "path": _PATH,
            "python": os.path.realpath(sys.executable),
            "site": sysconfig.get_path("purelib"),
            "version": "{}.{}".format(*sys.version_info),
        }
        lines = "".join(f"  {name} = {json.dumps(value)};\n" for name, value in machine.items())
        (self.nixpkgs / "machine.nix").write_text(f"{{\n{lines}}}\n", encoding="utf-8")
        (self.directory / "home").mkdir()

    @property
    def environment(self):
        """All that a `nix` sees."""
        place = self.directory
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(place / "home"),
            "NIX_CONFIG": self._settings(),
            "NIX_STORE_DIR": str(place / "nix" / "store"),
            "NIX_STATE_DIR": str(place / "nix" / "var"),
            "NIX_LOG_DIR": str(place / "nix" / "log"),
            "NIX_CONF_DIR": str(place / "etc"),
            "TMPDIR": str(place),
        }

    def _settings(self):
        seen = ["/bin", "/usr", "/lib", "/lib64", str(_BASE), str(ROOT / ".venvs"), str(OP.parent), sys.prefix]
        return f"""
experimental-features = nix-command flakes
build-users-group =
substituters =
flake-registry =
sandbox = true
sandbox-fallback = true
sandbox-paths = {" ".join(path for path in dict.fromkeys(seen) if os.path.exists(path))}
warn-dirty = false
"""

    def run(self, flake, *words, then=(), env=None, stdin="", cwd=None):
        """`nix WORDS` on the flake in a directory, `-- THEN` after it; its completed result."""
        [verb, *others] = words
        verbs = [verb] if verb in ("run", "build", "develop", "eval") else [verb, others.pop(0)]
        attribute = [f"path:{flake}{others.pop(0)}"] if others and others[0].startswith("#") else [f"path:{flake}"]
        command = [self.program, *verbs, *attribute, *others, "--no-write-lock-file", *then]
        if verb != "flake" or others[:1] != ["--no-update-lock-file"]:
            command[len(verbs) + 2 : len(verbs) + 2] = ["--override-input", "nixpkgs", f"path:{self.nixpkgs}"]
        return subprocess.run(
            command,
            env={**self.environment, **(env or {})},
            cwd=cwd or self.directory,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )


def copy_of_checkout(place):
    """The files of the checkout that git knows or would know, as a flake of its own."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source, target = ROOT / name, place / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target, follow_symlinks=False)
    return place
