"""nix/nixpkgs/package.nix, which is written for nixpkgs: built of a tarball of the tag, by its hash."""

from __future__ import annotations

import os
import subprocess

import pytest

from envref import __version__
from tests.nightly import at_night
from tests.nix.machine import ROOT, Flake, other_nixpkgs
from tests.nix.test_flake import SYSTEM, failed, succeeded

TEXT = (ROOT / "nix" / "nixpkgs" / "package.nix").read_text(encoding="utf-8")


@pytest.fixture
def release(own_flake, tmp_path):
    """The checkout's flake and a nixpkgs whose fetchFromGitHub has the tag; nix/nixpkgs/package.nix has its hash."""
    tarball = tmp_path / "tag.tar.gz"
    subprocess.run(["tar", "-czf", tarball, "-C", tmp_path, own_flake.place.name], check=True)
    nixpkgs = other_nixpkgs(
        own_flake.nix, tmp_path / "nixpkgs", tarballs={f"OWNER/envref/v{__version__}": str(tarball)}
    )
    digest = succeeded(own_flake.nix.run("hash", "path", str(own_flake.place))).strip()
    own_flake.change("nix/nixpkgs/package.nix", "lib.fakeHash", f'"{digest}"')  # as nix-update does it
    return Flake(own_flake.nix, own_flake.place, nixpkgs)


def build(flake):
    """`nix build` of the package, as pkgs/by-name calls it."""
    called = flake.expression(f"""
      {{ flake, nixpkgs }}:
      let
        pkgs = nixpkgs.legacyPackages.{SYSTEM};
        # pyrage, which the package takes from nixpkgs' Python packages, is not there yet.
        python3Packages = pkgs.python3Packages // {{
          pyrage = pkgs.python3Packages.callPackage {flake.place}/nix/pyrage.nix {{ }};
        }};
      in pkgs.callPackage {flake.place}/nix/nixpkgs/package.nix {{ inherit python3Packages; }}
    """)
    return flake.nix.run("build", "--impure", "--no-link", "--print-out-paths", "-L", "--expr", called)


def test_it_builds_from_the_tag_and_runs_the_tests(release, project):
    """Source by tag and hash, tests, version check, completions; a child sees what it would see without envref."""
    done = build(release)
    out = succeeded(done).strip()
    assert " passed" in done.stderr
    for name in ("bash-completion/completions/envref.bash", "fish/vendor_completions.d/envref.fish"):
        with open(f"{out}/share/{name}", encoding="utf-8") as file:
            assert "envref" in file.read()
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(project.path), "NIX_PYTHONPATH": "/theirs"}
    child = subprocess.run(
        [f"{out}/bin/envref", "run", "--", "env"],
        cwd=project.path,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    expected = {**variables, "A": "1"}
    assert set(child.stdout.splitlines()) == {f"{name}={value}" for name, value in expected.items()}
    assert not os.path.exists(f"{out}/nix-support/propagated-build-inputs")
    listed = subprocess.run(
        [f"{out}/bin/docker-credential-envref", "list"], env=variables, capture_output=True, check=True
    )
    assert listed.stdout == b"{}\n"


@at_night
def test_another_hash_is_refused(release):
    """A tag that holds something else stops the build."""
    release.change("nix/nixpkgs/package.nix", '"sha256-', '"sha256-AAAA')
    assert failed(build(release))


@at_night
def test_another_version_is_refused(release):
    """versionCheckHook compares what the program says."""
    release.change("nix/nixpkgs/package.nix", f'version = "{__version__}";', 'version = "9.9.9";')
    release.change("nix/nixpkgs/package.nix", "v${finalAttrs.version}", f"v{__version__}")
    assert failed(build(release))


def test_it_says_what_pyproject_says():
    """Version, description and libraries are literals there, and those of this checkout here."""
    assert f'version = "{__version__}";' in TEXT
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [description] = [line for line in pyproject.splitlines() if line.startswith("description")]
    assert f"{description};" in TEXT
    ours = (ROOT / "nix" / "dependencies.nix").read_text(encoding="utf-8")
    libraries = "click cryptography keyring pyrage pyyaml regex tomlkit watchfiles jeepney secretstorage"
    for name in libraries.split():
        assert f"python.{name}" in ours
        assert f"      {name}\n" in TEXT
