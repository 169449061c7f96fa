"""`audit --values --closure` with a real store: the references of a store path are looked into as Nix knows them."""

from __future__ import annotations

import json
import os

import pytest

from envref.checks.closure import Closure, closure
from tests.backends.vaults import new_vault
from tests.requirements import first_python

pytestmark = first_python

VALUE = 'correct"horse\nbattery'


class Store:
    """The run's store: paths are put into it, and envref sees it as its own."""

    def __init__(self, nix, directory):
        self.nix = nix
        self.directory = directory
        self.work = str(directory / "work")
        self.path = nix.environment()["NIX_STORE_DIR"]

    def add(self, expression):
        """Evaluates an expression that writes to the store; the store path that it gives."""
        done = self.nix.run("eval", "--raw", "--impure", "--expr", expression)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def referring(self, path):
        """A store path that refers to another."""
        return self.add(f'builtins.toFile "referring" "see ${{builtins.storePath {path}}}"')

    def derivation(self):
        """A .drv that holds the value in its environment."""
        attributes = f'name = "x"; system = "none"; builder = "/none"; key = {json.dumps(VALUE)};'
        return self.add(f"(derivation {{ {attributes} }}).drvPath")


@pytest.fixture
def store(nix, tmp_path, monkeypatch):
    """The store, with a nix-store on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "work").mkdir()
    (programs / "nix-store").symlink_to(nix.program)
    for name, value in nix.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return Store(nix, tmp_path)


def test_a_result_link_stands_for_its_closure(store):
    """The store path it leads to, and all that this refers to; a path within one stands for the whole."""
    inner = store.add('builtins.toFile "inner" "text"')
    outer = store.referring(inner)
    result = store.directory / "result"
    result.symlink_to(outer)
    for place in (str(result), outer):
        assert closure(place, store.work) == Closure(sorted([inner, outer]))
    assert closure(inner, store.work) == Closure([inner])


def test_a_directory_outside_stands_for_itself_and_where_its_links_lead(store):
    """`.flox/run` holds nothing but links into the store."""
    inner = store.add('builtins.toFile "inner" "text"')
    run = store.directory / "run"
    (run / "deep").mkdir(parents=True)
    (run / "deep" / "dev").symlink_to(store.referring(inner))
    (run / "out").symlink_to("/usr")
    found = closure(str(run), store.work)
    assert found.places[0] == str(run)
    assert inner in found.places
    assert len(found.places) == 3
    assert not found.unknown


def test_a_place_outside_without_links_is_looked_at_alone(store):
    """A file, an empty directory."""
    (store.directory / "file").write_text("x")
    assert closure(str(store.directory / "file"), store.work) == Closure([str(store.directory / "file")])


def test_what_nix_cannot_say_is_said(store, monkeypatch):
    """Never silently less: a path that is not valid, the repository's own nix-store, none at all."""
    path = store.add('builtins.toFile "inner" "text"')
    gone = f"{store.path}/{'0' * 32}-gone"
    assert closure(gone, store.work) == Closure([gone], f"nix-store: path '{gone}' is not valid")
    (store.directory / "bin" / ".git").mkdir()
    own = closure(path, str(store.directory / "bin"))
    assert own == Closure([path], "the nix-store on PATH is the repository's own")
    monkeypatch.setenv("PATH", "/nowhere")
    assert closure(path, store.work) == Closure([path], "nix-store is not on PATH")


@pytest.fixture
def app(project, monkeypatch):
    """A project with the value in a vault."""
    new_vault(project.path / "v.db", monkeypatch)
    project.write(".envref.yaml", "project: app\nbackends:\n- {name: vault, config: {path: v.db}}\n")
    project.write(".env", "KEY=ref://secrets/key\n")
    assert project.envref("secret", "set", "key", stdin=VALUE).returncode == 0
    return project


def test_a_value_in_a_derivation_is_found(store, app):
    """A .drv escapes the value's quote and its line end."""
    derivation = store.derivation()
    done = app.envref("audit", "--values", "--closure", derivation)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{derivation}: holds the value of KEY (escaped)\n" in done.stderr
    assert "horse" not in done.stderr


def test_a_value_in_a_reference_of_a_result_is_found(store, app):
    """And not without --closure, which looks at the path alone."""
    inner = store.add(f'builtins.toFile "inner" {json.dumps(json.dumps(VALUE))}')
    (app.path / "result").symlink_to(store.referring(inner))
    assert app.envref("audit", "--values", "result").stdout == "OK: no secret values found (1 variable(s), 1 file(s))\n"
    done = app.envref("audit", "--values", "--closure", "result", "--format", "json")
    assert json.loads(done.stdout) == [{"path": inner, "key": "KEY", "form": "escaped"}]
    assert done.returncode == 1


def test_a_search_that_knows_no_references_is_not_ok(store, app, monkeypatch):
    """The path itself is searched, the rest is said."""
    path = store.add('builtins.toFile "inner" "text"')
    monkeypatch.setenv("PATH", "/nowhere")
    done = app.envref("audit", "--values", "--closure", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {path}: its references were not searched; nix-store is not on PATH\n" in done.stderr
