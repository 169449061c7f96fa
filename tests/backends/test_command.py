"""Running another program: how it is found, what it is given, and how it is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types

import pytest

from envref.backends import command
from envref.backends.command import Call, TooMuchOutput, child_environment, find, inherited_environment, run, run_many
from envref.store_errors import BackendInvalid, BackendLocked, BackendTimeout, BackendUnavailable
from tests.conftest import ROOT
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python


def shell(script, *, limit=20.0, **options):
    return run(["/bin/sh", "-c", script], deadline=time.monotonic() + limit, label="op", **options)


def executable(path, text="#!/bin/sh\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


class TestFind:
    def test_path_comes_before_the_stores_own_path(self, tmp_path, monkeypatch):
        """PATH is searched in its order, then ENVREF_STORE_PATH."""
        first, second = executable(tmp_path / "one/tool"), executable(tmp_path / "two/tool")
        only = executable(tmp_path / "two/other")
        monkeypatch.setenv("PATH", str(tmp_path / "one"))
        monkeypatch.setenv("ENVREF_STORE_PATH", str(tmp_path / "two"))
        assert (find("tool"), find("other")) == (first, only)
        monkeypatch.setenv("PATH", f"{tmp_path / 'absent'}:{tmp_path / 'two'}:{tmp_path / 'one'}")
        assert find("tool") == second

    @pytest.mark.parametrize("path", ["", ":", ".", "bin", "./bin", "::bin:.:"])
    def test_the_current_directory_does_not_choose_the_program(self, tmp_path, monkeypatch, path):
        """Empty and relative parts of both search paths are skipped."""
        executable(tmp_path / "tool")
        executable(tmp_path / "bin/tool")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PATH", path)
        monkeypatch.setenv("ENVREF_STORE_PATH", path)
        assert find("tool") is None

    def test_only_executable_files_are_programs(self, tmp_path, monkeypatch):
        """A directory, a file that may not be executed, and nothing at all are no programs."""
        (tmp_path / "one/tool").mkdir(parents=True)
        (tmp_path / "two").mkdir()
        (tmp_path / "two/tool").write_text("")
        found = executable(tmp_path / "three/tool")
        monkeypatch.setenv("PATH", ":".join(str(tmp_path / name) for name in ("zero", "one", "two", "three")))
        assert find("tool") == found
        assert find("tool2") is None

    def test_a_path_is_taken_as_it_is(self, tmp_path, monkeypatch):
        """A program with a slash is not searched; a relative one starts at the root that is given."""
        found = executable(tmp_path / "tools/kv")
        monkeypatch.setenv("PATH", str(tmp_path / "tools"))
        assert (
            find(found)
            == find("tools/kv", root=str(tmp_path))
            == find("./tools/../tools/kv", root=str(tmp_path))
            == found
        )
        assert find("tools/none", root=str(tmp_path)) is None


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def caller(self, monkeypatch):
        for name in ("PASSPHRASE", "PASSPHRASE_FILE", "PASSPHRASE_FD"):
            monkeypatch.setenv(f"ENVREF_VAULT_{name}", "private")
        for name in ("ENVREF_TRUST", "ENVREF_STORE_PATH"):
            monkeypatch.setenv(name, "private")
        monkeypatch.setenv("KV_FORMAT", "table")
        monkeypatch.setenv("HTTPS_PROXY", "proxy")
        monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    @pytest.mark.parametrize("make", [child_environment, inherited_environment])
    def test_what_is_envrefs_own_is_not_inherited(self, make):
        """No child learns the passphrase, what is trusted, or envref's search path; the rest it does."""
        environment = make()
        assert "private" not in environment.values()
        assert environment["HTTPS_PROXY"] == "proxy"

    def test_a_stores_program_speaks_english_and_json(self):
        """The caller's language and output settings don't reach a program whose output is parsed."""
        assert child_environment()["KV_FORMAT"] == "table"
        environment = child_environment(unset=["KV_FORMAT"])
        assert environment["LC_ALL"] == "C"
        assert "KV_FORMAT" not in environment

    def test_a_store_sets_its_own(self):
        """`extra` wins over what is inherited and what is removed."""
        assert child_environment({"KV_FORMAT": "", "HTTPS_PROXY": "other"}, unset=["KV_FORMAT"])["KV_FORMAT"] == ""

    def test_a_program_gets_this_environment_unless_told_otherwise(self):
        """`run` gives the environment of a store's program, not envref's own."""
        seen = shell("env").stdout.decode()
        assert "private" not in seen
        assert "LC_ALL=C\n" in seen
        assert shell("env", environment={"A": "b"}).stdout.decode().count("A=b\n") == 1


class TestResult:
    def test_status_and_both_outputs_are_told_apart(self):
        """Exit status, stdout as bytes and stderr as text."""
        finished = shell(r"printf 'o\377'; printf 'e\377' >&2; exit 3")
        assert (finished.status, finished.stdout, finished.stderr) == (3, b"o\xff", "e\ufffd")

    def test_death_by_a_signal_is_a_negative_status(self):
        """A program killed by signal 15 has status -15."""
        assert shell("kill -15 $$").status == -15

    def test_a_payload_is_read_to_its_end(self):
        """A payload larger than a pipe's buffer arrives whole, and then standard input ends."""
        payload = os.urandom(300_000)
        assert shell("cat", payload=payload).stdout == payload

    def test_without_a_payload_standard_input_is_empty(self):
        """A program that reads finds the end of input at once, whatever envref's own input is."""
        assert shell("cat").stdout == b""
        assert shell("cat", payload=b"").stdout == b""

    def test_a_payload_that_nobody_reads_is_no_failure(self):
        """A program may end, or close its input, without reading what it was given."""
        assert shell("exit 7", payload=b"x" * 300_000).status == 7
        assert shell("exec 0<&-; echo done", payload=b"x" * 300_000).stdout == b"done\n"

    def test_the_program_stays_in_its_callers_session(self):
        """1Password gives its consent to a terminal session; the process group is the program's own (ST-F2)."""
        session, group, itself = shell("ps -o sid=,pgid= -p $$; echo $$").stdout.split()
        assert (int(session), group) == (os.getsid(0), itself)

    def test_a_program_that_asks_on_the_terminal_ends_at_once(self):
        """Its group is in the background, so that reading stops it: that is said, and no time limit is waited for."""
        watch = Stopwatch()
        with pytest.raises(BackendLocked) as caught:
            shell("kill -TTIN $$; echo never")
        assert caught.value.message == "op: sh asks on the terminal"
        assert watch.seconds() < 2

    def test_gpg_is_told_the_callers_terminal(self, monkeypatch):
        """Unless the caller has told it another one."""
        monkeypatch.delenv("GPG_TTY", raising=False)
        monkeypatch.setattr(os, "ttyname", lambda _: "/dev/pts/7")
        assert shell("echo $GPG_TTY").stdout == b"/dev/pts/7\n"
        monkeypatch.setenv("GPG_TTY", "/dev/pts/8")
        assert shell("echo $GPG_TTY").stdout == b"/dev/pts/8\n"

    def test_it_runs_where_it_is_told(self, tmp_path):
        """`directory` is the program's working directory."""
        assert shell("pwd", directory=str(tmp_path)).stdout.decode().strip() == str(tmp_path)

    def test_a_program_that_cannot_be_started_is_an_error(self, tmp_path):
        """The error names the program and the system's reason."""
        program = executable(tmp_path / "op", "\x7fnot a program")
        with pytest.raises(BackendUnavailable) as caught:
            run([program], deadline=time.monotonic() + 5, label="1password")
        assert caught.value.message == "1password: start op: exec format error"

    def test_too_much_output_ends_the_program(self):
        """More than 16 MiB of output is refused while it is being written."""
        watch = Stopwatch()
        with pytest.raises(BackendInvalid) as caught:
            shell("cat /dev/zero")
        assert caught.value.message == "op: more than 16 MiB of output"
        assert watch.seconds() < 5

    def test_the_largest_output_is_whole(self):
        """Exactly 16 MiB are read."""
        assert len(shell("head -c 16777216 /dev/zero").stdout) == 16777216

    def test_only_the_beginning_of_stderr_is_kept(self):
        """However much a program complains, it runs to its end, and 64 KiB of it are kept."""
        finished = shell("head -c 10000000 /dev/zero >&2; echo done")
        assert (finished.stdout, len(finished.stderr)) == (b"done\n", 65536)


HANGS = {
    "hang": "sleep 1000",
    "grandchild": "sleep 1000 & sleep 1000",
    "slow_drip": "while :; do echo x; sleep 0.05; done",
    "no_end_of_output": "echo x; sleep 1000 & wait",
    "ignores_term": "trap '' TERM INT HUP; while :; do sleep 0.1; done",
    "closed_pipes": "exec >&- 2>&-; sleep 1000",
    "reads_nothing": "sleep 1000",
}


class TestTime:
    @pytest.mark.parametrize("kind", HANGS)
    def test_a_program_that_does_not_end_is_ended(self, kind):
        """Whatever it does, the call ends with its time, and nothing of its group is left."""
        marker = f"TEST_MARKER={kind}-{os.getpid()}"
        watch = Stopwatch()
        with pytest.raises(BackendTimeout) as caught:
            shell(HANGS[kind], limit=0.5, payload=b"x" * 300_000, environment=dict([marker.split("=")]))
        assert watch.seconds() < 1.5
        message = as_set(caught.value.message, 0.5)
        assert message == "op: no answer within 0.5 s; raise --timeout or the backend's timeout"
        assert left_of(marker) == []

    def test_a_grandchild_that_holds_the_pipe_does_not_delay_the_result(self):
        """A program that ends is done, though a process it left behind could still write; that one is ended."""
        marker = f"TEST_MARKER=left-behind-{os.getpid()}"
        watch = Stopwatch()
        finished = shell("sleep 1000 & echo done", environment=dict([marker.split("=")]))
        assert finished.stdout == b"done\n"
        assert watch.seconds() < 1
        assert left_of(marker) == []

    def test_a_grandchild_in_another_session_does_not_delay_the_result(self):
        """An agent that a program started for good lives on, and is not waited for."""
        watch = Stopwatch()
        finished = shell("setsid sleep 3 & echo done")
        assert finished.stdout == b"done\n"
        assert watch.seconds() < 1

    def test_without_time_nothing_is_started(self, tmp_path):
        """A deadline that has passed starts no program."""
        with pytest.raises(BackendTimeout):
            shell(f"touch {tmp_path}/started", limit=-1)
        assert not (tmp_path / "started").exists()

    def test_an_interrupt_ends_the_program(self, tmp_path):
        """Ctrl-C in envref leaves no program behind."""
        marker = f"interrupted-{os.getpid()}"
        code = (
            "import time\n"
            "from envref.backends.command import run\n"
            f"run(['/bin/sh', '-c', 'sleep 0.3; echo > {tmp_path}/ready; sleep 1000'], label='op',"
            f" deadline=time.monotonic() + 60, environment={{'PATH': '/bin:/usr/bin', 'TEST_MARKER': '{marker}'}})"
        )
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, cwd=ROOT) as process:
            while not (tmp_path / "ready").exists():
                time.sleep(0.02)
            process.send_signal(2)
            process.wait(timeout=10)
        assert left_of(f"TEST_MARKER={marker}") == []


class TestMany:
    def test_outcomes_are_in_the_order_of_the_calls(self):
        """Each call has its own outcome, whichever ends first."""
        calls = [Call(["/bin/sh", "-c", f"sleep 0.{9 - number}; echo {number}"]) for number in range(6)]
        outcomes = run_many(calls, deadline=time.monotonic() + 20, label="op")
        assert [outcome.stdout for outcome in outcomes] == [f"{number}\n".encode() for number in range(6)]

    def test_four_run_at_a_time(self, tmp_path):
        """Nine programs of 0.2 s take three rounds."""
        script = f"echo >> {tmp_path}/$$; ls {tmp_path} | wc -l; sleep 0.2; rm {tmp_path}/$$"
        calls = [Call(["/bin/sh", "-c", script])] * 9
        watch = Stopwatch()
        outcomes = run_many(calls, deadline=time.monotonic() + 20, label="op")
        assert time.monotonic() - watch.started > 0.6
        assert watch.seconds() < 3
        assert max(int(outcome.stdout) for outcome in outcomes) == 4

    def test_what_did_not_end_in_time_is_a_timeout_and_the_rest_is_not(self):
        """The deadline is everybody's, and fails only those that missed it."""
        calls = [Call(["/bin/sh", "-c", script]) for script in ("echo a", "sleep 1000", "echo b")]
        for limit in (0.5, 2, 8):  # seconds; more of them on a machine that can't even `echo` in time
            first, second, third = run_many(calls, deadline=time.monotonic() + limit, label="op")
            assert isinstance(second, BackendTimeout)
            if not isinstance(first, BackendTimeout) and not isinstance(third, BackendTimeout):
                break
        assert (first.stdout, third.stdout) == (b"a\n", b"b\n")

    def test_one_that_cannot_be_started_does_not_stop_the_others(self):
        """A program that is not there fails its own call only."""
        first, second = run_many(
            [Call(["/nonexistent/op"]), Call(["/bin/echo", "b"])], deadline=time.monotonic() + 20, label="op"
        )
        assert isinstance(first, BackendUnavailable)
        assert second.stdout == b"b\n"

    @first_python
    def test_calls_from_several_threads_dont_disturb_each_other(self):
        """Stores run in parallel: each thread gets its own output."""
        found = {}

        def work(number):
            found[number] = [shell(f"echo {number}").stdout for _ in range(10)]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {number: [f"{number}\n".encode()] * 10 for number in range(4)}


@first_python
class TestLimits:
    """Of what a program may write."""

    @pytest.mark.parametrize(("size", "is_taken"), [(16_777_216, True), (16_777_217, False)])
    def test_sixteen_mebibytes(self, size, is_taken):
        """One byte more ends the program."""
        if is_taken:
            assert len(shell(f"head -c {size} /dev/zero").stdout) == size
        else:
            with pytest.raises(TooMuchOutput) as caught:
                shell(f"head -c {size} /dev/zero")
            assert caught.value.lines() == [
                "error: op: more than 16 MiB of output",
                "  hint: run the program by hand and look at what it prints",
            ]

    @pytest.mark.parametrize("size", [65_536, 65_537, 300_000])
    def test_of_errors_the_first_64_kibibytes_are_kept(self, size):
        """A program that says more is not ended."""
        finished = shell(f"head -c {size} /dev/zero >&2; exit 3")
        assert (finished.status, len(finished.stderr)) == (3, 65_536)


@first_python
class TestChild:
    """What is done with a program's pipes, without one."""

    def child(self, *, stdout=True, stderr=True):
        made = object.__new__(command._Child)
        made._process = types.SimpleNamespace(stdout="out", stderr="err", stdin=None, pid=7)
        made._open = {name for name, is_open in (("out", stdout), ("err", stderr)) if is_open}
        return made

    @pytest.mark.parametrize(
        ("stdout", "stderr", "has_pipes"),
        [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
    )
    def test_it_is_looked_at_often_once_both_are_closed(self, stdout, stderr, has_pipes):
        """Then it ends any moment; before that twenty times a second, and never past the deadline."""
        child, waited = self.child(stdout=stdout, stderr=stderr), []
        selector = types.SimpleNamespace(select=lambda seconds: waited.append(seconds) or [])
        assert child.has_pipes() is has_pipes
        command._serve(selector, {1: child}, time.monotonic() + 20)
        command._serve(selector, {1: child}, time.monotonic() - 1)
        assert waited == [0.05 if has_pipes else 0.001, 0.0]

    def test_what_is_written_partly_is_written_on(self, monkeypatch):
        """A full pipe is waited for; one that nobody reads any more is closed."""
        closed, outcomes = [], [2, BlockingIOError(), BrokenPipeError()]

        def write(_, pending):
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        child = self.child()
        child._process.stdin = types.SimpleNamespace(fileno=lambda: 5)
        child._pending = memoryview(b"abcd")
        monkeypatch.setattr(command.os, "write", write)
        monkeypatch.setattr(child, "_close", closed.append, raising=False)
        left = []
        for _ in range(3):
            child._write()
            left.append(bytes(child._pending))
        assert (left, len(closed)) == ([b"cd", b"cd", b""], 1)
        child._process.stdin = None
        child._write()

    def test_a_pipe_is_read_while_it_has_something(self, monkeypatch):
        """Its end closes it; a closed one has nothing."""
        closed, outcomes = [], [b"a", BlockingIOError(), b""]

        def read(_, size):
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        child, pipe = self.child(), types.SimpleNamespace(fileno=lambda: 5)
        child._open = {id(pipe): pipe}.values()
        monkeypatch.setattr(command.os, "read", read)
        monkeypatch.setattr(child, "_close", closed.append, raising=False)
        assert [child._read(pipe) for _ in range(3)] == [b"a", b"", b""]
        assert closed == [pipe]
        child._open = set()
        assert child._read("out") == child._read(None) == b""

    @pytest.mark.parametrize(("terminals", "tty"), [({0, 2}, "/dev/0"), ({2}, "/dev/2"), ({1}, None), (set(), None)])
    def test_the_terminal_for_gpg(self, monkeypatch, terminals, tty):
        """That of standard input, else that of the errors."""

        def ttyname(number):
            if number not in terminals:
                raise OSError
            return f"/dev/{number}"

        monkeypatch.delenv("GPG_TTY", raising=False)
        monkeypatch.setattr(command.os, "ttyname", ttyname)
        assert child_environment().get("GPG_TTY") == tty

    @pytest.mark.parametrize(("text", "told"), [("Exec Format Error", "exec format error"), (None, "failed")])
    def test_one_that_can_t_be_started(self, text, told):
        """With the system's reason."""
        error = command._not_started("op", "/x/op", OSError(8, text) if text else OSError())
        assert (error.reason, error.lines()) == (
            told,
            [f"error: op: start op: {told}", "  hint: run the program by hand: it says why"],
        )

    def test_one_that_asks_on_the_terminal(self, monkeypatch):
        """Is in the background, and was stopped for it."""
        child = self.child(stdout=False, stderr=False)
        child._is_stopped, child._program, child._output, child._errors = True, "/x/op", b"", b""
        monkeypatch.setattr(child, "kill", lambda: None, raising=False)
        monkeypatch.setattr(child, "_kill_group", lambda: None, raising=False)
        assert child.outcome("op").lines() == [
            "error: op: op asks on the terminal",
            "  hint: run op by hand once and answer it",
        ]

    def test_a_program_in_the_foreground(self):
        """Has the terminal to itself, and what it is given."""
        ended = command.run_in_foreground(["/bin/sh", "-c", "cat; echo odd >&2; exit 3"], b"in")
        assert (ended.status, ended.stdout, ended.stderr) == (3, b"in", "odd\n")
