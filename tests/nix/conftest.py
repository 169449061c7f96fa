"""One Nix for all tests of a run, whichever worker they are on, and the checkout as a flake."""

from __future__ import annotations

import fcntl
import os
import sys

import pytest

from tests.nix.machine import LINT, Flake, Nix, copy_of_checkout
from tests.requirements import missing, need_nix


@pytest.fixture(scope="session")
def nix(tmp_path_factory):
    """Real Nix, with a store below the temporary directory of this run."""
    program = need_nix()
    if sys.platform != "linux" or not os.path.exists("/usr/bin/sort"):
        pytest.skip("the stand-in for nixpkgs builds with the tools in a Linux's /usr/bin")
    if not os.path.exists(f"{LINT}/bin/ruff"):
        missing(f"ruff is not installed in {LINT}: make lint does that")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    machine = Nix(program, shared / "nix")
    with open(shared / "nix.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return machine if machine.directory.exists() else machine.prepare()


@pytest.fixture(scope="session")
def flake(nix, tmp_path_factory):
    """The checkout's flake. Nobody changes it."""
    return Flake(nix, copy_of_checkout(tmp_path_factory.mktemp("flake") / "envref"))


@pytest.fixture
def own_flake(nix, tmp_path):
    """The checkout's flake, to be broken."""
    return Flake(nix, copy_of_checkout(tmp_path / "envref"))
