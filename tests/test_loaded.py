"""A command that is started by `tests.loaded` is the command that a new Python runs."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sqlite3
import subprocess
import sys

import pytest

from envref.backends.vault import age
from tests import loaded
from tests.arguments import PYTHONPATH, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="every start is real elsewhere")
BECOME = "def become(arguments):\n    exec(arguments[0])\n"
HAS = (
    "import os, resource, signal, sys; print(os.getcwd(), ascii(os.environ['A']), oct(os.umask(0)), "
    "sorted(map(int, os.listdir('/proc/self/fd')))[:4], len(os.listdir('/proc/self/fd')), "
    "resource.getrlimit(resource.RLIMIT_NOFILE), signal.getsignal(signal.SIGCHLD), signal.getsignal(signal.SIGPIPE), "
    "sys.stdin.read(), end='')"
)

ON_TERMINAL = (
    "import os, sys; streams = (sys.stdin, sys.stdout, sys.stderr); tty = os.open('/dev/tty', os.O_RDWR); "
    "print(all(each.isatty() for each in streams), all(each.line_buffering for each in streams), "
    "os.getsid(0) == os.getpid(), os.tcgetpgrp(tty) == os.getpgrp(), input()); "
    "print('error', file=sys.stderr); os._exit(3)"
)

# Who reads the environment while the modules are imported: the nearest file that is not the standard library's.
IMPORTS = """\
import importlib.util, os, sys
read = []
package = os.path.dirname(importlib.util.find_spec("envref").origin)

def is_standard(file):
    return file.startswith(("<frozen", os.path.dirname(os.__file__))) and "site-packages" not in file

class Watched(type(os.environ)):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame and is_standard(frame.f_code.co_filename):
            frame = frame.f_back
        if frame and frame.f_code.co_filename.startswith(package + "/"):
            read.append(name)
        return super().__getitem__(name)

os.environ.__class__ = Watched
exec(sys.argv[1], {})
from envref import memory, secret
print(read, memory._before, secret._known)
exec(compile("import os; os.environ['HOME']", package + "/looks.py", "exec"))
print(read)
"""


@pytest.fixture
def bare(monkeypatch):
    """A server that becomes the Python it is given."""
    monkeypatch.setattr(loaded, "PRELOAD", BECOME)
    own = loaded.Envref()
    monkeypatch.setattr(own, "_is_real", lambda *_: False)
    yield own
    own.end()


@pytest.fixture
def both(project, monkeypatch):
    """A way to run a command twice: as a new Python, and by the server, which must have been used."""
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: vault\n")
    project.write(".env", "A=1\nB=ref://secrets/b\n")

    def run(*arguments, **how):
        monkeypatch.setattr(loaded.ENVREF, "real", True)
        real = project.envref(*arguments, **how)
        monkeypatch.setattr(loaded.ENVREF, "real", False)
        monkeypatch.setattr(loaded.ENVREF, "_is_real", lambda *_: False)
        found = project.envref(*arguments, **how)
        monkeypatch.undo()
        return [(each.returncode, each.stdout, each.stderr) for each in (real, found)]

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["get", "A"],
        ["get", "NONE"],
        ["resolve"],
        ["resolve", "--export"],
        ["validate"],
        ["doctor"],
        ["secret", "list"],
        ["secret", "get", "b"],
        ["--version"],
        ["nonsense"],
        ["get", "\udcff", "é"],
        ["secret", "set", "--help"],
        [],
    ],
    ids=" ".join,
)
def test_it_says_what_a_new_python_says(both, arguments):
    """Status, stdout and stderr are the same, whatever the command ends with."""
    real, found = both(*arguments)
    assert found == real


def test_text_that_does_not_fit_into_a_pipe_arrives(both):
    """A .env file of a megabyte by stdin, read to its end, and refused with the same words."""
    real, found = both("import", "-", stdin="LONG=" + "x" * (1 << 20) + "\n")
    assert found == real


def test_it_has_what_its_caller_has(bare, project):
    """Environment, directory, umask and limits are the caller's, and no descriptor but the three is open."""
    environment = {"PATH": os.environ["PATH"], "A": "a\udcff\n"}
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    previous = os.umask(0o027)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        found = bare.run([HAS], "typed", environment, project.path)
        real = subprocess.run(
            [sys.executable, "-c", HAS],
            input="typed",
            capture_output=True,
            text=True,
            cwd=project.path,
            env=environment,
            check=True,
        )
    finally:
        os.umask(previous)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (found.stdout, found.stderr, found.returncode) == (real.stdout, real.stderr, 0)


def on_terminal(start):
    """What `start` shows on a terminal that it is given, and how it ends."""
    screen, keyboard = os.openpty()
    started = start(keyboard)
    os.close(keyboard)
    os.write(screen, b"typed\n")
    shown = b""
    while part := _read(screen):
        shown += part
    os.close(screen)
    return shown, started.wait()


def _read(screen):
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux says so when the command has ended
        return b""


def test_a_terminal_is_that_of_its_session(bare, project):
    """As for a new Python: its leader, in the foreground, with streams that write each line and ask by their own."""
    environment = {"PATH": os.environ["PATH"]}
    new = on_terminal(
        lambda it: loaded.start_on_terminal([sys.executable, "-c", ON_TERMINAL], it, environment, project.path)
    )
    assert on_terminal(lambda it: bare.on_terminal([ON_TERMINAL], it, environment, project.path)) == new
    assert new == (b"typed\r\nTrue True True True typed\r\nerror\r\n", 3)


def work_factor(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        [[wrapped]] = connection.execute("SELECT value FROM metadata WHERE key = 'identity'")
    return age.work_factor_of(wrapped)


def test_what_is_loaded_makes_cheap_vaults(tmp_path, project):
    """But one whose cost is said has that."""
    own = loaded.Envref(str(tmp_path))
    own._is_real = lambda *_: False
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "ENVREF_VAULT_PASSPHRASE": "correct horse battery"}
    try:
        for name, words in (("cheap", []), ("said", ["--work-factor", "15"])):
            done = own.run(["vault", "init", "--path", name, *words], "", environment, project.path)
            assert done.returncode == 0, done.stderr
    finally:
        own.end()
    assert [work_factor(project.path / name) for name in ("cheap", "said")] == [10, 15]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("import os; os._exit(7)", 7),
        ("raise SystemExit(300)", 300 & 0xFF),
        ("raise SystemExit('a word')", 1),
        ("raise ValueError", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
        ("import atexit; atexit.register(print, 'end')", 0),
    ],
)
def test_it_ends_as_a_program_ends(bare, project, script, status):
    """The exit status is its own, or the signal's that ended it; what is registered for the end is done."""
    done = bare.run([script], "", {"PATH": os.environ["PATH"]}, project.path)
    assert done.returncode == status
    assert ("end\n" in done.stdout) == ("atexit" in script)


def test_what_hangs_is_killed(bare, project, monkeypatch):
    """After its time-out a command is killed, and the test says so."""
    monkeypatch.setattr(loaded, "_ENDS", 1.0)
    with pytest.raises(subprocess.TimeoutExpired):
        bare.run(["import time; time.sleep(600)"], "", {"PATH": os.environ["PATH"]}, project.path)


def test_a_caller_that_goes_takes_nobody_along(bare, project):
    """Before it has asked, or while its program runs: the next is served meanwhile and afterwards."""
    environment = {"PATH": os.environ["PATH"]}
    count = ["import os; print(len(os.listdir('/proc/self/fd')))"]
    alone = bare.run(count, "", environment, project.path)
    for said in (b"", b"!", b"![]"):
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(bare._server.address)
            gone.sendall(said)
    reading, writing = os.pipe()
    bare._server.ask(["import sys; sys.stdin.read()"], environment, project.path, [reading, 1, 2]).close()
    os.close(reading)
    meanwhile = bare.run(count, "", environment, project.path)
    os.close(writing)  # ends it
    afterwards = [bare.run(count, "", environment, project.path) for _ in range(3)]
    assert alone.stdout
    assert [(each.returncode, each.stdout) for each in [meanwhile, *afterwards]] == [(0, alone.stdout)] * 4


def test_what_it_starts_is_seen(bare, project):
    """The observer of arguments is in every copy, with the log of the test."""
    bare.run(["import subprocess; subprocess.run(['true', 'seen'])"], "", dict(os.environ), project.path)
    assert ["true", "seen"] in [record["argv"] for record in started()]


def test_the_first_start_of_each_command_is_real(tmp_path):
    """Of all workers of a run together. So is `run`, `--debug`, and a Python that is told something at its start."""
    own = loaded.Envref(str(tmp_path))
    own.real = False
    environment = {**loaded._TOLD, "PYTHONPATH": PYTHONPATH}
    asked = [
        ["get", "A"],
        ["get", "B"],
        ["secret", "list"],
        ["secret", "set"],
        ["secret", "set", "k"],
        ["run"],
        ["run"],
    ]
    assert [own._is_real(words, environment, "/") for words in asked] == [True, False, True, True, False, True, True]
    assert own._is_real(["get", "--debug"], environment, "/")
    for name in ("LC_ALL", "PYTHONUTF8", "LD_PRELOAD"):
        assert own._is_real(["get"], {**environment, name: "x"}, "/")
    assert not own._is_real(["get"], {**environment, "ENVREF_TRUST": "all"}, "/")
    worker = loaded.Envref(str(tmp_path))
    worker.real = False
    assert not worker._is_real(["secret", "list"], environment, "/")
    assert worker._is_real([b"\xff/."], environment, "/")


def test_nothing_that_is_loaded_looked_around(home):
    """No module of envref's reads the environment at its import, and none of what they keep is set."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, loaded.PRELOAD],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.splitlines() == ["[] [] set()", "['HOME']"]
