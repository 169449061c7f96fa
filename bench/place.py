"""Place: where a program is measured: a HOME, projects, and an environment without anything of the caller's."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.sample import Command, Failed, sample

if TYPE_CHECKING:
    from collections.abc import Iterable

PROJECT = "bench"


class Place:
    """A directory for one program in one scenario. `variables` is added to the environment of all that runs here."""

    def __init__(self, program: str, directory: str) -> None:
        self.program = program
        self.directory = directory
        self.home = os.path.join(directory, "home")
        self.variables: dict[str, str] = {}
        self._counted = os.path.join(directory, "counted")
        self._shim: Any = None
        os.makedirs(self.home)

    def install(self, name: str, program: str) -> None:
        """Puts one store's program first on PATH, as `name`."""
        from tests.backends.stores.shim import recorded

        directory = os.path.join(self.directory, "programs")
        os.mkdir(directory)
        os.symlink(program, os.path.join(directory, name))
        self.variables["PATH"] = directory + os.pathsep + os.environ["PATH"]
        self._shim = recorded(self._counted, program, name)

    def starts(self, command: Command) -> list[list[str]]:
        """The argument lists, with the program's name, of what a command starts of the store's program."""
        path = self._counted + os.pathsep + command.environment["PATH"]
        self._shim.clear()
        sample(replace(command, environment={**command.environment, "PATH": path}))
        return [[self._shim.name, *argv] for argv in self._shim.argvs()]

    def resolve(self, lines: Iterable[str], backend: str) -> Command:
        """The activation of a new project with these lines in `.env` and this backend in its config."""
        lines = list(lines)
        root = os.path.join(self.directory, f"project-{len(lines)}")
        os.mkdir(root)
        write(os.path.join(root, ".envref.yaml"), f"project: {PROJECT}\nbackends:\n  - {backend}\n")
        write(os.path.join(root, ".env"), "".join(f"{line}\n" for line in lines))
        self._agree(root)
        return self.command([self.program, "resolve", "--export"], root)

    def _agree(self, root: str) -> None:
        """As its user did once. A program beside envref may know no such command, and ask for none."""
        try:
            self.run(self.program, "trust", "-C", root)
        except Failed:
            pass

    def command(self, arguments: list[str], directory: str = "") -> Command:
        """`arguments`, as a first-time user would run them."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return Command(arguments, directory or self.directory, {**kept, "HOME": self.home, **self.variables})

    def run(self, *arguments: str, stdin: str = "") -> None:
        """Runs a command that prepares the scenario. Raises Failed with what it printed as errors."""
        command = self.command(list(arguments))
        ended = subprocess.run(
            arguments,
            cwd=command.directory,
            env=command.environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if ended.returncode:
            raise Failed(f"{' '.join(arguments)}: exit status {ended.returncode}: {ended.stderr.strip()}")


def write(path: str, text: str, *, mode: int = 0o644) -> None:
    """Writes a file, over any old one."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
