"""The account behind the double of `op`, and a look into it that does not go through envref."""

from __future__ import annotations

import functools
import json
import marshal
import os
import pathlib

from tests.backends.stores.shim import BARE_PYTHON

OP = pathlib.Path(__file__).parent.parent / "op"
TOKEN = "ops_double"


def installed(directory, monkeypatch):
    """The account in a new directory; `op` is first on PATH, and is the double, which starts as fast as it can."""
    (directory / "bin").mkdir(parents=True)
    program, code = directory / "bin/op", directory / "op.code"
    code.write_bytes(_compiled())
    program.write_text(f"{BARE_PYTHON}import marshal\nexec(marshal.loads(open({str(code)!r}, 'rb').read()))\n")
    program.chmod(0o755)
    monkeypatch.setenv("OP_DOUBLE", str(directory))
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return Account(directory)


@functools.cache
def _compiled():
    """The double's code: Python keeps none of a program, and a fifth of what a call costs would be to compile it."""
    return marshal.dumps(compile(OP.read_bytes(), OP, "exec"))


class Account:
    """A 1Password account for the double, with the vaults Personal and Engineering; signed in by the desktop app."""

    def __init__(self, directory):
        self.directory = directory
        self._file = directory / "account.json"
        self.change(accounts=["my.1password.com"], signed_in=True, vaults={"Personal": [], "Engineering": []})

    @property
    def state(self):
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def change(self, **settings):
        self._file.write_text(json.dumps({**self.state, **settings}))

    def add(self, title, *fields, vault="Personal", category="SECURE_NOTE", **more):
        """Puts an item into a vault, past envref; returns its id."""
        state = self.state
        number = sum(map(len, state["vaults"].values()))
        item = {"id": f"item{number:022}", "title": title, "version": 1, "category": category, "fields": fields, **more}
        state["vaults"][vault].append(item)
        self.change(vaults=state["vaults"])
        return item["id"]

    def note(self, title, text, **more):
        return self.add(title, field("notesPlain", text, purpose="NOTES"), **more)

    def items(self, vault="Personal"):
        return {item["title"]: item for item in self.state["vaults"][vault]}

    def calls(self):
        """What op was asked, without the options that every call has."""
        log = self.directory / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def verbs(self):
        """`get`, `list` and so on of every call so far; forgets them."""
        verbs = [call["argv"][1] for call in self.calls()]
        (self.directory / "calls.jsonl").unlink(missing_ok=True)
        return verbs


def field(label, value=None, **more):
    return {"id": label, "type": "STRING", "label": label, **({} if value is None else {"value": value}), **more}
