"""set, rotate, import, rekey, `.env` edits that are killed or whose disk fails (security.md P7): old or new, whole."""

from __future__ import annotations

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from envref.backends.vault import age
from envref.env.file import EnvFile
from tests.conftest import ROOT
from tests.faults import operations
from tests.faults.operations import OPERATIONS, edit, make, opened, set_, state
from tests.nightly import NIGHTLY, count
from tests.requirements import first_python, need

pytestmark = first_python

KILLS = count(100, 2000)
THREADS = 0  # those that this process had before each test


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Vaults of these tests are made and opened without stretching; the passphrase is in the environment."""
    monkeypatch.setattr(f"{__name__}.THREADS", threads())
    monkeypatch.setattr(age, "_scrypt", operations.cheap_scrypt)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", operations.PASSPHRASE)


def fork():
    """os.fork, once no thread of a derivation is left.

    At its end such a thread takes a lock of OpenSSL's; a process that is forked then waits for it for ever.
    """
    limit = time.monotonic() + 5
    while threads() > THREADS and time.monotonic() < limit:
        time.sleep(0.001)
    return os.fork()


def threads():
    """How many this process has, for the system: Python forgets one before it has ended. 0 where nothing says so."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0


def repeat(operation, subject, pipe, number):
    """Does the operation again and again, and acknowledges each on the pipe. Never returns."""
    try:
        while True:
            number += 1
            operation(subject, number)
            os.write(pipe, f"{number}\n".encode())
    finally:
        os._exit(1)  # the tests' own process must not go on twice


def killed(operation, subject, number, chance):
    """The number of the last operation that a process acknowledged before SIGKILL; `number` for none.

    It is killed after a random number of acknowledgements and a moment: on a busy machine it has written even so.
    """
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        repeat(operation, subject, writing, number)
    os.close(writing)
    with open(reading, encoding="ascii") as acknowledged:
        said = [acknowledged.readline() for _ in range(chance.randint(0, 2))]
        time.sleep(chance.uniform(0.0, 0.01))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status), "the operation ended by itself"
        return int([str(number), *said, *acknowledged][-1])


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "own") for name in OPERATIONS), ("set", "project"), ("rekey", "project")]
)
def test_a_kill_leaves_the_vault_before_or_after(name, kind, tmp_path):
    """SIGKILL at a hundred random moments of each operation: what was acknowledged is there, and nothing is half."""
    path = tmp_path / "vault.db"
    if kind == "project":
        (tmp_path / ".git").mkdir()
    make(path)
    chance = random.Random(f"kill {name}")
    number = done = 0
    for _ in range(KILLS):
        last = killed(OPERATIONS[name], opened(path), number, chance)
        done += last - number
        number = state(path)[name]
        if number is None:  # a new key changes no value
            number = last
        assert number in (last, last + 1)
    assert done > KILLS / 10, "the processes were killed before they wrote"
    left = {entry.name.removeprefix("vault.db") for entry in tmp_path.iterdir()}
    if kind == "own":
        assert left <= {"", "-journal"}
        return
    set_(opened(path), number)  # the next write sweeps what killed ones left
    assert set(os.listdir(tmp_path)) == {"vault.db", ".git"}


def test_a_kill_leaves_the_env_file_before_or_after(tmp_path):
    """SIGKILL at a hundred random moments of edits of `.env`: both variables of an edit, the comment, no other file."""
    path = tmp_path / ".env"
    path.write_text("# kept\nA=0\nOTHER='x'  # kept too\nB=0\n" + "#\n" * 2000)
    chance = random.Random("kill edit")
    number = done = 0
    for _ in range(KILLS):
        last = killed(edit, path, number, chance)
        done += last - number
        file = EnvFile.read(str(path), ".env")
        values = {entry.name: entry.text for entry in file.entries}
        assert values == {"A": values["A"], "OTHER": "x", "B": values["A"]}
        assert str(file).startswith("# kept\nA=")
        assert str(file).count("#") == 2002
        number = int(values["A"])
        assert number in (last, last + 1)
    assert done > KILLS / 10
    edit(path, number + 1)
    assert os.listdir(tmp_path) == [".env"]


# Each write, sync and removal of a vault's operations, and more than any of the four makes: chance fills the pages.
LAST = {"pwrite64": 64, "fsync,fdatasync": 15, "unlink": 3, "ftruncate": 3}
ERRORS = {
    "pwrite64": ["ENOSPC", "EIO"],
    "fsync,fdatasync": ["EIO", "ENOSPC"],
    "unlink": ["EIO", "EACCES"],
    "ftruncate": ["EIO"],
}
# Of the many writes each third fails with every change, at night each.
STEP = {} if NIGHTLY else {"pwrite64": 3}
FAILURES = [
    (call, error, number)
    for call, errors in ERRORS.items()
    for number in sorted({*range(1, LAST[call] + 1, STEP.get(call, 1)), LAST[call]})
    # With the one error or the other; at night with both.
    for error in (errors if NIGHTLY else [errors[number % len(errors)]])
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A vault for each operation to be copied; made once."""
    directory = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(age, "_scrypt", operations.cheap_scrypt)
        patch.setenv("ENVREF_VAULT_PASSPHRASE", operations.PASSPHRASE)
        make(directory / "vault.db")
    return directory / "vault.db"


def traced(directory, prepared, *inject, every=False):
    """Does operation 1 of each kind under strace; what it said, by the operation's name.

    Only the calls on the vaults and their journals count, unless `every` one does.
    """
    paths = ["-P", str(directory)]  # whose sync makes the removal of a journal last
    for name in OPERATIONS:
        path = directory / f"{name}.db"
        shutil.copy(prepared, path)
        path.chmod(0o600)
        paths += ["-P", str(path), "-P", f"{path}-journal"]
    command = [sys.executable, "-m", "tests.faults.operations", str(directory)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [need("strace"), "-f", "-qq", "--seccomp-bpf", *([] if every else paths), *inject, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.skipif(sys.platform != "linux", reason="strace traces Linux only")
@pytest.mark.parametrize(("call", "error", "number"), FAILURES)
def test_a_failing_system_call_leaves_the_vault_before_or_after(call, error, number, prepared, tmp_path):
    """Whichever write, sync, truncation or removal fails: the vault is whole, a success is one, and work goes on."""
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}", "-o", os.devnull]
    said = traced(tmp_path, prepared, *inject)
    assert set(said) == set(OPERATIONS)
    for name, outcome in said.items():
        path = tmp_path / f"{name}.db"
        found = state(path)
        assert found[name] in {0, 1, None}
        if outcome == "stored":
            assert found[name] in {1, None}, f"{name} said that it was done"
        else:
            assert outcome.startswith("failed vault: "), outcome
        OPERATIONS[name](opened(path), (found[name] or 0) + 1)
        assert state(path)[name] in {(found[name] or 0) + 1, None}
    if number == LAST[call]:
        assert set(said.values()) == {"stored"}, "the table does not reach the last call"
    if number == 1 and call != "ftruncate":
        assert "stored" not in said.values(), "the table misses the first call"


def test_every_kind_of_call_that_changes_a_file_is_in_the_table(prepared, tmp_path):
    """SQLite makes no other change to a vault and its journal than those that are failed above."""
    log = tmp_path / "log"
    traced(tmp_path, prepared, "-o", str(log), "-e", "trace=!read,pread64")
    harmless = {"openat", "close", "fcntl", "fstat", "newfstatat", "lstat", "stat", "access", "geteuid", "lseek"}
    # A thread that the process's end catches in a call has "???" there: strace was too late to see which.
    calls = set(re.findall(r"^(?:\d+ +)?(\w+)\(", pathlib.Path(log).read_text(), re.MULTILINE))
    known = {name for call in LAST for name in call.split(",")}
    assert calls - harmless - {"fchown", "fchown32", "statx", "readlink", "mmap", "munmap", "close_range"} <= known


# security.md 4.3: a commit counts once its journal is gone for good, and the journal undoes all that came before that.
COMMIT = [
    ("fdatasync", "journal"),
    ("fdatasync", "directory"),
    ("fdatasync", "journal"),
    ("fdatasync", "database"),
    ("unlink", "journal"),
    ("fdatasync", "directory"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="strace traces Linux only")
def test_a_commit_is_synced_in_this_order(prepared, tmp_path):
    """What a power cut leaves is decided by this alone; a kill shows nothing of it. A new key has two commits."""
    log = tmp_path / "log"
    traced(tmp_path, prepared, "-y", "-o", str(log), "-e", "trace=fsync,fdatasync,unlink,unlinkat,rename,ftruncate")
    done = [re.search(r" (\w+)\(.*?(/[^>\"]+)", line) for line in log.read_text().splitlines() if "(" in line]
    for name in OPERATIONS:
        kinds = {str(tmp_path): "directory", f"{tmp_path}/{name}.db": "database"}
        kinds[f"{tmp_path}/{name}.db-journal"] = "journal"
        own = _of_one_vault([(call[1], call[2]) for call in done], kinds, list(OPERATIONS).index(name))
        assert own == COMMIT * (2 if name == "rekey" else 1), name


def _of_one_vault(calls, kinds, place):
    """The calls about one vault; the directory's, which all share, go to the vault whose turn it is."""
    turns = list(dict.fromkeys(path.rpartition("/")[2].partition(".")[0] for _, path in calls if ".db" in path))
    turn, own = "", []
    for call, path in calls:
        turn = path.rpartition("/")[2].partition(".")[0] if ".db" in path else turn
        if turn == turns[place] and path in kinds:
            own.append((call, kinds[path]))
    return own


# What makes a vault of a project new: its copy is on the disk before it gets the name, and the name before the answer.
REPLACEMENT = [("fsync", "copy"), ("rename", "copy"), ("fsync", "directory")]


@pytest.mark.skipif(sys.platform != "linux", reason="strace traces Linux only")
def test_a_project_s_vault_is_replaced_in_this_order(prepared, tmp_path):
    """The same promise for a vault that is a file among a project's: whole, and there once `set` says so."""
    (tmp_path / ".git").mkdir()
    log = tmp_path / "log"
    traced(tmp_path, prepared, "-y", "-o", str(log), "-e", "trace=fsync,fdatasync,/^rename,unlink", every=True)
    seen = []
    for line in log.read_text().splitlines():
        call = re.search(r"\b(fsync|fdatasync|rename|unlink)\w*\(", line)
        copied, folder = ".envref-new-set.db-" in line, line.endswith(f"{tmp_path}>) = 0")
        if call and (copied or (folder and seen)):
            seen.append((call[1], "copy" if copied else "directory"))
    assert seen[: len(REPLACEMENT)] == REPLACEMENT
