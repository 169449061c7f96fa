"""The client of the agent: what it sends, and what it makes of an answer that is none."""

from __future__ import annotations

import os
import socket
import sys
import threading
import types

import pytest

from envref import client, memory
from envref.client import ABSENT, ALONE, ERROR, HITS, KEEP, LEAD, PUT, REFUSE, RELEASE, UNKEPT, VALUE, WAIT
from tests.agent.conftest import HEAD, need_root
from tests.processes import tidy_descriptors


def test_a_frame_of_four_mebibytes_is_sent_whole(monkeypatch):
    """As long as its length and its fields are together."""
    monkeypatch.setattr(client, "PATIENCE", 60.0)
    ours, theirs = socket.socketpair()
    body, received = b"x" * ((4 << 20) - 4), bytearray()

    def receive():
        while len(received) < 4 << 20 and (chunk := theirs.recv(1 << 20)):
            received.extend(chunk)

    thread = threading.Thread(target=receive)
    with ours, theirs:
        thread.start()
        client.Wire(ours).say(body)
        thread.join(60)
    assert bytes(received) == len(body).to_bytes(4, "big") + body


def test_more_than_an_agent_takes_is_not_sent():
    """Half of it would be worse than nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        with pytest.raises(OSError, match=r"^\[Errno 0\] more than an agent takes$"):
            client.Wire(ours).say(b"x" * ((4 << 20) - 4 + 1))
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_an_answer_is_a_value_an_absence_or_an_error():
    """One that is none of them counts for nothing; nor does an address without one."""
    answers = [client.VALUE + b"v", client.ABSENT, client.ERROR + b"e", b"?"]
    assert client._sorted([b"a", b"b", b"c", b"d", b"e"], answers) == ({b"a": b"v", b"b": None}, {b"c": b"e"})


@pytest.fixture
def clock(monkeypatch):
    """The client's time, which passes when it is told to."""
    found = types.SimpleNamespace(now=1000.0)
    monkeypatch.setattr(client, "time", types.SimpleNamespace(monotonic=lambda: found.now))
    return found


@pytest.fixture
def pair():
    """A line, and the agent's end of it, whose words are already there when they are waited for."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield client.Wire(ours), theirs


def frames(connection):
    """What was said, as lists of fields."""
    connection.settimeout(0)
    data, found = connection.recv(1 << 20), []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + size].split(b"\0"))
        data = data[4 + size :]
    return found


def is_closed(connection):
    connection.settimeout(0)
    try:
        while connection.recv(1 << 20):
            pass
    except BlockingIOError:
        return False
    return True


# A line.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((client.LARGEST + 1).to_bytes(4, "big"), "its answer is too long"),
        (b"\0\0\0\x05half", "it closed the connection"),
        (b"\0\0", "it closed the connection"),
        (b"", "it closed the connection"),
    ],
)
def test_an_answer_that_is_none(pair, data, reason):
    """As of something else that listens there, or of an agent that is killed."""
    line, agent = pair
    agent.sendall(data)
    agent.shutdown(socket.SHUT_WR)
    with pytest.raises(OSError, match=f"^\\[Errno 0\\] {reason}$"):
        line.hear(client.time.monotonic() + 60)


def test_an_answer_ends_where_it_says(pair):
    """An empty one is one field; the next one is not begun."""
    line, agent = pair
    agent.sendall(b"\0\0\0\0" + client.frame((b"a", b"", b"b")) + b"\0")
    assert [line.hear(client.time.monotonic() + 60) for _ in range(2)] == [[b""], [b"a", b"", b"b"]]


def test_the_longest_answer_is_heard(pair):
    """Four mebibytes, in many pieces."""
    line, agent = pair
    thread = threading.Thread(target=agent.sendall, args=(client.frame((b"x" * client.LARGEST,)),))
    thread.start()
    assert line.hear(client.time.monotonic() + 60) == [b"x" * client.LARGEST]
    thread.join(60)


class Patient:
    """A connection that tells in pieces, and notes how long each is waited for."""

    def __init__(self, clock, pieces):
        self.clock = clock
        self.pieces = pieces
        self.waited = []

    def settimeout(self, seconds):
        self.waited.append(round(seconds, 3))

    def recv(self, size):
        self.clock.now += 0.25
        piece = self.pieces.pop(0)
        assert len(piece) <= size
        return piece

    def sendall(self, data):
        self.said = data


def test_the_rest_of_a_frame_is_waited_for_by_itself(clock, monkeypatch):
    """Its beginning by a time; then the rest is on its way, and has the patience of a first answer."""
    monkeypatch.setattr(client, "PATIENCE", 3)
    double = Patient(clock, [b"\0\0", b"\0\3", b"a", b"bc"])
    assert client.Wire(double).hear(1000.5) == [b"abc"]
    assert double.waited == [0.5, 0.25, 3, 2.75]
    double = Patient(clock, [b"\0\0", b"\0\1", b"a"])
    assert client.Wire(double).hear(1002) == [b"a"]
    assert double.waited == [1, 0.75, 3]
    double = Patient(clock, [b"\0\0\0\1", b"a"])
    assert client.Wire(double).hear(1000) == [b"a"]  # that time is over: what is there already is taken
    assert double.waited == [0.001, 3]


def test_what_is_asked_is_answered_in_ten_patiences(clock, monkeypatch):
    """One to take it, ten for what it has to do."""
    monkeypatch.setattr(client, "PATIENCE", 3)
    double = Patient(clock, [b"\0\0\0\1", b"D"])
    assert client.Wire(double).ask(b"S", b"x") == [b"D"]
    assert (double.waited, double.said) == ([3, 30, 29.75], b"\0\0\0\3S\0x")


# A folder.


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/envref"),
        ({}, f"/tmp/envref-{os.geteuid()}"),
        ({"TMPDIR": "/elsewhere"}, f"/tmp/envref-{os.geteuid()}"),
        ({"XDG_RUNTIME_DIR": "relative"}, f"/tmp/envref-{os.geteuid()}"),
    ],
)
def test_where_the_agent_is(variables, place, monkeypatch):
    """In what the system gives each user, else in a name of the user's own."""
    monkeypatch.setattr(sys, "platform", "linux")
    assert client.folder(variables) == place


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"TMPDIR": "/var/folders/x/T/"}, "/var/folders/x/T/envref-7"),
        ({"TMPDIR": "relative"}, "/tmp/envref-7"),
        ({}, "/tmp/envref-7"),
    ],
)
def test_where_the_agent_is_on_macos(variables, place, monkeypatch):
    """TMPDIR is each user's own there (confstr(3)); nobody ran this there yet."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    assert client.folder(variables) == place


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o710, 0o720, 0o740, 0o701, 0o702, 0o704, 0o600])
def test_a_folder_is_for_its_owner_only(folder, mode):
    """Whatever others could do there."""
    os.mkdir(folder)
    os.chmod(folder, mode)
    if mode & 0o077:
        with pytest.raises(client.Untrustworthy, match="is not a folder that only you can enter"):
            client.check(folder)
    else:
        client.check(folder)


def test_what_is_in_its_place_is_no_folder(folder):
    """A file, a link to a folder of ours; nothing is nothing to distrust."""
    with pytest.raises(FileNotFoundError):
        client.check(folder)
    with open(folder, "w"):
        os.chmod(folder, 0o600)
    with pytest.raises(client.Untrustworthy, match="is not a folder"):
        client.check(folder)
    os.unlink(folder)
    os.mkdir(f"{folder}-other", 0o700)
    os.symlink(f"{folder}-other", folder)
    with pytest.raises(client.Untrustworthy, match="is not a folder"):
        client.check(folder)


@pytest.mark.parametrize(
    ("mode", "is_safe"), [(0o755, True), (0o775, False), (0o757, False), (0o777, False), (0o1777, True), (0o1770, True)]
)
def test_what_is_above_it_is_closed_or_sticky(folder, mode, is_safe):
    """Who may rename in the folder above could put another one in its place."""
    os.mkdir(folder, 0o700)
    os.chmod(os.path.dirname(folder), mode)
    if is_safe:
        client.check(folder)
    else:
        with pytest.raises(client.Untrustworthy, match="is in a folder where others can replace it"):
            client.check(folder)


@pytest.mark.parametrize("what", ["folder", "above"])
def test_a_folder_is_ours_and_in_ours(folder, what):
    """Or in root's."""
    need_root()
    os.mkdir(folder, 0o700)
    client.check(folder)
    os.chown(folder if what == "folder" else os.path.dirname(folder), 12001, -1)
    with pytest.raises(client.Untrustworthy):
        client.check(folder)


def test_a_path_has_an_end(monkeypatch):
    """107 bytes on Linux (unix(7)), in whatever alphabet."""
    monkeypatch.setattr(client, "_LONGEST_PATH", 107)
    for place in ("/" + "d" * 104, "/" + "é" * 52):
        client.check_length(place)
        with pytest.raises(client.Untrustworthy, match="has too long a path for a socket"):
            client.check_length(place + "d")


def test_a_line_that_comes_to_nothing_is_closed(folder, monkeypatch):
    """Nobody listens; or it is another user's agent."""
    os.mkdir(folder, 0o700)
    before = tidy_descriptors()
    with pytest.raises(FileNotFoundError):
        client.connect(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(client.socket_path(folder))
        with pytest.raises(ConnectionRefusedError):
            client.connect(folder)
        listening.listen(2)
        client.connect(folder).close()
        monkeypatch.setattr(client, "peer", lambda _: (os.getpid(), os.geteuid() + 1))
        with pytest.raises(client.Untrustworthy, match="has the agent of another user"):
            client.connect(folder)
    assert len(os.listdir("/dev/fd")) == before


def test_the_kernel_says_who_is_at_the_other_end(pair):
    line, agent = pair
    assert client.peer(agent) == client.peer(line._connection) == (os.getpid(), os.geteuid())


def test_the_kernel_of_macos_says_it_otherwise(monkeypatch):
    """Two options, one of them a `struct xucred` of 76 bytes (<sys/ucred.h>, unix(4)). Nobody ran it there yet."""

    def option(level, name, size=0):
        assert (level, size) == (0, 76 if name == 1 else 0)
        return {1: (0).to_bytes(4, sys.byteorder) + (501).to_bytes(4, sys.byteorder) + bytes([1] * 68), 2: 4711}[name]

    monkeypatch.setattr(sys, "platform", "darwin")
    assert client.peer(types.SimpleNamespace(getsockopt=option)) == (4711, 501)


def test_a_line_is_closed_with_its_context(pair):
    line, _ = pair
    with line as same:
        assert same is line
    assert line._connection.fileno() == -1


def test_a_project_is_one_use_by_whatever_way(tmp_path):
    """A link to it too."""
    (tmp_path / "link").symlink_to("project")
    (tmp_path / "project").mkdir()
    assert client.use_of(str(tmp_path / "link")) == os.fsencode(tmp_path / "project")


# A visit.


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (lambda visit: visit.put({b"a": b"Vone", b"b": b"A"}), [PUT, b"a", b"Vone", b"b", b"A"]),
        (lambda visit: visit.keep({b"a": b"Vone"}, 30), [KEEP, b"30", b"a", b"Vone"]),
        (lambda visit: visit.refuse(b"locked"), [REFUSE, b"locked"]),
        (lambda visit: visit.release(), [RELEASE]),
    ],
    ids=["put", "keep", "refuse", "release"],
)
def test_who_leads_says_one_thing(pair, say, said):
    """Then the line is closed; who does not lead, or did, says nothing."""
    line, agent = pair
    visit = client.Visit({}, {}, line)
    assert visit.leads
    say(visit)
    assert not visit.leads
    assert frames(agent) == [said]
    assert is_closed(agent)
    say(visit)
    visit.end()
    say(client.Visit({}, {}, None))


def test_who_leads_may_say_nothing(pair):
    """Then he leads no longer; an agent that has ended is no trouble."""
    line, agent = pair
    visit = client.Visit({}, {}, line)
    visit.end()
    assert (visit.leads, is_closed(agent)) == (False, True)
    ours, theirs = socket.socketpair()
    theirs.close()
    visit = client.Visit({}, {}, client.Wire(ours))
    visit.put({b"a": b"Vone"})
    assert (visit.leads, ours.fileno()) == (False, -1)


# A turn.


@pytest.fixture
def agent(pair, monkeypatch):
    """An agent at the other end of the pair."""
    monkeypatch.setattr(client, "connect", lambda _: pair[0])
    return client.Agent("/place", use=b"use")


@pytest.mark.parametrize(
    ("word", "leads", "note"),
    [(HITS, False, ""), (ALONE, False, ""), (LEAD, True, ""), (UNKEPT, True, f"agent: {client.NO_SESSION}")],
)
def test_a_turn(pair, agent, monkeypatch, word, leads, note):
    """It says what it wants; who leads keeps the line. Before a value comes nobody may read this process."""
    _, other = pair
    protected = []
    monkeypatch.setattr(memory, "protect", lambda: protected.append("before"))
    other.sendall(client.frame((word, VALUE + b"one", ABSENT, ERROR + b"denied", b"?")))
    visit = agent.turn(HEAD, [b"a", b"b", b"c", b"d"], client.time.monotonic() + 60)
    assert (visit.given, visit.errors) == ({b"a": b"one", b"b": None}, {b"c": b"denied"})
    assert (visit.leads, agent.note, protected) == (leads, note, ["before"])
    assert frames(other) == [[client.GET, client.PROTOCOL, b"use", *HEAD, b"a", b"b", b"c", b"d"]]
    assert is_closed(other) == (not leads)


def test_an_agent_that_makes_no_sense_is_asked_once(pair, agent):
    """Its line is closed; the next turn has none."""
    _, other = pair
    other.sendall(b"\xff\xff\xff\xff")
    for _ in range(2):
        visit = agent.turn(HEAD, [b"a"], client.time.monotonic() + 60)
        assert (visit.given, visit.errors, visit.leads) == ({}, {}, False)
    assert agent.note == "agent: its answer is too long"
    assert len(frames(other)) == 1
    assert is_closed(other)


class Waiting:
    """A line whose agent says these words, or nothing (None) for as long as it is heard."""

    def __init__(self, clock, words):
        self.clock = clock
        self.words = words
        self.told = []
        self.is_closed = False

    def say(self, *fields):
        self.told.append("asked")

    def hear(self, until):
        self.told.append(round(until - 1000, 3))
        word = self.words.pop(0)
        self.clock.now += 0.5
        if word is None:
            self.clock.now = max(self.clock.now, until)
            raise TimeoutError
        return [word]

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([HITS], ["asked", 3]),
        ([WAIT, HITS], ["asked", 3, 1.5]),
        ([WAIT, WAIT, HITS], ["asked", 3, 1.5, "asked", 4]),
        ([WAIT, None, WAIT, HITS], ["asked", 3, 1.5, "asked", 4.5, 3]),
        ([WAIT, None, WAIT, None, WAIT, LEAD], ["asked", 3, 1.5, "asked", 4.5, 3, "asked", 6, 4]),
        ([WAIT, None, WAIT, None, WAIT, None], ["asked", 3, 1.5, "asked", 4.5, 3, "asked", 6, 4]),
    ],
)
def test_who_waits_asks_each_second_whether_it_lives(clock, monkeypatch, words, told):
    """Each time with the patience of a first answer; not longer than he may, which is 4 s here."""
    monkeypatch.setattr(client, "PATIENCE", 3)
    line = Waiting(clock, [*words])
    monkeypatch.setattr(client, "connect", lambda _: line)
    agent = client.Agent("/place")
    if words[-1] is None:
        with pytest.raises(client.Late):
            agent.turn(HEAD, [b"a"], 1004)
    else:
        assert agent.turn(HEAD, [b"a"], 1004).leads == (words[-1] == LEAD)
    assert (line.told, agent.note, line.is_closed) == (told, "", words[-1] != LEAD)


@pytest.mark.parametrize(
    ("errors", "starts", "note"),
    [
        ([FileNotFoundError(2, "none")] * 3, 2, "agent: /place: none"),
        ([ConnectionRefusedError(111, "refused")] * 3, 2, "agent: /place: refused"),
        ([FileNotFoundError(2, "none"), None], 1, ""),
        ([FileNotFoundError(2, "none"), ConnectionRefusedError(111, "refused"), None], 2, ""),
        ([PermissionError(13, "denied")], 0, "agent: /place: denied"),
        ([TimeoutError()], 0, "agent: /place: no answer"),
        ([FileNotFoundError(2, "none"), client.Untrustworthy(0, "is not ours")], 1, "agent: /place is not ours"),
        ([client.Untrustworthy(0, "is not ours")], 0, "agent: /place is not ours"),
    ],
)
@pytest.mark.parametrize("may_start", [True, False])
def test_an_agent_is_started_where_there_is_none(pair, monkeypatch, errors, starts, note, may_start):
    """At most twice; not where one is that can't be used. What can't be had is not tried again."""
    line, other = pair
    tried, started = [], []

    def connect(place):
        tried.append(place)
        error = errors[len(tried) - 1]
        if error:
            raise error
        return line

    monkeypatch.setattr(client, "connect", connect)
    agent = client.Agent("/place", started.append if may_start else None)
    other.sendall(client.frame((LEAD, b"?")))
    leads = agent.turn(HEAD, [b"a"], client.time.monotonic() + 60).leads
    if may_start or not starts:
        assert (leads, len(started), agent.note) == (not note, starts, note)
        assert len(tried) == len(errors)
    else:
        assert (leads, agent.note) == (False, f"agent: /place: {errors[0].strerror}")
        assert (len(tried), started) == (1, [])
    assert set(tried) == {"/place"}
    if not leads:
        assert not agent.turn(HEAD, [b"a"], client.time.monotonic() + 60).leads
        assert len(tried) <= len(errors)
