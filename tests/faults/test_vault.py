"""The vault under kills, failing disks and many writers (security.md 7, P7 and P8)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from envref.backends.vault import Vault
from envref.secret import Secret
from tests.backends.vaults import PASSPHRASE, address, fill, new_ancestor, read, soon, unlocked_vault
from tests.conftest import ROOT
from tests.requirements import need

PREAMBLE = """
import sys, time
from envref.address import Address
from envref.backends.vault import Vault
from envref.errors import EnvrefError
from envref.secret import Secret
vault = Vault("vault", path=sys.argv[1])
"""


@pytest.fixture
def vault(tmp_path, monkeypatch):
    return unlocked_vault(tmp_path / "vault.db", monkeypatch, {"key": "old", "twin": "old", "other": "untouched"})


def reopened(vault):
    return Vault("vault", path=vault.file.path)


def start(vault, script, *arguments, before=(), **options):
    """A process that runs the script on the vault."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["ENVREF_VAULT_PASSPHRASE"] = PASSPHRASE
    return subprocess.Popen(
        [*before, sys.executable, "-c", PREAMBLE + script, vault.file.path, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process):
    """What the process printed; it must have ended by itself."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip()


WRITE_25 = """
for number in range(25):
    address = Address("app", f"{sys.argv[2]}-{number}")
    vault.set(address, Secret(f"value {number}"), time.monotonic() + 60)
print("done")
"""


def test_no_update_is_lost_among_sixteen_writers(vault):
    """16 processes set 25 keys each at the same time: all 400 values are there afterwards."""
    writers = [start(vault, WRITE_25, writer) for writer in range(16)]
    assert [finish(writer) for writer in writers] == ["done"] * 16
    expected = {f"{writer}-{number}": f"value {number}" for writer in range(16) for number in range(25)}
    assert read(reopened(vault), *expected) == expected


INITIALIZE = """
from envref.backends.vault import lifecycle
print(lifecycle.initialize(vault.file, Secret(sys.argv[2]), 15))
"""


def test_of_many_inits_one_wins(tmp_path):
    """Processes that initialize the same vault at once make one vault, with one passphrase."""
    vault = Vault("vault", path=str(tmp_path / "vault.db"))
    passphrases = [f"passphrase number {number}" for number in range(6)]
    made = [finish(process) for process in [start(vault, INITIALIZE, passphrase) for passphrase in passphrases]]
    assert sorted(made) == ["False"] * 5 + ["True"]


def write_until_killed(vault, pipe):
    """Sets both keys to 0, 1, 2 … and acknowledges each on the pipe."""
    number = 0
    while True:
        vault.change({address("key"): Secret(str(number)), address("twin"): Secret(str(number))}, soon())
        os.write(pipe, f"{number}\n".encode())
        number += 1


def killed_writer(vault, seconds):
    """The last number that a writer acknowledged before SIGKILL; -1 for none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        write_until_killed(vault, writing)
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reading, encoding="ascii") as acknowledged:
        return int(([*acknowledged] or ["-1"])[-1])


def test_a_hundred_kills_lose_nothing(vault):
    """After SIGKILL at any moment the last acknowledged write is there, or the one after it, and never half of it."""
    clock, total = random.Random(7), 0
    for _ in range(100):
        fill(vault, {"key": "-1", "twin": "-1"})
        last = killed_writer(vault, clock.uniform(0.005, 0.08))
        found = read(vault, "key", "twin", "other")
        assert found["other"] == "untouched"
        assert found["key"] == found["twin"]
        assert int(found["key"]) in (last, last + 1)
        total += last + 1
    assert total > 100, "the writers were killed before they wrote"


SET = """
try:
    vault.set(Address("app", "key"), Secret(sys.argv[2] * int(sys.argv[3])), time.monotonic() + 20)
    print("stored")
except EnvrefError as error:
    print(error.outcome, error.message)
"""


def test_a_full_disk_changes_nothing(vault):
    """A value the disk has no room for is refused with a clear error; the old one stays, and writing goes on later."""
    size = os.path.getsize(vault.file.path) + 8192
    limit = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    output = finish(start(vault, limit + SET, "x", 1_000_000))
    assert output.startswith("unavailable vault: ")
    assert read(reopened(vault), "key", "other") == {"key": "old", "other": "untouched"}
    fill(reopened(vault), {"key": "new"})
    assert read(reopened(vault), "key") == {"key": "new"}


FAILURES = [
    *(("pwrite64", "ENOSPC", number) for number in range(1, 13)),
    *(("fsync,fdatasync", "EIO", number) for number in range(1, 4)),
    ("unlink", "EIO", 1),
]


@pytest.mark.parametrize(("call", "errno", "number"), FAILURES)
def test_a_failing_system_call_is_no_half_write(vault, call, errno, number):
    """Whichever write, sync or removal of the journal fails: the error is said and the old value stays."""
    strace = [need("strace"), "-f", "-qq", "-o", "/dev/null", "-P", vault.file.path, "-P", f"{vault.file.path}-journal"]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={errno}:when={number}"]
    output = finish(start(vault, SET, "new", 1, before=[*strace, *inject]))
    found = read(reopened(vault), "key", "twin", "other")
    assert found == {"key": "old", "twin": "old", "other": "untouched"}
    assert output.startswith("unavailable vault: "), "the call was not one of this write"
    fill(reopened(vault), {"key": "later"})
    assert read(reopened(vault), "key") == {"key": "later"}


def test_an_interrupted_conversion_leaves_the_old_vault(tmp_path, monkeypatch):
    """SIGKILL while an ancestor's vault is converted: it is readable as before, and the next write converts it."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    values = {f"key{number}": "value" for number in range(3)}
    vault = new_ancestor(tmp_path / "vault.db", values)
    clock = random.Random(11)
    for _ in range(3):
        process = start(vault, SET, "new", 1)
        time.sleep(clock.uniform(0.3, 1.5))
        process.kill()
        process.communicate()
        assert read(reopened(vault), *values) == values
    fill(reopened(vault), {"key": "new"})
    assert read(reopened(vault), "key", *values) == values | {"key": "new"}
