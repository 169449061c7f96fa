"""Real Nix for the tests: a store of its own below a directory, no network, and a stand-in for nixpkgs.

Several processes may share the directory: Nix itself locks what it builds.
"""

from __future__ import annotations

import glob
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

from tests.backends.doubles.onepassword.account import OP

ROOT = pathlib.Path(__file__).parents[2]
PREFIX = ROOT / ".venvs" / "nix"  # where setup/nix.py puts it
_STAND_IN = pathlib.Path(__file__).parent / "nixpkgs"
REAL_LIB = os.environ.get("ENVREF_TESTS_NIXPKGS_LIB", "")  # the `lib` of a nixpkgs, to take the stand-in's place
LINT = os.path.realpath(ROOT / ".venvs" / "lint")
_SETTINGS = """
experimental-features = nix-command flakes
build-users-group =
substituters =
flake-registry =
download-attempts = 1
max-jobs = 2
sandbox = true
sandbox-fallback = true
sandbox-paths = {}
"""


def program():
    """The absolute path of `nix`: the one that `make test` unpacks, else the machine's own; None without either."""
    unpacked = PREFIX / "usr" / "bin" / "nix"
    return str(unpacked) if (PREFIX / "nix.stamp").exists() else shutil.which("nix")


class Nix:
    """A `nix`, and the directory that it works in."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.nixpkgs = directory / "nixpkgs"
        self._home = directory / "home"

    def prepare(self):
        """Makes the directory: an empty store, and the stand-in, told what this machine has. Returns itself."""
        self._home.mkdir(parents=True)
        shutil.copytree(_STAND_IN, self.nixpkgs)
        machine = {
            "bash": shutil.which("bash"),
            "lint": LINT,
            "lintSite": _site(LINT),
            "op": str(OP),
            "python": os.path.realpath(sys.executable),
            "site": sysconfig.get_path("purelib"),
            "version": f"{sys.version_info.major}.{sys.version_info.minor}",
        }
        if REAL_LIB:
            shutil.copytree(REAL_LIB, self.nixpkgs / "lib")
        lines = [f"{name} = {json.dumps(value)};" for name, value in machine.items()]
        libraries = " ".join(json.dumps(name) for name in _libraries())
        text = "\n".join(["{", *lines, f"libraries = [ {libraries} ];", "}", ""])
        (self.nixpkgs / "machine.nix").write_text(text, encoding="utf-8")
        done = self.run("store", "info")  # makes the database, which several can share but not make
        assert done.returncode == 0, done.stderr
        return self

    def environment(self):
        """All that a `nix` sees: nothing of the machine's own Nix."""
        place = self.directory / "nix"
        seen = ["/bin", "/usr", "/lib", "/lib64", sys.base_prefix, sys.prefix, LINT, str(OP.parent)]
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "TMPDIR": str(self.directory),
            "NIX_CONFIG": _SETTINGS.format(" ".join(path for path in dict.fromkeys(seen) if os.path.exists(path))),
            "NIX_CONF_DIR": str(place / "etc"),
            "NIX_LOG_DIR": str(place / "log"),
            "NIX_STATE_DIR": str(place / "var"),
            "NIX_STORE_DIR": str(place / "store"),
        }

    def run(self, *arguments, cwd=None, env=None, program="nix"):
        """`nix ARGUMENTS`, or another program that stands beside it: its completed result, output as text."""
        return subprocess.run(
            [os.path.join(os.path.dirname(self.program), program), *arguments],
            env={**self.environment(), **(env or {})},
            cwd=cwd or self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )


def _site(environment):
    """The directory of a virtual environment's libraries."""
    [found] = glob.glob(f"{environment}/lib/python3*/site-packages")
    return found


def _libraries():
    """The names, as nixpkgs writes them, of what is installed beside this Python and would be in nixpkgs too."""
    found = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    return sorted({re.sub(r"[-_.]+", "-", each.name).lower() for each in found} - {"envref", "pyrage"})


class Flake:
    """The flake in a directory, with the stand-in as its nixpkgs; the lock file is left alone."""

    def __init__(self, nix, place, nixpkgs=None):
        self.nix = nix
        self.place = place
        self.nixpkgs = nixpkgs or nix.nixpkgs
        self._input = ["--override-input", "nixpkgs", f"path:{self.nixpkgs}", "--no-write-lock-file"]

    def metadata(self):
        """What the flake says of itself and its lock, without the stand-in. Fails if the lock is not in step."""
        return self.nix.run("flake", "metadata", f"path:{self.place}", "--no-update-lock-file", "--json")

    def check(self, *options):
        return self.nix.run("flake", "check", f"path:{self.place}", *self._input, *options)

    def build(self, attribute, *options):
        """Builds an output; its path in the store is what is printed."""
        return self.nix.run("build", self.output(attribute), "--no-link", "--print-out-paths", *self._input, *options)

    def run(self, attribute, *arguments, cwd=None, env=None):
        """`nix run .#attribute -- arguments`."""
        return self.nix.run("run", self.output(attribute), *self._input, "--", *arguments, cwd=cwd, env=env)

    def develop(self, *command):
        """Runs a command in the development shell, at the root of the checkout."""
        return self.nix.run("develop", f"path:{self.place}", *self._input, "-c", *command, cwd=self.place)

    def expression(self, function):
        """The text of a Nix function's result; it is of `{ flake, nixpkgs }`."""
        return f"""
          let
            nixpkgs = builtins.getFlake "path:{self.nixpkgs}";
            flake = (import {self.place}/flake.nix).outputs {{ self = flake; inherit nixpkgs; }};
          in ({function}) {{ inherit flake nixpkgs; }}
        """

    def evaluation(self, function):
        """`nix eval` of such a function."""
        return self.nix.run("eval", "--impure", "--json", "--expr", self.expression(function))

    def evaluate(self, function):
        """The value, as Python has it, of such a function."""
        done = self.evaluation(function)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def output(self, attribute):
        return f"path:{self.place}#{attribute}"

    def change(self, name, old, new):
        """Replaces a text in a file of the flake."""
        file = self.place / name
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")


def other_nixpkgs(nix, place, **told):
    """A copy of the stand-in whose machine.nix says this too: texts, and sets of texts."""
    shutil.copytree(nix.nixpkgs, place)
    file = place / "machine.nix"
    lines = [
        f"{name} = {json.dumps(value)};"
        if isinstance(value, str)
        else f"{name} = {{ {' '.join(f'{json.dumps(key)} = {json.dumps(text)};' for key, text in value.items())} }};"
        for name, value in told.items()
    ]
    file.write_text(file.read_text(encoding="utf-8").replace("{\n", "\n".join(["{", *lines, ""]), 1), encoding="utf-8")
    return place


def copy_of_checkout(place):
    """The files of the checkout that git has or would take. Where it is no repository, all that are not hidden."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        return shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source, target = ROOT / name, place / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return place


def bash(script, place, variables):
    """A script in a bash that reads no files of its own, in a directory and an environment: its completed result."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        cwd=place,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
