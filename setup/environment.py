"""Virtual environments under `.venvs/`: the pinned packages, and envref installed as a user gets it.

Not editable: what is tested and measured is the wheel, its console script and its compiled modules.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
import tomllib
from typing import TYPE_CHECKING

from setup.failure import NotSetUp
from setup.programs import install

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from setup.interpreters import Interpreter

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CONSTRAINTS = os.path.join(ROOT, "constraints.txt")
_making_pip = threading.Lock()  # environments are made side by side
_PROJECT = ("pyproject.toml", "envref", "flox")


class Environment:
    """A directory with a Python of its own. `name` is its directory below `.venvs/`."""

    def __init__(self, name: str, interpreter: Interpreter) -> None:
        self.place = os.path.join(ROOT, ".venvs", name)
        self.interpreter = interpreter

    def program(self, name: str) -> str:
        """The absolute path of a program that is installed here."""
        return os.path.join(self.place, "bin", name)

    def with_packages(self, *groups: str) -> Environment:
        """Itself, holding the project's dependencies and those of its dependency groups, exactly as pinned."""
        return self._holding_packages(groups)

    def with_tools(self, *groups: str) -> Environment:
        """The same, not compiled: of thousands of modules some are loaded, and Python keeps those."""
        return self._holding_packages(groups, "--no-compile")

    def with_pinned(self, pins: str) -> Environment:
        """Itself, holding the packages of this file of pins and nothing else, not compiled."""
        wanted = _digest([pins], self.interpreter)
        return self._holding(wanted, "--no-compile", "--requirement", os.path.join(ROOT, pins))

    def with_pip(self) -> Environment:
        """Itself, holding the pinned pip and nothing else."""
        wanted = _digest((), _pin("pip"))
        if self._read_stamp("packages") != wanted or not os.path.exists(self.program("python")):
            if not _runs([self.interpreter.program, "-m", "ensurepip", "--version"]):
                install([f"python{self.interpreter.minor}-venv"])
            _run([self.interpreter.program, "-m", "venv", "--clear", self.place])
            pin = os.path.join(self.place, "pip.txt")
            with open(pin, "w", encoding="ascii") as file:
                file.write(_pin("pip"))
            # Pips as old as Python 3.11 take hashes from requirements only, the pinned one from constraints too.
            pip = [self.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, "--require-hashes", "--requirement", pin])
            self._write_stamp("packages", wanted)
        return self

    def with_what_venv_brings(self) -> Environment:
        """Itself, as a user's is: up to Python 3.11 with a setuptools, which runs code at each start."""
        _runs([self.program("python"), "-m", "ensurepip"])
        return self

    def with_envref(self) -> Environment:
        """Itself, holding envref as the checkout has it now."""
        wanted = _digest(_PROJECT)
        if self._read_stamp("envref") != wanted:
            self._pip("--force-reinstall", "--no-index", "--no-deps", "--no-build-isolation", ROOT)
            self._write_stamp("envref", wanted)
        return self

    def _holding_packages(self, groups: Sequence[str], *options: str) -> Environment:
        requirements = _requirements(("build", *groups))
        wanted = _digest(["constraints.txt"], self.interpreter, *requirements)
        return self._holding(wanted, *options, "--constraint", _CONSTRAINTS, *requirements)

    def _holding(self, wanted: str, *what: str) -> Environment:
        """Itself, made anew with these arguments of pip unless its stamp says that it is what is wanted."""
        if self._read_stamp("packages") != wanted:
            _say(f"setting up {os.path.relpath(self.place, ROOT)} ({self.interpreter})")
            _run([self.interpreter.program, "-m", "venv", "--clear", "--without-pip", self.place])
            self._pip("--require-hashes", *what)
            self._write_stamp("packages", wanted)
        return self

    def _pip(self, *what: str) -> None:
        _run([*_pip_of(self.interpreter), "--python", self.program("python"), "install", "--quiet", *what])

    def _read_stamp(self, name: str) -> str:
        try:
            with open(os.path.join(self.place, f"{name}.stamp"), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _write_stamp(self, name: str, digest: str) -> None:
        with open(os.path.join(self.place, f"{name}.stamp"), "w", encoding="ascii") as file:
            file.write(digest)


def _pip_of(interpreter: Interpreter) -> list[str]:
    """The command of the pinned pip, one for all environments; an interpreter makes it that has none yet.

    One in each of eight environments, first Python's own and then the pinned, cost 3 s of processor time each.
    """
    with _making_pip:
        own = Environment("pip", interpreter).with_pip()
    return [own.program("python"), "-m", "pip", "--disable-pip-version-check"]


def _requirements(groups: Iterable[str]) -> list[str]:
    """What `pyproject.toml` names; by name alone, because hash checking refuses to install the project itself."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)
    lists = [project["project"]["dependencies"], *(project["dependency-groups"][group] for group in groups)]
    return [requirement for named in lists for requirement in named]


def _pin(package: str) -> str:
    """The requirement in `constraints.txt` for one package, with its hashes."""
    with open(_CONSTRAINTS, encoding="ascii") as file:
        blocks: list[str] = re.findall(r"^\S.*(?:\n .*)*", file.read(), re.MULTILINE)
    return next(block for block in blocks if block.startswith(f"{package}=="))


def _digest(names: Iterable[str], *other: object) -> str:
    """What the environment was made from: names and bytes of files, and anything else that decides it."""
    digest = hashlib.sha256(repr([str(thing) for thing in other]).encode())
    for path in _files(names):
        with open(path, "rb") as file:
            digest.update(path.encode() + b"\0" + file.read())
    return digest.hexdigest()


def _files(names: Iterable[str]) -> list[str]:
    paths = [os.path.join(ROOT, name) for name in names]
    below = [os.path.join(top, name) for path in paths for top, _, found in os.walk(path) for name in found]
    return sorted(path for path in [*paths, *below] if os.path.isfile(path) and "__pycache__" not in path)


def _run(command: Sequence[str]) -> None:
    status = subprocess.run(command, check=False).returncode
    if status:
        raise NotSetUp(f"{' '.join(command)}: exit status {status}")


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
