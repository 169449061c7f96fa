"""Python imports a module of this name at its start: in the tests, it watches what each Python starts.

Everybody on a machine may read the argument lists of its programs. Each start is a line in the file that
TESTS_ARGUMENTS names, a dictionary as Python writes it: the program, its argument list, and the places in it that hold
a value which the starting process knows as a secret. Only what Python's start itself imports is imported here: `json`
would be the third part of every start.
"""

import os
import sys

LOG = "TESTS_ARGUMENTS"
SHORTEST = 8  # characters; shorter values ("value", "staging") are words that stand in any argument list

# What tells of a start, with the program and its argument list (the table of audit events in Python's manual).
_STARTS = ("subprocess.Popen", "os.exec", "os.posix_spawn")


def holding(argv, values):
    """The places of an argument list, from 0, that hold one of the values."""
    telling = [value for value in values if len(value) >= SHORTEST]
    return [place for place, argument in enumerate(argv) if any(value in argument for value in telling)]


def known():
    """The values that this process knows as secrets."""
    module = sys.modules.get("envref.secret")
    return list(getattr(module, "_known", ()))


def _observe(event, details):
    log = os.environ.get(LOG) if event in _STARTS else None
    if log:
        program, given, *_ = details
        argv = [os.fsdecode(part) for part in ([given] if isinstance(given, (str, bytes)) else given)]
        name = os.path.basename(os.fsdecode(program))
        _append(log, ascii({"program": name, "argv": argv, "secret": holding(argv, known())}))


def _append(log, line):
    # one write, so that the lines of programs that run at the same time don't mix
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode("ascii"))
    finally:
        os.close(descriptor)


sys.addaudithook(_observe)
