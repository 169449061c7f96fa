"""Readers: whom a project's secrets were last encrypted for, kept in the user's own state."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.secrets import readers


@pytest.fixture
def state(home):
    return home / ".local/state/envref/readers"


def test_what_is_remembered_is_known(state):
    """Of this project, and readable by this user alone; a second time replaces it."""
    assert readers.known("/src/app") == set()
    readers.remember("/src/app", ["age1x", "ssh-ed25519 AAAA"])
    readers.remember("/src/other", ["age1y"])
    assert readers.known("/src/app") == {"age1x", "ssh-ed25519 AAAA"}
    readers.remember("/src/app", [])
    assert (readers.known("/src/app"), readers.known("/src/other")) == (set(), {"age1y"})
    assert {path.stat().st_mode & 0o777 for path in state.iterdir()} == {0o600}


def test_a_record_of_another_project_or_of_others_counts_for_nothing(state):
    readers.remember("/src/app", ["age1x"])
    (path,) = state.iterdir()
    path.write_text("/src/other\nage1x\n")
    assert readers.known("/src/app") == set()
    path.write_text("")
    assert readers.known("/src/app") == set()
    path.write_text("/src/app\nage1x\n")
    assert readers.known("/src/app") == {"age1x"}
    path.chmod(0o666)
    assert readers.known("/src/app") == set()


def test_a_path_with_a_line_end_is_refused(state):
    """Its second line would be a key."""
    with pytest.raises(EnvrefError, match="the project's path holds a line end"):
        readers.remember("/src/app\nage1x", [])
    assert not state.exists()


@pytest.mark.parametrize(
    ("text", "key"), [("ssh-ed25519 AAAA ada@host", "ssh-ed25519 AAAA"), ("age1x", "age1x"), (" age1x  b c", "age1x b")]
)
def test_a_key_is_known_without_its_comment(text, key):
    assert readers.key_of(text) == key
