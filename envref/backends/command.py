"""Call: one run of another program, with its arguments, standard input, environment, time limit and exit status.

A program gets a fixed argument vector and no shell, a process group of its own, and either nothing or a payload on its
standard input. It stays in the session of its caller: 1Password and ssh-agent give their consent to a terminal.
Whatever it does, the call ends by its deadline and leaves no process of its group behind.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time

from envref.backends import children
from envref.backends.answer import no_answer
from envref.backends.programs import find as find  # noqa: PLC0414  part of the way to run a program
from envref.backends.table import PRIVATE, PRIVATE_PREFIX
from envref.store_errors import BackendError, BackendInvalid, BackendLocked, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO


AT_ONCE = 4  # more processes gain nothing on two cores (stores.md 1.9)
LARGEST_OUTPUT = 16 * 1024 * 1024  # bytes of stdout; more ends the program (security.md P4)
LARGEST_ERRORS = 64 * 1024  # bytes of stderr that are kept

_CHUNK = 64 * 1024
_TICK = 0.05  # seconds between two looks for a program that ended while another process holds its pipes
_LAST_TICK = 0.001  # the same once its pipes are closed: it should end any moment


class NotStarted(BackendUnavailable):
    """The program exists and can't be started; `reason` is the system's."""

    reason = ""


class AsksOnTerminal(BackendLocked):
    """The program wanted to read from the terminal. It is in the background, so that stopped it, for ever."""


class TooMuchOutput(BackendInvalid):
    """The program wrote more than LARGEST_OUTPUT to its standard output, and was stopped."""


class Call:
    """One start of a program: its argument vector, and what it reads. A payload of None is an empty standard input."""

    __slots__ = ("argv", "payload")

    def __init__(self, argv: Sequence[str], payload: bytes | None = None) -> None:
        self.argv = argv
        self.payload = payload


class Finished:
    """How a program ended: its exit status (negative: by that signal), its output, and its stderr, cut to 64 KiB."""

    __slots__ = ("status", "stderr", "stdout")

    def __init__(self, status: int, stdout: bytes, stderr: str) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr


def inherited_environment() -> dict[str, str]:
    """The caller's environment without what is envref's own (security.md 5.8)."""
    return {
        name: value for name, value in os.environ.items() if name not in PRIVATE and not name.startswith(PRIVATE_PREFIX)
    }


def child_environment(extra: Mapping[str, str] | None = None, *, unset: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a store's CLI: inherited, in English, without what is `unset`, and with `extra` on top."""
    inherited = {name: value for name, value in inherited_environment().items() if name not in unset}
    return {**_terminal(), **inherited, "LC_ALL": "C", **(extra or {})}


def _terminal() -> dict[str, str]:
    """The caller's terminal for gpg, which else looks for it at its standard input, and a store's program has none."""
    for stream in (0, 2):
        try:
            return {"GPG_TTY": os.ttyname(stream)}
        except OSError:
            continue
    return {}


def run(
    argv: Sequence[str],
    *,
    deadline: float,
    label: str,
    payload: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    directory: str | None = None,
) -> Finished:
    """Runs one program to its end. Raises BackendTimeout, NotStarted or TooMuchOutput, each beginning with `label`.

    `argv[0]` is an absolute path from `find`; `environment` defaults to `child_environment()`.
    """
    (outcome,) = run_many(
        [Call(argv, payload)], deadline=deadline, label=label, environment=environment, directory=directory
    )
    if isinstance(outcome, BackendError):
        raise outcome
    return outcome


def run_in_foreground(argv: Sequence[str], payload: bytes) -> Finished:
    """Runs a program that asks the person at the terminal, for as long as that takes: the terminal is its own too."""
    ended = subprocess.run(argv, input=payload, capture_output=True, check=False, env=child_environment())
    return Finished(ended.returncode, ended.stdout, ended.stderr.decode("utf-8", "replace"))


def run_many(
    calls: Sequence[Call],
    *,
    deadline: float,
    label: str,
    environment: Mapping[str, str] | None = None,
    directory: str | None = None,
) -> list[Finished | BackendError]:
    """Runs every call, four at a time; the outcomes in the order of the calls. One failure doesn't fail the others."""
    started = time.monotonic()
    children.watch()
    inherited = child_environment() if environment is None else environment
    outcomes: dict[int, Finished | BackendError] = {}
    waiting = list(enumerate(calls))[::-1]
    running: dict[int, _Child] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while (waiting or running) and time.monotonic() < deadline:
                while waiting and len(running) < AT_ONCE:
                    index, call = waiting.pop()
                    try:
                        running[index] = _Child(call, selector, inherited, directory)
                    except OSError as error:
                        outcomes[index] = _not_started(label, call.argv[0], error)
                _serve(selector, running, deadline)
                for index in [index for index, child in running.items() if child.ended()]:
                    outcomes[index] = running.pop(index).outcome(label)
        finally:
            for child in running.values():
                child.kill()
    return [outcomes.get(index) or no_answer(label, started, deadline) for index in range(len(calls))]


def _not_started(label: str, program: str, error: OSError) -> NotStarted:
    reason = (error.strerror or "failed").lower()
    outcome = NotStarted(
        f"{label}: start {os.path.basename(program)}: {reason}", hint="run the program by hand: it says why"
    )
    outcome.reason = reason
    return outcome


def _serve(selector: selectors.BaseSelector, running: Mapping[int, _Child], deadline: float) -> None:
    """Moves bytes until something happens, or until it is time to check which programs ended."""
    tick = _TICK if all(child.has_pipes() for child in running.values()) else _LAST_TICK
    for key, _ in selector.select(max(0.0, min(tick, deadline - time.monotonic()))):
        key.data()


class _Child:
    """A running program, its pipes, and what it wrote so far. Its process group has the number of its process id."""

    def __init__(
        self, call: Call, selector: selectors.BaseSelector, environment: Mapping[str, str], directory: str | None
    ) -> None:
        self._selector = selector
        self._program = call.argv[0]
        self._pending = memoryview(call.payload or b"")
        self._output = bytearray()
        self._errors = bytearray()
        self._open: set[IO[bytes]] = set()
        self._is_stopped = False
        with children.starting() as known:
            self._process = subprocess.Popen(
                call.argv,
                bufsize=0,
                stdin=subprocess.DEVNULL if call.payload is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=directory,
                process_group=0,
            )
            known(self._process.pid)
        self._watch(self._process.stdout, selectors.EVENT_READ, self._read_output)
        self._watch(self._process.stderr, selectors.EVENT_READ, self._read_errors)
        self._watch(self._process.stdin, selectors.EVENT_WRITE, self._write)

    def _watch(self, pipe: IO[bytes] | None, event: int, serve: object) -> None:
        if pipe is None:
            return
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, event, serve)
        self._open.add(pipe)

    def _close(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        self._open.remove(pipe)
        pipe.close()

    def has_pipes(self) -> bool:
        """Whether the program, or a process it started, may still write."""
        return self._process.stdout in self._open or self._process.stderr in self._open

    def ended(self) -> bool:
        return self._has_too_much() or self._is_stopped or self._process.returncode is not None or self._look()

    def _look(self) -> bool:
        """Whether it ended or was stopped. Popen itself does not look for the latter."""
        pid, status = os.waitpid(self._process.pid, os.WNOHANG | os.WUNTRACED)
        if not pid:
            return False
        self._is_stopped = os.WIFSTOPPED(status)
        if not self._is_stopped:
            self._process.returncode = os.waitstatus_to_exitcode(status)
        return True

    def _has_too_much(self) -> bool:
        return len(self._output) > LARGEST_OUTPUT

    def outcome(self, label: str) -> Finished | BackendError:
        """What the ended program left behind; stops whatever it started and left running."""
        self._kill_group()
        # A process that escaped the group may hold the pipes open for ever: take what is there, don't wait for the end.
        while not self._has_too_much() and self._read_output():
            pass
        while len(self._errors) < LARGEST_ERRORS and self._read_errors():
            pass
        self.kill()
        if self._is_stopped:
            program = os.path.basename(self._program)
            return AsksOnTerminal(
                f"{label}: {program} asks on the terminal", hint=f"run {program} by hand once and answer it"
            )
        if self._has_too_much():
            return TooMuchOutput(
                f"{label}: more than {LARGEST_OUTPUT // 1024 // 1024} MiB of output",
                hint="run the program by hand and look at what it prints",
            )
        return Finished(self._process.returncode, bytes(self._output), self._errors.decode("utf-8", "replace"))

    def kill(self) -> None:
        """Ends the program and its whole group at once, and reaps it."""
        self._kill_group()
        for pipe in list(self._open):
            self._close(pipe)
        self._process.wait()
        children.ended(self._process.pid)

    def _kill_group(self) -> None:
        children.kill(self._process.pid)

    def _read_output(self) -> bool:
        chunk = self._read(self._process.stdout)
        self._output += chunk
        return bool(chunk)

    def _read_errors(self) -> bool:
        chunk = self._read(self._process.stderr)
        self._errors += chunk[: LARGEST_ERRORS - len(self._errors)]
        return bool(chunk)

    def _read(self, pipe: IO[bytes] | None) -> bytes:
        """The bytes that are there now; none at the end of the pipe too, which is then closed."""
        if pipe is None or pipe not in self._open:
            return b""
        try:
            chunk = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return b""
        if not chunk:
            self._close(pipe)
        return chunk

    def _write(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            self._pending = self._pending[os.write(pipe.fileno(), self._pending) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # the program may leave its input unread
            self._pending = self._pending[:0]
        if not self._pending:
            self._close(pipe)
