"""The Flox environments under flox/, as far as they can be judged without Flox: nothing here was run by it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib

import pytest

from envref import __version__
from tests.nightly import at_night
from tests.nix.machine import ROOT, bash
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


def test_who_shares_the_environment_shares_what_everybody_can_install():
    """The flake: a package that somebody published to Flox's catalog is seen by that person or organization only."""
    assert manifest(SHARED)["install"]["envref"] == {"flake": "github:OWNER/envref"}


def copied_to_the_store(built, out):
    """What Flox does with the result of a build that was not sandboxed: each mention of its place becomes the store's.

    package-builder/build-manifest.nix of flox, "local mode": cpio through sed. Both places are of the same length.
    """
    assert len(str(built)) == len(str(out))
    shutil.copytree(built, out, symlinks=True)
    for file in out.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.write_bytes(file.read_bytes().replace(str(built).encode(), str(out).encode()))
    shutil.rmtree(built)


def wrapped(out, environment):
    """What Flox does with every program of `out`, last of all (the same file): symlinks it leaves alone.

    The wrapper activates the environment that the package was built in; FLOX_ENV and PATH are what it changes here.
    """
    (environment / "bin").mkdir(parents=True)
    activate = environment / "wrapper"
    activate.write_text(
        f'#!/bin/bash\nshift 3\nexport FLOX_ENV={environment} PATH={environment}/bin:$PATH\nexec "$@"\n',
        encoding="utf-8",
    )
    activate.chmod(0o755)
    for program in (file for name in ("bin", "sbin", "libexec") for file in out.glob(f"{name}/*")):
        if program.is_symlink() or not os.access(program, os.X_OK):
            continue
        hidden = program.with_name(f".{program.name}-wrapped")
        program.rename(hidden)
        program.write_text(
            f"""#!/bin/bash -e
export FLOX_MANIFEST_BUILD_OUT='{out}'
export FLOX_RUNTIME_DIR='/tmp'
export FLOX_SET_ARG0="$0"
exec -a "$0" "{activate}" --env {environment} -- "{hidden}" "$@"
""",
            encoding="utf-8",
        )
        program.chmod(0o755)


@at_night
@first_python
def test_the_build_command_makes_a_package_that_runs(tmp_path, project):
    """Built, copied and wrapped as Flox does it, envref works and leaves no trace in the environment of a child."""
    need("bash")
    need("git")
    build = manifest(PUBLISH)["build"]["envref"]
    built, out = tmp_path / "prefix", tmp_path / "store-"
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, env=variables, capture_output=True, check=False).returncode:
        missing("the checkout is no repository of git")
    done = bash(build["command"], ROOT / "flox", {**variables, "out": str(built)})
    if "No matching distribution" in done.stderr:
        missing("no package index can be reached")
    assert done.returncode == 0, done.stderr
    copied_to_the_store(built, out)
    wrapped(out, tmp_path / "environment")
    version = bash(build["version"]["command"], PUBLISH.parent, variables).stdout
    assert bash(f"{out}/bin/envref --version", tmp_path, variables).stdout == f"envref {version}"
    assert bash(f"{out}/bin/docker-credential-envref list", tmp_path, variables).stdout == "{}\n"
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    active = {**variables, "FLOX_ENV": "/the/activated/env", "NIX_PYTHONPATH": "/theirs"}
    alone = bash("exec env A=1 env -0", project.path, active).stdout
    child = bash(f"exec {out}/bin/envref run -- env -0", project.path, active).stdout
    assert sorted(child.split("\0")) == sorted(alone.split("\0"))
    with open(f"{out}/bin/envref", encoding="utf-8") as launcher:
        assert launcher.readline().endswith(" -IS\n")


def test_a_program_that_is_no_symlink_is_wrapped(tmp_path):
    """The imitation of Flox's last step changes what a child sees, unless the program is a symlink."""
    (tmp_path / "out" / "bin").mkdir(parents=True)
    (tmp_path / "out" / "lib").mkdir()
    for place in ("bin/plain", "lib/real"):
        (tmp_path / "out" / place).write_text("#!/bin/sh\nexec env\n", encoding="utf-8")
        (tmp_path / "out" / place).chmod(0o755)
    (tmp_path / "out" / "bin" / "linked").symlink_to("../lib/real")
    wrapped(tmp_path / "out", tmp_path / "environment")
    variables = {"PATH": os.environ["PATH"], "FLOX_ENV": "/the/activated/env"}
    seen = {name: bash(f"exec {tmp_path}/out/bin/{name}", tmp_path, variables).stdout for name in ("plain", "linked")}
    assert f"FLOX_ENV={tmp_path}/environment" in seen["plain"]
    assert "FLOX_MANIFEST_BUILD_OUT" in seen["plain"]
    assert "FLOX_ENV=/the/activated/env" in seen["linked"]
    assert "FLOX_MANIFEST_BUILD_OUT" not in seen["linked"]


def test_the_version_is_found_where_flox_asks_for_it():
    """Flox runs `version.command` in the directory above .flox (make --directory, cli/flox-rust-sdk/.../build.rs)."""
    need("git")
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = bash(manifest(PUBLISH)["build"]["envref"]["version"]["command"], PUBLISH.parent, variables)
    if "not a git repository" in done.stderr:
        missing("the checkout is no repository of git")
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")
