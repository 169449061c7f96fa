"""What the compiled config says of a store's class, so that remembered answers load none."""

from __future__ import annotations

import pytest

from envref.backends.table import BUILTIN, READ_BY_ALL, backend_class, traits_of
from envref.project.config.load import load
from envref.refs.reference import Reference
from envref.resolve.resolve import Scope, resolve
from envref.resolve.store import Store, Stores
from envref.secret import Secret

CONFIG = "project: app\nbackends:\n  - {name: pass, type: pass}\n"


@pytest.mark.parametrize("kind", BUILTIN)
def test_traits_are_those_of_the_class(kind):
    """Each by the name that it has there; the variables are with those that every program reads."""
    store, traits = backend_class(kind), dict(traits_of(kind))
    variables = traits.pop("variables")
    assert traits == {name: vars_of(store)[name] for name in traits}
    if store.read_variables == "*":
        assert variables.startswith("* ! PWD ")
    else:
        assert variables == f"{READ_BY_ALL} {store.read_variables}"


def vars_of(store):
    return {name: value for each in reversed(store.__mro__) for name, value in vars(each).items()}


class Memory:
    """Has an answer for every address."""

    def answers(self, store, addresses, until):
        return {address: Secret(f"{address.field} of {store.variables.split()[-1]}") for address in addresses}


def test_a_remembered_answer_loads_no_class(project, monkeypatch):
    """Neither to place a reference with a field, nor for the time limit, nor for the variables that it depends on."""
    path = project.write(".envref.yaml", CONFIG)
    for _ in range(2):  # compiled, then read
        [backend] = load(str(path)).backends

    def refuse(kind):
        raise AssertionError(f"the class of {kind} was loaded")

    for name in ("backend_class", "traits_of"):
        monkeypatch.setattr(f"envref.backends.table.{name}", refuse)
    store = Store(backend, str(project.path), None, 0.0)
    store.memory = Memory()
    reference = Reference.parse("ref://secrets/login#user")
    outcome = resolve([reference], Stores([store]), Scope("app"))[reference]
    assert outcome.secret.reveal() == "user of PINENTRY_USER_DATA"
