"""Sealed files: which are a project's, which of them wait, and how large one may be."""

from __future__ import annotations

import os

import pytest

from envref.errors import EnvrefError
from envref.project import sealed
from envref.project.project import configured


@pytest.fixture
def app(project, home):
    """A project as it is with the profile `dev`."""
    project.write(".envref.yaml", "project: app\nactive_profile: dev\n")
    return configured(str(project.path))


@pytest.mark.parametrize("profile", [None, "dev", "a_b-c"])
def test_a_scope_has_a_file_of_its_own(profile):
    """The name says which."""
    assert sealed.profile_of(sealed.file_of(profile)) == (profile,)


@pytest.mark.parametrize(
    "name", ["team.age", ".envref.secrets.a.b.age", ".envref.secrets..age", ".envref.secrets.age~"]
)
def test_other_names_are_for_any_scope(name):
    assert sealed.profile_of(name) is None


def test_a_file_waits_until_it_was_taken_in(project, app):
    """And again once it has changed; the profile's own comes first, another profile's is none of them."""
    assert sealed.waiting(app) == []
    for name in (".envref.secrets.age", ".envref.secrets.dev.age", ".envref.secrets.other.age"):
        project.write(name, "one")
    assert sealed.there(app) == sealed.waiting(app) == [".envref.secrets.dev.age", ".envref.secrets.age"]
    sealed.take(app.root, ".envref.secrets.dev.age", b"one")
    assert sealed.waiting(app) == [".envref.secrets.age"]
    project.write(".envref.secrets.dev.age", "two")
    assert sealed.waiting(app) == [".envref.secrets.dev.age", ".envref.secrets.age"]
    assert sealed.there(app) == sealed.waiting(app)


def test_a_file_at_another_place_was_not_taken_in(project, app, tmp_path):
    """A second clone has its own vault's state."""
    sealed.take(str(tmp_path), sealed.FILE, b"one")
    project.write(sealed.FILE, "one")
    assert sealed.waiting(app) == [sealed.FILE]


def test_what_others_could_have_written_does_not_say_that_it_was_taken(project, app, home):
    """Then it waits: to look once more harms nobody."""
    project.write(sealed.FILE, "one")
    sealed.take(app.root, sealed.FILE, b"one")
    (mark,) = (home / ".local/state/envref/taken").iterdir()
    assert mark.stat().st_mode & 0o777 == 0o600
    mark.chmod(0o666)
    assert sealed.waiting(app) == [sealed.FILE]


def test_how_large_it_may_be(project, app, monkeypatch):
    """64 MiB; here 2, so that the test is quick. What can't be read is named."""
    monkeypatch.setattr(sealed, "_LARGEST", 2 << 20)
    path = project.write(sealed.FILE, "")
    os.truncate(path, 2 << 20)
    assert len(sealed.content(app.root, sealed.FILE)) == 2 << 20
    os.truncate(path, (2 << 20) + 1)
    with pytest.raises(EnvrefError, match=r"^reading \.envref\.secrets\.age: larger than 2 MiB$"):
        sealed.content(app.root, sealed.FILE)
    path.unlink()
    with pytest.raises(EnvrefError, match=r"^reading \.envref\.secrets\.age: No such file or directory$"):
        sealed.content(app.root, sealed.FILE)
