"""Trust across an edit by envref itself: kept where there was some, never made, never renewed for another meaning."""

from __future__ import annotations

import os

import pytest

from envref.errors import EnvrefError
from envref.project.edit import edit, edit_own, preview, trust_kept
from envref.project.project import configured
from envref.project.trust import record
from envref.project.trust.gate import grant, is_granted
from envref.project.trust.meaning import meaning

ASKING = "project: app\nbackends: [{name: kv, type: plugin, config: {command: ./kv}}]\n"


@pytest.fixture
def environment(home):
    return {"HOME": str(home)}


@pytest.fixture
def shop(project):
    project.write(".envref.yaml", ASKING)
    return project


def agreed(shop, environment):
    project = configured(str(shop.path))
    grant(project, meaning(project, environment), environment)


def edited(shop, environment):
    """Whether the project is trusted after an edit by envref."""
    with trust_kept(str(shop.path), str(shop.path / ".envref.yaml"), environment):
        shop.write(".envref.yaml", f"{ASKING}profiles: {{staging: }}\n")
    return is_granted(configured(str(shop.path)), environment)


def test_a_trusted_project_stays_trusted(shop, environment):
    """As it is after the edit."""
    agreed(shop, environment)
    assert edited(shop, environment)


def test_an_edit_makes_no_trust(shop, environment):
    """Neither where nothing was decided nor where it was refused."""
    assert not edited(shop, environment)
    project = configured(str(shop.path))
    record.write(project.root, meaning(project, environment), environment, granted=False)
    assert not edited(shop, environment)


def test_a_change_by_somebody_else_is_not_taken_along(shop, environment):
    """What was trusted was another meaning."""
    agreed(shop, environment)
    shop.write(".envref.yaml", ASKING.replace("./kv", "./evil"))
    assert not edited(shop, environment)


MEANWHILE = {
    "the program": ("kv", "#!/bin/sh\nexit 1\n"),
    "an env file": (".env", "BASH_ENV=./evil\n"),
    "a profile's new file": (".env.staging", "BASH_ENV=./evil\n"),
}


@pytest.mark.parametrize("change", MEANWHILE)
def test_what_comes_while_an_editor_is_open_is_not_taken_along(shop, environment, change):
    """A pull in another window is nothing that the user of the editor agreed to."""
    shop.write("kv", "#!/bin/sh\n").chmod(0o755)
    shop.write(".env", "A=1\n")
    agreed(shop, environment)
    path = shop.path / ".envref.yaml"
    with trust_kept(str(shop.path), str(path), environment):
        path.write_text(f"{ASKING}env_file: .env\n")
        shop.write(*MEANWHILE[change])
    assert not is_granted(configured(str(shop.path)), environment)


def test_the_edited_file_may_say_anything(shop, environment):
    """Its user wrote it: a risky name in an env file, and the program's own text."""
    shop.write("kv", "#!/bin/sh\n").chmod(0o755)
    agreed(shop, environment)
    for name, text in ((".env", "BASH_ENV=x\n"), ("kv", "#!/bin/sh\nexit 1\n")):
        with trust_kept(str(shop.path), str(shop.path / name), environment):
            shop.write(name, text)
        assert is_granted(configured(str(shop.path)), environment)


def with_key(key, value):
    return lambda document: document.with_value(key, value)


def test_an_edit_writes_what_it_says(shop):
    """And the config that is returned is the new one; a preview writes nothing."""
    path = shop.path / ".envref.yaml"
    assert preview(str(path), with_key("env_file", "base")).env_file == "base"
    assert path.read_text() == ASKING
    assert edit(str(path), with_key("env_file", "base")).env_file == "base"
    assert path.read_text() == f"{ASKING}env_file: base\n"


def test_an_edit_that_changes_nothing_leaves_the_file(shop):
    """A watcher, and a link to it, see none."""
    path = shop.path / ".envref.yaml"
    before = path.stat()
    edit(str(path), lambda document: document)
    assert path.stat() == before


def test_an_edit_that_would_break_the_config_is_refused(shop):
    """The old one stays."""
    path = shop.path / ".envref.yaml"
    with pytest.raises(EnvrefError, match="env_file must not be empty"):
        edit(str(path), with_key("env_file", ""))
    assert path.read_text() == ASKING


def test_the_users_own_config_is_made_for_him_alone(home, monkeypatch):
    """With the folders above it; without a home there is no place for one."""
    before = os.umask(0)
    try:
        path = edit_own(with_key("trust", "strict"))
    finally:
        os.umask(before)
    own = home / ".config/envref/config.yaml"
    assert (path, own.read_text(), own.stat().st_mode & 0o777) == (str(own), "trust: strict\n", 0o600)
    monkeypatch.setenv("HOME", "relative")
    with pytest.raises(EnvrefError, match="there is no home directory for your own config"):
        edit_own(with_key("trust", "strict"))


def test_a_key_that_the_users_own_config_has_too_is_named(shop, home, capfd):
    """The project's takes its place from now on: said once, when it begins."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("profiles: {mine: }\n")
    path = str(shop.path / ".envref.yaml")
    for name, told in (("dev", 1), ("other", 0)):
        edit(path, lambda document, name=name: document.with_entry("profiles", name, None))
        assert capfd.readouterr().err.count("profiles of ~/.config/envref/config.yaml no longer counts here") == told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_config_of_another_user_is_not_made(home):
    """`sudo envref` with the user's HOME would leave root's file there."""
    os.chown(home, 12345, -1)
    with pytest.raises(EnvrefError, match="~ belongs to another user") as refused:
        edit_own(with_key("trust", "strict"))
    assert refused.value.hint == "set HOME to yours"
    assert os.listdir(home) == []


@pytest.mark.parametrize("text", ["project: [", "project: app\nbackends: x\n"])
def test_an_edit_may_mend_a_config_or_break_it(shop, environment, text):
    """Neither makes trust, and neither is stopped."""
    agreed(shop, environment)
    path = str(shop.path / ".envref.yaml")
    with trust_kept(str(shop.path), path, environment):
        shop.write(".envref.yaml", text)
    with trust_kept(str(shop.path), path, environment):
        shop.write(".envref.yaml", ASKING.replace("./kv", "./other"))
    assert not is_granted(configured(str(shop.path)), environment)
