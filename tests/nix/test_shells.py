"""Shells that have envref: lib.mkShellHook, `nix develop`, default.nix, shell.nix, and direnv's `use envref`."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
import zlib
from base64 import urlsafe_b64decode

import pytest

from envref import __version__
from tests.nix.machine import ROOT, bash
from tests.nix.test_flake import SYSTEM, failed, succeeded
from tests.requirements import need


@pytest.fixture(scope="module")
def hooks(flake):
    """The texts of lib.mkShellHook: of a shell that goes on, and of a strict one."""
    return flake.evaluate("{ flake, ... }: map flake.lib.mkShellHook [ { } { strict = true; } ]")


@pytest.fixture
def app(project):
    """A project with a variable, and one that no store has."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault, config: {path: s.db}}]\n")
    project.write(".env", "A=1\n")
    return project


@pytest.fixture
def on_path(tmp_path):
    """The environment of a shell that finds this checkout's envref."""
    program = tmp_path / "bin" / "envref"
    program.parent.mkdir()
    launcher = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from envref.__main__ import main; main()"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(launcher)} "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "ENVREF_TRUST": "all"}


def test_the_hook_loads_the_variables_of_the_project_above(hooks, app, on_path):
    """From a folder below, into a strict shell, whose settings stay; nothing of the hook's own is left."""
    below = app.path / "a b" / "c"
    below.mkdir(parents=True)
    for hook in hooks:
        script = f"set -euo pipefail\n{hook}\necho $A $-\ncompgen -v _envref || compgen -A function || true\nexec env"
        done = bash(script, below, on_path)
        first, *child = done.stdout.splitlines()
        assert (first.split()[0], done.stderr) == ("1", "")
        assert {"e", "u"} <= set(first.split()[1])
        assert "A=1" in child
        assert not [line for line in child if "_envref" in line]


def test_shellcheck_has_nothing_to_say(hooks):
    """Of either hook, and of the function for direnv."""
    direnv = (ROOT / "nix" / "modules" / "use-envref.sh").read_text(encoding="utf-8").replace("@envref@", "envref")
    for text in (*hooks, direnv):
        done = subprocess.run(
            [need("shellcheck"), "--shell=bash", "-"], input=text, capture_output=True, encoding="utf-8", check=False
        )
        assert (done.stdout, done.returncode) == ("", 0)


def test_the_hook_does_nothing_without_a_project(hooks, tmp_path):
    """It says nothing and needs no envref, in a strict shell too."""
    for hook in hooks:
        done = bash(f"{hook}\necho on", tmp_path, {"PATH": "/usr/bin:/bin"})
        assert (done.stdout, done.stderr) == ("on\n", "")


def test_a_secret_that_is_missing(hooks, app, on_path):
    """The shell has the other variables and goes on; a strict one ends."""
    app.write(".env", "A=1\nGONE=ref://secrets/gone\n")
    variables = {**on_path, "ENVREF_VAULT_PASSPHRASE": "correct horse"}
    assert bash("envref vault init -q", app.path, variables).returncode == 0
    lenient, strict = (bash(f"{hook}\necho $A ${{GONE-without}}", app.path, variables) for hook in hooks)
    assert (lenient.stdout, lenient.returncode) == ("1 without\n", 0)
    assert "GONE: failed to resolve" in lenient.stderr
    assert (strict.stdout, strict.returncode) == ("", 1)
    assert "envref: no secrets loaded (exit status 1)" in strict.stderr


def test_a_broken_project(hooks, app, on_path):
    """Nothing is loaded, envref says why, and only a strict shell ends."""
    app.write(".envref.yaml", "project: [\n")
    lenient, strict = (bash(f"set -e\n{hook}\necho on ${{A-without}}", app.path, on_path) for hook in hooks)
    assert (lenient.stdout, strict.stdout) == ("on without\n", "")
    assert "envref: no secrets loaded (exit status 1)" in lenient.stderr


def test_a_shell_of_ones_own(flake, app):
    """`nix develop` of a mkShell with envref and its hook: the variables, the caller's Python, and no library."""
    shell = flake.expression(f"""
      {{ flake, nixpkgs }}: nixpkgs.legacyPackages.{SYSTEM}.mkShell {{
        packages = [ flake.packages.{SYSTEM}.envref ];
        shellHook = flake.lib.mkShellHook {{ }};
      }}
    """)
    seen = 'echo "$A"; type -P envref python3; echo "${PYTHONPATH-none} ${PYTHONHASHSEED-none}"'
    done = flake.nix.run(
        "develop", "--impure", "--expr", shell, "-c", "bash", "-c", seen, cwd=app.path, env={"ENVREF_TRUST": "all"}
    )
    value, envref, *python, libraries = succeeded(done).splitlines()
    assert (value, libraries) == ("1", "none none")
    assert envref.endswith("-envref-0.1.0/bin/envref")
    assert not [path for path in python if path.startswith(str(flake.nix.directory))]


def test_the_development_shell_has_the_checkouts_envref(flake, app):
    """`envref` runs this code from anywhere, and takes nothing from its caller's Python."""
    poison = app.path / "poison"
    poison.mkdir()
    (poison / "click.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    script = (
        f"cd {app.path} && NIX_PYTHONPATH={poison} PYTHONPATH={poison} envref run -- sh -c 'echo $A $NIX_PYTHONPATH'"
    )
    assert succeeded(flake.develop("bash", "-c", script)) == f"1 {poison}\n"


def test_without_flakes(flake):
    """default.nix is the three packages, of any nixpkgs; shell.nix is the shell; the lock names the nixpkgs of both."""
    told = flake.evaluate(f"""
      {{ nixpkgs, flake }}:
      let
        pkgs = import nixpkgs {{ system = "{SYSTEM}"; }};
        here = import {flake.place}/default.nix {{ inherit pkgs; }};
      in {{
        same = here.drvPath == flake.packages.{SYSTEM}.envref.drvPath;
        free = here.envref-free.drvPath == flake.packages.{SYSTEM}.envref-free.drvPath;
        refused = builtins.tryEval here.envref-full.drvPath;
        hook = here.mkShellHook {{ }} == flake.lib.mkShellHook {{ }};
        shell =
          (import {flake.place}/shell.nix {{ inherit pkgs; }}).drvPath == flake.devShells.{SYSTEM}.default.drvPath;
      }}
    """)
    assert told == {
        "same": True,
        "free": True,
        "refused": {"success": False, "value": False},
        "hook": True,
        "shell": True,
    }
    lock = json.loads((ROOT / "flake.lock").read_text(encoding="utf-8"))["nodes"]["nixpkgs"]["locked"]
    said = failed(flake.nix.run("eval", "--impure", "--expr", f"import {flake.place}/nix/locked.nix"))
    assert lock["rev"] in said  # the address that it can't reach here


def test_the_shell_without_flakes(flake):
    """`nix-shell` opens what `nix develop` opens: the checkout's envref is there."""
    done = flake.nix.run(
        "--arg",
        "pkgs",
        f"import {flake.nixpkgs} {{ }}",
        "--run",
        "envref --version",
        cwd=flake.place,
        program="nix-shell",
    )
    assert succeeded(done) == f"envref {__version__}\n"


@pytest.fixture
def direnv(app, on_path, tmp_path):
    """direnv with the function that home-manager installs; call it with a program."""
    need("direnv")
    library = tmp_path / "config" / "direnv" / "lib"
    library.mkdir(parents=True)
    text = (ROOT / "nix" / "modules" / "use-envref.sh").read_text(encoding="utf-8")
    (library / "envref.sh").write_text(text.replace("@envref@", "envref"), encoding="utf-8")
    variables = {**on_path, "XDG_CONFIG_HOME": str(library.parents[1]), "XDG_DATA_HOME": on_path["HOME"]}

    def run(script):
        allowed = bash("direnv allow", app.path, variables)
        assert allowed.returncode == 0, allowed.stderr
        return bash(f"direnv exec . sh -c {shlex.quote(script)}", app.path, variables)

    return run


def files(watched):
    """The names of the files in direnv's own list: compressed JSON, whose keys older versions write in lower case."""
    entries = json.loads(zlib.decompress(urlsafe_b64decode(watched)))
    return {os.path.basename(entry.get("Path") or entry["path"]) for entry in entries}


def test_direnv_knows_use_envref(direnv, app):
    """One line of an .envrc loads the variables, and watches the files that they come from."""
    app.write(".envrc", "use envref\n")
    value, watched = succeeded(direnv('echo "$A"; echo "$DIRENV_WATCHES"')).splitlines()
    assert value == "1"
    assert {".envref.yaml", ".env", ".env.local"} <= files(watched)


def test_direnv_takes_a_profile(direnv, app):
    """`use envref staging` loads that profile's values, and watches its file as well."""
    app.write(".envrc", "use envref staging\n")
    app.write(".env.staging", "A=of staging\n")
    value, watched = succeeded(direnv('echo "$A"; echo "$DIRENV_WATCHES"')).splitlines()
    assert value == "of staging"
    assert ".env.staging" in files(watched)
