"""Requests of envref's own: kept connections, limits, and what no answer may be. Vault's tests have the rest."""

from __future__ import annotations

import contextlib
import gc
import gzip
import http.server as http_server
import socket
import ssl
import sys
import threading
import time
import types
from weakref import ref

import pytest

from envref.backends.http import connection as connections
from envref.backends.http import pool as pools
from envref.backends.http import threads, way
from envref.backends.http.connection import LARGEST_BODY, Answer, Connection, NotHttp, Server, Unusual, is_late
from envref.backends.http.date import dated
from envref.backends.http.pool import Connections, connections_to
from envref.backends.http.query import encoded_query
from envref.backends.http.way import Trusting, is_proxied
from tests.backends.doubles.loopback import LoopbackService
from tests.backends.doubles.scripted import http, scripts
from tests.backends.stores.openbao import certificates
from tests.lateness import Stopwatch
from tests.requirements import first_python


@pytest.fixture
def script():
    with scripts() as start:
        yield start


def opened(server, limit=20.0):
    host, _, port = server.url.removeprefix("http://").partition(":")
    return Connection(Server(host, int(port), None), time.monotonic() + limit)


def bodies(server, times, limit=20.0):
    connection = opened(server, limit)
    try:
        return [connection.ask("GET", "/", {}).body for _ in range(times)]
    finally:
        connection.close()


class TestRequest:
    def test_what_is_sent(self, script):
        """Method, target, host with its port, the headers, the length and the body."""
        server = script(http(b"yes"))
        connection = opened(server)
        answer = connection.ask("POST", "/a?b=1", {"X-One": "1 2"}, b"{}")
        connection.close()
        assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"yes", "3")
        authority = server.url.removeprefix("http://")
        lines = ["POST /a?b=1 HTTP/1.1", f"Host: {authority}", "X-One: 1 2", "Content-Length: 2"]
        assert server.requests == ["\r\n".join([*lines, "Accept-Encoding: identity", "", "{}"])]

    @pytest.mark.parametrize(("target", "header"), [("/a b", "x"), ("/a\r\nX: y", "x"), ("/", "a\r\nX: y"), ("/", "ä")])
    def test_no_line_can_be_smuggled_in(self, script, target, header):
        """A target or header that would end its line is refused before anything is sent."""
        server = script(http(b"yes"))
        with pytest.raises(ValueError, match="header"):
            opened(server).ask("GET", target, {"X-One": header})
        assert server.requests == []

    @pytest.mark.parametrize(
        ("host", "port", "tls", "authority"),
        [
            ("a.test", 80, None, "a.test"),
            ("a.test", 8080, None, "a.test:8080"),
            ("::1", 443, lambda: None, "[::1]"),
            ("::1", 80, lambda: None, "[::1]:80"),
        ],
    )
    def test_the_host_header(self, host, port, tls, authority):
        """A port that is not the scheme's own is named; an IPv6 address stands in brackets."""
        assert Server(host, port, tls).authority == authority

    def test_a_query_is_sorted_once_it_is_encoded(self):
        """By name, then by value; what is no letter, digit or one of `-._~` is encoded byte by byte."""
        assert encoded_query([("b", "ä"), ("a", "2"), ("a", "1 +"), ("B", "")]) == "B=&a=1%20%2B&a=2&b=%C3%A4"


class TestConnections:
    def test_a_kept_connection_that_the_server_closed_is_opened_again(self, script):
        """It said nothing, so the request may be made again; once, on a new connection."""
        assert bodies(script(http(b"one"), None, http(b"two")), 2) == [b"one", b"two"]

    def test_a_new_connection_that_ends_is_a_failure(self, script):
        """Nobody asks a second time."""
        server = script(None, http(b"one"))
        with pytest.raises(ConnectionError):
            bodies(server, 1)
        assert len(server.requests) == 1

    def test_an_answer_that_was_cut_is_not_asked_for_again(self, script):
        """Something came, so the request was understood."""
        server = script(http(b"one"), [http(b"two")[:-1], None], http(b"three"))
        with pytest.raises(ConnectionError):
            bodies(server, 2)

    def test_jobs_run_side_by_side_and_answer_in_their_order(self):
        """At most so many at once, each with its own outcome, on connections that are used again."""
        running, most, seen, lock = [], [], set(), threading.Lock()

        def work(connection, job):
            with lock:
                running.append(job)
                most.append(len(running))
                seen.add(connection)
            time.sleep(0.01)
            running.remove(job)
            if job == 3:
                raise ValueError(job)
            return job * 2

        pool, late = Connections(Server("a.test", 80, None)), time.monotonic() + 20
        answers = pool.side_by_side(work, range(8), 4, late)
        assert [str(answer) for answer in answers] == ["0", "2", "4", "3", "8", "10", "12", "14"]
        assert max(most) <= 4
        assert len(seen) <= 4
        assert pool.side_by_side(work, [5], 4, late) == [10]
        assert pool.side_by_side(work, [], 4, late) == []
        pool.close()

    def test_without_threads_they_run_one_by_one(self, monkeypatch):
        """Where the system gives no more of them."""

        def none(*_):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threads, "start_new_thread", none)
        pool, late = Connections(Server("a.test", 80, None)), time.monotonic() + 20
        assert pool.side_by_side(lambda _, job: job * 2, range(5), 4, late) == [0, 2, 4, 6, 8]
        pool.close()


class TestSharing:
    def test_one_server_has_one_pool_as_long_as_somebody_has_it(self, script):
        """Whoever comes second takes the connection that the first one left; with the last one it ends."""
        server = script(http(b"one"), http(b"two"))
        first, second = (connections_to(opened(server).server) for _ in range(2))
        assert first is second
        for pool, body in (first, b"one"), (second, b"two"):
            [answer] = pool.side_by_side(lambda link, job: link.ask("GET", job, {}), ["/"], 4, time.monotonic() + 20)
            assert answer.body == body
        known = ref(first)
        del first, second, pool
        assert known() is None

    @pytest.mark.parametrize(
        "other",
        [
            Server("b.test", 443, Trusting()),
            Server("a.test", 444, Trusting()),
            Server("a.test", 443, None),
            Server("a.test", 443, Trusting(["/ca.pem"])),
            Server("a.test", 443, Trusting(), "b.test"),
            Server("a.test", 443, Trusting(), patience=(1, 1)),
        ],
    )
    def test_another_server_has_another(self, other):
        """Another host, port, name or authority, and another patience."""
        first, second = connections_to(Server("a.test", 443, Trusting())), connections_to(other)
        assert first is not second
        assert connections_to(Server("a.test", 443, Trusting())) is first

    def test_settings_of_tls_that_cannot_be_compared_share_nothing(self):
        """Such as a certificate of one's own."""
        server = Server("a.test", 443, lambda: None)
        first, second = connections_to(server), connections_to(server)
        assert first is not second

    def test_each_asks_by_its_own_deadline(self, script):
        """A connection that was kept has that of the one who uses it now."""
        pool = connections_to(opened(script(http(b"one"), 60)).server)

        def ask(seconds):
            deadline = time.monotonic() + seconds
            return pool.side_by_side(lambda link, job: link.ask("GET", job, {}), ["/"], 4, deadline)[0]

        assert ask(20).body == b"one"
        watch = Stopwatch()
        assert is_late(ask(0.3))
        assert watch.seconds() < 10


class Meeting(LoopbackService):
    """Answers once as many requests are there as it waits for, in each for who asks. `asked` is who did."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.answers = threading.Event()

    def handler(self):
        service = self

        class Handler(http_server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self):
                service.asked.append(self.path)
                service.answers.wait(20)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler


class TestTurns:
    @pytest.fixture
    def meeting(self):
        with Meeting() as service:
            yield service

    def asking(self, pool, *targets):
        def ask():
            for target in targets:
                pool.ask("GET", target, {}, time.monotonic() + 20)

        thread = threading.Thread(target=ask)
        thread.start()
        return thread

    def until(self, condition):
        late = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < late
            time.sleep(0.005)

    def pool(self, meeting):
        return Connections(Server("127.0.0.1", int(meeting.endpoint.rpartition(":")[2]), None))

    def test_whoever_waits_comes_before_whoever_asks_again(self, meeting, monkeypatch):
        """So several stores move on at once over one connection."""
        monkeypatch.setattr(pools, "_BRIEFLY", 20)
        pool = self.pool(meeting)
        one = self.asking(pool, "/one", "/one/more")
        self.until(lambda: meeting.asked)
        two = self.asking(pool, "/two", "/two/more")
        self.until(lambda: pool._waiting)
        meeting.answers.set()
        one.join()
        two.join()
        assert meeting.asked[:2] == ["/one", "/two"]
        assert sorted(meeting.asked[2:]) == ["/one/more", "/two/more"]
        assert meeting.connections == 1
        pool.close()

    def test_nobody_waits_for_a_server_that_takes_its_time(self, meeting):
        """A second connection is opened: a store that hangs holds up nobody else."""
        pool = self.pool(meeting)
        threads = [self.asking(pool, "/one"), self.asking(pool, "/two")]
        self.until(lambda: len(meeting.asked) == 2)
        meeting.answers.set()
        for thread in threads:
            thread.join()
        assert meeting.connections == 2
        assert len(pool._idle) == 2
        pool.close()

    def test_whoever_waited_has_their_own_deadline(self, monkeypatch):
        """On the connection that is handed on to them."""
        monkeypatch.setattr(pools, "_BRIEFLY", 20)
        pool, found = Connections(Server("a.test", 80, None)), []
        first = pool._next(7.0)
        thread = threading.Thread(target=lambda: found.append(pool._next(9.0)))
        thread.start()
        self.until(lambda: pool._waiting)
        pool._pass_on(first)
        thread.join()
        assert found == [first]
        assert first.deadline == 9.0

    def test_a_request_that_failed_leaves_its_place(self, script):
        """The next one is made at once."""
        pool = Connections(opened(script(None, http(b"one"))).server)
        with pytest.raises(ConnectionError):
            pool.ask("GET", "/", {}, time.monotonic() + 20)
        watch = Stopwatch()
        assert pool.ask("GET", "/", {}, time.monotonic() + 20).body == b"one"
        assert watch.seconds() < 5
        pool.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


class TestTls:
    def asked(self, script, files, authorities, name=""):
        side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        side.load_cert_chain(files["server_pem"], files["server_key"])
        server = script(http(b"one"), http(b"two"), tls=side)
        port = int(server.url.rpartition(":")[2])
        pool = connections_to(Server("127.0.0.1", port, Trusting(authorities), name))
        jobs, late = ["/"], time.monotonic() + 20
        asked = [pool.side_by_side(lambda link, job: link.ask("GET", job, {}), jobs, 1, late) for _ in "ab"]
        pool.close()
        return [answer for answers in asked for answer in answers]

    def test_an_authority_of_ones_own(self, script, files):
        """Its server is believed, by its name or its address, and one connection serves both requests."""
        for name in ("", "vault.test"):
            assert [each.body for each in self.asked(script, files, [files["authority_pem"]], name)] == [b"one", b"two"]

    @pytest.mark.parametrize("is_said", [True, False])
    def test_a_kept_connection_that_ended_is_opened_again(self, files, is_said):
        """Whether the server said in TLS that it ends, or just left."""
        side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        side.load_cert_chain(files["server_pem"], files["server_key"])
        left = threading.Event()
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            for body in (b"one", b"two"):
                with side.wrap_socket(listener.accept()[0], server_side=True) as talking:
                    talking.recv(65536)
                    talking.sendall(http(body))
                    if is_said:
                        talking.settimeout(0.1)
                        with contextlib.suppress(OSError):  # it waits for the other side's end, which does not come
                            talking.unwrap()
                left.set()

        thread = threading.Thread(target=serve)
        thread.start()
        server = Server("127.0.0.1", listener.getsockname()[1], Trusting([files["authority_pem"]]))
        connection = Connection(server, time.monotonic() + 20)
        assert connection.ask("GET", "/", {}).body == b"one"
        assert left.wait(20)
        assert connection.ask("GET", "/", {}).body == b"two"
        connection.close()
        thread.join()
        listener.close()

    def test_authorities_are_read_once(self, files, monkeypatch):
        """However many connections begin at once."""
        made = []
        monkeypatch.setattr(way, "trusting", lambda authorities: made.append(tuple(authorities)) or object())
        trusted = Trusting([files["authority_pem"]])
        contexts = [trusted() for _ in range(8)]
        assert made == [(files["authority_pem"],)]
        assert set(contexts) == {contexts[0]}

    @pytest.mark.parametrize(
        ("authorities", "name", "why"),
        [
            ([], "", "a certificate that Python does not accept"),
            (["authority_pem"], "other.test", "a certificate that Python does not accept"),
            (["client_pem"], "", "a certificate that Python does not accept"),
            (["server_key"], "", "files for TLS that can't be used"),
        ],
    )
    def test_whom_nobody_vouches_for_is_unusual(self, script, files, authorities, name, why):
        """The program may believe somebody else; nothing was sent."""
        for outcome in self.asked(script, files, [files[each] for each in authorities], name):
            assert isinstance(outcome, Unusual)
            assert str(outcome) == why


class TestPatience:
    def test_a_server_that_takes_too_long_is_not_late(self, script):
        """It is as good as not there, though there would be time."""
        host, _, port = script([b"HTTP/1.1 200 OK\r\n", 60]).url.removeprefix("http://").partition(":")
        connection = Connection(Server(host, int(port), None, patience=(10, 0.2)), time.monotonic() + 20)
        watch = Stopwatch()
        with pytest.raises(TimeoutError) as caught:
            connection.ask("GET", "/", {})
        assert not is_late(caught.value)
        assert watch.seconds() < 10


class Silent:
    """An address where nobody answers: a queue of connections that is full, and that nobody takes one from."""

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._queued = []
        for _ in range(4):
            self._queued.append(socket.socket())
            self._queued[-1].setblocking(False)
            self._queued[-1].connect_ex(("127.0.0.1", self.port))
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._queued]:
            each.close()

    @property
    def resolved(self):
        return resolved(self.port)


def resolved(port):
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))


class TestAddresses:
    """A host of several addresses, as a name service gives them."""

    @pytest.fixture
    def silent(self):
        with Silent() as address:
            probe = socket.socket()
            probe.settimeout(0.2)
            try:
                probe.connect(("127.0.0.1", address.port))
            except TimeoutError:
                yield address
            else:
                pytest.skip("a full queue of connections takes another one here")
            finally:
                probe.close()

    def ask(self, addresses, limit=30.0):
        server = Server("a.test", 80, None)
        server.addresses = addresses
        connection = Connection(server, time.monotonic() + limit)
        try:
            return connection.ask("GET", "/", {}).body, server.addresses
        finally:
            connection.close()

    def test_a_silent_one_costs_a_moment(self, script, silent):
        """The next one is asked, and comes first from then on."""
        there = resolved(int(script(http(b"one")).url.rpartition(":")[2]))
        watch = Stopwatch()
        assert self.ask((silent.resolved, there)) == (b"one", (there, silent.resolved))
        assert watch.seconds() < 10

    def test_one_that_refuses_costs_nothing(self, script):
        """As where a host has an address of a version of IP that does not come through."""
        there = resolved(int(script(http(b"one")).url.rpartition(":")[2]))
        assert self.ask((resolved(9), there)) == (b"one", (there, resolved(9)))

    def test_slow_ones_share_what_is_left(self, script, monkeypatch):
        """If nobody answers in a moment, each gets a fair part of the time."""
        tried = []

        def opened(_, address, most):
            tried.append((address, most))
            raise TimeoutError

        monkeypatch.setattr(Connection, "_opened", opened)
        with pytest.raises(TimeoutError):
            self.ask((1, 2, 3), limit=3600)
        assert [address for address, _ in tried] == [1, 2, 3] * 2
        assert {most for _, most in tried[:3]} == {connections._MOMENT}
        assert [round(most / 600) for _, most in tried[3:]] == [2, 3, 6]

    def test_where_all_are_silent_time_runs_out(self, silent):
        """As late, and in time."""
        watch = Stopwatch()
        with pytest.raises(TimeoutError) as caught:
            self.ask((silent.resolved, silent.resolved), limit=1)
        assert is_late(caught.value)
        assert watch.seconds() < 5


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Stream:
    """A stream of the test's own: gives these parts, and tells what was done with it."""

    family, type, proto = 1, 2, 3

    def __init__(self, *parts):
        self.parts, self.told = [*parts], []

    def settimeout(self, seconds):
        self.told.append(round(seconds, 3))

    def sendall(self, request):
        self.told.append("sent")

    def recv(self, size):
        return self.parts.pop(0) if self.parts else b""

    def connect(self, address):
        self.told.append(address)

    def setsockopt(self, *words):
        self.told.append(words)

    def detach(self):
        return 7

    def close(self):
        self.told.append("closed")


def on(monkeypatch, *streams, patience=(connections._ENDLESS, connections._ENDLESS), left=20.0):
    """A connection with so much time, for which these streams are opened in turn; the clock stands still."""
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    waiting = list(streams)
    monkeypatch.setattr(Connection, "_connected", lambda _: waiting.pop(0))
    return Connection(Server("a.test", 80, None, patience=patience), 100.0 + left)


@first_python
class TestStream:
    """What is done with a stream, byte by byte."""

    @pytest.mark.parametrize(
        ("patience", "left", "seconds"),
        [(connections._ENDLESS, 20.0, 20.0), (3.0, 20.0, 3.0), (30.0, 20.0, 20.0), (3.0, 0.0001, 0.001)],
    )
    def test_no_step_takes_longer_than_there_is_time(self, monkeypatch, patience, left, seconds):
        """Neither sending nor any waiting for more."""
        stream = Stream(http(b"one")[:9], http(b"one")[9:])
        connection = on(monkeypatch, stream, patience=(1.0, patience), left=left)
        assert connection.ask("GET", "/", {}).body == b"one"
        assert stream.told == [seconds, "sent", seconds, seconds]

    @pytest.mark.parametrize(("left", "is_late_then"), [(-1.0, True), (0.0, True)])
    def test_without_time_nothing_is_sent(self, monkeypatch, left, is_late_then):
        """That is late, also to the moment."""
        stream = Stream(http(b"one"))
        with pytest.raises(TimeoutError) as caught:
            on(monkeypatch, stream, left=left).ask("GET", "/", {})
        assert is_late(caught.value) == is_late_then
        assert stream.told == ["closed"]

    @pytest.mark.parametrize(
        ("head", "is_kept"),
        [
            (b"HTTP/1.1 200 OK\r\n", True),
            (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
            (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", True),
            (b"HTTP/1.0 200 OK\r\n", False),
            (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
            (b"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n", False),
        ],
    )
    @pytest.mark.parametrize(
        "rest", [b"Content-Length: 1\r\n\r\nx", b"Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"]
    )
    def test_a_connection_is_kept_where_both_sides_keep_it(self, monkeypatch, head, is_kept, rest):
        """From 1.1 on without a word, before that with one."""
        first, second = Stream(head + rest, http(b"two")), Stream(http(b"two"))
        connection = on(monkeypatch, first, second)
        assert connection.ask("GET", "/", {}).body == b"x"
        assert ("closed" in first.told) != is_kept
        assert connection.ask("GET", "/", {}).body == b"two"
        assert ("sent" in second.told) != is_kept
        connection.close()
        connection.close()
        assert (first if is_kept else second).told.count("closed") == 1

    def test_an_answer_without_a_length_ends_its_connection(self, monkeypatch):
        """Nothing else tells where it ends; one without a body needs no length."""
        first = Stream(b"HTTP/1.1 200 OK\r\n\r\none")
        second = Stream(b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n")
        connection = on(monkeypatch, first, second)
        assert [connection.ask("GET", "/", {}).body for _ in range(3)] == [b"one", b"", b""]
        assert first.told[-1] == "closed"
        assert "closed" not in second.told

    @pytest.mark.parametrize(
        ("parts", "body"),
        [
            ([b"HTTP/1.1 199 Wait\r\n\r\nHTTP/1.1 100 Go\r\n\r\n" + http(b"one")], b"one"),
            ([b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"], b""),
            ([b"HTTP/1.1 200\r\nContent-Length:3\r\nContent-Length: 3\r\n\r\none"], b"one"),
            ([b"HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\n", b"Content-Length: 3\r\n\r", b"\none"], b"one"),
            (
                [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0003 ;a\r\no", b"ne\r\n0", b"\r\n\r\n"],
                b"one",
            ),
        ],
    )
    def test_forms_of_an_answer(self, monkeypatch, parts, body):
        """Interim ones before it, no reason, a length said twice alike, parts that end anywhere."""
        assert on(monkeypatch, Stream(*parts)).ask("GET", "/", {}).body == body

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 200OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nxx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000000001\r\nx\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz0\r\n\r\n",
        ],
    )
    def test_what_is_not_http(self, monkeypatch, answer):
        """The stream is closed: nobody knows where the next answer would begin."""
        stream = Stream(answer)
        with pytest.raises(NotHttp):
            on(monkeypatch, stream).ask("GET", "/", {})
        assert stream.told[-1] == "closed"

    @pytest.mark.parametrize(
        ("size", "is_taken"), [(connections._LARGEST_HEAD, True), (connections._LARGEST_HEAD + 1, False)]
    )
    def test_the_longest_head(self, monkeypatch, size, is_taken):
        """As long as its end is not there, no more than so many bytes are kept."""
        head = b"HTTP/1.1 204 OK\r\nX: ".ljust(size, b"x")
        connection = on(monkeypatch, Stream(head, b"\r\n\r\n"))
        if is_taken:
            assert connection.ask("GET", "/", {}).status == 204
        else:
            with pytest.raises(NotHttp):
                connection.ask("GET", "/", {})

    @pytest.mark.parametrize(("status", "is_one"), [(299, False), (300, True), (399, True), (400, False)])
    def test_every_redirect_is_unusual(self, monkeypatch, status, is_one):
        """Whatever its number means."""
        connection = on(monkeypatch, Stream(http(b"", status=f"{status} X")))
        if is_one:
            with pytest.raises(Unusual, match="a redirect"):
                connection.ask("GET", "/", {})
        else:
            assert connection.ask("GET", "/", {}).status == status

    def test_the_limits(self):
        """16 MiB of an answer, 64 KiB of its head."""
        assert (LARGEST_BODY, connections._LARGEST_HEAD) == (16_777_216, 65_536)

    def test_a_method_that_sends_says_how_much(self, monkeypatch):
        """POST also where that is nothing; GET only where there is something."""
        requests = [
            connections._request(method, "/", {}, body).partition(b"\r\n\r\n")[0]
            for method, body in (("POST", b""), ("GET", b"x"), ("GET", b""))
        ]
        assert [b"Content-Length" in request for request in requests] == [True, True, False]

    def test_a_name_for_the_certificate(self):
        """The host's, unless another one is given."""
        assert Server("a.test", 443, None).name == "a.test"
        assert Server("a.test", 443, None, "b.test").name == "b.test"

    def test_what_a_header_can_hold(self):
        """Visible ASCII and no blank; nothing at all, too."""
        assert [connections.is_sendable(text) for text in ("", "a~!", "a b", "ä", "a\n", "\x7f")] == [
            *(True, True),
            *(False,) * 4,
        ]


@first_python
class TestOpening:
    """A stream to one address, before anything is sent."""

    @pytest.fixture
    def made(self, monkeypatch):
        """The streams that are made instead of sockets."""
        made = []

        def make(*words):
            made.append(Stream())
            made[-1].told.append(words)
            return made[-1]

        known = {name: getattr(connections.sockets, name) for name in ("IPPROTO_TCP", "TCP_NODELAY", "SOCK_STREAM")}
        monkeypatch.setattr(connections, "sockets", types.SimpleNamespace(socket=make, **known))
        monkeypatch.setattr("socket.socket", make)
        return made

    def opened(self, monkeypatch, tls=None, most=5.0):
        monkeypatch.setattr("time.monotonic", lambda: 100.0)
        connection = Connection(Server("a.test", 80, tls, patience=(3.0, 1.0)), 120.0)
        return connection._opened((1, 2, 3, "", ("1.2.3.4", 80)), most)

    @pytest.mark.parametrize(("most", "seconds"), [(5.0, 3.0), (2.0, 2.0)])
    def test_a_connection_has_its_own_patience(self, monkeypatch, made, most, seconds):
        """And the part of the time that an address gets; small packets are sent at once."""
        assert self.opened(monkeypatch, most=most) is made[0]
        no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert made[0].told == [(1, 2, 3), seconds, ("1.2.3.4", 80), no_delay]

    def test_one_that_fails_is_closed(self, monkeypatch, made):
        """Whatever ended it."""

        def fail(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(Stream, "connect", fail)
        with pytest.raises(KeyboardInterrupt):
            self.opened(monkeypatch)
        assert made[0].told[-1] == "closed"

    @pytest.mark.parametrize("is_refused", [False, True])
    def test_tls_has_the_same_patience(self, monkeypatch, made, is_refused):
        """For the name of the server; a stream that is refused is closed."""
        told = []

        class Context:
            def wrap_socket(self, stream, server_hostname):
                told.append((stream, server_hostname))
                if is_refused:
                    raise ssl.SSLError
                return "secured"

        if is_refused:
            with pytest.raises(ssl.SSLError):
                self.opened(monkeypatch, tls=Context)
        else:
            assert self.opened(monkeypatch, tls=Context) == "secured"
        assert told == [(made[1], "a.test")]
        assert made[1].told == [(1, 2, 3, 7), 3.0, *(["closed"] if is_refused else [])]

    @pytest.mark.parametrize("fault", [OSError(), ValueError()])
    def test_files_that_can_t_be_used(self, monkeypatch, made, fault):
        """The program may read them."""

        def fail():
            raise fault

        with pytest.raises(Unusual, match="files for TLS that can't be used"):
            self.opened(monkeypatch, tls=fail)
        assert made[0].told[-1] == "closed"


@first_python
class TestNames:
    """What a name service says."""

    def asked(self, monkeypatch, host, answer, left=20.0):
        asked = []

        def look_up(*words):
            asked.append(words)
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, float):
                time.sleep(answer)
            return answer

        known = types.SimpleNamespace(getaddrinfo=look_up, SOCK_STREAM=socket.SOCK_STREAM)
        monkeypatch.setattr(connections, "sockets", known)
        return connections._addresses(host, 80, left), asked

    @pytest.mark.parametrize("host", ["a.test", "127.0.0.1", "::1"])
    def test_it_is_asked_for_streams(self, monkeypatch, host):
        """As bytes; a number needs no thread."""
        found, asked = self.asked(monkeypatch, host, ["x"])
        assert (found, asked) == (["x"], [(host.encode(), 80, 0, socket.SOCK_STREAM)])

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1"])
    def test_a_number_is_looked_up_at_once(self, monkeypatch, host):
        """In this thread."""
        monkeypatch.setattr(connections, "begun", None)
        assert self.asked(monkeypatch, host, ["x"])[0] == ["x"]

    def test_its_refusal_is_the_answer(self, monkeypatch):
        """A name that no service can be asked for is the program's."""
        with pytest.raises(OSError, match="no such name"):
            self.asked(monkeypatch, "a.test", OSError("no such name"))
        with pytest.raises(Unusual, match="the name of the host"):
            self.asked(monkeypatch, "ä.test", ["x"])

    def test_it_is_not_waited_for_longer(self, monkeypatch):
        """It knows no limit of its own."""
        with pytest.raises(TimeoutError) as caught:
            self.asked(monkeypatch, "a.test", 0.5, left=0.01)
        assert is_late(caught.value)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://a.test", ("http://a.test", "a.test", 80, False)),
        ("https://A.test/", ("https://A.test", "a.test", 443, True)),
        ("http://a.test:0", ("http://a.test:0", "a.test", 80, False)),
        ("https://[::1]:65535", ("https://[::1]:65535", "::1", 65535, True)),
        ("https://a.test:65536", None),
        ("https://a.test:123456", None),
        ("https://a.test/x", None),
        ("https://me@a.test", None),
        ("ftp://a.test", None),
        ("https://[abc]", None),
        ("https://a_b.test", ("https://a_b.test", "a_b.test", 443, True)),
    ],
)
def test_a_plain_address(url, location):
    """Scheme, host and port, and nothing else."""
    assert way.plain_address(url) == location


def test_proxies_of_macos_count(monkeypatch):
    """As its own settings have them; elsewhere nobody is asked."""
    monkeypatch.setattr("sys.platform", "darwin")
    for proxies in ({}, {"http": "p"}):
        monkeypatch.setitem(sys.modules, "_scproxy", types.SimpleNamespace(_get_proxies=lambda found=proxies: found))
        assert is_proxied({}) is bool(proxies)
    monkeypatch.setattr("sys.platform", "linux")
    assert is_proxied({}) is False


def test_authorities_are_those_that_are_named(monkeypatch):
    """The first makes the settings, the others are added; without any they are the system's."""
    told = []

    class Context:
        verify_flags = ssl.VERIFY_X509_STRICT | ssl.VERIFY_CRL_CHECK_LEAF

        def load_verify_locations(self, file):
            told.append(file)

    monkeypatch.setattr("ssl.create_default_context", lambda cafile: told.append(cafile) or Context())
    assert way.trusting(["a", "b", "c"]).verify_flags == ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_CRL_CHECK_LEAF
    way.trusting()
    assert told == ["a", "b", "c", None]


def test_every_file_below_a_folder_is_one_of_authorities(tmp_path):
    """Whatever its name."""
    (tmp_path / "b").mkdir()
    for name in ("a.pem", "b/c"):
        (tmp_path / name).write_text("")
    assert sorted(way.certificates_below(str(tmp_path))) == [f"{tmp_path}/a.pem", f"{tmp_path}/b/c"]


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "body"),
        [
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", b"to the end"),
            (b"HTTP/1.0 200\r\nConnection: close\r\n\r\n", b""),
            (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http(b"late"), b"late"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
            (CHUNKED + b"2;x=y\r\nab\r\n0001\r\nc\r\n0\r\nTrailer: x\r\n\r\n", b"abc"),
        ],
    )
    def test_forms_of_a_body(self, script, answer, body):
        """With a length, to the end of the connection, in chunks, after an interim answer, or none."""
        ended = [answer, None] if b"Connection: close" in answer else answer
        assert bodies(script(ended), 1) == [body]

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + http(b"late"),
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
            CHUNKED + b"g\r\n",
            CHUNKED + b"\r\n",
            CHUNKED + b"1\r\nab\r\n",
        ],
    )
    def test_what_is_not_http(self, script, answer):
        """A length that may be read in two ways counts: another reader could see another answer."""
        with pytest.raises(NotHttp):
            bodies(script(answer), 1)

    @pytest.mark.parametrize(
        "answer",
        [
            *(
                http(b"", status=f"{status} Moved", more="Location: http://127.0.0.1:9/\r\n")
                for status in (301, 307, 308)
            ),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            http(gzip.compress(b"{}", mtime=0), more="Content-Encoding: gzip\r\n"),
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 1),
            CHUNKED + b"7fffffff\r\n",
        ],
    )
    def test_what_is_unusual(self, script, answer):
        """Redirects, codings and long answers are the program's."""
        with pytest.raises(Unusual):
            bodies(script(answer), 1)

    @pytest.mark.parametrize(
        "form",
        [
            lambda body: [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body],
            lambda body: [CHUNKED, b"5\r\n", body[:5], b"\r\n%x\r\n" % (len(body) - 5), body[5:], b"\r\n0\r\n\r\n"],
            lambda body: [b"HTTP/1.1 200 OK\r\n\r\n", body, None],
        ],
        ids=["length", "chunks", "to the end"],
    )
    def test_the_longest_answer_is_taken(self, script, form):
        """One byte more is the program's to read, however its end is told."""
        longest = b"x" * LARGEST_BODY
        [body] = bodies(script(form(longest)), 1)
        assert len(body) == LARGEST_BODY
        with pytest.raises(Unusual, match="a long answer"):
            bodies(script(form(longest + b"x")), 1)

    def test_a_server_that_drips_is_late(self, script):
        """The time counts as a whole, not for each byte."""
        with pytest.raises(TimeoutError) as caught:
            bodies(script([b"HTTP/1.1 200 OK\r\n", *[0.05, b"X: y\r\n"] * 100]), 1, limit=0.5)
        assert is_late(caught.value)
        assert not is_late(TimeoutError(110, "Connection timed out"))
        assert not is_late(ConnectionResetError())


def test_a_proxy_for_anything_counts():
    """In either case; whom it is for is the program's to say."""
    assert is_proxied({"https_proxy": "http://p.test"})
    assert is_proxied({"ALL_PROXY": "socks5://p.test"})
    assert not is_proxied({"HTTP_PROXY": "", "NO_PROXY": "*"})


@pytest.mark.parametrize(
    ("status", "after", "seconds"),
    [
        (429, {}, 0.0),
        (429, {"retry-after": "7"}, 7.0),
        (429, {"retry-after": "Fri, 27 Nov 2026 07:28:09 GMT", "date": "Fri, 27 Nov 2026 07:28:00 GMT"}, 9.0),
        (429, {"retry-after": "Fri, 27 Nov 2026 07:27:00 GMT", "date": "Fri, 27 Nov 2026 07:28:00 GMT"}, 0.0),
        (429, {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        (429, {"retry-after": "Thu, 27 Nov 2026 07:28:09 GMT", "date": "Fri, 27 Nov 2026 07:28:00 GMT"}, 0.0),
        (429, {"retry-after": "soon"}, 0.0),
        (429, {"retry-after": "Fri, 27 Nov 99999999999999999999 07:28:00 GMT"}, 0.0),
        (429, {"retry-after": "-1"}, 0.0),
        (429, {"retry-after": "\u0663"}, 0.0),
        (503, {"retry-after": "7"}, None),
        (200, {}, None),
    ],
)
def test_a_server_that_is_asked_too_often_says_for_how_long(status, after, seconds):
    """In seconds, or as a date by its own clock; nonsense is no reason to wait."""
    assert Answer(status, after, b"").pause() == seconds


def test_a_date_is_counted_from_now_where_the_server_does_not_say_its_own():
    """Its clock may be another one, but nobody knows."""
    assert 3000 < Answer(429, {"retry-after": dated(time.time() + 3600)}, b"").pause() < 3700


def test_a_pool_whose_job_failed_is_let_go_with_the_error():
    """Its connections would else stay open until Python looks for circles."""

    def fail(_connection, _job):
        raise ValueError

    pool = Connections(Server("a.test", 80, None))
    kept = ref(pool)
    [error] = pool.side_by_side(fail, ["job"], 1, time.monotonic() + 20)
    assert isinstance(error, ValueError)
    gc.disable()
    try:
        del error, pool
        assert kept() is None
    finally:
        gc.enable()


def test_a_chain_of_certificates_is_judged_as_programs_do():
    """Newer Pythons ask for more, which many companies' certificates lack; a chain may end before its root."""
    flags = way.trusting().verify_flags
    assert not flags & ssl.VERIFY_X509_STRICT
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN
