"""The Flox environments under flox/, as far as they can be judged without Flox: nothing here was run by it."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib

import pytest

from tests.nix.machine import ROOT
from tests.requirements import first_python, missing, need

SHARED = ROOT / "flox" / ".flox"
PUBLISH = ROOT / "flox" / "publish" / ".flox"


def manifest(environment):
    return tomllib.loads((environment / "env" / "manifest.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("environment", [SHARED, PUBLISH], ids=["shared", "publish"])
def test_an_environment_is_whole(environment):
    """It has a name, one version key and the systems of the flake; its lock is not there, as flox/README.md says."""
    assert json.loads((environment / "env.json").read_text(encoding="utf-8"))["version"] == 1
    held = manifest(environment)
    assert held["schema-version"] == "1.12.0"
    assert "version" not in held
    assert set(held["options"]["systems"]) == {"aarch64-darwin", "aarch64-linux", "x86_64-linux"}
    assert not (environment / "env" / "manifest.lock").exists()


def test_who_includes_the_environment_gets_envref_and_nothing_else():
    """No Python and no program of a store comes first on the PATH of another project."""
    assert set(manifest(SHARED)["install"]) == {"envref"}


def test_the_hook_does_nothing_without_a_project(tmp_path):
    """In a directory without `.envref.yaml` it prints nothing, sets nothing and ends well, with no envref on PATH."""
    need("bash")
    hook = manifest(SHARED)["hook"]["on-activate"]
    script = (
        f": | :\ncompgen -v | sort > before\n{hook}\ncompgen -v | sort > after\ndiff before after\ncompgen -A function"
    )
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-euc", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "FLOX_ENV_PROJECT": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")


@first_python
def test_the_build_command_makes_a_package_that_runs(tmp_path, project):
    """Run by a plain bash, it makes an envref that works and leaves no trace in the environment of a child."""
    need("bash")
    need("git")
    build = manifest(PUBLISH)["build"]["envref"]
    out = tmp_path / "out"
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, env=variables, capture_output=True, check=False).returncode:
        missing("the checkout is no repository of git")
    done = run(build["command"], ROOT / "flox", {**variables, "out": str(out)})
    if "No matching distribution" in done.stderr:
        missing("no package index can be reached")
    assert done.returncode == 0, done.stderr
    version = run(build["version"]["command"], ROOT, variables).stdout
    assert run(f"{out}/bin/envref --version", tmp_path, variables).stdout == f"envref {version}"
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    alone = run("exec env A=1 env -0", project.path, variables).stdout
    child = run(f"exec {out}/bin/envref run -- env -0", project.path, variables).stdout
    assert sorted(child.split("\0")) == sorted(alone.split("\0"))


def run(command, place, variables):
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", command],
        cwd=place,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
