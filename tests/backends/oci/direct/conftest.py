"""Oracle's SDK as an oracle."""

from __future__ import annotations

import pytest

from tests.backends.stores.oci_sdk import OciSdk


@pytest.fixture(scope="session")
def sdk():
    with OciSdk() as running:
        yield running
