"""Loads what a program needs, once, and becomes the program, in a copy of itself, for every caller.

`python -P fork_server.py ADDRESS PRELOAD`: PRELOAD is Python that defines `become(arguments)`; ADDRESS is the Unix
socket that callers find once they are heard. A caller (fork_call.py) sends a request and three descriptors, and is
answered with two lines: the process, and how it ended as `waitpid` says. The standard library only: the stores' Pythons
run it too.

What a copy becomes begins as a process of its own does: arguments, environment, directory, standard streams, umask and
limits are the caller's, and no other descriptor is open. Standard streams are pipes here too, so those that Python made
of them at its start are right for a caller's pipes. It ends as Python ends, but that what was loaded is not taken down:
that would copy it all, and cost more than most commands. The server ends when its stdin does.
"""

import atexit
import gc
import marshal
import os
import resource
import select
import socket
import sys
import threading


def receive(caller):
    """What fork_call.py sends: a byte that brings the descriptors, then the request to the end."""
    _, descriptors, _, _ = socket.recv_fds(caller, 1, 3)
    content = b"".join(iter(lambda: caller.recv(1 << 20), b""))
    return marshal.loads(content), descriptors


def serve(address):
    """Returns in the copy that is to become the program, with the caller's request in place; in no other process."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(64)
    os.rename(f"{address}.new", address)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            os._exit(0)
        caller, _ = listener.accept()
        _reap()
        if os.fork() == 0:
            request, descriptors = receive(caller)
            _keep(os.fork(), caller, descriptors)
            return _adopt(request, descriptors)
        caller.close()


def _reap():
    """The keepers that have ended. No signal tells: a program would inherit how it is treated."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _keep(process, caller, descriptors):
    """In the parent of the program: says who it is and how it ended, and ends. In the program: nothing."""
    if not process:
        return
    for descriptor in descriptors:
        os.close(descriptor)
    try:
        caller.sendall(f"{process}\n".encode())
        caller.sendall(f"{os.waitpid(process, 0)[1]}\n".encode())
    finally:
        os._exit(0)


def _adopt(request, descriptors):
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.closerange(3, max(3, *descriptors) + 64)
    os.umask(request["umask"])
    for limit, values in request["limits"].items():
        if resource.getrlimit(int(limit)) != tuple(values):
            resource.setrlimit(int(limit), values)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    return request["arguments"]


def _end(code):
    """Waits for threads, calls what is registered, says what is buffered: with this code of a SystemExit."""
    threading._shutdown()
    atexit._run_exitfuncs()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # Python itself says what it can't write
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    place, preload = sys.argv[1:]
    names = {}
    exec(preload, names)
    gc.collect()
    gc.freeze()  # a collection in a copy would copy all of it
    try:
        names["become"](serve(place))
    except SystemExit as end:
        _end(end.code)
    _end(None)
