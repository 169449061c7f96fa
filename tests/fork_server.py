"""Loads what a program needs, once, and becomes the program, in a copy of itself, for every caller.

`python -P fork_server.py ADDRESS PRELOAD`: PRELOAD is Python that defines `become(arguments)`; ADDRESS is the Unix
socket that callers find once they are heard. A caller (fork_call.py) sends a request and three descriptors, and is
answered with two lines: the process, and how it ended as `waitpid` says. The standard library only: the stores' Pythons
run it too.

What a copy becomes begins as a process of its own does: arguments, environment, directory, standard streams, umask and
limits are the caller's, and no other descriptor is open. Standard streams are pipes here too, so those that Python made
of them at its start are right for a caller's pipes; of a terminal they are made again, and a request may want it as
that of a session of the copy's own. It ends as Python ends, but that what was loaded is not taken down: that would copy
it all, and cost more than most commands. The server ends when its stdin does.
"""

import atexit
import fcntl
import gc
import marshal
import os
import resource
import select
import signal
import socket
import sys
import termios
import threading


def receive(caller):
    """What fork_call.py sends: a byte that brings the descriptors, then the request to the end. None if it has gone."""
    try:
        _, descriptors, _, _ = socket.recv_fds(caller, 1, 3)
        return marshal.loads(b"".join(iter(lambda: caller.recv(1 << 20), b""))), descriptors
    except (OSError, EOFError, ValueError, TypeError):
        return None


def serve(address):
    """Returns in the copy that is to become the program, with the caller's request in place; in no other process."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(64)
    os.rename(f"{address}.new", address)
    ended = _told_of_ends()
    callers = {}
    while True:
        ready, _, _ = select.select([listener, ended, 0], [], [])
        if 0 in ready:
            os._exit(0)
        if ended in ready:
            os.read(ended, 1 << 10)
            _reap(callers)
        if listener not in ready:
            continue
        caller, _ = listener.accept()
        if (received := receive(caller)) is None:
            continue
        process = os.fork()
        if process == 0:
            return _adopt(*received)
        for descriptor in received[1]:
            os.close(descriptor)
        callers[process] = caller
        _tell(caller, process)


def _told_of_ends():
    """What can be read once a child has ended. A copy has nothing of it (`_adopt`)."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])  # whoever started the tests may have blocked it
    return reading


def _reap(callers):
    """Tells each caller how its program ended."""
    while callers:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        with callers.pop(process) as caller:
            _tell(caller, status)


def _tell(caller, number):
    try:
        caller.sendall(f"{number}\n".encode())
    except OSError:
        pass  # it has gone


def _adopt(request, descriptors):
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.closerange(3, max(3, *descriptors) + 64)
    if request.get("terminal"):
        os.setsid()
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)
    _meet_terminals()
    os.umask(request["umask"])
    for limit, values in request["limits"].items():
        if resource.getrlimit(int(limit)) != tuple(values):
            resource.setrlimit(int(limit), values)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    return request["arguments"]


def _meet_terminals():
    """Makes the standard streams that are a terminal again, as Python does at its start: a line at a time."""
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if os.isatty(descriptor):
            piped = getattr(sys, name)
            stream = os.fdopen(descriptor, mode, encoding=piped.encoding, errors=piped.errors, closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


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
