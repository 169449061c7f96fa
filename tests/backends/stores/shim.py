"""A program in front of another one: it writes down the argument list that it is given, then becomes the real one."""

from __future__ import annotations

import os
import pathlib
import sys

from tests import arguments

# The first line of a script that starts as fast as Python can.
BARE_PYTHON = f"#!{sys.executable} -IS\n"

# The length comes first, because an argument may hold anything but NUL. One write to a file opened for appending:
# the records of programs that run at the same time don't mix.
_RECORD = """\
import os, sys
record = b"".join(part + b"\\0" for part in map(os.fsencode, [str(len(sys.argv) - 1), *sys.argv[1:]]))
log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(log, record)
os.close(log)
"""
_BECOME = "os.execv({program!r}, [{program!r}, *sys.argv[1:]])\n"


class Shim:
    """A stand-in for one program. `path` is the directory to put first on PATH.

    What it writes down is searched for secrets after every test (tests/arguments.py).
    """

    def __init__(self, directory, name):
        self.path = str(directory)
        self.name = name
        self.log = directory / f".{name}.argv"
        self._cleared = 0  # records
        arguments.watch(self)

    def argvs(self):
        """The argument lists, without the program's name, in the order of the starts."""
        return self.history()[self._cleared :]

    def count(self):
        """How often the program was started."""
        return len(self.argvs())

    def clear(self):
        """Counts from here on."""
        self._cleared = len(self.history())

    def history(self):
        """Every argument list since the beginning."""
        parts = iter(self.log.read_bytes().split(b"\0")[:-1] if self.log.exists() else [])
        return [[os.fsdecode(next(parts)) for _ in range(int(length))] for length in parts]


def recorded(directory, program_path, name):
    """A Shim called `name` in `directory`, in front of the program at `program_path`."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    shim = Shim(directory, name)
    script = directory / name
    script.write_text(BARE_PYTHON + _RECORD.format(log=str(shim.log)) + _becoming(pathlib.Path(program_path)))
    script.chmod(0o755)
    return shim


def stand_in(directory, name, script, monkeypatch):
    """A program called `name`, first on PATH, in a new directory: `script` in sh. Its path."""
    directory.mkdir()
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return path


def _becoming(program):
    """What makes a script that program: itself, if it is a script of the same Python, which need not start twice."""
    with program.open("rb") as file:
        if file.readline() != BARE_PYTHON.encode():
            return _BECOME.format(program=str(program))
        return file.read().decode()
