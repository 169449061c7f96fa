"""`?as=file`: a file for the one who wants a path, for nobody else, and gone when nobody needs it."""

from __future__ import annotations

import os
import pathlib
import signal
import stat
import subprocess
import sys
import time

import pytest

from envref import client
from envref.processes import start_of
from envref.tools import life as lives
from envref.tools import mounts
from envref.tools.file_folder import FileFolder, digest, file_name, is_attended, life_of, remove
from tests.arguments import PYTHONPATH
from tests.requirements import first_python

PATIENCE = 30.0  # seconds for what happens at once on a quiet machine

CONFIG = "project: app\nbackends:\n  - {name: store, type: plugin, config: {command: ./store, batch: true}}\n"
STORE = """\
#!/bin/sh
cat > /dev/null
printf '%s\\n' '{"values": {"app/gcp.json": "{\\"a\\": 1}", "app/bytes": "AAECA/8=", "app/user": "u"}}'
"""
CONTENT = '{"a": 1}'


@pytest.fixture
def files(home, tmp_path):
    """The folder that the user's own config names: these tests need no memory file system."""
    place = tmp_path / "files"
    config = home / ".config" / "envref" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"files_directory: {place}\n")
    yield place
    remove(str(place))  # who waits for the end of a life then ends too


@pytest.fixture
def app(project, files, trusted):
    project.write(".envref.yaml", CONFIG)
    project.write("store", STORE).chmod(0o755)
    project.write(".env", "KEY=ref://secrets/gcp.json?as=file\n")
    return project


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
    return found


def left(place):
    """What is there but the folder's own lock."""
    return [entry for entry in os.listdir(place) if entry != "lock"] if place.exists() else []


def started(app, *command, session=False):
    """`envref run -- COMMAND`, which has its file by the time it prints its first line."""
    return talking(app, [sys.executable, "-m", "envref", "run", "--", *command], session=session)


def talking(app, arguments, *, session):
    return subprocess.Popen(
        arguments,
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=session,
    )


@first_python
@pytest.mark.usefixtures("real_starts")
class TestRun:
    """What `run` gives its command."""

    def test_the_variable_is_a_path_and_the_value_is_not_in_the_environment(self, app):
        """The file has the value, byte for byte, and the name's ending."""
        script = 'test "${KEY##*/}" = gcp.json && cat "$KEY" && ! env | grep -c a.:'
        done = app.envref("run", "--", "sh", "-c", script)
        assert (done.returncode, done.stdout, done.stderr) == (0, CONTENT + "0\n", "")

    def test_nobody_else_may_read_it(self, app, files):
        """Whatever the umask: mode 0600, in folders of mode 0700."""
        before = os.umask(0)
        try:
            done = app.envref("run", "--", "sh", "-c", 'find "$0" -printf "%y%m "; stat -c %a "$KEY"', str(files))
        finally:
            os.umask(before)
        *all_of_it, own = done.stdout.split()
        assert own == "600"
        assert set(all_of_it) == {"d700", "f600"}

    @pytest.mark.parametrize(
        "end",
        ["exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$", "kill -HUP 0", "kill -INT 0", "exec no-such"],
    )
    def test_nothing_is_left_whatever_ends_the_command(self, app, files, end):
        """Also where its whole group gets the signal."""
        child = started(app, "sh", "-c", f'cat "$KEY"; echo; read go; {end}', session=True)
        assert child.stdout.readline() == f"{CONTENT}\n"
        assert left(files)
        child.communicate("go\n", timeout=PATIENCE)
        wait_for(lambda: not left(files))

    def test_the_process_is_still_the_commands(self, app, files):
        """Same pid, no other child, no descriptor, and its output ends when it ends."""
        script = 'echo $$; cat /proc/$$/task/$$/children; echo; ls /proc/self/fd | tr "\\n" " "'
        child = started(app, "sh", "-c", script)
        printed, _ = child.communicate(timeout=PATIENCE)
        pid, children, descriptors, *_ = printed.split("\n")
        assert int(pid) == child.pid
        assert len(children.split()) == 1  # the `cat` itself
        assert descriptors.split() == ["0", "1", "2", "3"]
        wait_for(lambda: not left(files))

    def test_a_file_may_hold_any_bytes(self, app):
        """Values are text; base64 is how bytes are stored, and a file has them as they are."""
        app.write(".env", "KEY=ref://secrets/bytes?as=file&encoding=base64\n")
        done = app.envref("run", "--", "sh", "-c", 'od -An -tx1 "$KEY"')
        assert done.stdout.split() == ["00", "01", "02", "03", "ff"]

    def test_what_refers_to_it_has_the_path(self, app):
        """A default becomes a file as well; a field is taken out first."""
        app.write(
            ".env",
            "A=ref://secrets/gcp.json?as=file#a\nB=ref://secrets/gone?as=file&default=usual\n"
            "BOTH=$A:${B}\nU=ref://secrets/user\n",
        )
        script = 'test "$BOTH" = "$A:$B"; echo $?; cat "$A"; echo; cat "$B"; echo; echo "$U"'
        assert app.envref("run", "--", "sh", "-c", script).stdout == "0\n1\nusual\nu\n"

    def test_who_waits_may_be_killed(self, app, files):
        """What is left then goes with the next file that envref makes."""
        child = started(app, "sh", "-c", 'echo "$KEY"; read go')
        path = child.stdout.readline().strip()
        folder = os.path.dirname(os.path.dirname(path))
        for process in waiting(folder):
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: not is_attended(folder))
        child.communicate("go\n", timeout=PATIENCE)
        assert os.path.exists(path)
        assert app.envref("run", "--", "true").returncode == 0
        assert not os.path.exists(folder)


def waiting(folder):
    """The processes that wait for the end of that folder's life."""
    found = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [process for process in found if folder.encode() in arguments_of(process)]


def arguments_of(process):
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


SHELL = 'eval "$("$0" -m envref resolve --export)"; echo "$KEY"; read go; cat "$KEY"'


def shell(app, script=SHELL):
    return talking(app, ["sh", "-c", script, sys.executable], session=True)


@first_python
@pytest.mark.usefixtures("real_starts")
class TestShell:
    """What `resolve --export` gives a shell."""

    def test_a_file_lasts_as_long_as_the_shell(self, app, files):
        """It outlives envref, and the shell's death by kill -9 takes it along."""
        child = shell(app)
        path = child.stdout.readline().strip()
        assert pathlib.Path(path).read_text() == CONTENT
        child.kill()
        child.wait()
        wait_for(lambda: not left(files))

    def test_resolving_again_writes_the_same_file(self, app, files):
        """So that a program that knows the path finds the new value there."""
        again = '"$0" -m envref resolve --export > again; ' + SHELL
        child = shell(app, again)
        path = child.stdout.readline().strip()
        assert path in app.read("again")
        assert len(left(files)) == 1
        printed, _ = child.communicate("go\n", timeout=PATIENCE)
        assert printed == CONTENT
        wait_for(lambda: not left(files))

    def test_a_shell_gets_a_new_one_who_waits(self, app, files):
        """If that process was killed, by the next resolve."""
        child = shell(app, f'{SHELL}; echo; eval "$("$0" -m envref resolve --export)"; echo again; read go')
        folder = os.path.dirname(os.path.dirname(child.stdout.readline().strip()))
        for process in waiting(folder):
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: not is_attended(folder))
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == f"{CONTENT}\n"
        assert child.stdout.readline() == "again\n"
        assert is_attended(folder)
        child.communicate("go\n", timeout=PATIENCE)
        wait_for(lambda: not left(files))

    def test_in_floxs_hook_it_lasts_as_long_as_the_activation(self, app, files, tmp_path, monkeypatch):
        """Shells that attach later have the variable too, so no shell's end counts: Flox's folder of the start does.

        (flox 6536dac28: attach_diff/mod.rs:405 starts the script so, and the executive removes the folder at last.)
        """
        start = tmp_path / "start"
        start.mkdir()
        monkeypatch.setenv("FLOX_ENV", "/nix/store/x")
        script = 'eval "$("$0" -m envref resolve --export --shell bash)"; echo "$KEY"'
        done = subprocess.run(
            ["bash", "-c", script, sys.executable, "--start-state-dir", str(start)],
            cwd=app.path,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            capture_output=True,
            encoding="utf-8",
            check=True,
            start_new_session=True,
        )
        path = done.stdout.strip()
        [folder] = left(files)
        assert life_of(str(files / folder)) == f"folder {start}"
        assert pathlib.Path(path).read_text() == CONTENT
        start.rmdir()
        wait_for(lambda: not left(files))


@pytest.mark.parametrize("format_", ["docker", "github", "systemd"])
def test_a_path_is_not_for_who_reads_it_elsewhere(app, files, format_, tmp_path):
    """A container, a later step of a job, a service."""
    (tmp_path / "env").touch()
    done = app.envref("resolve", "--format", format_, env={"GITHUB_ENV": str(tmp_path / "env")})
    assert done.returncode == 3
    assert "error: KEY: failed to resolve ref://secrets/gcp.json?as=file: a file is made for envref run" in done.stderr
    assert not left(files)


@pytest.mark.parametrize("command", [("resolve", "--explain"), ("status",), ("validate", "--resolve"), ("list",)])
def test_who_only_looks_makes_no_file(app, files, command):
    """Commands that give nobody a value."""
    app.envref(*command)
    assert not left(files)


def test_without_a_place_in_memory_there_is_no_file(app, home, tmp_path, monkeypatch):
    """No runtime directory, or one on a disk: the reference fails, and the cure is named."""
    (home / ".config" / "envref" / "config.yaml").unlink()
    done = app.envref("run", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "XDG_RUNTIME_DIR is not set: there is no place in memory for a file\n  hint: set XDG_RUNTIME_DIR" in done.stderr
    )
    runtime = tmp_path / "runtime"
    runtime.mkdir(0o700)
    if not mounts.is_in_memory(str(runtime)):
        done = app.envref("run", "--", "echo", "started", env={"XDG_RUNTIME_DIR": str(runtime)})
        assert "is not in memory: XDG_RUNTIME_DIR is no place for a file" in done.stderr
        assert not list(runtime.iterdir())


@first_python
@pytest.mark.usefixtures("real_starts")
def test_the_usual_place_is_the_runtime_directory(app, home):
    """Where that is in memory. The agent's folder is the same, and stays usable for it."""
    if not os.path.isdir("/dev/shm") or not mounts.is_in_memory("/dev/shm"):
        pytest.skip("there is no file system in memory here")
    (home / ".config" / "envref" / "config.yaml").unlink()
    runtime = f"/dev/shm/envref-test-{os.getpid()}"
    os.mkdir(runtime, 0o700)
    try:
        before = os.umask(0o022)
        done = app.envref("run", "--", "sh", "-c", 'echo "$KEY"; cat "$KEY"', env={"XDG_RUNTIME_DIR": runtime})
        os.umask(before)
        assert done.stdout.startswith(f"{runtime}/envref/files/")
        assert done.stdout.endswith(CONTENT)
        client.check(f"{runtime}/envref")
    finally:
        remove(runtime)


class TestPlace:
    """What the folder itself has to be."""

    @pytest.fixture
    def life(self):
        return lives.of_process(os.getpid())

    @pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
    def test_others_may_not_enter_it(self, tmp_path, mode):
        (tmp_path / "files").mkdir()
        (tmp_path / "files").chmod(mode)
        with pytest.raises(client.Untrustworthy), FileFolder(str(tmp_path / "files")):
            pass

    def test_it_is_no_link(self, tmp_path):
        """Nor are the folders in it."""
        (tmp_path / "other").mkdir(0o700)
        (tmp_path / "files").symlink_to("other")
        with pytest.raises(client.Untrustworthy), FileFolder(str(tmp_path / "files")):
            pass
        assert not list((tmp_path / "other").iterdir())

    def test_a_link_within_is_not_followed(self, tmp_path, life):
        (tmp_path / "other").mkdir(0o700)
        with FileFolder(str(tmp_path / "files")) as folder:
            (tmp_path / "files" / digest(life)).symlink_to(tmp_path / "other")
            with pytest.raises(client.Untrustworthy):
                folder.begin(life)
        assert not list((tmp_path / "other").iterdir())

    def test_a_link_in_a_files_place_is_replaced(self, tmp_path, life):
        """What it leads to stays as it is."""
        (tmp_path / "mine").write_text("mine")
        with FileFolder(str(tmp_path / "files")) as folder:
            folder.begin(life)
            path = folder.path_of(life, "x", "name")
            os.mkdir(os.path.dirname(path), 0o700)
            os.symlink(tmp_path / "mine", path)
            folder.write(path, b"new")
        assert (tmp_path / "mine").read_text() == "mine"
        assert stat.S_ISREG(os.lstat(path).st_mode)
        assert pathlib.Path(path).read_bytes() == b"new"
        assert os.listdir(os.path.dirname(path)) == ["name"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
    def test_a_folder_of_somebody_else_is_left_alone(self, tmp_path):
        os.chown(tmp_path, 12345, -1)
        with pytest.raises(PermissionError), FileFolder(str(tmp_path / "files")):
            pass
        assert not list(tmp_path.iterdir())

    def test_a_sweep_takes_what_ended_and_leaves_the_rest(self, tmp_path, life):
        """What nobody can judge any more was never finished, and goes too."""
        ended = f"process {os.getpid()} 1"  # its number now belongs to somebody who began at another time
        with FileFolder(str(tmp_path / "files")) as folder:
            folder.begin(life)
            folder.begin(ended)
            (tmp_path / "files" / "unfinished").mkdir(0o700)
            (tmp_path / "files" / digest(ended) / "inner").mkdir()
            (tmp_path / "files" / digest(ended) / "link").symlink_to(tmp_path)
            folder.sweep()
        assert left(tmp_path / "files") == [digest(life)]
        assert tmp_path.is_dir()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("gcp.json", "gcp.json"),
        ("db/.pgpass", "pgpass"),
        ("a/b c?.pem", "b_c_.pem"),
        ("op://Personal/Kube/config", "config"),
        ("-rf", "rf"),
        ("..", "secret"),
        ("x/", "secret"),
        ("k" * 300 + ".p12", "k" * 96 + ".p12"),
        ("ключ", "____"),
    ],
)
def test_a_file_has_the_keys_last_part_as_its_name(key, name):
    """Inert characters of it, so that `.json` stays."""
    assert file_name(key) == name


def test_a_life_is_judged_by_number_and_start():
    """A number that another process got meanwhile is not it."""
    own = os.getpid()
    assert not lives.has_ended(lives.of_process(own))
    assert lives.has_ended(f"process {own} {int(start_of(own)) + 1}")
    assert lives.has_ended("")
    assert lives.has_ended("nonsense 1 2")


def test_a_leader_of_its_own_lasts_as_long_as_its_callers_session(monkeypatch):
    """An editor starts programs so; what such a process leads ends at once. Nothing above it: no life."""
    monkeypatch.setattr(os, "getsid", lambda process: os.getpid() if process in (0, os.getpid()) else os.getppid())
    assert lives.of_session({}) == lives.of_process(os.getppid())
    monkeypatch.setattr(os, "getsid", lambda process: os.getpid() if process in (0, os.getpid()) else -1)
    assert lives.of_session({}) == ""


def test_where_no_leader_is_to_be_seen_the_oldest_of_the_session_counts(monkeypatch):
    """As in `docker exec`: the leader is outside, its number 0."""
    monkeypatch.setattr(os, "getsid", lambda process: 0)
    process = int(lives.of_session({}).split()[1])
    assert process != os.getpid()
    assert not lives.has_ended(lives.of_session({}))


def test_the_process_that_a_life_hangs_on():
    """None where it hangs on a folder."""
    assert lives.process_of(lives.of_process(os.getpid())) == os.getpid()
    assert lives.process_of("folder /run/x") == 0
