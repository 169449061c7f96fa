"""registries: which project's config has a registry of docker's, in the user's own state."""

from __future__ import annotations

import json

import pytest

from envref.errors import EnvrefError
from envref.tools import registries
from envref.tools.credential import parse


@pytest.fixture
def file(home):
    return home / ".local/state/envref/credential/docker.json"


def test_what_is_added_is_known(file):
    """By the server that docker asks for; a later project has it instead. The file is its user's alone."""
    assert (registries.known(), registries.directory_of(parse("ghcr.io"))) == ({}, "")
    registries.add(["ghcr.io", "r.example"], "/src/a")
    registries.add(["ghcr.io"], "/src/b")
    assert registries.known() == {"ghcr.io": "/src/b", "r.example": "/src/a"}
    assert registries.directory_of(parse("r.example")) == "/src/a"
    assert registries.directory_of(parse("other.example")) == ""
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", '["a"]', '{"a": 1}', '{"a": "/x", "b": null}', "\xff"])
def test_a_file_that_is_none_says_nothing(file, text):
    """Nor does one with a part that is none."""
    registries.add(["ghcr.io"], "/src/a")
    file.write_bytes(text.encode("latin-1"))
    assert registries.known() == {}


def test_a_server_that_cannot_be_read_is_passed_over(file):
    """One that an older envref wrote."""
    registries.add(["ghcr.io"], "/src/a")
    file.write_text(json.dumps({"": "/src/x", "http://[": "/src/y", **registries.known()}))
    assert registries.directory_of(parse("ghcr.io")) == "/src/a"


def test_without_a_home_nothing_is_kept(monkeypatch):
    """It is said."""
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(registries, "state_path", lambda *_: "")
    with pytest.raises(EnvrefError, match="keeping the registries of docker: no home directory"):
        registries.add(["ghcr.io"], "/src/a")
