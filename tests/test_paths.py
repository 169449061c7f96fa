"""Where the user's files are, how a path is shown, and how files are opened: one answer for all who ask."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pyrage
import pytest

from envref import atomic, paths
from envref.errors import EnvrefError
from envref.project.config.load import load
from envref.refs.address import Address
from tests.conftest import ROOT
from tests.processes import tidy_descriptors
from tests.requirements import first_python

giving_away = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")

PASSPHRASE = "correct horse battery staple"

# What a variable holds, and what counts then, with HOME at /home/me.
RELATIVE = ["", "relative", ".", "./relative", "~/relative", "../up"]


@pytest.mark.parametrize("value", RELATIVE)
def test_a_relative_value_of_xdg_is_ignored(value):
    """The XDG base directory specification has it ignored: the usual place counts."""
    environment = {
        "HOME": "/home/me",
        **{f"XDG_{kind}_HOME": value for kind in ("CONFIG", "STATE", "CACHE")},
        "XDG_RUNTIME_DIR": value,
        "ENVREF_CONFIG_DIR": value,
    }
    assert paths.configuration_path("c", environment=environment) == "/home/me/.config/envref/c"
    assert paths.state_path("s", environment=environment) == "/home/me/.local/state/envref/s"
    assert paths.cache_path("a", "b", environment=environment) == "/home/me/.cache/envref/a/b"
    assert paths.runtime_directory(environment) == ""


def test_an_absolute_value_counts():
    """Each of its own variable; ENVREF_CONFIG_DIR before XDG_CONFIG_HOME."""
    environment = {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/a"}
    assert paths.configuration_path(environment=environment) == "/c/envref"
    assert paths.state_path("x", environment=environment) == "/s/envref/x"
    assert paths.cache_path("x", environment=environment) == "/a/envref/x"
    assert paths.runtime_directory({"XDG_RUNTIME_DIR": "/run/me"}) == "/run/me"
    assert paths.configuration_path(environment={**environment, "ENVREF_CONFIG_DIR": "/own"}) == "/own"


@pytest.mark.parametrize(
    ("environment", "directories"),
    [
        ({"XDG_DATA_DIRS": "/a:/b"}, ["/a", "/b"]),
        ({}, ["/usr/local/share", "/usr/share", "/opt/homebrew/share", "/opt/local/share"]),
        ({"XDG_DATA_DIRS": ""}, ["/usr/local/share", "/usr/share", "/opt/homebrew/share", "/opt/local/share"]),
    ],
)
def test_where_data_for_everybody_is(environment, directories):
    """By the XDG specification, unset or empty means the usual two; Homebrew and MacPorts have their own."""
    assert paths.data_directories(environment) == directories


@pytest.mark.parametrize("home", ["", "relative", ".", "~"])
def test_a_relative_home_is_no_home(home):
    """No place is better than one that the current directory decides on."""
    environment = {"HOME": home}
    for place in (paths.configuration_path, paths.state_path, paths.cache_path):
        assert place("x", environment=environment) == ""
    assert paths.expanded("~/x", environment) == "~/x"
    assert paths.shown("/x", environment) == "/x"


def test_without_home_the_user_s_entry_counts(monkeypatch):
    """What the system knows of the user; for one that it doesn't know, nothing."""
    import pwd

    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd(("me", "x", 1, 1, "", "/home/me", "/bin/sh")))
    assert paths.configuration_path(environment={}) == "/home/me/.config/envref"

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert paths.configuration_path(environment={}) == ""


# Every command that writes into the user's own directories, as the words of a command line.
WRITERS = {
    "vault": ["vault", "init", "--work-factor", "15"],
    "trust": ["trust"],
    "cache and project names": ["resolve", "--export"],
}
WITH_VAULT = {".envref.yaml": "project: app\nbackends:\n  - name: vault\n", ".env": "A=1\nB=ref://secrets/b\n"}
WITH_PLUGIN = {
    ".envref.yaml": "project: app\nbackends:\n  - {name: p, type: plugin, config: {command: ./p}}\n",
    "p": "#!/bin/sh\n",
}
FILES = {"vault": WITH_VAULT, "trust": WITH_PLUGIN, "cache and project names": WITH_VAULT}


@pytest.mark.parametrize("name", ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "ENVREF_CONFIG_DIR", "HOME"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("value", ["relative", "~"])
def test_nothing_is_written_where_a_relative_value_leads(project, name, writer, value):
    """The current directory is as it was: what envref keeps is neither in `./relative` nor in `./~`."""
    written = {project.write(name, text) for name, text in FILES[writer].items()}
    project.envref(*WRITERS[writer], env={name: value, "ENVREF_VAULT_PASSPHRASE": PASSPHRASE})
    assert set(project.path.iterdir()) == written


@pytest.mark.parametrize("writer", ["vault", "trust"])
def test_whoever_has_no_home_is_told_so(project, writer):
    """Not a place of which nobody thinks."""
    for name, text in FILES[writer].items():
        project.write(name, text)
    done = project.envref(*WRITERS[writer], env={"HOME": ".", "ENVREF_VAULT_PASSPHRASE": PASSPHRASE})
    assert done.returncode == 1
    assert "no home directory" in done.stderr
    assert done.stderr.endswith("  hint: set HOME to an absolute path\n")


def test_a_file_of_the_current_directory_is_not_the_user_s_own(project, monkeypatch):
    """Without a home, no config of a cloned repository counts as the user's, whatever it is called."""
    for place in ("envref", ".config/envref", "~/.config/envref", "relative/envref", "relative", "."):
        project.write(f"{place}/config.yaml", "trust: wrong\n")
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("HOME", "~")
    path = str(project.write(".envref.yaml", "project: app\n"))
    for value in (*RELATIVE, "relative/envref"):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        monkeypatch.setenv("ENVREF_CONFIG_DIR", value)
        assert load(path).trust == "default"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/me", "~"),
        ("/home/me/", "~/"),
        ("/home/me/a b", "~/a b"),
        ("/home/meself/x", "/home/meself/x"),
        ("/home", "/home"),
        ("relative", "relative"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("home", ["/home/me", "/home/me/"])
def test_the_home_directory_is_shown_as_a_tilde(path, expected, home):
    """Whole names count, not beginnings."""
    assert paths.shown(path, {"HOME": home}) == expected


def test_every_message_shows_a_path_alike(home, monkeypatch):
    """A home that ends in a slash is the same home to a vault, to an edit and to a password store."""
    from envref.backends.password_store.store import PassStore
    from envref.backends.vault.store import Vault

    monkeypatch.setenv("HOME", f"{home}/")
    (home / "project").mkdir()
    (home / "vault.db").mkdir()
    (home / "link").symlink_to(home / "gone")
    messages = []
    for ask in (
        lambda: Vault("vault", path=f"{home}/vault.db").get_many([Address("app", "key")], 1e12),
        lambda: atomic.write(f"{home}/link", b""),
        lambda: PassStore("pass", store=f"{home}/none", command="/bin/sh").list("app", 1e12),
    ):
        with pytest.raises(EnvrefError) as caught:
            ask()
        messages.append(caught.value.message)
    assert [str(home) in message for message in messages] == [False] * 3
    assert ["~/vault.db" in messages[0], "~/gone" in messages[1], "~/none" in messages[2]] == [True] * 3


READERS = [paths.open_file, paths.open_in_place, paths.open_ours]


@pytest.mark.parametrize("reader", READERS)
def test_a_regular_file_is_read(tmp_path, reader):
    """All of it, and no program that is started meanwhile gets it."""
    (tmp_path / "file").write_bytes(b"content")
    with reader(str(tmp_path / "file")) as file:
        assert file.read() == b"content"
        assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_not_waited_for(tmp_path, reader):
    """Nor a directory taken for a file; neither leaves a descriptor open."""
    os.mkfifo(tmp_path / "pipe")
    before = tidy_descriptors()
    with pytest.raises(OSError, match="not a regular file"):
        reader(str(tmp_path / "pipe"))
    with pytest.raises(IsADirectoryError):
        reader(str(tmp_path))
    assert len(os.listdir("/dev/fd")) == before


def test_only_a_project_s_file_may_be_a_link(tmp_path):
    """What counts in its own place is no link."""
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    link = str(tmp_path / "link")
    with paths.open_file(link) as file:
        assert file.read() == b"content"
    for opened in (paths.open_in_place, paths.open_ours, paths.open_new, paths.open_to_append):
        with pytest.raises(OSError, match=r"symbolic link|File exists"):
            opened(link)


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_could_have_written_is_not_ours(tmp_path, mode):
    """A group counts as others."""
    file = tmp_path / "file"
    file.touch()
    file.chmod(mode)
    with pytest.raises(PermissionError):
        paths.open_ours(str(file))


def test_what_is_refused_is_closed_at_once(tmp_path):
    """Whoever looks at the error does not keep it open: a file, a folder."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        (tmp_path / name).chmod(0o772)
    before = tidy_descriptors()
    with pytest.raises(PermissionError, match="others could have written it") as file:
        paths.open_ours(str(tmp_path / "file"))
    with pytest.raises(PermissionError, match="others could change it") as folder:
        paths.open_folder(str(tmp_path / "folder"))
    assert len(os.listdir("/dev/fd")) == before, (file, folder)


def test_a_folder_of_ours_takes_empty_files(tmp_path):
    """Each for nobody else, and in the place of nothing; a link is no folder."""
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(NotADirectoryError):
        paths.open_folder(str(tmp_path / "link"))
    folder, before = paths.open_folder(str(tmp_path / "folder")), os.umask(0)
    try:
        assert not os.get_inheritable(folder)
        paths.make_empty("new", folder)
        with pytest.raises(FileExistsError):
            paths.make_empty("new", folder)
    finally:
        os.umask(before)
        os.close(folder)
    status = (tmp_path / "folder/new").stat()
    assert (status.st_mode & 0o777, status.st_size) == (0o600, 0)


def test_a_lock_is_made_and_can_be_written(tmp_path):
    """For nobody else; one that is there keeps what it holds."""
    path, before = str(tmp_path / "lock"), os.umask(0)
    try:
        for text in (b"", b"4711"):
            descriptor = paths.open_lock(path)
            assert (os.read(descriptor, 9), os.fstat(descriptor).st_mode & 0o777) == (text, 0o600)
            os.pwrite(descriptor, b"4711", 0)
            os.close(descriptor)
    finally:
        os.umask(before)


@giving_away
def test_what_belongs_to_somebody_else_is_not_ours(tmp_path):
    """Whatever its mode."""
    file = tmp_path / "file"
    file.touch(0o600)
    os.chown(file, 12345, 12345)
    with pytest.raises(PermissionError):
        paths.open_ours(str(file))


def test_a_new_file_is_for_nobody_else(tmp_path):
    """Whatever the umask, and never in place of anything."""
    before = os.umask(0)
    try:
        paths.open_new(str(tmp_path / "new")).close()
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        paths.open_new(str(tmp_path / "new"))


def test_appending_makes_no_file(tmp_path):
    """What is to be appended to is there."""
    with pytest.raises(FileNotFoundError):
        paths.open_to_append(str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_named_pipe_is_read_to_its_end(tmp_path):
    """`--file <(age -d backup.age)`: the writer may come later."""
    os.mkfifo(tmp_path / "pipe")
    script = "import sys, time; time.sleep(0.2); open(sys.argv[1], 'w').write('late')"
    path = str(tmp_path / "pipe")
    with subprocess.Popen([sys.executable, "-c", script, path]), paths.open_named(path) as file:
        assert file.read() == b"late"


@giving_away
def test_no_directory_is_made_in_one_of_somebody_else(tmp_path):
    """`sudo envref` makes no directories of root's in the user's HOME."""
    os.chown(tmp_path, 12345, 12345)
    assert paths.make_private(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_private_directory_is_for_nobody_else(tmp_path):
    """One that is there stays as it is."""
    assert paths.make_private(str(tmp_path / "a" / "b")) == ""
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert paths.make_private(str(tmp_path / "a" / "b")) == ""


# Files of the system's, of standard input and of the terminal: no repository has a say in them.
SYSTEM = {'"/proc', "f'/proc", "'/proc", "'/dev/tty'", "0"}


def _calls():
    """(file, what is called, its first argument) of every call of `open` and `os.open` in envref."""
    for path in sorted((ROOT / "envref").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "os.open", "io.open", "os.fdopen"):
                yield path.relative_to(ROOT / "envref").as_posix(), ast.unparse(node.func), node


@first_python
def test_files_are_opened_in_one_place():
    """`os.open` is in paths.py; atomic.py needs it for names in a folder it holds open; finder.py finds paths.py."""
    assert {file for file, called, _ in _calls() if called != "open"} == {"paths.py", "atomic.py", "finder.py"}


def test_the_nearest_above_has_the_name(tmp_path):
    """The directory itself first; a link that leads nowhere has it too. Nothing up to the root is none."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / ".mark-8f3a").symlink_to("nothing")
    assert paths.nearest(str(below), ".mark-8f3a") == str(tmp_path)
    (below / ".mark-8f3a").touch()
    assert paths.nearest(str(below), ".mark-8f3a") == str(below)
    assert paths.nearest(str(below), ".none-8f3a") == ""


@pytest.mark.parametrize("path", ["rel", "rel/a/b", "", ".", "/", "/no/such/place"])
def test_the_climb_to_what_exists_has_an_end(path, tmp_path, monkeypatch):
    """A relative place (`HOME=rel`) has no end upwards."""
    monkeypatch.chdir(tmp_path)
    assert paths.nearest_existing(path) == (str(tmp_path) if path[:1] != "/" else "/")


@first_python
def test_nobody_opens_a_repository_s_file_by_himself():
    """A plain `open` elsewhere is one of the system's files, of stdin, or has an opener of paths.py."""
    others = [
        (file, ast.unparse(node))
        for file, called, node in _calls()
        if called == "open" and file != "paths.py" and not _is_known(node)
    ]
    assert others == []


def _is_known(call):
    opener = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == "opener"]
    return opener in (["without_waiting"], ["without_links"]) or ast.unparse(call.args[0]).startswith(tuple(SYSTEM))


@first_python
def test_home_is_asked_for_in_one_place():
    """Nobody else expands `~` or reads HOME or an XDG variable, but what does as botocore does."""
    knowing = {
        path.relative_to(ROOT / "envref").as_posix()
        for path in (ROOT / "envref").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func).endswith(("expanduser", "Path.home"))
            or (
                ast.unparse(node.func).endswith(("environ.get", "environment.get", "getenv"))
                and ast.unparse(node.args[0]).strip("'").startswith(("HOME", "XDG_"))
            )
        )
    }
    assert knowing == {"paths.py", "backends/aws/direct/keys.py", "backends/aws/direct/settings.py"}


def test_a_pipe_of_the_repository_stops_no_command(project, trusted):
    """In the place of each file that a command reads: an error or nothing, at once. An env file may be one."""
    config = "project: app\nbackends:\n  - name: vault\n    config: {path: v.db}\n"
    commands = {
        ".envref.yaml": ["resolve"],
        ".env.schema.json": ["validate"],
        ".gitignore": ["init", "--force"],
        ".envref.audit.log": ["audit-log"],
        ".envref.secrets.age": ["sync", "pull", "-i", "key"],
        ".flox/env/manifest.toml": ["flox-hook", "--check"],
    }
    (project.path / ".git").mkdir()
    project.write("key", f"{pyrage.x25519.Identity.generate()}\n")
    for name, words in commands.items():
        project.write(".envref.yaml", config)
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        project.write(".env", "A=1\n")
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        done = project.envref(*words)
        assert (done.returncode, "regular file" in done.stderr) == (1, True), (name, done.stderr)
        path.unlink()


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~", "/home/me"),
        ("~/x", "/home/me/x"),
        ("$HOME/x", "/home/me/x"),
        ("${HOME}/x", "/home/me/x"),
        ("$XDG_STATE_HOME/x", "/state/x"),
        ("${XDG_CACHE_HOME}/x", "/home/me/.cache/x"),
        ("$XDG_OTHER_HOME/x", "$XDG_OTHER_HOME/x"),
        ("$OTHER/x", "$OTHER/x"),
        ("HOME/x", "HOME/x"),
        ("~nobody-8f3a/x", "~nobody-8f3a/x"),
        ("a/~/x", "a/~/x"),
        ("/x", "/x"),
        ("", ""),
    ],
)
def test_what_is_replaced_at_the_start_of_a_path(path, expanded):
    """A home, and the XDG directories; nothing else is."""
    assert paths.expanded(path, {"HOME": "/home/me", "XDG_STATE_HOME": "/state"}) == expanded


def test_the_home_of_another_user_is_what_the_system_says():
    """By name."""
    import pwd

    user = pwd.getpwuid(os.getuid())
    assert paths.expanded(f"~{user.pw_name}/x", {"HOME": "/home/me"}) == f"{user.pw_dir.rstrip('/')}/x"


def test_what_is_within_a_directory(tmp_path):
    """It and what is below it, by whatever link; not what only begins like it."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    (tmp_path / "link").symlink_to("a")
    directory = [str(tmp_path / "none"), str(tmp_path / "a")]
    found = {name: paths.is_within(str(tmp_path / name), directory) for name in ("a", "a/b", "link/b", "ab", ".")}
    assert found == {"a": True, "a/b": True, "link/b": True, "ab": False, ".": False}
    assert paths.is_within(str(tmp_path / "a"), [str(tmp_path / "link")])
    assert paths.is_within(str(tmp_path / "a"), []) is False


@pytest.mark.parametrize(
    ("part", "is_shims"),
    [
        ("/home/me/.local/state/envref/shims/4f1c", True),
        ("/envref/shims/x", True),
        ("/home/me/envref/shims", False),
        ("/home/me/envref/shims/x/y", False),
        ("/home/me/other/shims/x", False),
        ("/usr/bin", False),
        ("", False),
    ],
)
def test_a_folder_of_shims_is_known_by_its_place(part, is_shims):
    """One below `envref/shims`, wherever that is."""
    assert paths.is_shims(part) is is_shims


def test_a_closed_descriptor_is_occupied():
    """Only one of the standard three; a file of ours in its place would get what is meant for a terminal."""
    process = os.fork()
    if process == 0:
        try:
            found = [paths.occupied()]
            os.close(1)
            os.close(0)
            found.append(paths.occupied())
            places = [os.readlink(f"/dev/fd/{number}") for number in (0, 1)]
            written, read = os.write(1, b"lost"), os.read(0, 9)
            os._exit(0 if (found, places, written, read) == ([[], [0, 1]], [os.devnull] * 2, 4, b"") else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def test_a_refused_file_is_closed_at_once(tmp_path):
    """Whoever looks at the error does not keep it open."""
    os.mkfifo(tmp_path / "pipe")
    before = tidy_descriptors()
    with pytest.raises(OSError, match=r"^\[Errno 0\] not a regular file$") as refused:
        paths.open_file(str(tmp_path / "pipe"))
    assert len(os.listdir("/dev/fd")) == before, refused


@pytest.mark.parametrize("open_it", [paths.open_ours, paths.open_folder])
def test_what_others_could_change_has_no_number(tmp_path, open_it):
    """The error is of envref's making: no number of the system's goes with it."""
    place = tmp_path / "place"
    place.mkdir() if open_it is paths.open_folder else place.touch()
    place.chmod(0o722)
    with pytest.raises(PermissionError) as refused:
        open_it(str(place))
    assert (refused.value.errno, refused.value.filename) == (0, str(place))
