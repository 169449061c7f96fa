"""A target in memory: what commands do with one store, without a process and without a real one."""

from __future__ import annotations

import pytest

from envref.backends import table
from envref.project.project import configured
from envref.secrets.target import Target
from tests.backends.doubles.memory import Memory

CONFIG = """\
project: app
profiles: {named: {env_file: .env.named}}
backends:
  - {name: store, type: kept, names: {mapped: Their Name}}
"""


@pytest.fixture
def texts(monkeypatch):
    """What the store has, by full key."""
    texts = {}
    monkeypatch.setitem(table.BUILTIN, "kept", "tests.backends.doubles.memory:Kept")
    monkeypatch.setattr(Memory, "contents", {"store": texts})
    monkeypatch.setattr(Memory, "asked", [])
    return texts


@pytest.fixture
def target(project, texts):
    """`target(profile)`: the project's secrets in that store."""
    project.write(".envref.yaml", CONFIG)

    def target(profile=None):
        return Target(configured(str(project.path), profile), None, None, lambda _: None)

    return target
