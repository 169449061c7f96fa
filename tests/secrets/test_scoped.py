"""A store at one scope: its errors carry its name, and several changes are one where it can."""

from __future__ import annotations

import time

import pytest

from envref.errors import EnvrefError
from envref.project.config.load import BackendConfig
from envref.resolve.resolve import Scope
from envref.resolve.store import Store
from envref.secret import Secret
from envref.secrets.scoped import ScopedStore, doing
from envref.store_errors import BackendError, BackendInvalid, SecretNotFound
from tests.backends.vaults import new_vault


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A vault that is configured as "mine"."""
    new_vault(tmp_path / "v.db", monkeypatch)
    return at(tmp_path / "v.db", Scope("app"))


def at(path, scope):
    config = BackendConfig(name="mine", type="vault", options={"path": str(path)})
    return ScopedStore(Store(config, "/", None, time.monotonic()), scope)


def test_only_what_is_there_is_answered(store):
    """An absent key is left out of many, and None when asked alone."""
    store.change({"a": Secret("1")})
    assert store.get_many(["a", "b"]) == {"a": Secret("1")}
    assert store.get_many([]) == {}
    assert store.get("b") is None


def test_a_scope_is_exact(store):
    """The profile's keys are not the project's, and are listed without its name."""
    staging = store.at(Scope("app", "staging"))
    store.change({"k": Secret("project")})
    assert staging.get("k") is None
    staging.change({"k": Secret("profile")})
    assert store.get("k") == Secret("project")
    assert staging.listed() == ["k"]
    assert store.listed() == ["k", "staging/k"]


def test_several_changes_are_one_where_the_store_can(store):
    """A value that the vault refuses keeps the others out as well."""
    with pytest.raises(BackendInvalid):
        store.change({"a": Secret("1"), "b": Secret("a\0b")})
    assert store.get("a") is None


def test_errors_carry_the_backend_s_name(store, tmp_path):
    """Reading, listing, writing and deleting: each error says which backend it was."""
    missing = at(tmp_path / "none.db", Scope("app"))
    for act in (
        lambda: missing.get("k"),
        missing.listed,
        lambda: missing.change({"k": Secret("1")}),
        lambda: missing.change({"k": None}),
    ):
        with pytest.raises(BackendError) as failed:
            act()
        assert failed.value.message == 'vault: not initialized (backend "mine")'
    with pytest.raises(SecretNotFound, match=r'^vault: secret not found: "app/k" \(backend "mine"\)$'):
        store.change({"k": None})


def test_doing_says_what_was_done_and_keeps_the_cure(tmp_path):
    """`storing secret: ` before the store's sentence, its `run:` below."""
    with pytest.raises(EnvrefError) as failed, doing("storing secret"):
        at(tmp_path / "none.db", Scope("app")).change({"k": Secret("1")})
    assert failed.value.lines() == [
        'error: storing secret: vault: not initialized (backend "mine")',
        "  run: envref vault init",
    ]


def test_what_the_store_has_to_say_is_said_once(tmp_path, monkeypatch, capfd):
    """A vault that git could commit warns, however often it is asked."""
    (tmp_path / ".git").mkdir()
    new_vault(tmp_path / "v.db", monkeypatch)
    store = at(tmp_path / "v.db", Scope("app"))
    store.change({"k": Secret("1")})
    store.get("k")
    assert capfd.readouterr().err.count("warning: ") == 1
