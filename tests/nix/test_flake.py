"""The flake: its own code, evaluated and built by real Nix over a stand-in for nixpkgs.

What this can't prove, docs/nix.md says: that today's nixpkgs has what the flake asks it for.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import platform
import re
import tomllib

import pytest

from tests.backends.doubles.onepassword.account import Account
from tests.nightly import at_night
from tests.nix.machine import ROOT

SYSTEM = f"{platform.machine()}-linux"
MANUAL = "share/man/man1"
CHECKS = {"bundled", "clean-env", "docs", "lint", "no-leak", "tests"}


def succeeded(done):
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def failed(done):
    assert done.returncode != 0
    return done.stderr


def test_the_lock_is_in_step(flake):
    """flake.lock holds what flake.nix asks for: one nixpkgs, by revision and hash."""
    locks = json.loads(succeeded(flake.metadata()))["locks"]["nodes"]
    assert set(locks) == {"root", "nixpkgs"}
    assert locks["nixpkgs"]["original"]["ref"] == "nixpkgs-unstable"
    assert {"rev", "narHash"} <= set(locks["nixpkgs"]["locked"])
    dated = datetime.datetime.fromtimestamp(locks["nixpkgs"]["locked"]["lastModified"], datetime.UTC)
    assert dated.date() == datetime.date(2026, 8, 29)


def test_every_output_evaluates_on_every_system(flake):
    """Packages, apps, checks, shells, formatter, overlay and modules; Linux on two processors, and macOS."""
    done = flake.check("--all-systems", "--no-build")
    succeeded(done)
    for system in ("x86_64-linux", "aarch64-linux", "aarch64-darwin"):
        for package in ("default", "envref", "envref-full", "envref-free"):
            assert f"packages.{system}.{package}" in done.stderr
            assert f"apps.{system}.{package}" in done.stderr
        assert f"devShells.{system}.default" in done.stderr
        assert f"formatter.{system}" in done.stderr


def test_every_check_passes(flake):
    """`nix flake check` builds each check, the tests among them: in a sandbox, without a network."""
    succeeded(flake.check())
    made = flake.evaluate(f"{{ flake, ... }}: builtins.attrNames flake.checks.{SYSTEM}")
    assert set(made) == CHECKS
    log = succeeded(flake.nix.run("log", succeeded(flake.build(f"checks.{SYSTEM}.tests")).strip()))
    assert int(re.search(r"(\d+) passed", log)[1]) > 1000


def test_it_runs(flake):
    """`nix run .#envref -- --version` prints the version."""
    assert re.fullmatch(r"envref \d+\.\d+\.\d+\n", succeeded(flake.run("envref", "--version")))


@pytest.fixture
def app(project):
    """A project with a secret in 1Password."""
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: 1password\n")
    project.write(".env", "A=ref://secrets/a\n")
    (project.path / "account").mkdir()
    account = Account(project.path / "account")
    account.note("app/a", "the value of a")
    return project


def outside(app):
    """The environment of a person who has no `op`."""
    return {"OP_DOUBLE": str(app.path / "account"), "HOME": str(app.path), "ENVREF_TRUST": "all"}


def test_a_bundled_program_is_found(flake, app):
    """envref-full asks the `op` that it brings, which is on no PATH; a child of `run` sees nothing of it."""
    printed = succeeded(
        flake.run(
            "envref-full", "run", "--", "sh", "-c", 'echo "$A"; command -v op; env', cwd=app.path, env=outside(app)
        )
    )
    [value, *others] = printed.splitlines()
    assert value == "the value of a"
    assert not [line for line in others if "1password-cli" in line or line.startswith("ENVREF_STORE_PATH")]


def test_the_lean_package_brings_no_program(flake, app):
    """envref says that `op` is not there."""
    told = failed(flake.run("envref", "resolve", "--export", cwd=app.path, env=outside(app)))
    assert "start op: executable file not found in $PATH" in told


def test_the_development_shell_runs_the_tests(flake):
    """`nix develop -c python -m pytest` works in a checkout, with nothing installed."""
    printed = succeeded(
        flake.develop("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/project/config/test_load.py")
    )
    assert re.search(r"\d+ passed", printed)


def test_a_second_build_is_the_same_to_the_bit(flake):
    """`nix build --rebuild` compares what it makes with what is there. This package runs no tests in its build.

    The checks wait for it too: it is there, or will be.
    """
    succeeded(flake.build("envref-full"))
    succeeded(flake.build("envref-full", "--rebuild"))


def test_the_package_ships_completions_and_what_the_wheel_ships(flake):
    """Completions for three shells, and the wheel's shared files."""
    out = succeeded(flake.build("envref")).strip()
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"].get("shared-data", {})
    for name in (
        "share/bash-completion/completions/envref.bash",
        "share/fish/vendor_completions.d/envref.fish",
        "share/zsh/site-functions/_envref",
        *(name for name in shared.values() if name != MANUAL),
    ):
        with open(f"{out}/{name}", encoding="utf-8") as file:
            assert "envref" in file.read()
    # nixpkgs' own compress-man-pages.sh makes .gz of them; the stand-in has no such hook.
    shipped = {name.removesuffix(".gz") for name in os.listdir(f"{out}/{MANUAL}")}
    assert shipped == set(os.listdir(ROOT / "docs/man"))


@pytest.mark.parametrize("package", ["envref", "envref-full", pytest.param("envref-free", marks=at_night)])
def test_nothing_is_propagated(flake, package):
    """`mkShell` and Flox's buildenv (buildenv/builder.pl) would bring what this file names into the shell."""
    out = succeeded(flake.build(package)).strip()
    assert not os.path.exists(f"{out}/nix-support/propagated-build-inputs")


@pytest.mark.parametrize(
    "file", ["nix/package.nix", "nix/shell.nix", "nix/nixpkgs/package.nix", "flox/publish/.flox/env/manifest.toml"]
)
def test_every_launcher_keeps_site_out(file):
    """-I alone lets nixpkgs' sitecustomize obey NIX_PYTHONPATH."""
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"^ *#!\$.*?([^ ]*)$", text, re.MULTILINE) == ["-IS"]


def test_the_overlay_leaves_licences_to_the_user(flake):
    """Laid over a nixpkgs that refuses unfree programs, it gives envref and envref-free, and envref-full is refused."""
    packages = """
      { flake, nixpkgs }:
      let
        over = import nixpkgs { system = "x86_64-linux"; overlays = [ flake.overlays.default ]; };
        evaluates = package: (builtins.tryEval package.drvPath).success;
      in map evaluates [ over.envref over.envref-free over.envref-full ]
    """
    assert flake.evaluate(packages) == [True, True, False]


def test_every_package_says_its_name_and_its_licences(flake):
    """What a package brings is in its own licence, so that Flox and nixpkgs judge by it; envref itself is MIT."""
    told = flake.evaluate(f"""
      {{ flake, ... }}:
      builtins.mapAttrs (_: package: {{
        inherit (package) pname;
        licences = map (licence: licence.spdxId or licence.shortName) package.meta.license;
      }}) flake.packages.{SYSTEM}
    """)
    assert {name: each["pname"] for name, each in told.items()} == {
        "default": "envref",
        "envref": "envref",
        "envref-free": "envref-free",
        "envref-full": "envref-full",
    }
    assert told["envref"]["licences"] == ["MIT"]
    assert set(told["envref-free"]["licences"]) == {"MIT", "Apache-2.0", "UPL-1.0", "MPL-2.0"}
    assert set(told["envref-full"]["licences"]) == {"MIT", "Apache-2.0", "UPL-1.0", "BUSL-1.1", "unfree"}


def test_the_development_shell_has_what_the_tests_import():
    """Every library of the dependency group `test` is named in nix/shell.nix."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    named = set(re.findall(r"(?:packages|pkgs)\.([\w-]+)", (ROOT / "nix" / "shell.nix").read_text(encoding="utf-8")))
    assert {requirement.removesuffix("-py") for requirement in groups["test"]} <= named


@pytest.mark.parametrize("name", ["pyrage", "ruff"])
def test_a_wheel_is_the_one_that_is_pinned(name):
    """Version and hashes in its file of nix/ are those of constraints.txt, whatever nixpkgs has."""
    nix = (ROOT / "nix" / f"{name}.nix").read_text(encoding="utf-8")
    pins = (ROOT / "constraints.txt").read_text(encoding="ascii")
    pinned = re.search(rf"^{name}==(\S+).*(?:\n .*)*", pins, re.MULTILINE)
    assert re.search(r'version = "(.*)"', nix)[1] == pinned[1]
    hashes = re.findall(r"sha256-(\S+)\"", nix)
    assert len(hashes) == 3
    for each in hashes:
        assert base64.b64decode(each).hex() in pinned[0]
