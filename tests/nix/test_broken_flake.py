"""What is wrong with the flake, the package or the code turns its checks red."""

from __future__ import annotations

import pytest

from tests.nightly import at_night
from tests.nix.test_flake import SYSTEM, failed

WRAPPERS = {
    "changes PATH": "export PATH=/wrapped:$PATH",
    "is a shell": ":",
}


@at_night
def test_a_failing_test(own_flake):
    """The build that runs the tests fails, and names the test."""
    own_flake.change(
        "tests/refs/test_address.py", "import pytest\n", "import pytest\n\n\ndef test_broken():\n    assert False\n"
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
    """Nixpkgs refuses it, and `nix flake check` with it."""
    own_flake.change(
        "nix/overlay.nix",
        "envref = final.callPackage ./package.nix { };",
        "envref = final.callPackage ./package.nix { programs = [ final._1password-cli ]; };",
    )
    assert "1password-cli has an unfree license" in failed(own_flake.check("--no-build"))


def test_an_unfree_program_that_nobody_accepted(own_flake):
    """envref-full accepts the programs that nix/stores.nix names, and no other."""
    own_flake.change("nix/stores.nix", '    "vault-bin"\n', "")
    assert "vault-bin has an unfree license" in failed(own_flake.check("--no-build"))


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
