"""Scenarios: pairs of commands to measure, and the ratios between them that envref promises to keep."""

from __future__ import annotations

import json
import operator
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.place import PROJECT, Place, write
from bench.sample import Command, Failed, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

MANY = 100
FEW = 20
KEYS = [f"key_{number:03}" for number in range(MANY)]
REFERENCES = [f"{key.upper()}=ref://secrets/{key}" for key in KEYS]

Pair = tuple[Command, Command]


class Missing(Exception):
    """A part that this machine does not have."""


@dataclass(frozen=True)
class Ratio:
    """`what` of the first command over that of the second, and the most it should be.

    `compare` need not be a quotient; it gets a median for each command.
    """

    title: str
    what: Callable[[Sample], float]
    target: float
    compare: Callable[..., float] = operator.truediv


@dataclass(frozen=True)
class Processes:
    """How often the first command starts the store's program, and the most it should be."""

    title: str
    target: float


@dataclass(frozen=True)
class Scenario:
    """`prepare` gives the commands, a pair as a rule, and keeps what they need alive while they are measured.

    `runs` is the most that is worth the time.
    """

    prepare: Callable[[Place], AbstractContextManager[tuple[Command, ...]]]
    rows: tuple[Ratio | Processes, ...]
    runs: int = sys.maxsize


@contextmanager
def plain(place: Place) -> Iterator[Pair]:
    """An activation without secrets, and the same interpreter doing nothing."""
    yield _plain(place), place.command([sys.executable, "-c", "pass"])


@contextmanager
def vault(place: Place) -> Iterator[Pair]:
    """A hundred references in the embedded vault, and one."""
    fill_vault(place)
    yield pair(place, "name: vault")


@contextmanager
def activation(place: Place) -> Iterator[tuple[Command, Command, Command]]:
    """A start with the hook in the simulator of Flox's documented contract, one without, and what the hook runs.

    The store is the vault, the cheapest one, so that the block's own cost shows most.
    """
    installed("bash")
    fill_vault(place, "--work-factor", "15")
    alone = place.resolve(REFERENCES[:FEW], "name: vault")
    yield _start(place, alone.directory, _manifest_with_hook()), _start(place, alone.directory, _MANIFEST), alone


_MANIFEST = "version = 1\n"


def _manifest_with_hook() -> str:
    from envref.flox import block

    return f"{_MANIFEST}[hook]\non-activate = '''\n{block.hook()}\n'''\n"


def _start(place: Place, project: str, manifest: str) -> Command:
    """A start of a new environment; raises Failed when its hook, if any, does not export every variable."""
    from tests.flox.simulator import Flox

    directory = pathlib.Path(tempfile.mkdtemp(dir=place.directory))
    flox = Flox(directory, manifest, project=project)
    flox.install(place.program, "envref")
    caller = dict(place.command([]).environment)
    first = flox.start(caller)
    if len(first.additions) != (0 if manifest == _MANIFEST else FEW):
        raise Failed(f"the hook exported {len(first.additions)} variables: {first.stderr.strip()}")
    arguments, environment, _ = flox.command(caller)
    return Command(arguments, place.directory, environment)


def fill_vault(place: Place, *options: str, keys: Sequence[str] = KEYS) -> None:
    """A vault of a random passphrase, which the place's variables hold."""
    place.variables["ENVREF_VAULT_PASSPHRASE"] = os.urandom(16).hex()
    values = {f"{PROJECT}/{key}": "a value" for key in keys}
    place.run(place.program, "vault", "init", *options)
    export = {"version": 1, "exported_at": "2026-01-01T00:00:00Z", "secrets": values}
    place.run(place.program, "vault", "import", stdin=json.dumps(export))


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
def trust(place: Place) -> Iterator[Pair]:
    """A plugin of the project's own, which the user trusts, and the same plugin on PATH, which needs no trust."""
    programs = os.path.join(place.directory, "programs")
    os.mkdir(programs)
    write(os.path.join(programs, "envref-backend-script"), _PLUGIN, mode=0o755)
    place.variables["PATH"] = programs + os.pathsep + os.environ["PATH"]
    own = place.resolve(REFERENCES[:1], "{name: script, type: plugin, config: {command: ./script}}")
    write(os.path.join(own.directory, "script"), _PLUGIN, mode=0o755)
    place.run(place.program, "trust", "-C", own.directory)
    yield own, place.resolve([*REFERENCES[:1], "# elsewhere"], "{name: script, type: plugin}")


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
    command = _plain(place)
    yield replace(command, arguments=[f"{built.stdout.strip()}/bin/envref", *command.arguments[1:]]), command


@contextmanager
def flox_built(place: Place) -> Iterator[Pair]:
    """An activation by what Flox's build command makes of this checkout, and by the program of the environment."""
    installed("bash")
    if os.path.dirname(place.program) != os.path.dirname(sys.executable):
        raise Missing("Flox builds envref only")
    manifest = tomllib.loads((_FLOX / "publish/.flox/env/manifest.toml").read_text(encoding="utf-8"))
    out = os.path.join(place.directory, "built")
    with_that_python = os.pathsep.join((_bare_python(place), os.environ["PATH"]))
    place.variables.update({"out": out, "PATH": with_that_python})
    place.run("bash", "-c", f"cd {shlex.quote(str(_FLOX))}\n{manifest['build']['envref']['command']}")
    command = _plain(place)
    yield replace(command, arguments=[f"{out}/bin/envref", *command.arguments[1:]]), command


_FLOX = pathlib.Path(__file__).parent.parent / "flox"


def _bare_python(place: Place) -> str:
    """A directory whose `python3` is the one that this environment was made of: Flox builds with the catalog's."""
    directory = os.path.join(place.directory, "python")
    os.mkdir(directory)
    os.symlink(getattr(sys, "_base_executable", sys.executable), os.path.join(directory, "python3"))
    return directory


def _plain(place: Place) -> Command:
    return place.resolve([f"VARIABLE_{number}=value-{number}" for number in range(MANY)], "name: vault")


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
    # The project chooses the program to run; a person would run `envref trust` once.
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


def milliseconds(sample: Sample) -> float:
    return sample.cpu * 1000


difference = operator.sub


def overhead(whole: float, without: float, part: float) -> float:
    """The cost of a part inside the whole, divided by its cost alone."""
    return (whole - without) / part


SCENARIOS = (
    Scenario(
        plain,
        (
            Ratio(f"{MANY} plain variables / a bare Python: CPU", cpu, 1.3),
            Ratio(f"{MANY} plain variables / a bare Python: peak memory", peak, 1.3),
        ),
    ),
    Scenario(vault, (Ratio(f"{MANY} references in the vault / 1: wall", wall, 1.2),)),
    Scenario(
        activation,
        (Ratio(f"hook with {FEW} vault references, simulated / alone: wall", wall, 1.3, overhead),),
    ),
    Scenario(secret_service, (Ratio(f"{MANY} references in the Secret Service / 1: wall", wall, 2),)),
    Scenario(plugin, (Ratio(f"{MANY} references of a one-request plugin / 1: wall", wall, 30),)),
    Scenario(trust, (Ratio("a trust record - a config that needs none: CPU ms", milliseconds, 2, difference),)),
    Scenario(nix_built, (Ratio("built by Nix / in a virtual environment: CPU", cpu, 0.95),)),
    Scenario(flox_built, (Ratio("built for Flox / in a virtual environment: CPU", cpu, 0.95),)),
    Scenario(batch_plugin, (Ratio(f"{MANY} references of a batch plugin / 1: wall", wall, 1.5),)),
)
