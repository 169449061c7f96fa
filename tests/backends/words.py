"""What a store makes of another tool's words, and the words of bash with which a hook reads one of its secrets."""

from __future__ import annotations

from envref.backends.base import Backend
from envref.backends.retrieval import Unwritable, Wanted
from envref.backends.table import backend_class
from tests.backends.asking import foreign, keys


def of_command(kind, command):
    """The name and the options that the store reads in a command line, whose words are apart."""
    return backend_class(kind).elsewhere({"command": command.replace(" ", "\0")})


def of_file(kind, **said):
    """The same for what another tool's file says."""
    return backend_class(kind).elsewhere(said)


def hook(kind, *location, name=None, field=None, **options):
    """The retrieval of a foreign name, or of a key where none is given; the reason and the cure where there is none."""
    address = foreign(name) if name else keys("key")[0]
    try:
        return backend_class(kind).retrieval(Wanted(location, options, address, field))
    except Unwritable as error:
        return error.lines()


def command(kind, *location, **said):
    """The same, as the command alone, which is that of every system."""
    retrieval = hook(kind, *location, **said)
    assert retrieval.macos == retrieval.elsewhere
    return retrieval.elsewhere


def declared(kind):
    """What the class declares to be so, of all that a store may."""
    store = backend_class(kind)
    return {name for name in dir(Backend) if getattr(store, name) is True}
