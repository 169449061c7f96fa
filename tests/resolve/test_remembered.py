"""Remembered: what the agent knows a store by: all that may change its answers, and nothing of where a person sits."""

from __future__ import annotations

import pytest

from envref.project.config.model import BackendConfig
from envref.resolve.remembered import _key
from envref.resolve.store import Store


@pytest.fixture
def key():
    """The agent's key of a store; a plugin may read every variable, pass a few."""

    def key(kind, scope=("app", None), **options):
        return _key(Store(BackendConfig(name="store", type=kind, options=options), "/", None, 0.0), scope)

    return key


ANY, FEW = "plugin", "pass"


@pytest.mark.parametrize(
    ("kind", "name", "counts"),
    [
        (ANY, "ANYTHING", True),
        (ANY, "HTTPS_PROXY", True),
        (ANY, "TMUX_PANE", False),
        (ANY, "PWD", False),
        (ANY, "ENVREF_VAULT_PASSPHRASE_FILE", False),
        (ANY, "ENVREF_TRUST", False),
        (FEW, "ANYTHING", False),
        (FEW, "PASSWORD_STORE_DIR", True),
        (FEW, "LC_ALL", True),
        (FEW, "all_proxy", True),
        (FEW, "PWD", False),
    ],
)
def test_the_variables_that_count(key, monkeypatch, kind, name, counts):
    """Those that the store's program may read: another value may mean other secrets."""
    options = {"command": "/bin/plugin"} if kind == ANY else {}
    monkeypatch.setenv(name, "1")
    before = key(kind, **options)
    monkeypatch.setenv(name, "2")
    assert (key(kind, **options) != before) == counts


def test_an_option_counts(key):
    assert key(FEW, prefix="a") != key(FEW, prefix="b")
    assert key(FEW, prefix="a") == key(FEW, prefix="a")
