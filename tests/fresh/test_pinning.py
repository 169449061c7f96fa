"""A lock that is made now: which pin each secret gets, and that no value is read where the store tells its revision."""

from __future__ import annotations

import pytest

from envref.backends import table
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.fresh.pinning import Now
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.secret import Secret
from envref.store_errors import BackendLocked
from tests.backends.doubles.memory import Memory


class Told(Memory):
    """A store that has these revisions; `read` are the keys that it was asked the values of."""

    type = "told"
    versions = "a number"
    kept = None
    read = None

    def revisions(self, addresses, deadline):
        return {address: Told.kept[address.key] for address in addresses if address.key in Told.kept}

    def get_many(self, addresses, deadline):
        Told.read += [(address.key, address.version) for address in addresses]
        return {address: Secret("v", f"{address.version or 9}.5000") for address in addresses if address.key != "gone"}


@pytest.fixture
def now(monkeypatch):
    """The words of each pin, and the names with a fault, of a lock of this env file."""
    monkeypatch.setitem(table.BUILTIN, "told", f"{__name__}:Told")
    monkeypatch.setattr(Told, "kept", {"a": "7.1000", "b": "8.2000", "shut": BackendLocked("locked")})
    monkeypatch.setattr(Told, "read", [])

    def now(text, **options):
        files = [EnvFile.parse(text, ".env")]
        config = Config(project="app", backends=(BackendConfig(name="store", type="told", **options),))
        project = Project("/", config, None, files=files, warnings=())
        made = Now(project, Environment(files), 5.0, lambda _: None)
        return [pin.words() for pin in made.pins], [name for name, _ in made.faults]

    return now


def test_what_the_store_tells_is_pinned_and_nothing_read(now):
    """One line a variable and secret; a default and an absent optional one are pinned as absent."""
    pins, faults = now("A=ref://store/a\nB=x${A}${ref://store/b}\nC=ref://store/gone?optional\nPLAIN=1\n")
    assert pins == [
        ("A", "store", "app/a", "@7.1000"),
        ("B", "store", "app/b", "@8.2000"),
        ("C", "store", "app/gone", "absent"),
    ]
    assert (faults, Told.read) == ([], [])


def test_a_version_is_pinned_to_what_it_is(now):
    """It may be a label: only reading tells, and only that one is read."""
    pins, _ = now("A=ref://store/a\nB=ref://store/b?version=3\n")
    assert pins == [("A", "store", "app/a", "@7.1000"), ("B", "store", "app/b?version=3", "@3.5000")]
    assert Told.read == [("b", "3")]


def test_a_question_that_is_refused_is_asked_by_reading(now):
    """Some stores let a user read a value and not list it."""
    pins, faults = now("S=ref://store/shut\nA=ref://store/a\n")
    assert pins == [("S", "store", "app/shut", "@9.5000"), ("A", "store", "app/a", "@7.1000")]
    assert (faults, Told.read) == ([], [("shut", None)])


def test_what_cannot_be_pinned_is_a_fault(now):
    """Absent and wanted, or no reference at all; each by its variable."""
    pins, faults = now("A=ref://store/gone\nB=ref://store\nC=ref://store/a\n")
    assert (pins, faults) == ([("C", "store", "app/a", "@7.1000")], ["A", "B"])
