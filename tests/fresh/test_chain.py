"""RevisionChain: stores are asked for revisions, and for no value."""

from __future__ import annotations

import pytest

from envref.backends import table
from envref.fresh.chain import RevisionChain
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.refs.reference import Reference
from envref.resolve.resolution import answers
from envref.resolve.resolve import Scope
from envref.store_errors import BackendLocked
from tests.backends.doubles.memory import Memory


class Revisions(Memory):
    """A store that has these revisions, and gives no value."""

    type = "revisions"
    versions = "a number"
    kept = None

    def get_many(self, addresses, deadline):
        raise AssertionError("a value was read")

    def revisions(self, addresses, deadline):
        return {address: Revisions.kept[address.key] for address in addresses if address.key in Revisions.kept}


@pytest.fixture
def asked(monkeypatch):
    """What becomes of references when their revisions are asked for."""
    monkeypatch.setitem(table.BUILTIN, "revisions", f"{__name__}:Revisions")
    monkeypatch.setattr(Revisions, "kept", {"a": "7", "shut": BackendLocked("locked")})
    config = Config(project="app", backends=(BackendConfig(name="store", type="revisions"),))
    chain = RevisionChain(Project("/", config, None, files=(), warnings=()), gate=lambda _: None)

    def asked(*uris):
        references = [Reference.parse(uri) for uri in uris]
        found = answers(references, chain, Scope("app"))
        return [found[reference] for reference in references]

    return asked


def test_each_reference_has_a_revision_or_what_the_store_says(asked):
    """A refusal is not a revision, and what is absent has none."""
    there, shut, gone = asked("ref://store/a", "ref://store/shut", "ref://store/gone")
    assert there.secret.revision == "7"
    assert (type(shut.error), gone.word) == (BackendLocked, "not_found")


def test_what_names_a_version_is_not_asked_for(asked):
    """It stays what it is."""
    [pinned] = asked("ref://store/none?version=3")
    assert pinned.secret.revision == ""
