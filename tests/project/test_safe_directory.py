"""Projects of another owner: refused, until the user says that their directory is safe."""

from __future__ import annotations

import json
import os

import pytest

from envref.errors import EnvrefError
from envref.project.project import load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")

STRANGER = 12345


@pytest.fixture
def foreign(project):
    """As root in a container finds the mounted project of uid 1000."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    (project.path / "sub").mkdir()
    for place in (project.path, *project.path.iterdir()):
        os.chown(place, STRANGER, STRANGER)
    return project


def own_config(home, **fields):
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(json.dumps(fields))


def test_the_refusal_names_the_way_through(foreign):
    """With the very directory."""
    with pytest.raises(EnvrefError, match="belongs to another user") as caught:
        load(str(foreign.path))
    assert caught.value.run == ("export", f"ENVREF_SAFE_DIRECTORY={foreign.path.resolve()}")
    assert "safe_directories:" in caught.value.hint


@pytest.mark.parametrize("start", [".", "sub"])
@pytest.mark.parametrize("how", ["variable", "above", "own config"])
def test_a_directory_that_is_safe_counts(foreign, home, monkeypatch, start, how):
    """Said by the caller's environment or the user's own file, of it or of one above."""
    place = foreign.path.parent if how == "above" else foreign.path
    if how == "own config":
        own_config(home, safe_directories=[str(place)])
    else:
        monkeypatch.setenv("ENVREF_SAFE_DIRECTORY", f"relative:{place}")
    assert load(str(foreign.path / start)).config.project == "app"


def test_another_directory_stays_refused(foreign, home, monkeypatch):
    """Whole names count, a relative one never does, and neither does what the project says."""
    foreign.write(".envref.yaml", "project: app\nsafe_directories: [/]\n")
    own_config(home, safe_directories=[f"{foreign.path}-of-another"])
    monkeypatch.setenv("ENVREF_SAFE_DIRECTORY", f"{foreign.path}x:.:project")
    monkeypatch.chdir(foreign.path.parent)
    with pytest.raises(EnvrefError, match="belongs to another user"):
        load(str(foreign.path))


def test_a_project_may_not_say_it(project):
    """Only the user's own file."""
    project.write(".envref.yaml", "project: app\nsafe_directories: [/]\n")
    with pytest.raises(EnvrefError, match="safe_directories is not allowed in a project file"):
        load(str(project.path))


def test_the_user_s_own_config_stays_the_user_s(foreign, home, monkeypatch):
    """It decides about trust: a foreign one is refused wherever it lies."""
    own_config(home, trust="default")
    os.chown(home / ".config" / "envref" / "config.yaml", STRANGER, STRANGER)
    monkeypatch.setenv("ENVREF_SAFE_DIRECTORY", "/")
    with pytest.raises(EnvrefError, match="belongs to another user"):
        load(str(foreign.path))
