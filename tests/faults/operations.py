"""What is done to a vault while it is killed or its disk fails: each operation number N, and what it must leave.

Run as a program, `python -m tests.faults.operations DIRECTORY`, each operation is done once, in a child and on a vault
of its own, and it is printed how that ended: to be traced once, four operations that are counted apart.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time

from envref import atomic
from envref.backends.vault import age, lifecycle
from envref.backends.vault.store import Vault
from envref.env.edit import with_value
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.project.config.load import BackendConfig
from envref.refs.address import Address
from envref.resolve.resolve import Scope
from envref.resolve.store import Store
from envref.secret import Secret
from envref.secrets import rotation
from envref.secrets.scoped import ScopedStore

PASSPHRASE = "correct horse battery"
IMPORTED = [f"import{number}" for number in range(3)]
KEEP = 3


def soon():
    """A deadline that no change passes. `asking` has one too, with pytest, which takes longer than all else here."""
    return time.monotonic() + 60


def cheap_scrypt(passphrase, salt, work_factor):
    """Stretching is not what is tried here, and costs 0.1 s each time."""
    return hashlib.sha256(passphrase + salt).digest()


def cheapen():
    """For a process that does nothing else."""
    age._scrypt = cheap_scrypt


def opened(path):
    """The vault as a new process finds it."""
    os.environ["ENVREF_VAULT_PASSPHRASE"] = PASSPHRASE
    return Vault("vault", path=str(path))


def make(path):
    """A vault in the state that operation 0 leaves."""
    vault = opened(path)
    lifecycle.initialize(vault.file, Secret(PASSPHRASE), 15)
    values = {"set": "0", "twin": "0", "rotate": "0", "untouched": "x" * 1500, **dict.fromkeys(IMPORTED, "0")}
    vault.change({Address("app", key): Secret(value) for key, value in values.items()}, soon())
    return vault


def set_(vault, number):
    """Two values in one change."""
    vault.change({Address("app", key): Secret(str(number)) for key in ("set", "twin")}, soon())


def rotate(vault, number):
    config = BackendConfig(name="vault", type="vault", options={"path": vault.file.path})
    store = ScopedStore(Store(config, "/", None, time.monotonic()), Scope("app"))
    rotation.rotate(store, "rotate", Secret(str(number - 1)), Secret(str(number)), keep=KEEP)


def import_(vault, number):
    lifecycle.import_all(vault.file, {f"app/{key}": Secret(str(number)) for key in IMPORTED})


def rekey(vault, number):
    lifecycle.rekey(vault.file)


OPERATIONS = {"set": set_, "rotate": rotate, "import": import_, "rekey": rekey}


def state(path):
    """The number that each operation last left whole in a vault. AssertionError for a half one."""
    vault = opened(path)
    values = {key.removeprefix("app/"): secret.reveal() for key, secret in lifecycle.export(vault.file).items()}
    assert values["untouched"] == "x" * 1500
    assert values["set"] == values["twin"]
    assert len({values[key] for key in IMPORTED}) == 1
    current = int(values["rotate"])
    kept = {key.rpartition(".")[2]: value for key, value in values.items() if ".__history." in key}
    assert kept == {str(back): str(current - back) for back in range(1, min(KEEP, current) + 1)}
    return {"set": int(values["set"]), "rotate": current, "import": int(values[IMPORTED[0]]), "rekey": None}


def edit(path, number):
    """Operation N on a `.env` file, as `envref set` does it."""
    with atomic.lock(str(path)):
        file = with_value(with_value(EnvFile.read(str(path), ".env"), "A", str(number)), "B", str(number))
        atomic.write(str(path), str(file).encode())


def main(directory):
    cheapen()
    for name, operation in OPERATIONS.items():
        sys.stdout.flush()
        if os.fork():
            os.wait()
            continue
        try:
            operation(opened(f"{directory}/{name}.db"), 1)
            print(name, "stored")
        except EnvrefError as error:
            print(name, "failed", error.message)
        except BaseException as error:  # a bug: the one who reads this fails
            print(name, "broke", type(error).__name__)
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
