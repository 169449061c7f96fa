"""Runs envref commands in many directories, each in a fork of one warm process: a new Python each costs too much.

Its stdin has a request a line, as JSON: `directories`, the `output` directory, `words`, `environment` and the `number`
of the first run. stdout, exit status and stderr of run N go to OUTPUT/N, OUTPUT/N.status and OUTPUT/N.stderr; once all
are there, its own stdout says so in a line. A run gets no more memory and processor time than a command needs: who
wants more ends by a signal, or with an internal error. Each begins with the attempt to open `/run-of-a-test/N`, which
shows in a system call trace where it begins; so does the end of all. In a directory, PATH begins with its `onpath`, and
has an empty and a relative part.
"""

import gc
import json
import os
import pathlib
import resource
import sys

from tests import loaded

_MOST = {resource.RLIMIT_AS: 1 << 30, resource.RLIMIT_CPU: 20}  # bytes and seconds; a key derivation takes 128 MiB


def run(number, directory, output, request):
    for descriptor, name in ((1, str(number)), (2, f"{number}.stderr")):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ["PATH"] = f"{directory}/onpath::relative:{os.environ['PATH']}"
    os.chdir(directory)
    for limit, most in _MOST.items():
        resource.setrlimit(limit, (most, most))
    mark(number)
    sys.argv = ["envref", *request["words"]]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


def mark(name):
    try:
        os.open(f"/run-of-a-test/{name}", os.O_RDONLY)
    except OSError:
        pass


def run_all(request):
    output = pathlib.Path(request["output"])
    for number, directory in enumerate(request["directories"], request["number"]):
        child = os.fork()
        if child == 0:
            status = 70
            try:
                status = run(number, directory, output, request)
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        (output / f"{number}.status").write_text(str(os.waitstatus_to_exitcode(ended)))
    mark("end")


if __name__ == "__main__":
    exec(loaded.PRELOAD, {})
    from envref.__main__ import main

    gc.collect()
    gc.freeze()  # a collection in a fork would copy all of it
    while line := sys.stdin.readline():
        run_all(json.loads(line))
        print("done", flush=True)
