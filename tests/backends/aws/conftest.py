"""The real `aws` of each test, against moto."""

from __future__ import annotations

import pytest

from tests.backends.stores import aws


@pytest.fixture(scope="session")
def service():
    with aws.AwsService() as running:
        yield running


@pytest.fixture
def program(service, tmp_path, monkeypatch):
    return aws.use(service, tmp_path / "shim", monkeypatch)


@pytest.fixture
def limited(service, program, monkeypatch):
    """Leaves only some permissions until the test ends."""

    def limit(*actions):
        for name, value in service.limited_to(*actions).items():
            monkeypatch.setenv(name, value)
        program.clear()

    yield limit
    service.unlimited()
