"""The stores that the fault tests start."""

from __future__ import annotations

from tests.backends.conftest import secret_service  # noqa: F401  a fixture
