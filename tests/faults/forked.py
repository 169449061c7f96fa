"""Runs one envref command in many directories, each in a fork of one warm process: a new Python each costs too much.

`python forked.py DIRECTORIES OUTPUT WORD…`: the first file holds a directory a line. The stdout of the run in the n-th
directory goes to OUTPUT/n, its exit status to OUTPUT/n.status, its stderr to OUTPUT/n.stderr. A run gets no more memory
and processor time than a command needs: who wants more ends by a signal, or with an internal error. Each begins with
the attempt to open `/run-of-a-test/n`, which shows in a system call trace where it begins. In a directory, PATH begins
with its `onpath`, and has an empty and a relative part.
"""

import gc
import os
import pathlib
import resource
import sys

from tests import loaded

_MOST = {resource.RLIMIT_AS: 1 << 30, resource.RLIMIT_CPU: 20}  # bytes and seconds; a key derivation takes 128 MiB


def run(number, directory, output, words):
    for descriptor, name in ((1, str(number)), (2, f"{number}.stderr")):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ["PATH"] = f"{directory}/onpath::relative:{os.environ['PATH']}"
    os.chdir(directory)
    for limit, most in _MOST.items():
        resource.setrlimit(limit, (most, most))
    try:
        os.open(f"/run-of-a-test/{number}", os.O_RDONLY)
    except OSError:
        pass
    sys.argv = ["envref", *words]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


if __name__ == "__main__":
    exec(loaded.PRELOAD, {})
    from envref.__main__ import main

    gc.collect()
    gc.freeze()  # a collection in a fork would copy all of it
    output = pathlib.Path(sys.argv[2])
    directories = pathlib.Path(sys.argv[1]).read_text().splitlines()
    for number, directory in enumerate(directories):
        child = os.fork()
        if child == 0:
            status = 70
            try:
                status = run(number, directory, output, sys.argv[3:])
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        (output / f"{number}.status").write_text(str(os.waitstatus_to_exitcode(ended)))
