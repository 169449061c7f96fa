"""botocore as an oracle."""

from __future__ import annotations

import pytest

from tests.backends.stores.botocore import Botocore


@pytest.fixture(scope="session")
def botocore():
    with Botocore() as running:
        yield running
