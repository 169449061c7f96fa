"""No secret in any argument list of the whole suite (stores.md 1.1 and 1.10): how that is seen, in every test.

* The tests' own Python, and every envref that they run as a process, loads `observer/sitecustomize.py`. It notes each
  program at its start, and whether an argument holds a value that the starting process knows as a secret.
* A store's program behind a `Shim` writes down what it really got; that is held against the tests' own secrets.

`check` runs after every test, and fails the one in which it happened. It never shows a value.
"""

from __future__ import annotations

import ast
import os
import pathlib
import weakref

from tests.observer import sitecustomize as observer

ROOT = pathlib.Path(__file__).parent.parent
# What a Python needs to find envref, and to be watched; Nix says the same way where its libraries are.
_INHERITED = os.environ.get("PYTHONPATH", "").split(os.pathsep)
PYTHONPATH = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "tests" / "observer"), *_INHERITED]))

_new = []  # the test's own shims
_living = weakref.WeakSet()  # and those of fixtures that outlive a test


def watch(shim):
    """Counts what a Shim writes down as argument lists of the test that runs."""
    _new.append(shim)
    _living.add(shim)


def started():
    """What was started in this test: records with `program`, `argv`, and the places of `secret` values in it."""
    log = pathlib.Path(os.environ.get(observer.LOG, ""))
    return [ast.literal_eval(line) for line in log.read_text(encoding="ascii").splitlines()] if log.is_file() else []


def check():
    """Fails when a program got a secret as an argument."""
    told = [(record["program"], place) for record in started() for place in record["secret"]]
    secrets = observer.known()
    for shim in {*_new, *_living}:
        told += [(shim.name, place) for argv in shim.history() for place in observer.holding(argv, secrets)]
    _new.clear()
    assert not told, "; ".join(f"a secret is argument {place} of {program}" for program, place in told)
