"""What a test needs of the machine: skipped with the reason where it is missing, a failure where CI=true."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

ENVIRONMENTS = pathlib.Path(__file__).parent.parent / ".venvs"
# Read before a test's environment is cleared. `make test` says so for every Python but the first: how a store's own
# program answers does not depend on the Python that envref runs on, and they take most of the time.
ELSEWHERE = os.environ.get("ENVREF_TESTS_STORE_PROGRAMS") == "elsewhere"

# For modules that try envref from outside, by shells, kills, system calls: what they find is the same in every Python.
first_python = pytest.mark.skipif(ELSEWHERE, reason="tried from outside by the tests of the first Python")


def need(program):
    """The absolute path of `program`; without it the test is skipped, or fails in CI."""
    return shutil.which(program) or missing(f"{program} is not installed here")


def need_store_program(environment, program):
    """The absolute path of a store's real program, which `make test` installs apart from envref's own packages.

    `environment` is the name of a group of `setup/stores.py`: light, aws or oci.
    """
    if ELSEWHERE:
        pytest.skip("the stores' own programs are run by the tests of the first Python")
    path = ENVIRONMENTS / f"stores-{environment}" / "bin" / program
    return str(path) if path.exists() else missing(f"{program} is not installed in {path.parent}")


def need_nix():
    """The absolute path of `nix`, which `make test` unpacks below the checkout, or which the machine has."""
    from tests.nix.machine import program

    if ELSEWHERE:
        pytest.skip("Nix is run by the tests of the first Python")
    return program() or missing("there is no Nix: setup/nix.py unpacks it")


def missing(reason):
    """Skips the test with the reason, or fails it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
