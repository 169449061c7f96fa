"""What is wrong with the flake, the package or the code turns its checks red."""

from __future__ import annotations

import tomllib

import pytest
from pip._vendor.packaging.requirements import Requirement

from tests.nightly import at_night
from tests.nix.machine import ROOT, Flake, other_nixpkgs
from tests.nix.test_flake import SYSTEM, failed

# Of nixpkgs-unstable of 2025-09-28, as its files say; NixOS 25.11 has these or newer ones.
OLDEST = {
    "click": "8.1.8",
    "cryptography": "45.0.4",
    "keyring": "25.6.0",
    "tomlkit": "0.13.3",
    "watchfiles": "1.0.5",
}

WRAPPERS = {
    "changes PATH": "export PATH=/wrapped:$PATH",
    "is a shell": ":",
}


@at_night
def test_a_failing_test(own_flake):
    """The build that runs the tests fails, and names the test."""
    own_flake.change(
        "tests/test_secret.py", "import pytest\n", "import pytest\n\n\ndef test_broken():\n    assert False\n"
    )
    assert "test_broken" in failed(own_flake.build(f"checks.{SYSTEM}.tests", "-L"))


@at_night
def test_a_file_that_is_missing_from_the_source(own_flake):
    """A module that nix/source.nix leaves out is missed when the program runs."""
    own_flake.change(
        "nix/source.nix", "../envref\n", "(lib.fileset.difference ../envref ../envref/formats/shells.py)\n"
    )
    assert "ImportError" in failed(own_flake.build(f"checks.{SYSTEM}.clean-env", "-L"))


def test_a_library_that_is_not_declared(own_flake):
    """A dependency that pyproject.toml names and nix/dependencies.nix does not stops the build."""
    own_flake.change("nix/dependencies.nix", "  python.tomlkit\n", "")
    assert "tomlkit" in failed(own_flake.build("envref", "-L"))


def test_an_unfree_program_in_the_lean_package(own_flake):
    """Its licence becomes the package's own, which nixpkgs refuses, and `nix flake check` with it."""
    own_flake.change(
        "nix/overlay.nix",
        "envref = final.callPackage ./package.nix { };",
        "envref = final.callPackage ./package.nix { programs = [ final._1password-cli ]; };",
    )
    assert "envref has an unfree license" in failed(own_flake.check("--no-build"))


def test_an_unfree_program_that_nobody_accepted(own_flake):
    """envref-full accepts the programs that nix/stores.nix names, and no other."""
    own_flake.change("nix/stores.nix", '    "vault-bin"\n', "")
    assert "vault-bin has an unfree license" in failed(own_flake.check("--no-build"))


@at_night
def test_what_it_propagates(own_flake):
    """Left in the package, it brings Python and libraries into every shell that has envref: `no-leak` says so."""
    own_flake.change("nix/package.nix", "    rm -f $out/nix-support/propagated-build-inputs\n", "")
    assert "PYTHONPATH=" in failed(own_flake.build(f"checks.{SYSTEM}.no-leak", "-L"))


@at_night
def test_a_launcher_that_lets_site_in(own_flake):
    """nixpkgs' Python runs what NIX_PYTHONPATH names, although -I is given: `clean-env` says so."""
    own_flake.change(
        "nix/package.nix", "python.interpreter} -IS\n    import os", "python.interpreter} -I\n    import os"
    )
    assert "a .pth file of the caller ran" in failed(own_flake.build(f"checks.{SYSTEM}.clean-env", "-L"))


@at_night
def test_a_wrapped_launcher(own_flake):
    """nixpkgs' own wrapper puts its Python before the caller's."""
    own_flake.change("nix/package.nix", "  dontWrapPythonPrograms = true;\n  # -S", "  # -S")
    own_flake.change("nix/package.nix", "    cat > $out/bin/envref <<END", "    cat > $out/bin/.envref-wrapped <<END")
    assert "differ" in failed(own_flake.build(f"checks.{SYSTEM}.clean-env", "-L"))


def test_a_library_that_is_too_old(own_flake, tmp_path):
    """A nixpkgs whose click pyproject.toml does not take stops the build, and says which version it has."""
    older = other_nixpkgs(own_flake.nix, tmp_path / "nixpkgs", versions={"click": "8.1.7"})
    told = failed(Flake(own_flake.nix, own_flake.place, older).build("envref", "-L"))
    assert "click>=8.1.8 not satisfied by version 8.1.7" in told


@at_night
def test_the_oldest_nixpkgs(own_flake, tmp_path):
    """envref builds with the versions that the oldest nixpkgs of docs/nix.md has."""
    oldest = other_nixpkgs(own_flake.nix, tmp_path / "nixpkgs", versions=OLDEST)
    assert Flake(own_flake.nix, own_flake.place, oldest).build("envref", "-L").returncode == 0


def test_pyproject_takes_the_oldest_nixpkgs():
    """Each bound holds for the version that the oldest nixpkgs of docs/nix.md has."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for line in pyproject["project"]["dependencies"]:
        requirement = Requirement(line)
        if version := OLDEST.get(requirement.name.lower()):
            assert requirement.specifier.contains(version), line


@at_night
@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapper_that_leaks(own_flake, wrapper):
    """A wrapper around the program is seen by the child, and `clean-env` says what it saw."""
    own_flake.change(
        "nix/package.nix",
        "    main()\n    END\n",
        "    main()\n    END\n"
        "    mv $out/bin/envref $out/bin/.wrapped\n"
        f"    printf '#!/bin/bash\\n%s\\n' '{wrapper}' \"$out/bin/.wrapped \\\"\\$@\\\"\" > $out/bin/envref\n"
        "    chmod +x $out/bin/envref\n",
    )
    told = failed(own_flake.build(f"checks.{SYSTEM}.clean-env", "-L"))
    assert "differ" in told
