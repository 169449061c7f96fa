"""`envref team`: keys and names; the layouts of the list are in tests/properties/test_config_edit.py."""

from __future__ import annotations

import subprocess
import sys

import pyrage
import pytest
import yaml

from envref.project.config.document import Document
from envref.project.config.load import load
from tests.arguments import PYTHONPATH

ALICE = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
BOB = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILEA4d2Cku8pbRJV0sSU8fxFoQeZtTx0VSQT5alKNIc5"


@pytest.fixture
def app(project):
    project.write(".envref.yaml", "project: app\n")
    return project


def members(project):
    return load(str(project.path / ".envref.yaml")).team


@pytest.mark.parametrize("key", [ALICE, f"  {BOB}\n", SSH, f"{SSH} bob@laptop", f'{SSH} "Bob": #1'])
def test_every_kind_of_key_is_kept_as_it_is(app, key):
    """age and ssh, with a comment that YAML could misread too."""
    done = app.envref("team", "add", "bob", key)
    assert (done.returncode, done.stdout) == (0, "")
    assert members(app) == {"bob": key.strip()}
    assert app.envref("team", "list").stdout == f"{'bob':<20} {key.strip()}\n"


NAMES = ["bob", "Bob Smith", "bob: ops", "# bob", "null", "1", '"', "ü", "a,b", "- x", "*", "it's", "yes", "{"]
TEXTS = ["project: app\n", "project: app\nteam: []\n", "{project: app, team: [{name: a, public_key: k}]}"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_any_name_reads_back(text, name):
    """In block and in brackets, added and removed again."""
    added = Document(text.encode(), "f").with_item("team", {"name": name, "public_key": BOB})
    assert added.get("team")[-1] == {"name": name, "public_key": BOB}
    assert yaml.safe_load(added.source)["team"][-1] == {"name": name, "public_key": BOB}
    removed = added.without_item("team", len(added.get("team")) - 1)
    assert removed.source == (text if "team" in text else text + "team: []\n").encode()


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("junk", 'error: invalid age public key "junk"'),
        (BOB[:-1] + "q", f'error: invalid age public key "{BOB[:-1]}q"'),
        (
            "age1yubikey1" + BOB[5:],
            f'error: "age1yubikey1{BOB[5:]}" is a key of the age plugin "yubikey", which envref never starts',
        ),
        ("ssh-ed25519 AAAA", 'error: invalid age public key "ssh-ed25519 AAAA"'),
    ],
)
def test_a_wrong_key_is_refused_before_the_file_is_touched(app, key, error):
    """A typing mistake, a plugin's key, half an ssh key."""
    done = app.envref("team", "add", "bob", key)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, error)
    assert app.read(".envref.yaml") == "project: app\n"


def test_a_file_that_is_not_there_is_said_to_be_none(app):
    """What looks like a file's name is no key: the file is the mistake."""
    assert app.envref("team", "add", "bob", "keys/bob.pub").stderr.splitlines()[1:] == [
        "  hint: there is no such file either"
    ]


def test_a_private_key_is_never_repeated(app):
    """Somebody pastes the wrong line."""
    private = str(pyrage.x25519.Identity.generate())
    done = app.envref("team", "add", "bob", private)
    assert done.returncode == 2
    assert private not in done.stderr
    assert "this is a private key" in done.stderr


@pytest.mark.parametrize("name", ["", "  ", " bob", "b\tb", "b\x1bb"])
def test_names_that_nobody_could_type_again_are_refused(app, name):
    """Blank, surrounded by blanks, with control characters."""
    assert app.envref("team", "add", name, BOB).returncode == 2
    assert app.read(".envref.yaml") == "project: app\n"


def test_the_user_s_own_team_is_told_of(app, home):
    """It no longer counts once the project has a team, and it is not the project's to change."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"team:\n- name: alice\n  public_key: {ALICE}\n")
    assert app.envref("team", "list").stdout == f"{'alice':<20} {ALICE}\n"
    removed = app.envref("team", "remove", "alice")
    assert (removed.returncode, removed.stderr) == (
        1,
        'error: team member "alice" not found in config\n  run: envref team list\n',
    )
    done = app.envref("team", "add", "bob", BOB)
    assert done.stderr.splitlines()[0] == (
        "warning: team of ~/.config/envref/config.yaml no longer counts here: the project has its own now"
    )
    assert members(app) == {"bob": BOB}
    app.envref("team", "remove", "bob")
    assert members(app) == {}


def test_many_at_once_lose_nobody(app):
    """Ten processes add ten members: the lock keeps them apart."""
    command = [sys.executable, "-m", "envref", "team", "add"]
    adding = [
        subprocess.Popen(
            [*command, f"m{number}", BOB], cwd=app.path, env={"PYTHONPATH": PYTHONPATH, "HOME": str(app.path)},
            stderr=subprocess.DEVNULL,
        )
        for number in range(10)
    ]  # fmt: skip
    assert [each.wait(120) for each in adding] == [0] * 10
    assert sorted(members(app)) == sorted(f"m{number}" for number in range(10))


@pytest.mark.parametrize("name", ["key.pub", "sub/../key.pub", "~/key.pub"])
def test_a_key_may_be_given_by_its_file(app, home, name):
    """As `ssh-keygen` leaves it."""
    for place in (app.path, home):
        (place / "key.pub").write_text(f"{SSH} bob@laptop\n")
    (app.path / "sub").mkdir()
    assert app.envref("team", "add", "bob", name).returncode == 0
    assert members(app) == {"bob": f"{SSH} bob@laptop"}


def test_a_file_of_several_keys_is_no_member(app):
    app.write("keys", f"{ALICE}\n{BOB}\n")
    done = app.envref("team", "add", "bob", "keys")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: keys: 2 public keys; a member has one")
    assert members(app) == {}
