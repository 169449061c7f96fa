"""The manifest's file: which one, and what is never read or written."""

from __future__ import annotations

import os
import stat

import pytest

from envref.errors import EnvrefError, MalformedFile
from envref.flox import block, manifest_file
from envref.flox.manifest import HOOK
from tests.flox.manifests import FRESH

BLOCK = block.hook()


@pytest.fixture
def environment(tmp_path):
    """A project that is a Flox environment; the path of its manifest."""
    path = tmp_path / "project" / manifest_file.PLACE
    path.parent.mkdir(parents=True)
    path.write_text(FRESH)
    return path


def changed(path, inside, text=BLOCK):
    return manifest_file.change(str(path), "manifest.toml", lambda old: old.with_block(HOOK, text), inside=str(inside))


def test_a_change_keeps_the_mode_and_leaves_no_other_file(environment):
    """The file is replaced as a whole; nothing lies beside it."""
    environment.chmod(0o640)
    old, new = changed(environment, environment.parents[2])
    assert environment.read_text() == str(new) != str(old)
    assert stat.S_IMODE(environment.stat().st_mode) == 0o640
    assert os.listdir(environment.parent) == ["manifest.toml"]


def test_what_is_up_to_date_is_not_written(environment):
    """The second time the file is not even replaced."""
    changed(environment, environment.parents[2])
    before = environment.stat()
    changed(environment, environment.parents[2])
    assert (environment.stat().st_ino, environment.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_inside_the_project_is_followed(environment):
    """The link stays a link."""
    real = environment.with_name("real.toml")
    environment.rename(real)
    environment.symlink_to("real.toml")
    changed(environment, environment.parents[2])
    assert environment.is_symlink()
    assert BLOCK in real.read_text()


def test_a_link_out_of_the_project_is_refused(environment, tmp_path):
    """Neither read nor written."""
    outside = tmp_path / "outside.toml"
    environment.rename(outside)
    environment.symlink_to(outside)
    with pytest.raises(
        EnvrefError, match=r"^refusing to write manifest\.toml: it is a symlink to .*outside the project$"
    ):
        changed(environment, environment.parents[2])
    with pytest.raises(
        EnvrefError, match=r"^refusing to read manifest\.toml: it is a symlink to .*outside the project$"
    ):
        manifest_file.read(str(environment), "manifest.toml", inside=str(environment.parents[2]))
    assert outside.read_text() == FRESH


def test_a_refusal_leaves_the_file(environment):
    """Not a byte, and no lock file, is left of the attempt."""
    text = FRESH.replace("version = 1", "version = 1\nschema-version = '1.14.0'")
    environment.write_text(text)
    with pytest.raises(MalformedFile):
        changed(environment, environment.parents[2])
    assert environment.read_text() == text
    assert os.listdir(environment.parent) == ["manifest.toml"]


def test_what_is_not_utf_8_is_refused_with_its_place(environment):
    """Line and column of the byte."""
    environment.write_bytes(b"version = 1\nx = '\xff'\n")
    with pytest.raises(MalformedFile, match=r"^manifest\.toml:2:6: not valid UTF-8$"):
        changed(environment, environment.parents[2])


def test_the_manifest_is_looked_for_upwards(environment):
    """From the project's root; without one the message says how to make it."""
    root = environment.parents[2]
    below = root / "a" / "b"
    below.mkdir(parents=True)
    assert manifest_file.locate(str(below)) == str(environment)
    assert manifest_file.folder(str(environment), str(below)) == str(root)
    environment.unlink()
    with pytest.raises(EnvrefError, match=r"^no \.flox/env/manifest\.toml in .*/a/b or above$"):
        manifest_file.locate(str(below))


@pytest.mark.parametrize(
    ("path", "root", "folder"),
    [
        ("/p/.flox/env/manifest.toml", "/p", "/p"),
        ("/p/.flox/env/manifest.toml", "/p/a", "/p"),
        ("/p/.flox/env/manifest.toml", "/", "/"),
        ("/p/a/x.toml", "/p", "/p"),
        ("/pa/x.toml", "/p", "/pa"),
        ("/q/env/manifest.toml", "/p", "/q/env"),
        ("/q/x.flox/env/manifest.toml", "/p", "/q/x.flox/env"),
    ],
)
def test_the_folder_that_no_link_may_leave(path, root, folder):
    """The project, else the environment's own, else where the file is."""
    assert manifest_file.folder(path, root) == folder


def test_what_is_no_file_is_told(environment):
    """A folder, and nothing."""
    environment.unlink()
    inside = str(environment.parents[2])
    with pytest.raises(EnvrefError, match=r"^reading m: No such file or directory$"):
        manifest_file.read(str(environment), "m", inside=inside)
    environment.mkdir()
    with pytest.raises(EnvrefError, match=r"^refusing to read m: it is not a regular file$"):
        manifest_file.read(str(environment), "m", inside=inside)


@pytest.mark.parametrize(
    ("data", "place"), [(b"\xff", "1:1"), (b"a\xff", "1:2"), (b"\n\xff", "2:1"), (b"a\n\nbc\xff", "3:3")]
)
def test_the_place_of_a_byte_that_is_no_text(environment, data, place):
    """Line and column, each from 1."""
    environment.write_bytes(data)
    with pytest.raises(MalformedFile, match=rf"^m:{place}: not valid UTF-8$"):
        manifest_file.read(str(environment), "m", inside=str(environment.parents[2]))
