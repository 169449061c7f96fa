"""Asks a fork server (fork_server.py) for a program. A call of a program by a test is little more than this.

Python's own built-in parts only: `socket` and `json` would double the time that a call takes.
"""

import _socket
import marshal
import os
import sys

_DESCRIPTOR = 4  # bytes: C's int


def send(caller, request, descriptors):
    """Asks for a program: `arguments`, `environment`, `directory`, `umask`, `limits`; its stdin, stdout and stderr.

    With `terminal`, the last is the terminal of a session of its own.
    """
    passed = b"".join(each.to_bytes(_DESCRIPTOR, sys.byteorder) for each in descriptors)
    caller.sendmsg([b"!"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, passed)])
    caller.sendall(marshal.dumps(request, 2))  # an old form: the server may be another Python
    caller.shutdown(_socket.SHUT_WR)


def become(address, arguments):
    """Ends as the program does that the server at this address becomes, with the streams of this process."""
    server = _socket.socket(_socket.AF_UNIX)
    server.connect(address)
    umask = os.umask(0)
    os.umask(umask)
    place = {"environment": dict(os.environ), "directory": os.getcwd(), "umask": umask, "limits": {}}
    send(server, {"arguments": arguments, **place}, [0, 1, 2])
    answer = b""
    while answer.count(b"\n") < 2 and (more := server.recv(64)):
        answer += more
    os._exit(os.waitstatus_to_exitcode(int(answer.split()[1])) % 256)
