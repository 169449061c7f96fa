"""Earlier: what a shell was given is read at the revision that it was given, and only that counts."""

from __future__ import annotations

import pytest

from envref.backends import table
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.fresh import earlier
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.refs.address import Address
from envref.resolve.resolution import answers, fill
from envref.resolve.resolve import Scope
from envref.secret import Secret
from tests.backends.doubles.memory import Memory

A, B = Address("app", "a"), Address("app", "b")
TEXT = "A=ref://store/a\nB=${A}-${ref://store/b}\nD=ref://store/gone?default=d\n"


class Versions(Memory):
    """A store with versions: `kept` maps a key and a version to its revision. Without a version it has the latest."""

    type = "versions"
    versions = "a number"
    kept = None

    def get_many(self, addresses, deadline):
        Memory.asked += [(address.key, address.version) for address in addresses]
        found = {address: Versions.kept.get((address.key, address.version)) for address in addresses}
        return {address: Secret(f"{address.key} at {each}", each) for address, each in found.items() if each}


@pytest.fixture(autouse=True)
def stores(monkeypatch):
    monkeypatch.setitem(table.BUILTIN, "versions", f"{__name__}:Versions")
    monkeypatch.setitem(table.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setattr(Memory, "asked", [])
    kept = {("a", None): "8.2000", ("a", "7"): "7.1000", ("b", None): "1.1000", ("b", "1"): "1.9000"}
    monkeypatch.setattr(Versions, "kept", kept)


def filled(pins=None):
    """What becomes of the variables: now, or at these pins."""
    files = [EnvFile.parse(TEXT, ".env")]
    config = Config(project="app", backends=(BackendConfig(name="store", type="versions"),))
    project, environment = Project("/", config, None, files=files, warnings=()), Environment(files)
    kind = earlier.chain({} if pins is None else pins)
    variables = list(environment.variables.values())
    references = [each for variable in variables for each in variable.references()]
    if pins is None:
        from envref.resolve.chain import VariableChain as kind  # noqa: N813
    return fill(variables, answers(references, kind(project, gate=lambda _: None), Scope("app")))


def test_only_what_has_a_pin_is_asked_for_and_at_that_version():
    """A version that was made again since is another writing: it counts as gone."""
    found = filled({("store", A): "7.1000", ("store", B): "1.1000"})
    assert sorted(Memory.asked) == [("a", "7"), ("b", "1")]
    assert found["A"].value.reveal() == "a at 7.1000"
    assert found["B"].value is None


def test_without_pins_nothing_is_asked():
    assert filled({})["A"].value is None
    assert Memory.asked == []


def test_a_name_is_pinned_where_each_of_its_sources_can_be():
    """In a store with versions, at a revision that has one, where the secret still is."""
    now, types = filled(), {"store": "versions", "plain": "memory"}
    pins = {("store", A): "7.1000", ("store", B): "1.1000"}
    seen = {"A": ("store@7.1000",), "B": ("store@7.1000", "store@1.1000"), "none": ("store@1",)}
    assert earlier.pins(seen, now, types) == pins
    for sources in (("other@7",), ("store@.1000",), ("-",)):
        assert earlier.pins({"A": sources}, now, {**types, "other": "versions"}) == {}
    assert earlier.pins({"B": ("store@7.1000", "store@.1000")}, now, types) == {}
    assert earlier.pins({"D": ("store@1",)}, now, types) == {}
    assert earlier.pins({"A": ("store@7",)}, now, {"store": "memory"}) == {}


def test_a_value_is_the_shells_only_if_every_source_was_read_at_its_revision():
    pins = {("store", A): "7.1000"}
    found = filled(pins)
    assert earlier.is_told(("store@7.1000",), found["A"], pins)
    assert not earlier.is_told(("store@7.1000",), found["A"], {})
    assert not earlier.is_told(("store@7.1000", "-"), found["A"], pins)
    assert not earlier.is_told(("store@7.1000", "store@1"), found["B"], pins)
    assert not earlier.is_told(("-",), found["D"], pins)
    assert not earlier.is_told(("store@7",), None, pins)
