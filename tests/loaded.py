"""`envref` as a process without Python's start and imports, which are most of what a command of a test costs.

A server (fork_server.py) has loaded what is listed here and becomes the command, in a copy of itself: click, yaml, and
envref's modules. None of them keeps anything at its import but tables: nothing of the environment, of files, of the
time (tests/test_loaded.py); no command ever ran in the server. Left out are `__main__`, which each copy runs as
`python -m envref` does, and what starts threads or connections of its own (keychains, the watcher). A new vault's
passphrase costs 3 ms and not 0.4 s, unless the command says what it shall cost.

A start is real where it could make a difference: the first of each command in a run of tests, `run`, which looks at
what its process was started with, `--debug`, a Python that would be told something else at its start (PYTHON…, the
locale), and every start of a test with `real_starts`: those of starts, imports, memory, traces and signals.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from tests import fork_call, fork_server, reaper
from tests.arguments import PYTHONPATH

PRELOAD = """\
import importlib, pkgutil, runpy, sys
import envref

def load(package):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name not in LEFT_OUT:
            loaded = importlib.import_module(module.name)
            if module.ispkg:
                load(loaded)

LEFT_OUT = {"envref.__main__", "envref.backends.keychain", "envref.project.watch"}
load(envref)

def become(arguments):
    if "--work-factor" not in arguments:
        sys.modules["envref.backends.vault.age"].DEFAULT_WORK_FACTOR = 10
    sys.path.insert(0, __import__("os").getcwd())  # as -m has it
    sys.argv[1:] = arguments
    runpy._run_module_as_main("envref")
"""
CALLER = """\
import sys
sys.path.insert(0, {tests!r})
from fork_call import become
become({address!r}, sys.argv[1:])
"""
_OF_ITS_OWN = '*" run "* | *" agent "* | *" --watch "* | *" --debug "*)'  # a shell's pattern of the arguments
_ENDS = 120.0  # seconds after which a command hangs
_PATIENCE = 60.0  # seconds to load all of it on a machine that has much else to do
_GROUPS = ("backend", "config", "profile", "secret", "sync", "team", "vault")
_LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
# Read before a test's environment is cleared: what a Python is told at its start, and the server's was.
_TOLD = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}


def _told_at_start(environment):
    """What a Python and its C library look at before they run anything, and never again."""
    told = ("PYTHON", "LC_", "LD_", "GLIBC_", "MALLOC_")
    return {name: environment[name] for name in environment if name.startswith(told) or name in ("LANG", "TZ")}


class Envref:
    """The command, as this process of the tests starts it."""

    def __init__(self, started=""):
        self.real = sys.platform != "linux"  # whether every start is
        self.started = started  # a directory that the workers of a run share: a file for each command that was started
        self._server = None

    def run(self, arguments, stdin, environment, directory):
        """The completed process, its output as text."""
        started = _really if self._is_real(arguments, environment, directory) else self._loaded
        return started([os.fsdecode(argument) for argument in arguments], stdin, environment, directory)

    def on_terminal(self, arguments, terminal, environment, directory):
        """The command in a session of its own with this terminal, a descriptor. `wait()` gives its exit status."""
        words = [os.fsdecode(argument) for argument in arguments]
        if self._is_real(words, environment, directory):
            return start_on_terminal([sys.executable, "-m", "envref", *words], terminal, environment, directory)
        self._server = self._server or _Server()
        return _Asked(self._server.ask(words, environment, directory, [terminal] * 3, terminal=True))

    def install(self, folder):
        """Puts a program `envref` into a folder, for a shell: the loaded one, but for what looks at its own process."""
        caller = os.path.join(folder, ".envref.py")
        real = f'exec "{sys.executable}" -m envref "$@"\n'
        script = f'case " $* " in {_OF_ITS_OWN} {real};; esac\nexec "{sys.executable}" -IS "{caller}" "$@"\n'
        _write_program(os.path.join(folder, "envref"), f"#!/bin/sh\n{real if self.real else script}")
        if not self.real:
            self._server = self._server or _Server()
            tests = os.path.dirname(fork_call.__file__)
            _write_program(caller, CALLER.format(tests=tests, address=self._server.address))

    def end(self):
        """Ends the server, if there is one."""
        if self._server:
            self._server.end()
            self._server = None

    def _is_real(self, arguments, environment, directory):
        words = [word for word in map(os.fsdecode, arguments) if not word.startswith("-")]
        command = " ".join(words[: 2 if words[:1] and words[0] in _GROUPS else 1])
        return (
            self.real
            or self._is_first(command)
            or command == "run"
            or "--debug" in arguments
            or not os.path.isdir(directory)
            or _told_at_start(environment) != {**_TOLD, "PYTHONPATH": PYTHONPATH}
        )

    def _is_first(self, command):
        """Whether no worker started it yet. What a command line of a test begins with may be no command."""
        name = urllib.parse.quote(command, safe="", errors="replace")[:200]
        try:
            os.close(os.open(os.path.join(self.started, f"{name}.started"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _loaded(self, arguments, stdin, environment, directory):
        self._server = self._server or _Server()
        pipes = [os.pipe(), os.pipe(), os.pipe()]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        asked = _Asked(self._server.ask(arguments, environment, directory, theirs))
        for descriptor in theirs:
            os.close(descriptor)
        try:
            stdout, stderr = map(_text, _communicate(stdin.encode(), *ours))
        except TimeoutError:
            os.kill(asked.process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, _ENDS) from None
        return subprocess.CompletedProcess(arguments, asked.wait(), stdout, stderr)


ENVREF = Envref()


class _Server:
    """`fork_server.py` with envref loaded, in the session and the process group of the tests, as their children are."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory()
        self.address = os.path.join(self._directory.name, "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-P", fork_server.__file__, self.address, PRELOAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.defpath, **_TOLD, "PYTHONPATH": PYTHONPATH, **reaper.mark()},
        )
        patience = time.monotonic() + _PATIENCE
        while not os.path.exists(self.address):
            if self._process.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"envref could not be loaded: {self._process.communicate()[1].decode()[-1000:]}")
            time.sleep(0.01)

    def ask(self, arguments, environment, directory, descriptors, *, terminal=False):
        """The server's answer, as a file of lines."""
        umask = os.umask(0)
        os.umask(umask)
        request = {
            "arguments": arguments,
            "environment": {name: os.fsdecode(value) for name, value in environment.items()},
            "directory": os.fspath(directory),
            "umask": umask,
            "limits": {limit: resource.getrlimit(limit) for limit in _LIMITS},
            "terminal": terminal,
        }
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(self.address)
            fork_call.send(caller, request, descriptors)
            return caller.makefile(encoding="ascii")

    def end(self):
        self._process.communicate()
        self._directory.cleanup()


class _Asked:
    """A program that the server became, from what it answers: the process, and how that ended."""

    def __init__(self, answer):
        self._answer = answer
        self.process = int(answer.readline())

    def wait(self):
        """Its exit status, once it has ended; negative when it died of that signal."""
        with self._answer:
            return os.waitstatus_to_exitcode(int(self._answer.readline()))


# In the child, because a process with threads, as the tests' may be, must not fork by itself.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def start_on_terminal(command, terminal, environment, directory):
    """The process of a program, in a session of its own with this terminal."""
    return subprocess.Popen(
        [sys.executable, "-IS", "-c", _TAKE_TERMINAL, *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=directory,
        env=environment,
        start_new_session=True,
    )


def _write_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def _really(arguments, stdin, environment, directory):
    return subprocess.run(
        [sys.executable, "-m", "envref", *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        cwd=directory,
        env=environment,
        timeout=_ENDS,
        check=False,
    )


def _communicate(text, stdin, stdout, stderr):
    """All of the two outputs, while the text is given; closes all three. TimeoutError for what hangs."""
    read = {stdout: b"", stderr: b""}
    deadline = time.monotonic() + _ENDS
    with selectors.DefaultSelector() as selector:
        os.set_blocking(stdin, False)
        selector.register(stdin, selectors.EVENT_WRITE)
        for descriptor in read:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise TimeoutError
            for key, _ in selector.select(1):
                if key.fd == stdin:
                    text = _given(stdin, text)
                    is_done = not text
                else:
                    piece = os.read(key.fd, 1 << 16)
                    read[key.fd] += piece
                    is_done = not piece
                if is_done:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return read.values()


def _given(stdin, text):
    """What is still to be written; nothing for a reader that has gone."""
    try:
        return text[os.write(stdin, text) :] if text else text
    except BrokenPipeError:
        return b""


def _text(output):
    """As subprocess reads text."""
    return output.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
