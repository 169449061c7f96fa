"""How a test asks a store: addresses of project "app", time enough, and what it answers as text or as the error."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendError
from tests.conftest import ROOT

KEY = Address("app", "key")
# The cure for words that no table knows.
BY_HAND = "  hint: run the store's own program by hand; envref -v shows which store was asked"


def soon(seconds=60):
    """A deadline that only a store that hangs passes."""
    return time.monotonic() + seconds


def keys(*names, **scope):
    return [Address("app", name, **scope) for name in names]


def foreign(name, field=None):
    """A secret that is not envref's own, under the store's name for it."""
    return Address("", "", foreign=name, field=field)


def foreign_keys(*names):
    return [foreign(name) for name in names]


def texts(answers):
    """Answers by the address as text, its field included: the value as text, or the error."""
    return {_name(address): _text(answer) for address, answer in answers.items()}


def answers_of(store, *addresses):
    """What a store answers, as `texts` has it."""
    return texts(store.get_many(addresses, soon()))


def answer_of(store, address=KEY, deadline=None, among=()):
    """The value as text, the error, raised or given, or None when absent. `among` is asked for in the same batch."""
    try:
        return _text(store.get_many([address, *among], deadline or soon()).get(address))
    except BackendError as error:
        return error


def error_of(call):
    with pytest.raises(BackendError) as caught:
        call()
    return caught.value


_READING = """
import sys, time
from envref.backends.table import backend_class
from envref.refs.address import Address
address = Address("app", "key")
store = backend_class({kind!r})({kind!r}, **{options!r})
print(store.get_many([address], time.monotonic() + 60)[address].reveal())
print(*sys.modules)
"""


def read_alone(kind, **options):
    """The value of KEY as a process of its own reads it, and the names of all modules that it loads for that."""
    code = _READING.format(kind=kind, options=options)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    value, modules = done.stdout.splitlines()
    return value, set(modules.split())


def _name(address):
    return f"{address}#{address.field}" if address.field else str(address)


def _text(answer):
    return answer.reveal() if isinstance(answer, Secret) else answer
