"""Commands in copies of this process, which find the agent of the test, and may have to start it."""

from __future__ import annotations

import os
import sys
import tempfile

from envref import __main__
from tests.agent.conftest import told


class Done:
    """What a command printed, and its exit status."""

    def __init__(self, status, stdout, stderr):
        self.returncode = status
        self.stdout = stdout
        self.stderr = stderr


def begin(app, *arguments, stdin="", env=None):
    """Starts the command in a copy of this process, in which an agent may be late; returns what waits for its end."""
    pipes = [os.pipe() for _ in range(2)]
    process = os.fork()
    if process == 0:
        with tempfile.TemporaryFile() as file:
            file.write(stdin.encode())
            file.seek(0)
            for number, descriptor in enumerate((file.fileno(), pipes[0][1], pipes[1][1])):
                os.dup2(descriptor, number)
        os.closerange(3, 256)
        _become(app.path, arguments, env or {})
    for _, writing in pipes:
        os.close(writing)

    def done():
        texts = []
        for reading, _ in pipes:
            with os.fdopen(reading, "rb") as file:
                texts.append(file.read().decode())
        return Done(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), *texts)

    return done


def _become(directory, arguments, environment):
    """Ends as the command does."""
    status = 70
    try:
        os.chdir(directory)
        os.environ.update(environment)
        sys.stdin, sys.argv = os.fdopen(0, encoding="utf-8"), ["envref", *arguments]
        __main__.main()
    except SystemExit as end:
        status = end.code or 0
    finally:
        os._exit(status)


def run(app, *arguments, **more):
    return begin(app, *arguments, **more)()


def rows(folder):
    """The stores that the agent knows; none without an agent."""
    try:
        return told(folder)[4]
    except OSError:
        return []


def noting_each(method, path):
    """The method, which also leaves a dot in the file each time, in whichever process that is."""
    path.touch()

    def noting(*arguments):
        with open(path, "a", encoding="ascii") as file:
            file.write(".")
        return method(*arguments)

    return noting
