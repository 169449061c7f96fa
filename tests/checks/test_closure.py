"""closure, with a nix-store that says what it is told to; tests/nix has Nix itself."""

from __future__ import annotations

import pytest

from envref.checks.closure import Closure, closure


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of one path `a`, and a directory for the user's work; PATH has no nix-store yet."""
    (tmp_path / "store/a/bin").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    return tmp_path


def nix_store(store, script, place="bin"):
    program = store / place / "nix-store"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def found(store, place):
    return closure(str(place), str(store / "work"))


def test_what_a_store_path_refers_to_is_looked_into(store):
    """The path itself, whichever place in it is meant; sorted."""
    nix_store(store, f'[ "$*" = "--query --requisites {store}/store/a" ] && printf "%s\\n" /s/z /s/a')
    assert found(store, store / "store/a/bin") == Closure(["/s/a", "/s/z"])


def test_links_of_a_directory_are_followed(store):
    """The directory is looked into as well."""
    (store / "work/result").symlink_to(store / "store/a")
    nix_store(store, 'printf "%s\\n" /s/a')
    assert found(store, store / "work") == Closure([str(store / "work"), "/s/a"])


def test_a_directory_without_links_needs_no_nix(store):
    assert found(store, store / "work") == Closure([str(store / "work")])


def test_without_nix_it_is_said_that_this_is_not_all(store):
    own = str(store / "store/a")
    assert found(store, own) == Closure([own], "nix-store is not on PATH")


def test_a_program_of_the_repository_is_not_run(store, monkeypatch):
    """It could say, and do, anything."""
    (store / "work/.git").mkdir()
    nix_store(store, "touch $0.ran", "work")
    monkeypatch.setenv("PATH", f"{store}/work:/bin:/usr/bin")
    own = str(store / "store/a")
    assert found(store, own) == Closure([own], "the nix-store on PATH is the repository's own")
    assert not (store / "work/nix-store.ran").exists()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo x; echo 'error: no such path' >&2; exit 1", "nix-store: no such path"),
        ("exit 3", "nix-store: exit status 3"),
    ],
)
def test_a_failure_is_said(store, script, why):
    """In its last words."""
    nix_store(store, script)
    own = str(store / "store/a")
    assert found(store, own) == Closure([own], why)


def test_a_program_that_can_t_be_started_is_said(store):
    """The place itself is looked into all the same."""
    (store / "bin/nix-store").write_text("#!/nowhere/sh\n")
    (store / "bin/nix-store").chmod(0o755)
    own = str(store / "store/a")
    answer = found(store, own)
    assert answer.places == [own]
    assert answer.unknown.startswith("nix-store: ")
