"""What a test needs of the machine and of the run: skipped with the reason where it is missing.

With CI=true what the machine lacks is a failure. What the scope of the run leaves out never is: another run has it.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil

import pytest

ENVIRONMENTS = pathlib.Path(__file__).parent.parent / ".venvs"

# What a run leaves out, by the name of its scope. `make test` runs the first Python with `everything`, the oldest and
# the newest of the others with `envref`, those between with `inside` (setup/scope.py), and at night all others with
# `doubles`. What a shell, a kill, a system call or a store's own program finds out does not depend on the Python that
# envref runs on, and takes most of the time.
LEFT_OUT = {
    "everything": "nothing",
    "doubles": "stores' own programs, Nix, and what tries envref from outside: the first Python's tests have them",
    "envref": "the same, and most of what asks stores' doubles: the first Python's tests have it, the others' at night",
    "inside": "what starts a program, and searches by chance: the oldest and the newest Python's tests have them",
}
# Read before a test's environment is cleared.
SCOPE = os.environ.get("ENVREF_TESTS_SCOPE", "everything")

# For modules that try envref from outside, by shells, kills, system calls; and for those that read its source.
first_python = pytest.mark.skipif(SCOPE != "everything", reason=f"scope {SCOPE}: tried by the first Python's tests")
# For what asks a store or its double over and over, and for commands that are tried in many ways which are alike to
# every Python: by day another Python does a little of it.
others_at_night = pytest.mark.skipif(
    SCOPE in ("envref", "inside"),
    reason=f"scope {SCOPE}: tried by the first Python's tests, and by the others' at night",
)
# For modules that search by chance, for seconds.
oldest_and_newest = pytest.mark.skipif(
    SCOPE == "inside", reason="scope inside: searched with the oldest and the newest"
)


_WHOLE = {
    "first_python": first_python,
    "others_at_night": others_at_night,
    "oldest_and_newest": oldest_and_newest,
}


def left_out(source):
    """Why the run leaves out a module with this source, all of it; empty if it does not. So it need not be imported."""
    found = re.search(rf"^pytestmark = \[?({'|'.join(_WHOLE)})\b", source, re.MULTILINE)
    if not found:
        return ""
    mark = _WHOLE[found[1]]
    return mark.kwargs["reason"] if mark.args[0] else ""


def need_everything(what):
    """Skips the test unless the run is the one that has everything."""
    if SCOPE != "everything":
        pytest.skip(f"scope {SCOPE}: {what} run with the tests of the first Python")


def need_process():
    """Skips the test where the run keeps to what can be tried in the tests' own process."""
    if SCOPE == "inside":
        pytest.skip("scope inside: envref as a process is run by the tests of the oldest and the newest Python")


def need(program):
    """The absolute path of `program`; without it the test is skipped, or fails in CI."""
    return shutil.which(program) or missing(f"{program} is not installed here")


def need_store_program(environment, program):
    """The absolute path of a store's real program, which `make test` installs apart from envref's own packages.

    `environment` is the name of a group of `setup/stores.py`: light, aws or oci.
    """
    need_everything("the stores' own programs are")
    path = ENVIRONMENTS / f"stores-{environment}" / "bin" / program
    return str(path) if path.exists() else missing(f"{program} is not installed in {path.parent}")


def need_nix():
    """The absolute path of `nix`, which `make test` unpacks below the checkout, or which the machine has."""
    from tests.nix.machine import program

    need_everything("Nix is")
    return program() or missing("there is no Nix: setup/nix.py unpacks it")


def missing(reason):
    """Skips the test with the reason, or fails it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
