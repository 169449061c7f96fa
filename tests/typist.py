"""A command on a terminal, with somebody who answers its questions: what the screen shows, on standard output.

`python typist.py COMMAND [WORD…]`. tests/transcripts.py runs it; what is typed without echo is nowhere to be seen.
"""

from __future__ import annotations

import os
import pty
import re
import sys

ANSWERS = {
    "passphrase: ": "correct horse battery staple",
    "secret value: ": "tr0ub4dor&3",
    "[y/N] ": "y",
}
_PROGRESS = re.compile(r"waiting for [^\n]*?\x1b\[K")


def main(command):
    """Runs the command; its exit status is this one's."""
    child, screen = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    shown = b""
    while part := _read(screen):
        shown += part
        answer = next((answer for question, answer in ANSWERS.items() if shown.endswith(question.encode())), "")
        if answer:
            os.write(screen, f"{answer}\n".encode())
    sys.stdout.write(_PROGRESS.sub("", shown.decode().replace("\r", "")))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _read(screen):
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux says so when the command has ended
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
