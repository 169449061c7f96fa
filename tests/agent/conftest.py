"""An agent's folder, and shells: sessions of their own, that ask the agent."""

from __future__ import annotations

import os
import pathlib
import pickle
import shutil
import signal
import tempfile
import time

import pytest

from envref import client
from envref.agent import tell as telling
from envref.agent.start import start
from envref.processes import start_of

PATIENCE = 30.0  # seconds for what happens at once on a quiet machine
HEAD = (b"key", b"vault", b"team", b"600")


class Shell:
    """The leader of a session, and what it does when told to: `shell(function, *arguments)` returns the result.

    The function is run in a child of the leader, as a shell runs a program; `begin` does not wait for it. The result of
    one that is killed is None.
    """

    def __init__(self):
        reading, self._requests = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.close(self._requests)
            _lead(reading)
        os.close(reading)
        self.group = self.pid

    def begin(self, function, *arguments):
        """Starts it; what it returns can be had from the result, once."""
        place = tempfile.mkdtemp(prefix="envref-", dir="/tmp")
        answer = os.path.join(place, "answer")
        os.mkfifo(answer)
        os.write(self._requests, pickle.dumps((answer, function, arguments)).hex().encode() + b"\n")

        def result():
            with open(answer, "rb") as file:
                content = file.read()
            shutil.rmtree(place)
            return pickle.loads(content)

        return result

    def __call__(self, function, *arguments):
        return self.begin(function, *arguments)()

    def end(self):
        """Ends the shell and all that it started."""
        if self.pid:
            self.kill()
        try:
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._requests)
        self.pid = 0


def _lead(reading):
    """Each line is a call, made by a child: the leader itself only leads."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with os.fdopen(reading, "rb") as lines:
        for line in iter(lines.readline, b""):
            if os.fork() == 0:
                answer, function, arguments = pickle.loads(bytes.fromhex(line.decode()))
                content = _of_worker(function, arguments)
                with open(answer, "wb") as file:
                    file.write(content or pickle.dumps(None))
                os._exit(0)
    os._exit(0)


def _of_worker(function, arguments):
    """What the function returns in a process of its own, pickled; nothing if that was killed."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for its own children
        try:
            os.write(writing, pickle.dumps(function(*arguments)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        return file.read()


@pytest.fixture(scope="session", autouse=True)
def led():
    """This process has a session with a leader, as a shell's programs have: an agent keeps nothing without one.

    Who runs the tests may have left its session, or be outside our PID namespace (`docker exec`): then this process
    leads one of its own.
    """
    if not start_of(os.getsid(0)):
        os.setsid()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A machine that is late is none of these tests' subjects."""
    monkeypatch.setattr(client, "PATIENCE", PATIENCE)
    monkeypatch.setattr("envref.agent.start._PATIENCE", PATIENCE)


@pytest.fixture
def folder():
    """A folder for an agent, its path short enough for a socket; the agent there ends with the test."""
    place = tempfile.mkdtemp(prefix="envref-", dir="/tmp")
    yield os.path.join(place, "envref")
    end(os.path.join(place, "envref"))
    shutil.rmtree(place)


@pytest.fixture
def runtime(monkeypatch):
    """Where commands find an agent: this user's, as they see it."""
    runtime = tempfile.mkdtemp(prefix="envref-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    yield os.path.join(runtime, "envref")
    end(os.path.join(runtime, "envref"))
    shutil.rmtree(runtime)


@pytest.fixture
def own(home):
    """Writes the user's own config."""

    def write(text):
        path = home / ".config" / "envref" / "config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def shells():
    """Makes shells, which end with the test."""
    made = []

    def make():
        made.append(Shell())
        return made[-1]

    yield make
    for shell in made:
        shell.end()


def asked(folder, addresses=(b"a",), head=HEAD, until=PATIENCE):
    """A turn with the agent of the folder, which is started if need be."""
    return client.Agent(folder, start).turn(head, addresses, time.monotonic() + until)


def given(folder, *addresses, head=HEAD):
    """What the agent has of these addresses; a lead is given back."""
    turn = asked(folder, addresses, head)
    turn.end()
    return turn.given


def put(folder, answers, head=HEAD):
    """Leads for the addresses, and tells the answers."""
    turn = asked(folder, list(answers), head)
    assert turn.leads
    turn.put(answers)


def told(folder):
    """What the agent says of itself: version, process, seconds, owners, then a row for each store."""
    with client.connect(folder) as line:
        line.say(client.TELL)
        _, version, process, seconds, _, owners, *rows = line.hear(time.monotonic() + PATIENCE)
    return version.decode(), int(process), int(seconds), owners.split(), [row.decode().split("\t") for row in rows]


def process_of(folder):
    return told(folder)[1]


def end(folder):
    """The agent of the folder ends, if there is one."""
    try:
        process = process_of(folder)
    except OSError:
        return
    telling.tell(folder, client.STOP)
    gone(process)


def gone(process):
    """Waits for the end of a process that is nobody's child here."""
    wait_for(lambda: not alive(process))


def alive(process):
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def need_root():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
