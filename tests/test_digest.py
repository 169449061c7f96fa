"""The digest is SHA-256 whatever module makes it, and names the file of a decision."""

from __future__ import annotations

import hashlib
import sys

import pytest

from envref import digest

DATA = [b"", b"abc", bytes(100_000)]


@pytest.mark.parametrize("module", [digest._MODULE, "_envref_none"])
def test_it_is_sha_256(monkeypatch, module):
    """Also of a Python without the module; and piece by piece."""
    monkeypatch.setattr(digest, "_MODULE", module)
    assert [digest.digest(data) for data in DATA] == [hashlib.sha256(data).hexdigest() for data in DATA]
    running = digest.sha256()
    for data in DATA:
        running.update(data)
    assert running.hexdigest() == hashlib.sha256(b"".join(DATA)).hexdigest()


@pytest.mark.parametrize(
    ("version", "module"),
    [((3, 11, 9), "_sha256"), ((3, 12), "_sha2"), ((3, 12, 1), "_sha2"), ((3, 13, 0), "_sha2"), ((4, 0), "_sha2")],
)
def test_the_module_is_that_of_the_python(monkeypatch, version, module):
    """Each has one of the two; to try both would look through every directory."""
    with open(digest.__file__, encoding="utf-8") as file:
        code = compile(file.read(), digest.__file__, "exec")
    monkeypatch.setattr(sys, "version_info", version)
    found = {"__name__": "digest"}
    exec(code, found)
    assert found["_MODULE"] == module


def test_a_decision_has_a_file_for_each_root():
    """In the state directory; none without a home."""
    home = {"HOME": "/home/me"}
    name = hashlib.sha256(b"/src/a\xff").hexdigest()
    assert digest.record_path("/src/a\udcff", home) == f"/home/me/.local/state/envref/trust/{name}.json"
    assert digest.record_path("/src/b", home) != digest.record_path("/src/c", home)
    assert digest.record_path("/src/a", {"HOME": ""}) == ""
