"""A full disk, a failing call, a kill at any moment: the old file or the new one, never less (security.md P7)."""

from __future__ import annotations

import errno
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

from envref import atomic
from envref.env.file import EnvFile
from tests.nightly import count
from tests.requirements import first_python, need

pytestmark = first_python

ROOT = pathlib.Path(__file__).parent.parent.parent
OLD, NEW = b"OLD=1\n" * 2000, b"NEW=2\n" * 3000

WRITE = """
import sys
from envref import atomic, errors
try:
    with atomic.lock(sys.argv[1]):
        atomic.write(sys.argv[1], b"NEW=2\\n" * 3000)
except errors.EnvrefError as error:
    sys.exit(error.message)
"""

WRITE_FOR_EVER = """
import sys
from envref import atomic
for count in range(10**9):
    with atomic.lock(sys.argv[1]):
        atomic.write(sys.argv[1], (b"%d\\n" % count) * 3000)
    print(count, flush=True)
"""

EDIT = """
import sys
from envref import atomic
from envref.env.edit import with_value
from envref.env.file import EnvFile
path, worker = sys.argv[1:]
for number in range(25):
    with atomic.lock(path):
        file = with_value(EnvFile.read(path, ".env"), f"W{worker}_{number}", "x" * number)
        atomic.write(path, str(file).encode())
"""

APPEND = """
import sys
from envref import atomic
for number in range(25):
    atomic.append_line(sys.argv[1], f"{sys.argv[2]} {number} " + "x" * 5000)
"""


def command(script, *arguments):
    return [sys.executable, "-c", script, *map(str, arguments)]


def run(*argv, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(argv, capture_output=True, text=True, env=environment, check=False, timeout=120, **options)


def start(script, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command(script, *arguments), stdout=subprocess.PIPE, env=environment)


@pytest.fixture
def env(tmp_path):
    """A file with the old state, alone in its folder."""
    path = tmp_path / ".env"
    path.write_bytes(OLD)
    return path


linux = pytest.mark.skipif(sys.platform != "linux", reason="strace traces Linux only")

# Each system call between the open and the end, by its number of that name; flock 1 is the lock of the edit.
CALLS = [("flock", 2), ("fchmod", 1), ("write", 1), ("fsync", 1), ("/^rename", 1), ("fsync", 2)]
ERRORS = ["ENOSPC", "EDQUOT", "EIO", "EACCES", "EROFS"]


@linux
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("call", "number"), CALLS)
def test_a_failing_system_call_leaves_old_or_new(env, call, number, error):
    """Whatever fails, the message gives the system's reason, and no other file is left."""
    inject = f"inject={call}:error={error}:when={number}"
    result = run(need("strace"), "-f", "-qq", "-o", os.devnull, "-e", inject, *command(WRITE, env))
    assert (result.returncode, result.stderr) == (1, f"writing .env: {os.strerror(getattr(errno, error))}\n")
    # The second fsync is that of the folder: the new file has its name by then.
    assert env.read_bytes() == (NEW if (call, number) == ("fsync", 2) else OLD)
    assert os.listdir(env.parent) == [".env"]


@linux
def test_a_file_system_that_cannot_sync_folders_is_good_enough(env):
    """Some network file systems answer EINVAL; the file itself was synced."""
    inject = "inject=fsync:error=EINVAL:when=2"
    result = run(need("strace"), "-f", "-qq", "-o", os.devnull, "-e", inject, *command(WRITE, env))
    assert (result.returncode, result.stderr) == (0, "")
    assert env.read_bytes() == NEW


def test_a_disk_that_fills_up_midway_leaves_the_old_file(env):
    """The system takes a part of the data and then no more."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n{WRITE}"
    result = run(*command(limit, env))
    assert (result.returncode, result.stderr) == (1, f"writing .env: {os.strerror(errno.EFBIG)}\n")
    assert env.read_bytes() == OLD
    assert os.listdir(env.parent) == [".env"]


def test_a_log_line_that_does_not_fit_is_left_out(env):
    """A reader never meets half a line."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (14000, 14000))\n{APPEND}"
    result = run(*command(limit, env, "w"))
    assert f"writing .env: {os.strerror(errno.EFBIG)}" in result.stderr
    assert env.read_bytes() == OLD


def test_a_killed_writer_loses_nothing_it_acknowledged(env):
    """After each of 100 kills at random moments: the state last acknowledged or the next one, whole."""
    chance = random.Random(20)
    for _ in range(count(100, 2000)):
        env.write_bytes(b"-1\n" * 3000)
        with start(WRITE_FOR_EVER, env) as writer:
            first = writer.stdout.readline()
            time.sleep(chance.random() * 0.02)
            writer.kill()
            acknowledged = int((first + writer.stdout.read()).split()[-1])
        state = env.read_bytes().split()
        assert len(state) == 3000
        assert set(map(int, state)) in ({acknowledged}, {acknowledged + 1})
    with atomic.lock(str(env)):
        pass
    assert os.listdir(env.parent) == [".env"]


def finish(workers):
    for worker in workers:
        worker.communicate(timeout=300)
        assert worker.returncode == 0


def test_parallel_edits_lose_nothing(env):
    """16 processes set 25 variables each in one file; all 400 are there, and what was there before."""
    env.write_bytes(b"# kept\nOLD=1\n")
    finish([start(EDIT, env, worker) for worker in range(16)])
    file = EnvFile.read(str(env), ".env")
    assert str(file).startswith("# kept\nOLD=1\n")
    expected = {f"W{worker}_{number}": "x" * number for worker in range(16) for number in range(25)}
    assert {entry.name: entry.text for entry in file.entries} == {"OLD": "1", **expected}
    assert os.listdir(env.parent) == [".env"]


def test_parallel_log_lines_are_whole(tmp_path):
    """8 processes append 25 long lines each; none is torn or lost."""
    log = tmp_path / "log"
    finish([start(APPEND, log, worker) for worker in range(8)])
    expected = {f"{worker} {number} " + "x" * 5000 for worker in range(8) for number in range(25)}
    lines = log.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(expected)
    assert set(lines) == expected
