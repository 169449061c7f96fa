"""files: whose a config must be, and who else may write it."""

from __future__ import annotations

import os
import pwd
import stat

import pytest

from envref.errors import EnvrefError
from envref.project.config.files import LARGEST, Sources, _owner_fault, check_directory, is_safe
from envref.project.config.load import of

ME = os.geteuid()
MINE = next((each.pw_gid for each in pwd.getpwall() if each.pw_uid == ME), os.getegid())
FILE, FOLDER = stat.S_IFREG, stat.S_IFDIR


def status(mode, user=ME, group=MINE):
    return os.stat_result((mode, 0, 0, 1, user, group, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "user", "group", "fault"),
    [
        (FILE | 0o644, ME, MINE, None),
        (FILE | 0o664, ME, MINE, None),
        (FILE | 0o644, 0, 0, None),
        (FILE | 0o664, ME, MINE + 12345, "is writable by its group"),
        (FILE | 0o646, ME, MINE, "is writable by others"),
        (FILE | 0o666, ME, MINE, "is writable by others"),
        (FILE | stat.S_ISVTX | 0o646, ME, MINE, "is writable by others"),
        (FOLDER | stat.S_ISVTX | 0o777, ME, MINE, None),
        (FOLDER | 0o777, ME, MINE, "is writable by others"),
        (FILE | 0o600, 54321, MINE, "belongs to another user"),
    ],
)
def test_whose_a_config_is(mode, user, group, fault):
    """One's own or root's; in a group of one's own, or a sticky folder, it is nobody else's."""
    found = _owner_fault("~/c", status(mode, user, group), "/src")
    assert (found and found.fact) == (fault and f"~/c {fault}")


@pytest.mark.parametrize(("mode", "letter"), [(0o646, "o"), (0o666, "o"), (0o664, "g")])
def test_the_cure_takes_away_what_is_too_much(mode, letter):
    """As a command."""
    found = _owner_fault("~/c", status(FILE | mode, ME, MINE + 12345), "")
    assert found.run == ("chmod", f"{letter}-w", "~/c")


def test_a_user_without_an_entry_has_his_own_group(monkeypatch):
    """As in many containers."""

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert _owner_fault("c", status(FILE | 0o664, ME, os.getegid()), "") is None
    assert isinstance(_owner_fault("c", status(FILE | 0o664, ME, os.getegid() + 12345), ""), EnvrefError)


def test_what_the_user_calls_safe(home):
    """By a variable or in his own config, absolute, with all below; his own config decides and is never meant."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    environment = {"HOME": str(home)}
    assert not is_safe("/src/app", environment)
    assert is_safe("/src/app", {**environment, "ENVREF_SAFE_DIRECTORY": "/other:/src"})
    assert not is_safe("/src/app", {**environment, "ENVREF_SAFE_DIRECTORY": "src:."})
    assert not is_safe("/srcs", {**environment, "ENVREF_SAFE_DIRECTORY": "/src"})
    own.write_text("safe_directories: [/src, ~/work]\n")
    assert is_safe("/src/app", environment)
    assert is_safe(str(home / "work/a"), environment)
    assert not is_safe("/else", environment)
    assert not is_safe(str(own), {**environment, "ENVREF_SAFE_DIRECTORY": "/"})


@pytest.mark.parametrize("trust", ["default", "strict"])
def test_a_config_that_is_a_link(home, project, tmp_path, trust):
    """Within its project it is a file like any other; out of it only where the user's own config is not strict."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"trust: {trust}\n")
    outside = tmp_path / "outside"
    outside.write_text("project: far\n")
    link = project.path / ".envref.yaml"
    project.write("inner", "project: near\n")
    link.symlink_to("inner")
    assert Sources(str(link), os.environ).project_bytes == b"project: near\n"
    link.unlink()
    link.symlink_to(outside)
    if trust == "default":
        assert Sources(str(link), os.environ).project_bytes == b"project: far\n"
    else:
        with pytest.raises(EnvrefError, match=rf"is a symlink to {outside}, outside the project") as caught:
            Sources(str(link), os.environ)
        assert caught.value.hint == "with trust: strict, a config must be a file of its project"


def test_a_directory_that_went_away_is_named(tmp_path):
    """As one that was on the way up a moment ago."""
    with pytest.raises(EnvrefError, match=rf"^loading config: {tmp_path}/gone: no such file or directory$"):
        check_directory(f"{tmp_path}/gone", {})


def test_bytes_that_are_no_config_make_none(project):
    """As in the file."""
    sources = Sources(str(project.write(".envref.yaml", "project: app\n")), os.environ)
    sources.project_bytes = b"env_file: ''\n"
    with pytest.raises(EnvrefError, match="invalid config: project name is required; env_file must not be empty"):
        of(sources)


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_how_large_a_config_may_become(project, more, fits):
    """By an edit, too: what is written must be what is read again."""
    sources = Sources(str(project.write(".envref.yaml", "project: app\n")), os.environ)
    sources.project_bytes = b"project: app\n".ljust(LARGEST + more, b"#")
    if fits:
        assert of(sources).project == "app"
    else:
        with pytest.raises(EnvrefError, match="larger than 256 KiB"):
            of(sources)
