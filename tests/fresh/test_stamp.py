"""The stamp that direnv and prompts look at: a new name and a later second at each touch, and only if it is ours."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest

from envref.fresh import stamp
from tests.cli.subcommands import PLUGIN
from tests.test_paths import giving_away


@pytest.fixture
def folder(home):
    return home / ".local/state/envref/stamp"


def test_each_touch_gives_another_name_and_another_second(folder):
    """No name comes twice; a folder whose time lies ahead goes on from there."""
    seen = []
    for number in range(5):
        assert stamp.touch() == ""
        [file] = folder.iterdir()
        assert file.stat().st_size == 0
        seen.append((file.name, int(folder.stat().st_mtime)))
        if number == 3:
            os.utime(folder, (4_000_000_000, 4_000_000_000))
    assert len({name for name, _ in seen}) == 5
    seconds = [second for _, second in seen]
    assert seconds == sorted(set(seconds))
    assert seconds[-1] == 4_000_000_001
    assert folder.stat().st_mode & 0o777 == 0o700


def test_many_at_once_leave_one_file(folder):
    """However their steps fall, the name is a new one and there is exactly one."""
    stamp.touch()
    [before] = os.listdir(folder)
    threads = [threading.Thread(target=lambda: [stamp.touch() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(folder)
    assert before not in os.listdir(folder)
    assert stamp.touch() == ""
    assert len(os.listdir(folder)) == 1


def test_what_was_put_there_is_taken_away(folder):
    """Two files would be two stamps."""
    stamp.touch()
    for name in ("0", "z"):
        (folder / name).write_text("")
    stamp.touch()
    [file] = folder.iterdir()
    assert file.name not in ("0", "z")


def test_a_link_is_not_followed(folder, tmp_path):
    """Nothing is made, renamed or dated where it leads."""
    folder.parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("kept")
    folder.symlink_to(tmp_path / "precious")
    assert "stamp: " in stamp.touch()
    assert [each.name for each in (tmp_path / "precious").iterdir()] == ["file"]


def test_a_file_in_its_place_stays(folder):
    """And is said."""
    folder.parent.mkdir(parents=True, mode=0o700)
    folder.write_text("kept")
    assert stamp.touch()
    assert folder.read_text() == "kept"


def test_a_folder_that_others_could_change_is_left_alone(folder):
    """They could take the name away, and bring it back."""
    stamp.touch()
    folder.chmod(0o777)
    before = os.listdir(folder)
    assert stamp.touch().endswith("others could change it")
    assert os.listdir(folder) == before


@giving_away
def test_a_stranger_s_folder_is_left_alone(folder, home):
    """Also one above: `sudo envref` leaves nothing of root's in a user's HOME."""
    os.chown(home, 12345, 12345)
    assert stamp.touch().endswith("belongs to another user")
    assert list(home.iterdir()) == []


def test_without_a_home_there_is_none(monkeypatch):
    """It is said, and nothing raised: the secret is written all the same."""
    monkeypatch.setenv("HOME", "here")
    assert stamp.touch() == "there is no home directory"


WRITING = [
    ("secret set a", "new"),
    ("secret rotate a --value-stdin", "new"),
    ("secret generate fresh", ""),
    ("secret copy other --from elsewhere", ""),
    ("secret delete a --force", ""),
    ("import old.env --yes", ""),
]
READING = ["secret get a", "secret list", "resolve", "stale", "import old.env --dry-run", "run true", "status", "list"]
PLUGIN_CONFIG = "project: app\nbackends:\n- {name: store, type: plugin, config: {command: ./plugin}}\n"


@pytest.fixture
def app(project, trusted):
    """A project with a store of two secrets."""
    project.write("plugin", PLUGIN.format(python=sys.executable)).chmod(0o755)
    project.write("store.json", json.dumps({"app/a": "old", "elsewhere/other": "theirs"}))
    project.write(".envref.yaml", PLUGIN_CONFIG)
    project.write(".env", "A=ref://secrets/a\n")
    project.write("old.env", "API_TOKEN=tk-50f1a7c39be2\n")
    return project


@pytest.mark.parametrize(("line", "typed"), WRITING)
def test_what_writes_a_secret_touches_it(app, folder, line, typed):
    """Each command that does."""
    done = app.envref(*line.split(), stdin=typed)
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(folder)) == 1


@pytest.mark.parametrize("line", READING)
def test_what_reads_leaves_it_alone(app, folder, line):
    """Or shells would look at each other's looking."""
    app.envref(*line.split())
    assert not folder.exists()


def test_a_store_that_fails_may_have_written(app, folder):
    """So it is touched too."""
    app.write("plugin", "#!/bin/sh\nexit 3\n")
    assert app.envref("secret", "set", "a", stdin="new").returncode == 1
    assert folder.exists()


def test_a_secret_is_written_where_nothing_can_be_touched(app):
    """Nobody is told but who asks with -v."""
    nowhere = {"XDG_STATE_HOME": "/dev/null"}
    done = app.envref("secret", "set", "a", stdin="new", env=nowhere)
    assert (done.returncode, "told" in done.stderr) == (0, False)
    done = app.envref("-v", "secret", "set", "a", stdin="new", env=nowhere)
    assert "prompts and direnv are not told: /dev/null" in done.stderr


def test_a_vault_as_a_whole(project, folder, monkeypatch):
    """Its import and its new key write every secret; a look at what would be imported does not."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery staple")
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    assert project.envref("vault", "init", "--work-factor", "15").returncode == 0
    export = json.dumps({"version": 1, "secrets": {"app/a": "x"}})
    project.envref("vault", "import", "--dry-run", stdin=export)
    assert not folder.exists()
    assert project.envref("vault", "import", stdin=export).returncode == 0
    [before] = os.listdir(folder)
    assert project.envref("vault", "rekey").returncode == 0
    assert os.listdir(folder) != [before]
