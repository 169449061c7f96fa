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


@pytest.fixture(autouse=True)
def _no_machine_of_ec2(monkeypatch):
    """Where the tests run on one, its own role is not theirs."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def through_aws(monkeypatch):
    """Reads go through the program too: a variable that no `aws` knows today may have a meaning in another one."""
    monkeypatch.setenv("AWS_KNOWN_TO_NOBODY", "1")


@pytest.fixture
def limited(service, program, monkeypatch):
    """Leaves only some permissions until the test ends."""

    def limit(*actions):
        for name, value in service.limited_to(*actions).items():
            monkeypatch.setenv(name, value)
        program.clear()

    yield limit
    service.unlimited()
