"""What is measured: pairs of commands, and the ratios between them that envref promises to keep."""

from __future__ import annotations

import json
import operator
import os
import pathlib
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.place import PROJECT, Place, write
from bench.sample import Command, Failed, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

MANY = 100
KEYS = [f"key_{number:03}" for number in range(MANY)]
REFERENCES = [f"{key.upper()}=ref://secrets/{key}" for key in KEYS]

Pair = tuple[Command, Command]


class Missing(Exception):
    """A part that this machine does not have."""


@dataclass(frozen=True)
class Ratio:
    """`what` of the first command over that of the second, and the most it should be.

    `compare` may be something else than a quotient.
    """

    title: str
    what: Callable[[Sample], float]
    target: float
    compare: Callable[[float, float], float] = operator.truediv


@dataclass(frozen=True)
class Processes:
    """How often the first command starts the store's program, and the most it should be."""

    title: str
    target: float


@dataclass(frozen=True)
class Scenario:
    """`prepare` gives a pair of commands, and keeps what they need alive while they are measured.

    `runs` is the most that is worth the time.
    """

    prepare: Callable[[Place], AbstractContextManager[Pair]]
    rows: tuple[Ratio | Processes, ...]
    runs: int = sys.maxsize


@contextmanager
def plain(place: Place) -> Iterator[Pair]:
    """An activation without secrets, and the same interpreter doing nothing."""
    lines = [f"VARIABLE_{number}=value-{number}" for number in range(MANY)]
    yield place.resolve(lines, "name: vault"), place.command([sys.executable, "-c", "pass"])


@contextmanager
def vault(place: Place) -> Iterator[Pair]:
    """A hundred references in the embedded vault, and one."""
    place.variables["ENVREF_VAULT_PASSPHRASE"] = os.urandom(16).hex()
    values = {f"{PROJECT}/{key}": "a value" for key in KEYS}
    place.run(place.program, "vault", "init")
    export = {"version": 1, "exported_at": "2026-01-01T00:00:00Z", "secrets": values}
    place.run(place.program, "vault", "import", stdin=json.dumps(export))
    yield pair(place, "name: vault")


@contextmanager
def secret_service(place: Place) -> Iterator[Pair]:
    """The same in a real Secret Service: gnome-keyring on a bus of its own."""
    for program in ("dbus-daemon", "gnome-keyring-daemon"):
        installed(program)
    from tests.backends.stores.secret_service import SecretService

    with SecretService(pathlib.Path(place.home)) as service:
        place.variables.update(service.environment)
        place.run(sys.executable, "-c", _STORE, *KEYS)
        yield pair(place, "name: keychain")


@contextmanager
def plugin(place: Place) -> Iterator[Pair]:
    """The same from a shell script that answers one request a process."""
    yield pair(place, f"{{name: script, type: plugin, config: {{command: {_script(place)}}}}}")


@contextmanager
def batch_plugin(place: Place) -> Iterator[Pair]:
    """The same from a shell script that answers all requests at once."""
    yield pair(place, f"{{name: script, type: plugin, config: {{command: {_script(place)}, batch: true}}}}")


@contextmanager
def nix_built(place: Place) -> Iterator[Pair]:
    """An activation by the program that the flake builds, and by the one of the virtual environment."""
    from tests.nix.machine import Flake, Nix, copy_of_checkout, program

    nix = program()
    if not nix:
        raise Missing("Nix is not installed here")
    if os.path.dirname(place.program) != os.path.dirname(sys.executable):
        raise Missing("the flake builds envref only")
    directory = pathlib.Path(place.directory)
    flake = Flake(Nix(nix, directory / "nix").prepare(), copy_of_checkout(directory / "checkout"))
    built = flake.build("envref")
    if built.returncode:
        raise Failed(built.stderr)
    command = place.resolve([f"VARIABLE_{number}=value-{number}" for number in range(MANY)], "name: vault")
    yield replace(command, arguments=[f"{built.stdout.strip()}/bin/envref", *command.arguments[1:]]), command


def installed(program: str) -> str:
    """The path of a program; raises Missing without it."""
    path = shutil.which(program)
    if not path:
        raise Missing(f"{program} is not installed here")
    return path


def pair(place: Place, backend: str) -> Pair:
    """The activation of a project with many references, and of one with one."""
    return place.resolve(REFERENCES, backend), place.resolve(REFERENCES[:1], backend)


def _script(place: Place) -> str:
    # The project chooses the program that is run; a person would say `envref trust` once.
    place.variables["ENVREF_TRUST"] = "all"
    path = os.path.join(place.directory, "script")
    write(path, _PLUGIN, mode=0o755)
    return path


_PLUGIN = r"""#!/bin/sh
read -r request
case $request in
  *'"get_many"'*) echo "$request" |
    sed 's/.*"keys": *\[\([^]]*\)\].*/\1/; s/"\([^"]*\)"/"\1": "a value"/g; s/.*/{"values": {&}}/' ;;
  *'"get"'*) echo '{"value": "a value"}' ;;
esac
"""

_STORE = f"""
import keyring, sys
for key in sys.argv[1:]:
    keyring.set_password("envref", "{PROJECT}/" + key, "a value")
"""


def wall(sample: Sample) -> float:
    return sample.wall


def cpu(sample: Sample) -> float:
    return sample.cpu


def peak(sample: Sample) -> float:
    return sample.peak


difference = operator.sub


SCENARIOS = (
    Scenario(
        plain,
        (
            Ratio(f"{MANY} plain variables / a bare Python: CPU", cpu, 1.5),
            Ratio(f"{MANY} plain variables / a bare Python: peak memory", peak, 1.3),
        ),
    ),
    Scenario(vault, (Ratio(f"{MANY} references in the vault / 1: wall", wall, 1.2),)),
    Scenario(secret_service, (Ratio(f"{MANY} references in the Secret Service / 1: wall", wall, 2),)),
    Scenario(plugin, (Ratio(f"{MANY} references of a one-request plugin / 1: wall", wall, 30),)),
    Scenario(nix_built, (Ratio("built by Nix / in a virtual environment: CPU", cpu, 1.2),)),
    Scenario(batch_plugin, (Ratio(f"{MANY} references of a batch plugin / 1: wall", wall, 1.5),)),
)
