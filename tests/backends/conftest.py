"""The stores that tests start, as fixtures."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.backends.contract")

from tests.backends.stores.secret_service import SecretService  # noqa: E402


@pytest.fixture
def secret_service(tmp_path, monkeypatch):
    """A running, unlocked GNOME keyring; this process and its children find it by their environment."""
    with SecretService(tmp_path / "keyring") as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service
