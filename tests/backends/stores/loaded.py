"""A store's real program without its start, which is most of what a call of it costs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

from tests import fork_server, reaper
from tests.backends.stores.shim import BARE_PYTHON
from tests.requirements import need_store_program

_PATIENCE = 60  # seconds to load a program on a machine that has much else to do

# Sends itself to the server: the program's own Python is running there already.
_CALLER = """\
import sys
sys.path.insert(0, {tests!r})
from fork_call import become
become({address!r}, [{name!r}, *sys.argv[1:]])
"""


class Loaded:
    """The program `name` of a group of `setup/stores.py`. `path` goes first on PATH, `program` is its path.

    `preload` is what the server loads (tests/fork_server.py). The program as it is installed is
    `need_store_program(group, name)`.
    """

    def __init__(self, directory, group, name, preload):
        self._directory = directory
        self._group, self._name, self._preload = group, name, preload
        self.path = str(directory / "loaded")
        self.program = f"{self.path}/{name}"

    def __enter__(self):
        python = os.path.join(os.path.dirname(need_store_program(self._group, self._name)), "python")
        address = self._directory / f"{self._name}.socket"
        self._process = subprocess.Popen(
            [python, "-P", fork_server.__file__, str(address), self._preload],
            stdin=subprocess.PIPE,
            start_new_session=True,  # no terminal to ask on, as under envref
            env={"PATH": os.defpath, "HOME": str(self._directory), "LC_ALL": "C", **reaper.mark()},
        )
        os.mkdir(self.path)
        with open(self.program, "w", opener=_executable) as script:
            tests = str(pathlib.Path(fork_server.__file__).parent)
            script.write(BARE_PYTHON + _CALLER.format(tests=tests, address=str(address), name=self._name))
        self._await(address)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()

    def _await(self, address):
        patience = time.monotonic() + _PATIENCE
        while not address.exists():
            if time.monotonic() > patience or self._process.poll() is not None:
                raise RuntimeError(f"{self._name} could not be loaded")
            time.sleep(0.02)


def _executable(path, flags):
    return os.open(path, flags, 0o755)
