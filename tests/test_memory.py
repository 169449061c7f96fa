"""What other processes of the same user see of envref while it holds values (security.md P12)."""

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys

import pytest

import envref
from envref import libc, memory
from envref.memory import protect  # before a fixture takes it away: this process stays open to debuggers
from tests.arguments import PYTHONPATH
from tests.requirements import need

MARKER = "marker-9d20-in-memory"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process refuse its readers")

# `first` answers at once; `second` waits until the test lets it go on, while envref holds the first's value.
CONFIG = """\
project: app
backends:
  - {name: first, type: plugin, config: {command: ./first}}
  - {name: second, type: plugin, config: {command: ./second}}
"""
ENV = "A=ref://first/a\nB=<${A}>\nC=ref://secrets/c\n"
FIRST = f"""\
#!/bin/sh
case $(cat) in *app/a*) echo '{{"value": "{MARKER}"}}' ;; *) echo '{{"error": "not found"}}' ;; esac
"""
SECOND = """\
#!/bin/sh
read request
echo asked >> asked
read line < go
echo '{"value": "c"}'
"""

# Reads what a debugger of the same user would: the environment, the memory map and the memory itself.
READER = """
import sys
process, marker = sys.argv[1], sys.argv[2].encode()
try:
    print(open(f"/proc/{process}/environ", "rb").read().count(b"ENVREF_VAULT_PASSPHRASE"))
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            area, rights, *_ = line.split()
            start, end = (int(bound, 16) for bound in area.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                if marker in memory.read(end - start):
                    print("found")
except PermissionError:
    print("denied")
"""


def plain():
    """What makes a command an ordinary user's: root's right to read every process is taken away."""
    return [need("setpriv"), "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def read_by_a_neighbour(process):
    command = [*plain(), sys.executable, "-I", "-c", READER, str(process), MARKER]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


@pytest.fixture
def waiting(project):
    """Starts envref, as an ordinary user, in a project whose second store makes it wait."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env", ENV)
    project.write("first", FIRST).chmod(0o755)
    project.write("second", SECOND).chmod(0o755)
    os.mkfifo(project.path / "go")
    os.mkfifo(project.path / "asked")
    started = []

    def start(*words):
        environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "ENVREF_TRUST": "all"}
        process = subprocess.Popen(
            [*plain(), *words],
            cwd=project.path,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "ENVREF_VAULT_PASSPHRASE": MARKER},
        )
        started.append(process)
        with open(os.open(project.path / "asked", os.O_RDWR)) as asked:  # not waiting for a writer
            assert select.select([asked], [], [], 60)[0], "the second store was not asked"
        return process

    start.go = lambda: (project.path / "go").write_text("on\n")
    yield start
    for process in started:
        process.kill()
        process.communicate()
    with open(os.open(project.path / "go", os.O_RDWR), "w") as go:  # no store outlives its test
        go.write("on\n" * len(started))


ENVREF = (sys.executable, "-m", "envref")
# The same without the protection: the reader does find what it looks for.
OPEN = (
    sys.executable,
    "-c",
    "import envref.__main__ as m; from envref import memory; memory.protect = lambda: None; m.main()",
)


@linux
@pytest.mark.parametrize("arguments", [["resolve", "--export"], ["resolve", "--explain"], ["run", "--", "true"]])
def test_nobody_reads_memory_or_environment(waiting, arguments):
    """While envref holds a value, another process of the same user gets neither it nor the passphrase."""
    process = waiting(*ENVREF, *arguments)
    assert read_by_a_neighbour(process.pid) == ["denied"]
    waiting.go()
    assert process.wait(timeout=60) == 0


@linux
def test_the_reader_would_find_it(waiting):
    """Without the protection the same reader finds passphrase and value: the test above is no empty promise."""
    process = waiting(*OPEN, "resolve", "--export")
    passphrases, *found = read_by_a_neighbour(process.pid)
    assert int(passphrases) == 1
    assert "found" in found


WITH_CORES = ("sh", "-c", 'ulimit -S -c 8; exec "$@"', "sh")


@linux
def test_a_core_file_is_not_written(waiting):
    """While envref holds a value the limit of its core file is 0."""
    process = waiting(*WITH_CORES, *ENVREF, "resolve", "--export")
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0


@linux
def test_the_child_of_run_is_as_it_would_be_without_envref(waiting):
    """`envref run` gives its child the caller's limit of core files, and a memory that its debugger may read."""
    script = "ulimit -c; cat /proc/self/coredump_filter > /dev/null && echo readable"
    process = waiting(*WITH_CORES, *ENVREF, "run", "--", "sh", "-c", script)
    waiting.go()
    assert process.communicate(timeout=60)[0].split() == ["8", "readable"]


def test_no_value_no_protection(project):
    """A command that gets no value changes nothing about its process, and pays nothing."""
    project.write(".envref.yaml", "project: app\nbackends: []\n")
    project.write(".env", "A=1\n")
    code = "import sys, envref.__main__ as m; from envref import memory; "
    code += "memory.protect = lambda: sys.exit('protected'); m.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "resolve", "--export"],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "export A=1\n", "")


# A user who is not root may not open /proc/self/fd or /proc/self/environ of a protected process. Loaded before the
# user is changed: who that is may not be able to read this Python.
AS_SOMEBODY = """
import ctypes, os, sys
import envref.__main__, envref.resolve.chain, envref.resolve.resolve, envref.resolve.report, envref.memory
import envref.backends.plugin, envref.backends.vault.store, envref.cli.commands, envref.cli.run
import envref.project.config.check, envref.project.config.yaml, subprocess, selectors
from envref.backends.vault import age, contents, passphrase, session
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as after a start
"""
PASSPHRASE = f"""{AS_SOMEBODY}
from envref.secret import Secret
envref.memory.protect()
try:
    open("/proc/self/environ")
    print("open")
except PermissionError:
    pass
print(passphrase.given() == Secret("typed elsewhere"))
"""


@linux
def test_a_passphrase_comes_from_a_process_substitution_all_the_same():
    """`ENVREF_VAULT_PASSPHRASE_FILE=<(…)` is read although a store before the vault gave a value."""
    reading, writing = os.pipe()
    os.write(writing, b"typed elsewhere\n")
    os.close(writing)
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "ENVREF_VAULT_PASSPHRASE_FILE": f"/dev/fd/{reading}"}
    command = [sys.executable, "-c", PASSPHRASE]
    done = subprocess.run(command, env=environment, pass_fds=[reading], capture_output=True, text=True, check=False)
    os.close(reading)
    assert (done.stdout, done.stderr) == ("True\n", "")


@linux
def test_the_locale_is_undone_for_every_user(project):
    """`envref run` takes away the LC_CTYPE that Python itself set, though it holds a value by then (P15)."""
    project.write(".envref.yaml", CONFIG.rpartition("  - ")[0])
    project.write(".env", "A=ref://first/a\n")
    project.write("first", FIRST).chmod(0o755)
    for directory in (project.path, *project.path.parents[:4]):
        directory.chmod(directory.stat().st_mode | 0o005)
    code = f"{AS_SOMEBODY}\nsys.argv[1:] = ['run', '--', {need('env')!r}]\nenvref.__main__.main()"
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": PYTHONPATH}
    environment["ENVREF_TRUST"] = "all"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, cwd=project.path, capture_output=True, text=True, check=False)
    assert f"A={MARKER}" in done.stdout.splitlines(), done.stderr
    assert "LC_CTYPE" not in done.stdout


@pytest.fixture
def asked(monkeypatch):
    """What would be asked of the system, whose limits of a core file are (4096, 8192)."""
    made = []
    monkeypatch.setattr(memory, "_before", [])
    monkeypatch.setattr(resource, "getrlimit", lambda kind: {resource.RLIMIT_CORE: (4096, 8192)}[kind])
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: made.append((kind, limits)))
    monkeypatch.setattr(libc, "call", lambda *words: made.append(words))
    monkeypatch.setattr(sys, "platform", "linux")
    return made


CLOSED = [(resource.RLIMIT_CORE, (0, 8192)), ("prctl", 4, 0, 0, 0, 0)]  # PR_SET_DUMPABLE of <linux/prctl.h>


def test_the_system_is_asked_once(asked):
    """The hard limit stays, so that the program that this process becomes can have its own again; then once more."""
    protect()
    protect()
    assert asked == CLOSED
    for _ in range(2):
        memory.release()
    assert asked == [*CLOSED, (resource.RLIMIT_CORE, (4096, 8192))]
    protect()
    assert asked[3:] == CLOSED


def test_there_is_no_prctl_elsewhere(asked, monkeypatch):
    """A core file is not written there either."""
    monkeypatch.setattr(sys, "platform", "darwin")
    protect()
    assert asked == CLOSED[:1]


def test_a_python_without_libffi_does_what_it_can(asked, monkeypatch):
    """`_ctypes` is missing then."""
    monkeypatch.delattr(envref, "libc")
    monkeypatch.setitem(sys.modules, "envref.libc", None)
    protect()
    assert asked == CLOSED[:1]
