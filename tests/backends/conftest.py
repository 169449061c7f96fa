"""The stores that tests start, as fixtures."""

from __future__ import annotations

import pytest

from tests.backends.stores.secret_service import SecretService


@pytest.fixture
def secret_service(tmp_path, monkeypatch):
    """A running, unlocked GNOME keyring; this process and its children find it by their environment."""
    with SecretService(tmp_path / "keyring") as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture(scope="session")
def oci_account(tmp_path_factory):
    """The account that all tests use; each has a vault of its own in it."""
    from tests.backends.stores.oci import Account

    with Account(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture(scope="session")
def loaded_oci(tmp_path_factory):
    """The real `oci`, loaded beforehand."""
    from tests.backends.stores.oci import LoadedOci

    with LoadedOci(tmp_path_factory.mktemp("oci")) as running:
        yield running


@pytest.fixture
def answering(monkeypatch):
    """In place of every program: a function of its own answers, e.g. `answering(lambda words, payload: "out")`."""
    from tests.backends.answering import Answering

    return Answering(monkeypatch)
