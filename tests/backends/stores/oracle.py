"""A library of a store's program as an oracle, in the Python that the program is installed in."""

from __future__ import annotations

import json
import subprocess

from tests.requirements import need_store_program

_ANSWERING = """
import json, sys
for line in sys.stdin:
    name, arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
"""


class Oracle:
    """A context in which functions of `code` answer: `ask("sign", …)`. `group` is one of `setup/stores.py`.

    A process of its own answers one line of JSON with one line of JSON.
    """

    def __init__(self, group, code):
        self._group = group
        self._code = code + _ANSWERING

    def __enter__(self):
        python = need_store_program(self._group, "python")
        self._process = subprocess.Popen(
            [python, "-c", self._code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def ask(self, name, *arguments):
        print(json.dumps([name, arguments]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())
