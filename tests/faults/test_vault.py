"""The vault under a full disk, a kill and many writers (security.md 7, P7 and P8).

Kills and failing system calls of each operation: test_operations.py.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from envref.backends.vault.store import Vault
from tests.backends.vaults import PASSPHRASE, fill, new_ancestor, read, unlocked_vault
from tests.conftest import ROOT
from tests.nightly import count
from tests.requirements import first_python

pytestmark = first_python

PREAMBLE = """
import sys, time
from envref.refs.address import Address
from envref.backends.vault.store import Vault
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


WRITERS, WRITES = count(16, 32), count(25, 50)
WRITE = """
for number in range(int(sys.argv[3])):
    address = Address("app", f"{sys.argv[2]}-{number}")
    vault.set(address, Secret(f"value {number}"), time.monotonic() + 60)
print("done")
"""


def test_no_update_is_lost_among_sixteen_writers(vault):
    """16 processes set 25 keys each at the same time: all 400 values are there afterwards."""
    writers = [start(vault, WRITE, writer, WRITES) for writer in range(WRITERS)]
    assert [finish(writer) for writer in writers] == ["done"] * WRITERS
    expected = {f"{writer}-{number}": f"value {number}" for writer in range(WRITERS) for number in range(WRITES)}
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


def test_an_interrupted_conversion_leaves_the_old_vault(tmp_path, monkeypatch):
    """SIGKILL while an ancestor's vault is converted: it is readable as before, and the next write converts it."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
    values = {f"key{number}": "value" for number in range(3)}
    vault = new_ancestor(tmp_path / "vault.db", values)
    chance = random.Random(11)
    for _ in range(3):
        process = start(vault, f"print('begins', flush=True)\n{SET}", "new", 1)
        assert process.stdout.readline() == "begins\n"
        time.sleep(chance.uniform(0.0, 1.2))
        process.kill()
        process.communicate()
        assert read(reopened(vault), *values) == values
    fill(reopened(vault), {"key": "new"})
    assert read(reopened(vault), "key", *values) == values | {"key": "new"}
