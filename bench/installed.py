"""envref installed as pip does it, in an environment that holds nothing else, and the commands whose cost is kept.

What else an environment holds changes the cost of Python's own start: setuptools runs code in each.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.place import Place, write
from bench.sample import Command, sample
from bench.scenarios import KEYS, MANY, REFERENCES, fill_vault

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = ("pyrage",)  # those that a hot command loads
# As pip writes it.
_LAUNCHER = """\
#!{python}
import sys
from envref.__main__ import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
"""
# The same on every machine, and the same order of every set.
_VARIABLES = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
_REFERENCES = 10  # the vault holds no others
PASS = "pass"


class Installed:
    """`python` is the environment's, `packages` the directory of its packages; envref is a copy of the checkout's."""

    def __init__(self, directory: str) -> None:
        environment = os.path.join(directory, "environment")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        self.python = os.path.join(environment, "bin", "python")
        self.packages = sysconfig.get_path("purelib", vars={"base": environment, "platbase": environment})
        ours = os.path.join(self.packages, "envref")
        shutil.copytree(os.path.join(_ROOT, "envref"), ours, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _LIBRARIES:
            os.symlink(_directory(name), os.path.join(self.packages, name))
        self.place = Place(os.path.join(environment, "bin", "envref"), os.path.join(directory, "place"))
        write(self.place.program, _LAUNCHER.format(python=self.python), mode=0o755)

        # What is not hot needs the other libraries, behind this envref.
        self._libraries = os.pathsep.join((self.packages, sysconfig.get_path("purelib")))

    def command(self, name: str) -> Command:
        """Ready to run: Python's code and the config are compiled, the project is agreed to, the vault is open."""
        command = self._vault if name in _OF_THE_VAULT else self._plain
        arguments = {
            PASS: ["-c", "pass"],
            "plain": command.arguments,
            "run": [self.place.program, "run", "--only", "VARIABLE_1", "--", "true"],
            "get": [self.place.program, "get", "VARIABLE_1"],
            "vault": command.arguments,
            "secret get": [self.place.program, "secret", "get", "key_001"],
            "completion": [self.place.program],
            "--help": [self.place.program, "--help"],
        }[name]
        more = _ASKED if name == "completion" else {}
        with_all = {**command.environment, **more}
        # click's door needs click.
        alone = {key: value for key, value in with_all.items() if key not in _PREPARING or name == "--help"}
        ready = replace(command, arguments=[self.python, *arguments], environment=alone)
        for each in (replace(ready, environment=with_all), ready):  # the first compiles
            sample(each)
        return ready

    @functools.cached_property
    def _plain(self) -> Command:
        self.place.variables = {**_VARIABLES, "PYTHONPATH": self._libraries}
        return self.place.resolve([f"VARIABLE_{number}=value-{number}" for number in range(MANY)], "name: vault")

    @functools.cached_property
    def _vault(self) -> Command:
        self.place.variables = {**_VARIABLES, "PYTHONPATH": self._libraries}
        fill_vault(self.place, "--work-factor", "15", keys=KEYS[:_REFERENCES])
        self.place.run(self.place.program, "vault", "unlock", "--ttl", "10m")
        return self.place.resolve(REFERENCES[:_REFERENCES], "name: vault")


_OF_THE_VAULT = ("vault", "secret get")
_PREPARING = ("PYTHONPATH", "ENVREF_VAULT_PASSPHRASE")
_ASKED = {"_ENVREF_COMPLETE": "bash_complete", "COMP_WORDS": "envref re", "COMP_CWORD": "1"}


def _directory(package: str) -> str:
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    return spec.submodule_search_locations[0]


@contextmanager
def installed() -> Iterator[Installed]:
    """A new one, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="counted-") as directory:
        yield Installed(directory)
