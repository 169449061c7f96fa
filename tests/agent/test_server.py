"""The agent as a process: how it starts and ends, whom it serves, what can't be got out of it, what can't break it."""

from __future__ import annotations

import ctypes
import os
import pathlib
import random
import resource
import select
import shutil
import signal
import socket
import sys
import time
import types

import pytest

from envref import __version__, client, processes
from envref.agent import guest as agent_guest
from envref.agent import owners, start
from envref.agent import process as agent_process
from envref.agent import server as agent_server
from envref.agent import tell as telling
from tests.agent.conftest import (
    HEAD,
    PATIENCE,
    alive,
    asked,
    given,
    gone,
    need_root,
    process_of,
    put,
    told,
    wait_for,
)
from tests.nightly import count
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

VALUE = b"agent-held-value-1f9c"


def kept_in(folder, value=VALUE):
    put(folder, {b"a": b"V" + value})
    return process_of(folder)


def leading(folder, seconds):
    """Takes the lead and keeps it for so long, or until it is killed."""
    turn = asked(folder)
    pathlib.Path(folder, f"leads-{os.getpid()}").touch()
    time.sleep(seconds)
    turn.end()


def test_what_one_shell_got_the_other_has(folder, shells):
    """A value, an absence; nothing else."""
    first, second = shells(), shells()
    first(put, folder, {b"a": b"Vone", b"b": b"A"})
    assert second(given, folder, b"a", b"b", b"c") == {b"a": b"one", b"b": None}


def test_ten_at_once_start_one_agent_and_ask_once(folder, shells):
    """Nine wait for the one that leads."""
    shell = shells()
    results = [shell.begin(_fetched, folder) for _ in range(10)]
    outcomes = [result() for result in results]
    assert sorted(outcomes) == [("asked", b"one")] + [("given", b"one")] * 9
    assert len(told(folder)[4]) == 1


def _fetched(folder):
    turn = asked(folder)
    if not turn.leads:
        return "given", turn.given[b"a"]
    time.sleep(0.2)
    turn.put({b"a": b"Vone"})
    return "asked", b"one"


def test_the_last_owner_takes_values_and_process_along(folder, shells):
    """While another shell uses them they stay."""
    first, second = shells(), shells()
    first(put, folder, {b"a": b"Vone"})
    assert second(given, folder, b"a") == {b"a": b"one"}
    process = process_of(folder)
    first.kill()
    assert second(given, folder, b"a") == {b"a": b"one"}
    second.kill()
    gone(process)
    assert not os.path.exists(client.socket_path(folder))


def test_a_session_without_its_leader_keeps_nothing(folder, shells):
    """Its owner is dead already."""
    shell = shells()
    result = shell.begin(_put_later, folder)
    wait_for(lambda: os.path.exists(f"{folder}.ready"))
    shell.kill()
    os.unlink(f"{folder}.ready")
    assert result() == f"agent: {client.NO_SESSION}"
    assert told(folder)[4] == []


def _put_later(folder):
    pathlib.Path(f"{folder}.ready").touch()
    wait_for(lambda: not os.path.exists(f"{folder}.ready"))
    agent = client.Agent(folder, start.start)
    agent.turn(HEAD, [b"a"], time.monotonic() + PATIENCE).put({b"a": b"Vone"})
    return agent.note


def test_without_a_pidfd_the_start_time_tells_who_ended():
    """As in old kernels and under filters of system calls; a number that another process got is another owner."""
    process = os.fork()
    if process == 0:
        signal.pause()
    began = processes.start_of(process)
    assert began
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: processes.start_of(process) == "")  # a zombie has ended
    os.waitpid(process, 0)
    assert processes.start_of(process) == ""


def test_it_stops_when_told_and_when_it_is_terminated(folder):
    """The socket goes with it."""
    for end in (lambda _: telling.tell(folder, client.STOP), lambda process: os.kill(process, signal.SIGTERM)):
        process = kept_in(folder)
        end(process)
        gone(process)
        assert not os.path.exists(client.socket_path(folder))


def test_it_ends_when_its_folder_is_gone(folder):
    """And leaves alone what another agent has there by then."""
    process = kept_in(folder)
    shutil.rmtree(folder)
    other = kept_in(folder)
    assert other != process
    gone(process)
    assert given(folder, b"a") == {b"a": VALUE}


def test_after_kill_9_the_next_starts_another(folder):
    """A stale socket and lock are left, and are no hindrance."""
    process = kept_in(folder)
    os.kill(process, signal.SIGKILL)
    gone(process)
    assert given(folder, b"a") == {}
    assert process_of(folder) != process


def test_a_leader_killed_while_it_asks_hands_on(folder, shells):
    """The one who waits leads."""
    leader, waiting = shells(), shells()
    leader.begin(leading, folder, 60)
    wait_for(lambda: list(pathlib.Path(folder).glob("leads-*")) if os.path.isdir(folder) else False)
    [mark] = pathlib.Path(folder).glob("leads-*")
    result = waiting.begin(_fetched, folder)
    os.kill(int(mark.name.partition("-")[2]), signal.SIGKILL)
    assert result() == ("asked", b"one")


def test_nobody_waits_longer_than_he_may(folder, shells):
    """The leader has more time than who waits."""
    shell = shells()
    shell.begin(leading, folder, 60)
    wait_for(lambda: list(pathlib.Path(folder).glob("leads-*")) if os.path.isdir(folder) else False)
    with pytest.raises(client.Late):
        asked(folder, until=0.05)


def test_kills_at_random_never_give_a_wrong_value(folder, shells):
    """Of the agent, of the leader, of both: who asks gets what the store has, or asks it, and no agent is left over."""
    shell = shells()
    chance = random.Random(20261127)
    for number in range(count(12, 100)):
        value = b"%d" % number
        steps = f"{folder}.steps-{number}"
        pathlib.Path(steps).touch()
        results = [shell.begin(_value_of, folder, steps, value) for _ in range(_ASKERS)]
        after = chance.randint(0, _ASKERS * _STEPS)
        wait_for(lambda steps=steps, after=after: os.path.getsize(steps) >= after)
        if number % 3 != 1:
            _kill_agent(folder)
        if number % 3 != 0:
            _kill_leader(steps)
        found = [result() for result in results]
        assert {each for each in found if each} <= {value}, f"killed after {after} steps"
        telling.tell(folder, client.FORGET)
    process = process_of_or_none(folder)
    shell.kill()
    if process:
        gone(process)
    assert not _agents_of(folder)


_ASKERS, _STEPS = 3, 3


def _value_of(folder, steps, value):
    """The value, which the store is asked for if need be. Each step is acknowledged by a byte in a file."""
    _acknowledge(steps)
    turn = asked(folder)
    if turn.leads:
        pathlib.Path(f"{steps}.leader").write_text(str(os.getpid()), encoding="utf-8")
    _acknowledge(steps)
    given = turn.given.get(b"a")
    if given is None:
        turn.put({b"a": b"V" + value})
    _acknowledge(steps)
    return given or value


def _acknowledge(steps):
    with open(steps, "ab", buffering=0) as file:
        file.write(b".")


def _kill_agent(folder):
    process = process_of_or_none(folder)
    if process:
        os.kill(process, signal.SIGKILL)


def _kill_leader(steps):
    try:
        os.kill(int(pathlib.Path(f"{steps}.leader").read_text(encoding="utf-8")), signal.SIGKILL)
    except (OSError, ValueError):
        pass


def process_of_or_none(folder):
    try:
        return process_of(folder)
    except OSError:
        return None


def _agents_of(folder):
    found = []
    for entry in os.listdir("/proc"):
        try:
            command = pathlib.Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue
        if entry.isdigit() and os.fsencode(folder) in command.split(b"\0") and alive(int(entry)):
            found.append(int(entry))
    return found


# What the machine may lack.


@pytest.mark.parametrize(
    ("kind", "most"),
    [(resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 48)],
    ids=["disk is full", "few descriptors"],
)
def test_it_lives_where_there_is_little(folder, shells, kind, most):
    """No file of its folder can be written; its starter may open few: it serves all the same, sixty at once."""
    shell = shells()
    shell(_started_with, folder, kind, most)
    put(folder, {b"a": b"V" + VALUE})
    lines = [client.connect(folder) for _ in range(60)]
    for line in lines:
        assert line.ask(client.TELL)[0] == client.DONE
        line.close()


def _started_with(folder, kind, most):
    resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
    start.start(folder)


def test_who_is_gone_before_the_kernel_names_him_is_no_trouble(folder):
    """As on macOS, by its manual page of getsockopt: LOCAL_PEERPID fails for one that has ended. Nobody saw it."""
    os.mkdir(folder, 0o700)
    if os.fork() == 0:
        try:
            os.closerange(3, 256)
            real, fails = client.peer, [OSError(57, "Socket is not connected")]
            client.peer = lambda connection: _raised(fails.pop()) if fails else real(connection)
            agent_process.protect = lambda: None
            agent_process.serve(folder)
        finally:
            os._exit(1)
    os.wait()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(client.socket_path(folder))
        assert connection.recv(1) == b""
    assert given(folder, b"a") == {}


def _raised(error):
    raise error


class Queue:
    """A kqueue for EVFILT_PROC, by FreeBSD's and macOS's kqueue(2): what does not live is ESRCH, an exit is told once,
    and the descriptor is readable until then. Nobody compared it with the real one.
    """

    def __init__(self, living):
        self.living = living
        self.watched = set()
        self.ended = []
        self._reading, self._writing = os.pipe()

    def fileno(self):
        return self._reading

    def control(self, changes, most, timeout):
        assert timeout == 0
        for process, flag in changes or ():
            if process not in self.living or (flag == "delete" and process not in self.watched):
                raise ProcessLookupError(3, "No such process")
            (self.watched.add if flag == "add" else self.watched.remove)(process)
        told, self.ended = self.ended[:most], self.ended[most:]
        if told:
            os.read(self._reading, 1)
        return [types.SimpleNamespace(ident=process) for process in told]

    def exit(self, process):
        self.living.discard(process)
        if process in self.watched:
            self.watched.remove(process)
            self.ended.append(process)
            os.write(self._writing, b".")


def test_a_kqueue_tells_of_owners_at_once(monkeypatch):
    """As on macOS: by the descriptor that the loop waits for; who has ended is no owner."""
    queue = Queue({7, 8, 10})
    double = types.SimpleNamespace(
        kqueue=lambda: queue,
        kevent=lambda process, kind, flag, what: (process, flag),
        KQ_FILTER_PROC="proc",
        KQ_EV_ADD="add",
        KQ_EV_DELETE="delete",
        KQ_NOTE_EXIT="exit",
    )
    monkeypatch.setattr(owners, "_select", double)
    monkeypatch.setattr(owners.sys, "platform", "darwin")
    poll = select.poll()
    found = owners.Owners(poll)
    assert [found.add(7), found.add(8), found.add(9)] == [True, True, False]
    assert poll.poll(0) == []
    queue.exit(7)
    assert found.add(10)  # which does not take away what the queue has to tell
    assert poll.poll(0) == [(queue.fileno(), select.POLLIN)]
    assert found.ended(queue.fileno()) == [7]
    assert (poll.poll(0), found.ended()) == ([], [])
    for owner in (7, 8, 10):
        found.remove(owner)
    assert (set(found), queue.watched) == (set(), set())


# What can't be got out of it.


def test_it_has_no_environment_no_terminal_no_open_file_of_whoever_started_it(folder, monkeypatch):
    """Whoever waits for the end of its output does not wait for the agent; of its arguments only the folder is told."""
    monkeypatch.setenv("SECRET_OF_TEST", VALUE.decode())
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    process = kept_in(folder)
    os.close(writing)
    assert os.read(reading, 1) == b""  # nobody else has it
    os.close(reading)
    found = pathlib.Path("/proc", str(process))
    assert VALUE not in (found / "cmdline").read_bytes()
    assert os.getsid(process) != os.getsid(0)
    if os.geteuid() == 0:  # others may not even look
        assert (found / "environ").read_bytes().strip(b"\0").split(b"\0") in ([b""], [b"LC_CTYPE=C.UTF-8"])
        opened = {os.readlink(each) for each in (found / "fd").iterdir()}
        assert not {each for each in opened if each.startswith(("pipe:", "/dev/pts"))}


def test_nothing_of_a_value_is_in_a_file(folder):
    """Not in its folder, not by another name."""
    kept_in(folder)
    for path in pathlib.Path(folder).parent.rglob("*"):
        if path.is_file():
            assert VALUE not in path.read_bytes()


def test_no_process_of_the_same_user_reads_its_memory(folder):
    """Tried as a user who is not root: attaching and reading are refused, and no core is written."""
    need_root()
    folder_of_nobody(folder)
    process = as_user(NOBODY, _served, folder)
    try:
        assert as_user(NOBODY, _attempts, process) == ["environ", "mem", "attach"]
        limits = pathlib.Path(f"/proc/{process}/limits").read_text(encoding="utf-8")
        [core] = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"]
    finally:
        os.kill(process, signal.SIGKILL)


def _served(folder):
    """Becomes an agent in a child, without a new Python: that user may not be able to read where it is installed."""
    if os.fork() == 0:
        os.closerange(3, 256)  # whoever reads what this process says waits for the end of all that have the pipe
        agent_process.serve(folder)
        os._exit(1)
    os.wait()
    return kept_in(folder)


def _attempts(process):
    """What was refused."""
    refused = []
    for name in ("environ", "mem"):
        try:
            with open(f"/proc/{process}/{name}", "rb"):
                pass
        except PermissionError:
            refused.append(name)
    attach = 16
    if ctypes.CDLL(None, use_errno=True).ptrace(attach, process, 0, 0) != 0:
        refused.append("attach")
    return refused


# Who else may come.

NOBODY, SOMEBODY = 65534, 65533


def folder_of_nobody(folder):
    os.chmod(os.path.dirname(folder), 0o711)
    os.mkdir(folder, 0o700)
    os.chown(folder, NOBODY, NOBODY)


def as_user(uid, function, *arguments):
    """What the function returns in a process of that user; its exception's name if it raises."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            result = function(*arguments)
        except BaseException as error:
            result = type(error).__name__
        os.write(writing, repr(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        content = file.read()
    os.waitpid(process, 0)
    return eval(content)


def test_another_user_is_served_nothing_even_where_the_folder_lets_him_in(folder):
    """The kernel says who it is; root's folder was opened by mistake."""
    need_root()
    kept_in(folder)
    for path, mode in ((os.path.dirname(folder), 0o711), (folder, 0o711), (client.socket_path(folder), 0o666)):
        os.chmod(path, mode)
    assert as_user(NOBODY, _raw_answer, folder) == b""
    os.chmod(folder, 0o700)
    assert given(folder, b"a") == {b"a": VALUE}


def _raw_answer(folder):
    """What comes back without the client's own care."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(client.socket_path(folder))
        try:
            connection.sendall(client.frame((client.GET, client.PROTOCOL, b"", *HEAD, b"a")))
            return connection.recv(100)
        except OSError:
            return b""


def test_the_agent_of_another_user_is_not_believed(folder):
    """A socket of his in our own folder, as after a `chown`."""
    need_root()
    os.makedirs(folder, 0o700)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(client.socket_path(folder))
    process = os.fork()
    if process == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        listening.listen(1)  # the one whom the kernel names
        signal.pause()
    try:
        with pytest.raises(client.Untrustworthy):
            _connected(folder)
        agent = client.Agent(folder, start.start)
        turn = agent.turn(HEAD, [b"a"], time.monotonic() + PATIENCE)
        assert (turn.given, turn.leads) == ({}, False)
        assert agent.note == f"agent: {folder} has the agent of another user"
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _connected(folder):
    """Connects, once somebody listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return client.connect(folder)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_enter_is_not_used(folder, mode):
    """Neither asked nor given an agent."""
    os.makedirs(folder)
    os.chmod(folder, mode)
    agent = client.Agent(folder, start.start)
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert agent.note == f"agent: {folder} is not a folder that only you can enter"
    assert os.listdir(folder) == []


def test_a_link_or_a_file_in_its_place_is_not_used(folder):
    elsewhere = f"{folder}-elsewhere"
    os.mkdir(elsewhere, 0o700)
    for make in (lambda: os.symlink(elsewhere, folder), lambda: pathlib.Path(folder).touch()):
        make()
        agent = client.Agent(folder, start.start)
        assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
        assert agent.note
        os.unlink(folder)
    assert os.listdir(elsewhere) == []


def test_a_folder_that_others_can_replace_is_not_used(folder):
    """What is above it is everybody's and not sticky."""
    os.chmod(os.path.dirname(folder), 0o777)
    agent = client.Agent(folder, start.start)
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert agent.note == f"agent: {folder} is in a folder where others can replace it"


def test_root_leaves_no_folder_in_another_user_s_place(folder):
    """As `sudo` does that keeps XDG_RUNTIME_DIR: the user's own agent could not be there any more."""
    need_root()
    os.chown(os.path.dirname(folder), NOBODY, NOBODY)
    agent = client.Agent(folder, start.start)
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert agent.note
    assert not os.path.lexists(folder)


# What can't break it.


def test_a_thousand_connections_and_half_frames_leave_it_alive(folder):
    """More than it takes are closed at once; what does not end is closed after a while; then it serves again."""
    process = kept_in(folder)
    many = []
    for _ in range(1000):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        many.append(connection)
        try:
            connection.connect(client.socket_path(folder))
            connection.sendall(b"\0\0")
        except OSError:
            pass  # refused, or closed already
    for connection in many:
        connection.close()
    late = time.monotonic() + 20  # what waits to be accepted is still served one by one
    while process_of_or_none(folder) is None and time.monotonic() < late:
        time.sleep(0.05)
    assert process_of(folder) == process
    assert given(folder, b"a") == {b"a": VALUE}


def test_who_asks_and_never_reads_does_not_stop_the_others(folder):
    """However much it is that he does not read."""
    put(folder, {b"large": b"V" + b"x" * 1_000_000})
    process = kept_in(folder)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(client.socket_path(folder))
        connection.settimeout(1)
        try:
            for _ in range(200):
                connection.sendall(client.frame((client.GET, client.PROTOCOL, b"", *HEAD, b"large")))
        except OSError:
            pass  # closed
        assert given(folder, b"a") == {b"a": VALUE}
    assert process_of(folder) == process


# Trouble costs little.


def test_an_agent_that_does_not_answer_is_given_up(folder, monkeypatch):
    """It is stopped; it is asked once, the next question goes to the store right away."""
    process = kept_in(folder)
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    agent = client.Agent(folder, start.start)
    try:
        turn = agent.turn(HEAD, [b"a"], time.monotonic() + PATIENCE)
        assert (turn.given, turn.leads, agent.note) == ({}, False, "agent: no answer")
        with monkeypatch.context() as patched:
            patched.setattr(client, "connect", None)
            assert not agent.turn(HEAD, [b"a"], time.monotonic() + PATIENCE).leads
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_path_that_is_too_long_for_a_socket_is_named(folder):
    """As of a deep XDG_RUNTIME_DIR: the store is asked."""
    deep = os.path.join(folder, *["d" * 40] * 3)
    os.makedirs(deep, 0o700)
    agent = client.Agent(os.path.join(deep, "envref"), start.start)
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert agent.note == f"agent: {agent.place} has too long a path for a socket"
    assert not os.path.exists(agent.place)


def test_it_is_started_at_most_twice(folder):
    """Whatever ends it at its start."""
    starts = []
    agent = client.Agent(folder, starts.append)
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert not agent.turn(HEAD, [b"a"], time.monotonic() + 1).leads
    assert starts == [folder, folder]
    assert agent.note == f"agent: {folder}: No such file or directory"


def test_it_is_small(folder):
    """Private memory with a hundred values (issue 17)."""
    put(folder, {b"%064d" % number: b"V" + b"x" * 100 for number in range(100)})
    rows = pathlib.Path(f"/proc/{process_of(folder)}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    private = sum(int(row.split()[1]) for row in rows if row.startswith("Private_"))
    assert private < 6 * 1024


# Its limits, tried in this process, with a clock that is put forward.


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(agent_server, "now", found)
    monkeypatch.setattr(agent_guest, "now", found)
    return found


@pytest.fixture
def server(folder, clock, monkeypatch):
    """An agent that works when it is told to; every guest's session is led by this process."""
    monkeypatch.setattr(agent_server, "session_of", lambda _: os.getpid())
    os.mkdir(folder, 0o700)
    listening = agent_process._listening(client.socket_path(folder))
    found = agent_server.AgentServer(listening, folder)
    yield found
    for guest in list(found._guests.values()):
        found._close(guest)
    listening.close()


def works(server):
    """Does all that there is to do."""
    while happened := server._poll.poll(0):
        for descriptor, _ in happened:
            server._happened(descriptor)


def come(server, folder):
    """A connection that it has accepted, or refused."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(client.socket_path(folder))
    works(server)
    return connection


def is_closed(connection):
    """Whether the other end has closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1 << 20) == b""
    except BlockingIOError:
        return False


def answer(server, guest, *fields):
    """What it says to that; nothing if nothing."""
    guest.sendall(client.frame(fields))
    works(server)
    return heard(guest)


def heard(guest):
    """What it has said meanwhile."""
    guest.setblocking(False)
    try:
        data = guest.recv(1 << 16)
    except BlockingIOError:
        return []
    assert int.from_bytes(data[:4], "big") == len(data) - 4, "one frame"
    return data[4:].split(b"\0")


GET = (client.GET, client.PROTOCOL, b"use", *HEAD)
GET_A = client.frame((*GET, b"a"))


@pytest.fixture
def filled(server, folder):
    """It keeps two values."""
    guest = come(server, folder)
    assert answer(server, guest, *GET, b"a", b"b") == [client.LEAD, b"?", b"?"]
    assert answer(server, guest, client.PUT, b"a", b"Vone", b"b", b"A") == []
    assert answer(server, guest, *GET, b"a", b"b") == [client.HITS, b"Vone", b"A"]
    guest.close()
    works(server)
    return server


def test_whoever_waits_leads_when_the_leader_goes(server, folder):
    """Without another word of his."""
    leader, waiting = come(server, folder), come(server, folder)
    assert answer(server, leader, *GET, b"a") == [client.LEAD, b"?"]
    assert answer(server, waiting, *GET, b"a") == [client.WAIT]
    leader.close()
    works(server)
    assert heard(waiting) == [client.LEAD, b"?"]


def test_while_a_store_is_written_nothing_of_its_kind_is_here(filled, folder):
    """Nor afterwards: it was forgotten; of another kind all stays."""
    writer, guest = come(filled, folder), come(filled, folder)
    assert answer(filled, writer, client.WRITE, client.PROTOCOL, b"1password") == [client.DONE]
    assert answer(filled, guest, *GET, b"a") == [client.HITS, b"Vone"]
    assert answer(filled, writer, client.WRITE, client.PROTOCOL, b"vault") == [client.DONE]
    assert answer(filled, guest, *GET, b"a") == [client.ALONE]
    writer.close()
    works(filled)
    assert answer(filled, guest, *GET, b"a") == [client.LEAD, b"?"]


@pytest.mark.parametrize(
    ("words", "is_kept"),
    [
        ((client.LEAVE, b"other"), True),
        ((client.LEAVE, b"use"), False),
        ((client.LEAVE, b""), True),
        ((client.FORGET, b"1password"), True),
        ((client.FORGET, b"vault"), False),
        ((client.FORGET,), False),
        ((client.STAY,), True),
    ],
)
def test_what_makes_it_forget(filled, folder, words, is_kept):
    """It says when that is done."""
    guest = come(filled, folder)
    assert answer(filled, guest, *words) == [client.DONE]
    assert answer(filled, guest, *GET, b"a") == ([client.HITS, b"Vone"] if is_kept else [client.LEAD, b"?"])


def test_an_owner_that_ended_takes_along_what_is_asked_for_it(filled, folder):
    """What its session kept, and what a store says after its end."""
    guest = come(filled, folder)
    assert answer(filled, guest, *GET, b"c") == [client.LEAD, b"?"]
    filled._end_owner(os.getpid())
    assert answer(filled, guest, client.PUT, b"c", b"Vlate") == []
    assert not filled._kept
    assert (list(filled._owners), list(filled._kept.owners())) == ([], [])


def test_an_owner_that_ends_is_told_of_at_once(server, folder, monkeypatch):
    """By the descriptor that the loop waits for."""
    owner = os.fork()
    if owner == 0:
        signal.pause()
        os._exit(0)
    monkeypatch.setattr(agent_server, "session_of", lambda _: owner)
    guest = come(server, folder)
    assert answer(server, guest, *GET, b"a") == [client.LEAD, b"?"]
    assert answer(server, guest, client.PUT, b"a", b"Vone") == []
    assert list(server._owners) == [owner]
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    works(server)
    assert (bool(server._kept), list(server._owners), [each.owner for each in server._guests.values()]) == (
        False,
        [],
        [0],
    )


def test_nobody_is_waited_for(server, folder):
    """Neither one who has gone before he is accepted, nor one who says nothing yet."""
    server._accept()
    assert server._guests == {}
    come_and_stay = come(server, folder)
    [guest] = server._guests.values()
    assert (guest.socket.gettimeout(), is_closed(come_and_stay)) == (0, False)


def test_it_tells_who_uses_it(filled, folder):
    """Version, process, seconds, the asking session and all of them; a row a store."""
    filled._started -= 7
    told = answer(filled, come(filled, folder), client.TELL)
    me = b"%d" % os.getpid()
    row = b"vault\tteam\t1\t1\t1\t0\t0"
    assert told == [client.DONE, __version__.encode(), me, b"7", me, me, row]


def test_it_stops_when_told(filled, folder):
    """The answer goes out before."""
    assert answer(filled, come(filled, folder), client.STOP) == [client.DONE]
    assert filled._is_over()


def test_it_ends_when_nobody_comes(server, clock, folder):
    """In its first two seconds; one who comes keeps it until he has gone."""
    clock.now += 1.9
    assert not server._is_over()
    guest = come(server, folder)
    clock.now += 0.1
    assert not server._is_over()
    guest.close()
    works(server)
    assert server._is_over()


def test_more_guests_than_it_takes_are_sent_away(server, folder, monkeypatch):
    """At once; one that leaves makes room."""
    monkeypatch.setattr(agent_server, "MOST_GUESTS", 2)
    guests = [come(server, folder) for _ in range(3)]
    assert [is_closed(guest) for guest in guests] == [False, False, True]
    guests[0].close()
    works(server)
    assert not is_closed(come(server, folder))


@pytest.mark.parametrize(("more", "closed"), [(0, False), (1, True)])
def test_how_much_has_not_ended(server, folder, monkeypatch, more, closed):
    """All guests' half frames together; who passes the limit goes."""
    monkeypatch.setattr(agent_server, "_LARGEST_INPUT", 20)
    first, second = come(server, folder), come(server, folder)
    for guest, size in ((first, 10), (second, 10 + more)):
        guest.sendall(b"\0\0\0\x20".ljust(size, b"x"))
        works(server)
    assert (is_closed(first), is_closed(second)) == (False, closed)


def test_how_much_nobody_takes(server, folder, monkeypatch):
    """Answers that wait in it: who asks and does not read goes, with what he led."""
    monkeypatch.setattr(agent_server, "_LARGEST_OUTPUT", 1000)
    leader = come(server, folder)
    leader.sendall(GET_A)
    works(server)
    leader.sendall(client.frame((client.PUT, b"a", b"V" + b"x" * 900)))
    works(server)
    deaf = come(server, folder)
    for _ in range(2000):
        try:
            deaf.setblocking(False)
            deaf.sendall(GET_A)
        except OSError:
            break
        works(server)
        assert server._output() <= 1000
    assert [guest for guest in server._guests.values() if guest.output] == []
    assert not is_closed(leader)


def test_an_owner_of_nothing_is_not_looked_after(server, clock, folder):
    """Once nothing is kept for its session, and nobody of it asks; who wants the agent to stay keeps it."""
    guest = come(server, folder)
    guest.sendall(client.frame((client.STAY,)))
    works(server)
    guest.close()
    works(server)
    server._look()
    assert (list(server._owners), server._is_over()) == ([os.getpid()], False)
    server._staying.clear()
    server._look()
    assert list(server._owners) == []


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        (100 * 1024 * 1024).to_bytes(4, "big"),
        b"\0\0\0\0",
        client.frame((b"?",)),
        client.frame((client.GET,)),
        client.frame((client.GET, b"999", b"", *HEAD, b"a")),
        client.frame((client.GET, client.PROTOCOL, b"", b"key", b"\xff", b"\xff", b"1", b"a")),
        client.frame((client.GET, client.PROTOCOL, b"", b"key", b"vault", b"v", b"soon", b"a")),
        client.frame((client.PUT, b"a")),
        client.frame((client.KEEP,)),
        client.frame((client.KEEP, b"soon", b"a", b"Vtwo")),
        client.frame((client.KEEP, b"9", b"a")),
        client.frame((client.WRITE,)),
        client.frame((client.WRITE, client.PROTOCOL, b"\xff")),
        client.frame((client.LEAVE,)),
        client.frame((client.LEAVE, b"use", b"a")),
        client.frame((client.REFUSE,)),
        client.frame((client.FORGET, b"\xff")),
    ],
    ids=range(19),
)
def test_garbage_is_not_answered(filled, folder, data):
    """Not even of one who leads: the connection is closed at once, and what is kept stays."""
    guest = come(filled, folder)
    assert answer(filled, guest, *GET, b"c") == [client.LEAD, b"?"]
    known = list(filled._guests.values())
    guest.sendall(data)
    works(filled)
    assert is_closed(guest), known  # whoever else knows of it
    assert answer(filled, come(filled, folder), *GET, b"a", b"b") == [client.HITS, b"Vone", b"A"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"", 5),
        (b"\0\0\0\x10half", 5),
        (client.frame((client.TELL,)), 5),
        (client.frame((client.FORGET, b"other")), 5),
        (GET_A, 900),
        (GET_A + b"\0", 5),
        (client.frame((client.WRITE, client.PROTOCOL, b"other")), 900),
    ],
    ids=["nothing", "half a frame", "tell", "forget", "leads", "leads, half a frame", "writes"],
)
def test_how_long_it_waits_for_a_guest(server, folder, clock, said, seconds):
    """For a frame to end, or another one to come, 5 s; for a store that is asked or written, 15 minutes."""
    guest = come(server, folder)
    clock.now += 100
    server._guests[next(iter(server._guests))].touched = clock.now
    guest.sendall(said)
    works(server)
    heard(guest)
    clock.now += seconds
    server._look()
    assert not is_closed(guest)
    clock.now += 0.5
    server._look()
    assert is_closed(guest)


def test_an_answer_that_nobody_takes_is_not_kept(server, folder, clock):
    """Whoever leads and does not read what he asked for beside it."""
    guest = come(server, folder)
    [known] = server._guests.values()
    known.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    guest.sendall(GET_A + client.frame((client.TELL,)) * 200)
    works(server)
    assert known.output
    clock.now += 5
    server._look()
    assert not is_closed(guest)
    clock.now += 0.5
    server._look()
    assert server._guests == {}


def test_what_no_descriptor_tells_is_looked_at(filled, folder, clock, monkeypatch):
    """What is too old, owners without a pidfd, those of nothing, and whether the folder is still its own."""
    guest = come(filled, folder)
    assert answer(filled, guest, client.STAY) == [client.DONE]
    filled._look()
    assert (list(filled._owners), bool(filled._kept), filled._looked) == ([os.getpid()], True, clock.now)
    clock.now += 600
    guest.close()
    works(filled)
    filled._look()
    assert (list(filled._owners), bool(filled._kept), filled._is_used()) == ([os.getpid()], False, True)
    monkeypatch.setattr(filled._owners, "ended", lambda *_: [os.getpid()])
    filled._look()
    assert (list(filled._owners), filled._is_used(), filled._is_over()) == ([], False, True)


def test_an_owner_is_looked_after_while_its_guest_is_there(filled, folder):
    """It may still be given something."""
    guest = come(filled, folder)
    assert answer(filled, guest, *GET, b"c") == [client.LEAD, b"?"]
    assert answer(filled, come(filled, folder), client.FORGET) == [client.DONE]
    filled._look()
    assert list(filled._owners) == [os.getpid()]
    guest.close()
    works(filled)
    filled._look()
    assert list(filled._owners) == []


def test_a_session_that_cannot_be_looked_after_keeps_nothing(server, folder, monkeypatch):
    """As if it had no leader; it can't make the agent stay either."""
    monkeypatch.setattr(server._owners, "add", lambda _: False)
    guest = come(server, folder)
    assert answer(server, guest, client.STAY) == [client.DONE]
    assert answer(server, guest, *GET, b"a") == [client.UNKEPT, b"?"]
    assert answer(server, guest, client.PUT, b"a", b"Vone") == []
    assert answer(server, guest, client.TELL)[4:] == [b"0", b""]
    guest.close()
    works(server)
    assert not server._is_used()


def test_a_folder_that_is_another_s_by_now_ends_it(filled, folder):
    """Its socket was removed, and another agent listens there."""
    filled._look()
    assert not filled._is_over()
    os.rename(client.socket_path(folder), f"{folder}/old")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(client.socket_path(folder))
        filled._look()
        assert filled._is_over()
        filled.run()
        assert os.path.exists(client.socket_path(folder))


def test_it_ends_without_its_socket(filled, folder):
    """Nobody finds it any more."""
    os.unlink(client.socket_path(folder))
    filled._look()
    filled.run()
    assert os.listdir(folder) == []


def test_whoever_waited_longest_leads_when_the_leader_took_too_long(server, folder, clock):
    """Without another word of his, as if the leader had gone."""
    leader, waiting = come(server, folder), come(server, folder)
    assert answer(server, leader, *GET, b"a") == [client.LEAD, b"?"]
    clock.now += 500
    assert answer(server, waiting, *GET, b"a") == [client.WAIT]
    clock.now += 401
    server._look()
    assert (is_closed(leader), heard(waiting)) == (True, [client.LEAD, b"?"])


@pytest.mark.parametrize("less", [0, 1])
def test_what_nobody_takes_has_an_end(server, folder, monkeypatch, less):
    """By the byte."""
    guest = come(server, folder)
    [known] = server._guests.values()
    known.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    known.say(b"x" * 3_000_000)
    server._flush()
    assert 0 < server._output() < 3_000_000
    monkeypatch.setattr(agent_server, "_LARGEST_OUTPUT", server._output() - less)
    server._flush()
    assert (known in server._guests.values()) == (not less)
    guest.close()


def test_its_socket_goes_with_it(filled, folder):
    """However it ends."""
    filled._is_told_to_stop = True
    filled.run()
    assert not os.path.lexists(client.socket_path(folder))


def test_what_a_leader_keeps_for_a_time_goes_after_it(server, folder, clock):
    """As a session of a vault, or a value that its store gave for so long."""
    guest = come(server, folder)
    assert answer(server, guest, *GET, b"a", b"b") == [client.LEAD, b"?", b"?"]
    assert answer(server, guest, client.KEEP, b"30", b"a", b"Vone", b"b", b"A") == []
    clock.now += 29
    assert answer(server, guest, *GET, b"a", b"b") == [client.HITS, b"Vone", b"A"]
    clock.now += 1
    assert answer(server, guest, *GET, b"a", b"b") == [client.LEAD, b"?", b"?"]


@pytest.mark.parametrize(
    ("word", "told"), [((client.REFUSE, b"locked"), [client.HITS, b"Xlocked"]), ((client.RELEASE,), [client.ALONE])]
)
def test_a_leader_without_an_answer_says_so_to_those_who_wait(server, folder, word, told):
    leader, waiting = come(server, folder), come(server, folder)
    assert answer(server, leader, *GET, b"a") == [client.LEAD, b"?"]
    assert answer(server, waiting, *GET, b"a") == [client.WAIT]
    assert answer(server, leader, *word) == []
    assert heard(waiting) == told


def test_the_largest_value_is_taken_and_given(server, folder):
    """As much as a frame holds, to one who reads it in pieces."""
    guest = come(server, folder)
    assert answer(server, guest, *GET, b"a") == [client.LEAD, b"?"]
    value = b"V".ljust(client.LARGEST - 4, b"x")
    told = client.frame((client.PUT, b"a", value))
    for at in range(0, len(told), 1 << 16):
        guest.setblocking(True)
        guest.sendall(told[at : at + (1 << 16)])
        works(server)
    guest.sendall(GET_A)
    given = bytearray()
    while len(given) < 4 + 2 + len(value):
        works(server)
        given += guest.recv(1 << 20)
    assert given == client.frame((client.HITS, value))


class Poll:
    """What its loop waits for: nothing comes, and so much time passes each time; it is told to stop in the end."""

    def __init__(self, server, clock, passes, rounds):
        self.waited, self.looked = [], []
        self._server, self._clock, self._passes, self._rounds = server, clock, passes, rounds
        server._poll = self
        server._look = lambda: self.looked.append(round(clock.now - 1000, 3)) or setattr(server, "_looked", clock.now)

    def poll(self, milliseconds):
        self.waited.append(milliseconds)
        self._clock.now += self._passes or milliseconds / 1000
        self._server._is_told_to_stop = len(self.waited) == self._rounds
        return []


def test_while_nobody_uses_it_it_looks_often(server, clock):
    """So that it ends two seconds after its start, if nobody came."""
    loop = Poll(server, clock, 0.125, 1000)
    server.run()
    assert loop.waited == [100] * 16
    assert loop.looked == [0.125 * number for number in range(1, 17)]


def test_while_somebody_uses_it_it_rests(server, clock):
    """For five seconds, whatever else comes meanwhile."""
    server._staying.add(os.getpid())
    server._looked = clock.now
    loop = Poll(server, clock, 1, 12)
    server.run()
    assert (loop.waited, loop.looked) == ([5000] * 12, [5, 10])
