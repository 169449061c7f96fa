"""The compiled copy: the same Config with and without it, never stale, never anybody else's, never in the way."""

import os
import pathlib
import subprocess
import sys
import types

import pytest

from envref.errors import EnvrefError
from envref.project.config import cache as config_cache
from envref.project.config import files
from envref.project.config import load as config
from tests.conftest import ROOT

FULL = """\
project: app
active_profile: staging
interpolate_environment: true
profiles: {staging: , prod: {env_file: env/prod}}
backends:
  - name: one
    type: plugin
    timeout: 2.5
    optional: true
    names: {github: Work}
    config: {command: ~/one, region: 1.10, batch: true}
  - name: plugin
services: {web: [PORT]}
tools: {gh: [GH_TOKEN], aws: {credential-process: [ID, KEY]}}
team: [{name: bob, public_key: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]
bakends: 1
"""

READING = ("cache", "files", "load", "model")  # the files of the room that read a compiled copy


@pytest.fixture
def copies(home):
    """The directory of the copies, not made yet."""
    return home / ".cache" / "envref" / "config"


@pytest.fixture
def source(project):
    return project.write(".envref.yaml", FULL)


@pytest.fixture
def copy(source, copies):
    """The copy of the project's config."""
    config.load(str(source))
    (path,) = copies.iterdir()
    return path


@pytest.fixture
def compiled(monkeypatch):
    """Every run of the YAML door, as a list that grows."""
    from envref.project.config import check as config_check

    runs = []
    check = config_check.check
    monkeypatch.setattr(config_check, "check", lambda sources: runs.append(sources) or check(sources))
    return runs


def plain(record):
    """A record as nested tuples, so that two can be compared."""
    if isinstance(record, tuple):
        return tuple(map(plain, record))
    names = getattr(type(record), "__slots__", None)
    return tuple((name, plain(getattr(record, name))) for name in names) if names else record


def loaded(path):
    return plain(config.load(str(path)))


def test_the_config_is_the_same_with_and_without_a_copy(source, compiled):
    """Every field, warnings included; the second load parses no YAML."""
    first = loaded(source)
    assert loaded(source) == first
    assert len(compiled) == 1


def test_a_copy_loads_without_yaml(source, home):
    """A new process that finds the copy imports no YAML, no regular expressions, and none of the rules."""
    script = (
        "import sys; before = set(sys.modules); from envref.project.config.load import load; load(sys.argv[1]);"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", script, str(source)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first, second = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    )
    assert "yaml" in first
    own = {"errors", "paths", "project", "project.config"}
    own |= {f"project.config.{name}" for name in READING}
    assert set(second) == {"__future__", "envref", *(f"envref.{name}" for name in own)}


def test_a_copy_is_private(copy):
    """0600 in a directory of 0700."""
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_a_changed_source_is_never_stale(source, copy, compiled):
    """The copy counts only for the bytes it was made from: size and time of change prove nothing."""
    status = source.stat()
    source.write_text(FULL.replace("project: app", "project: apq"))
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert source.stat().st_size == status.st_size
    assert config.load(str(source)).project == "apq"
    assert len(compiled) == 1


def test_a_changed_file_of_the_user_is_never_stale(source, copy, home):
    """The user's own config is a source as well: written, changed, and removed."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    for mode in ("strict", "default", "strict"):
        own.write_text(f"trust: {mode}")
        assert config.load(str(source)).trust == mode
    own.unlink()
    assert config.load(str(source)).trust == "default"


def test_a_shortened_file_of_the_user_is_no_match(source, copy, compiled, home):
    """What was cut off is never taken for the data behind it: `{0` is an empty dictionary to marshal."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    for number, text in enumerate(("trust: strict\n#{0", "trust: strict\n#"), start=1):
        own.write_text(text)
        assert config.load(str(source)).project == "app"
        assert len(compiled) == number


def test_home_is_no_part_of_a_copy(source, copy, compiled, tmp_path):
    """Paths are filled in after the copy is read, so another HOME is seen at once."""
    (store, _) = config.load(str(source)).backends
    assert compiled == []
    assert store.arguments("/root", {"HOME": "/other"})["command"] == "/other/one"


def test_a_profile_whose_file_went_away_is_seen(project):
    """`active_profile` depends on a file beside the config: it is checked again with every copy."""
    source = str(project.write(".envref.yaml", "project: app\nactive_profile: q\nprofiles: {x: }"))
    file = project.write(".env.q", "")
    assert config.load(source).active_profile == "q"
    file.unlink()
    with pytest.raises(EnvrefError) as caught:
        config.load(source)
    assert caught.value.message == ('loading config: invalid config: active_profile "q" is not defined in profiles')


def damaged(content):
    """The content with each kind of damage a disk, a crash or another program may do."""
    yield "empty", b""
    yield "all zeros", bytes(len(content))
    for length in range(0, len(content), 7):
        yield f"cut at {length}", content[:length]
    yield "zeros at the end", content[:-100] + bytes(100)
    yield "more at the end", content + b"x"
    yield "other program", b"envref config 1"


def test_a_damaged_copy_is_ignored_and_replaced(source, copy, compiled):
    """Whatever is left of a copy, the config is the same, and the next load has a copy again."""
    first, content = loaded(source), copy.read_bytes()
    for number, (damage, damaged_content) in enumerate(damaged(content), start=1):
        copy.write_bytes(damaged_content)
        assert loaded(source) == first, damage
        assert len(compiled) == number, damage
        assert copy.read_bytes() == content, damage


def test_data_that_is_no_config_is_ignored(source, copy, compiled):
    """Right bytes around something else: not marshal data, or marshal data of another kind."""
    import marshal

    first, content = loaded(source), copy.read_bytes()
    head = config_cache._head(files.Sources(str(source), os.environ))
    assert content.startswith(head)
    for body in (b"", b"\xff\xff", bytes(50), marshal.dumps([1])):
        copy.write_bytes(head + body + config_cache._END)
        assert loaded(source) == first
    assert len(compiled) == 4


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(config_cache, "__version__", "0.0.0"), (config_cache, "_FORMAT", "envref config 0")],
)
def test_a_copy_of_another_version_is_ignored(source, copy, compiled, monkeypatch, module, name, value):
    """Another envref may read the same file in another way."""
    monkeypatch.setattr(module, name, value)
    config.load(str(source))
    assert len(compiled) == 1


def of_python(monkeypatch, tag):
    """Goes on as if another Python ran envref."""
    monkeypatch.setattr(config_cache.sys, "implementation", types.SimpleNamespace(cache_tag=tag))


def test_pythons_that_alternate_keep_a_copy_each(source, copies, copy, compiled, monkeypatch):
    """marshal's format is Python's own affair: one copy for both would be made anew at each activation."""
    for number, tag in enumerate(("cpython-39", "cpython-40")):
        of_python(monkeypatch, tag)
        config.load(str(source))
        assert len(compiled) == number + 1
    of_python(monkeypatch, "cpython-39")
    config.load(str(source))
    assert len(compiled) == 2
    assert len(list(copies.iterdir())) == 3


def test_a_copy_of_another_python_under_this_ones_name_is_ignored(source, copy, compiled, monkeypatch):
    """Whoever renamed it: the tag is in its head too."""
    of_python(monkeypatch, "cpython-39")
    copy.rename(copy.with_suffix(".cpython-39"))
    config.load(str(source))
    assert len(compiled) == 1


def test_the_copy_that_served_every_python_is_removed(source, copies, copy):
    """It has the project's path alone for its name, and nobody reads it any more."""
    old = copy.with_suffix("")
    assert old.name.endswith("%.envref.yaml")
    copy.rename(old)
    config.load(str(source))
    assert list(copies.iterdir()) == [copy]


def test_a_copy_for_another_project_of_the_same_name_is_ignored(tmp_path, compiled, monkeypatch):
    """Two long paths may share a file name; the path itself is in the copy."""
    monkeypatch.setattr(config_cache, "_LONGEST_NAME", len("%.envref.yaml"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".envref.yaml").write_text("project: app")
        assert config.load(str(tmp_path / name / ".envref.yaml")).path == str(tmp_path / name / ".envref.yaml")
    assert len(compiled) == 2


def test_a_long_path_has_a_copy(tmp_path, compiled):
    """A file name has at most 255 bytes; a path may have thousands."""
    directory = tmp_path
    for _ in range(6):
        directory /= "é" * 60
    directory.mkdir(parents=True)
    (directory / ".envref.yaml").write_text("project: app")
    for _ in range(2):
        assert config.load(str(directory / ".envref.yaml")).project == "app"
    assert len(compiled) == 1


def forged(copy):
    """A copy that is right in every byte but says another project."""
    return copy.read_bytes().replace(b"\x03app", b"\x03bad")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_copy_that_others_can_write_is_ignored(source, copy, mode):
    """Group and others."""
    copy.write_bytes(forged(copy))
    copy.chmod(mode)
    assert config.load(str(source)).project == "app"


def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")


def test_a_copy_of_somebody_else_is_ignored(source, copy):
    """Whoever owns it, its mode says nothing then."""
    as_root()
    copy.write_bytes(forged(copy))
    os.chown(copy, 12345, 12345)
    assert config.load(str(source)).project == "app"


@pytest.mark.parametrize("change", [lambda path: os.chown(path, 12345, 12345), lambda path: path.chmod(0o777)])
def test_a_directory_that_others_can_change_is_not_used(source, copies, copy, change):
    """Neither for reading nor for writing."""
    as_root()
    copy.write_bytes(forged(copy))
    change(copies)
    assert config.load(str(source)).project == "app"
    copy.unlink()
    config.load(str(source))
    assert list(copies.iterdir()) == []


def test_the_forged_copy_would_be_believed_if_it_were_ours(source, copy):
    """What the tests above refuse is refused for its owner and mode, and for nothing else."""
    copy.write_bytes(forged(copy))
    assert config.load(str(source)).project == "bad"


def test_a_symlink_is_no_copy(source, copy, tmp_path):
    """A link leads where somebody else may write."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(forged(copy))
    elsewhere.chmod(0o600)
    copy.unlink()
    copy.symlink_to(elsewhere)
    assert config.load(str(source)).project == "app"
    assert not copy.is_symlink()


def test_a_named_pipe_is_no_copy(source, copy):
    """It is not waited for."""
    copy.unlink()
    os.mkfifo(copy, 0o600)
    assert config.load(str(source)).project == "app"


def test_a_home_of_somebody_else_is_left_alone(source, home):
    """`sudo envref` makes no directories of root's in the user's HOME."""
    as_root()
    os.chown(home, 12345, 12345)
    assert config.load(str(source)).project == "app"
    assert list(home.iterdir()) == []


def test_a_cache_that_can_t_be_written_is_no_error(source, home, monkeypatch):
    """A file in the place of the directory, and a place that is not absolute."""
    (home / ".cache").write_text("")
    assert config.load(str(source)).project == "app"
    monkeypatch.setenv("HOME", ".")
    assert config.load(str(source)).project == "app"
    assert not pathlib.Path(".cache").exists()


def test_a_full_disk_is_no_error_and_leaves_nothing(source, copies, compiled, monkeypatch):
    """A copy that can't be written whole is not left half."""
    import errno

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(config_cache.os, "rename", full)
    assert config.load(str(source)).project == "app"
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("option", ["token", "api_key", "passwordFile", "client_secret"])
def test_a_credential_is_not_copied(project, copies, option):
    """A config that holds one has no copy at all: the source's bytes are part of it."""
    text = f"project: app\nbackends: [{{name: x, type: plugin, config: {{{option}: very-private}}}}]"
    config.load(str(project.write(".envref.yaml", text)))
    assert not copies.exists() or list(copies.iterdir()) == []


@pytest.mark.parametrize(
    "own",
    [
        "backends: [{name: x, type: plugin, config: {token: very-private}}]",
        "backends: [{name: x, type: plugin, token: very-private}]",
        "token: very-private",
    ],
)
def test_a_credential_in_the_user_s_file_is_not_copied(source, copies, home, own):
    """Also where the project's backends hide the user's, and where the key is misplaced."""
    path = home / ".config" / "envref" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(own)
    config.load(str(source))
    assert not copies.exists() or list(copies.iterdir()) == []


def test_an_invalid_config_is_not_copied(project, copies):
    """Its faults are found anew each time."""
    for _ in range(2):
        with pytest.raises(EnvrefError, match="project name is required"):
            config.load(str(project.write(".envref.yaml", "env_file: a")))
    assert not copies.exists()


def test_many_writers_leave_one_whole_copy(source, copies, home):
    """Processes that start together all load the same config, and one copy is left, without remains."""
    script = "import sys; from envref.project.config.load import load; print(load(sys.argv[1]).project)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, str(source)]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert [process.communicate(timeout=60)[0] for process in running] == ["app\n"] * 8
    assert len(list(copies.iterdir())) == 1


def test_an_edit_of_the_users_file_that_keeps_its_length_is_seen(source, copy, compiled, home):
    """Only its bytes tell the two apart, as with the project's file."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    for path in ("/one", "/two", "/one"):
        own.write_text(f"trusted_paths: [{path}]\n")
        os.utime(own, (1_000_000_000, 1_000_000_000))
        assert config.load(str(source)).trusted_paths == (path,)
    assert len(compiled) == 3
