"""Rotation in a store that makes one change at a time: whatever stops it, no value is lost."""

from __future__ import annotations

import time

import pytest

from envref.backends.base import Backend
from envref.errors import UsageError
from envref.project.config.model import BackendConfig
from envref.resolve.resolve import Scope
from envref.resolve.store import Store
from envref.secret import Secret
from envref.secrets import rotation
from envref.secrets.scoped import ScopedStore
from envref.store_errors import BackendError
from tests.backends.doubles.memory import Kept
from tests.cli.conftest import PluginProject

BEFORE = {"k": "now", "k.__history.1": "one", "k.__history.2": "two", "k.__history.3": "three"}
AFTER = {"app/k": "new", "app/k.__history.1": "now", "app/k.__history.2": "one"}


@pytest.fixture
def shop(project):
    return PluginProject(project)


def store(shop, **options):
    options = {"command": "./plugin", **options}
    config = BackendConfig(name="store", type="plugin", options=options, rooted=True)
    return ScopedStore(Store(config, str(shop.path), None, time.monotonic()), Scope("app"))


def rotate(shop, keep, **options):
    rotation.rotate(store(shop, **options), "k", Secret("now"), Secret("new"), keep=keep)


def test_every_stop_leaves_the_current_value_in_its_place_or_in_slot_1(shop):
    """With the n-th write refused, for every n, the error says which of the two it is, and that is so."""
    shop.fill(BEFORE)
    rotate(shop, keep=2)
    assert shop.values == AFTER
    states = []
    for number in range(1, shop.state["writes"] + 1):
        (shop.path / "store.json").unlink()
        shop.fill(BEFORE)
        with pytest.raises(BackendError) as failed:
            rotate(shop, keep=2, fail_at=str(number))
        message = failed.value.message
        states.append(message.partition("; ")[2])
        assert message.startswith('plugin "store": the disk is full; ')
        if "unchanged" in message:
            assert shop.values["app/k"] == "now"
        else:
            assert shop.values["app/k.__history.1"] == "now"
            assert shop.values["app/k"] == ("new" if "is stored" in message else "now")
        assert {"now", "one"} <= set(shop.values.values())
    assert states[0] == "the current value is unchanged"
    assert states[-1] == 'the new value is stored, and the previous one is in "k.__history.1"'
    assert 'the previous value is in "k.__history.1"' in states


def test_the_archive_is_written_before_the_new_value(shop):
    """The order of commands.md 2.7: shift up from the oldest, archive, write. No slot above --keep is ever made.

    A store that keeps deleted names taken, as OCI's does, could not make it a second time.
    """
    shop.fill(BEFORE)
    rotate(shop, keep=3)
    assert shop.state["log"] == [
        ["set", "app/k.__history.3"],
        ["set", "app/k.__history.2"],
        ["set", "app/k.__history.1"],
        ["set", "app/k"],
    ]


def test_slots_above_keep_are_deleted_last(shop):
    """Who lowers --keep loses the older values only when the new one is stored."""
    shop.fill(BEFORE)
    rotate(shop, keep=1)
    assert shop.state["log"] == [
        ["set", "app/k.__history.1"],
        ["set", "app/k"],
        ["delete", "app/k.__history.3"],
        ["delete", "app/k.__history.2"],
    ]


def test_an_archive_that_does_not_read_back_stops_the_rotation(shop):
    """A store that forgets what it is given never gets the new value."""
    shop.write("plugin", '#!/bin/sh\ncat >/dev/null\nprintf \'{"keys": [], "value": "something else"}\'\n')
    with pytest.raises(BackendError) as failed:
        rotate(shop, keep=2)
    assert failed.value.message == (
        'backend "store" does not read back "k.__history.1" as it was written; the current value is unchanged'
    )


def test_names_that_only_look_like_history_are_left_alone(shop):
    """Slots are counted from 1, without leading zeros; other names are other secrets."""
    others = {"k.__history.x": "a", "k.__history.01": "b", "kk.__history.1": "c", "staging/k.__history.1": "d"}
    shop.fill({"k": "now", **others})
    rotate(shop, keep=0)
    assert shop.values == {"app/k": "new", **{f"app/{name}": value for name, value in others.items()}}


@pytest.mark.parametrize("keep", [-1, 101])
def test_keep_has_bounds(keep):
    """0 to 100 old values."""
    with pytest.raises(UsageError):
        rotation.check_keep(keep)
    assert rotation.check_keep(0) == 0
    assert rotation.check_keep(100) == 100


@pytest.mark.parametrize(
    ("keep", "values"),
    [(0, ["new"]), (1, ["new", "now"]), (2, ["new", "now", "one"]), (4, ["new", "now", "one", "two", "three"])],
)
def test_a_store_that_changes_several_at_once_is_asked_once(texts, monkeypatch, keep, values):
    """All of it is one change, and nothing is left of what is too old."""
    texts.update({f"app/{key}": text for key, text in BEFORE.items()})
    changes = []
    monkeypatch.setattr(Kept, "transactional", True)

    def change(store, wanted, deadline):
        changes.append(wanted)
        Backend.change(store, wanted, deadline)

    monkeypatch.setattr(Kept, "change", change)
    found = Store(BackendConfig(name="store", type="kept"), "/", None, time.monotonic())
    rotation.rotate(ScopedStore(found, Scope("app")), "k", Secret("now"), Secret("new"), keep=keep)
    names = ["app/k", *(f"app/k.__history.{number}" for number in range(1, 5))]
    assert texts == dict(zip(names, values, strict=False))
    assert len(changes) == 1
