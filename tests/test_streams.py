"""streams: stdout whole and once, stderr escaped and redacted; what a reader that goes away means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios

import pytest

from envref import streams
from envref.errors import EnvrefError
from envref.secret import Secret
from tests.conftest import ROOT


def python(code, **options):
    """`code` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def test_a_closed_pipe_ends_the_process_by_sigpipe():
    """As `head` closing early ends `cat`: silently, and the shell sees the signal."""
    reader, writer = os.pipe()
    os.close(reader)
    done = python("from envref import streams; streams.write('x' * 200000); print('alive')", stdout=writer)
    os.close(writer)
    assert done.returncode == -signal.SIGPIPE
    assert done.stderr == ""


def test_a_closed_pipe_ends_a_process_that_blocks_sigpipe():
    """By a status: nothing is done after a write that failed."""
    reader, writer = os.pipe()
    os.close(reader)
    code = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE]); from envref import streams; "
    done = python(f"{code}streams.write('x'); streams.say(['alive'])", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk_is_an_error():
    """A write that fails is said, and is not a success."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = python("from envref import streams; streams.write('x')", stdout=full)
    assert done.returncode == 1
    assert "writing stdout: No space left on device" in done.stderr


def test_all_of_a_long_text_is_written():
    """A pipe takes 64 KiB at a time."""
    done = python("from envref import streams; streams.write('€' * 300000)", stdout=subprocess.PIPE)
    assert done.stdout == "€" * 300000


def test_stderr_shows_no_control_character(capfd):
    """Whatever a store or a file put into the text."""
    streams.say(["a\x1b[2Jb\nc"])
    assert capfd.readouterr().err == "a\\x1b[2Jb\\nc\n"


def test_own_words_are_not_redacted(capfd):
    """`vault: *** passphrase` would tell that the secret is "wrong"."""
    Secret("wrong")
    streams.say(["vault: wrong passphrase"])
    assert capfd.readouterr().err == "vault: wrong passphrase\n"


def test_an_error_is_told_with_its_cure(capfd):
    """Two lines."""
    streams.complain(EnvrefError("vault: locked", run=("envref", "vault", "unlock")))
    assert capfd.readouterr().err == "error: vault: locked\n  run: envref vault unlock\n"


@pytest.mark.parametrize(
    ("level", "told"),
    [(streams.QUIET, ""), (streams.NORMAL, "warning: w\ni\n"), (streams.VERBOSE, "warning: w\ni\nd\n")],
    ids=["-q", "usual", "-v"],
)
def test_the_level_decides_what_is_told(level, told, capfd, monkeypatch):
    """-q leaves errors and prompts, -v adds details."""
    monkeypatch.setattr(streams, "level", level)
    streams.warn("w")
    streams.inform("i")
    streams.detail("d")
    assert capfd.readouterr().err == told


def test_nobody_listening_to_stderr_is_no_error(tmp_path):
    """The exit status still speaks."""
    code = "import os; os.close(2); from envref import streams; streams.say(['x']); streams.write('done')"
    assert python(code, stdout=subprocess.PIPE).stdout == "done"


def test_people_look_where_stdout_is_stderr(tmp_path):
    """Code for eval is no reading matter: the same file, or a terminal."""
    code = "from envref import streams; streams.write(str(streams.shown_to_people()))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    together = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=True, encoding="utf-8"
    )
    apart = subprocess.run(command, capture_output=True, env=environment, check=True, encoding="utf-8")
    assert (together.stdout, apart.stdout) == ("True", "False")


class Screen:
    """A terminal in the place of stderr, and what came to its user."""

    def __init__(self, monkeypatch):
        self._user, self.program = os.openpty()
        monkeypatch.setattr(streams, "_STDERR", self.program)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)

    def came(self):
        """All that came since the last question, up to a NUL: a terminal may hand over one write later than another."""
        os.write(self.program, b"\0")
        read = b""
        while not read.endswith(b"\0"):
            read += os.read(self._user, 65536)
        return read[:-1].decode()

    def echo(self, wanted):
        """As a pinentry switches it off while it reads."""
        modes = termios.tcgetattr(self.program)
        modes[3] = modes[3] | termios.ECHO if wanted else modes[3] & ~termios.ECHO
        termios.tcsetattr(self.program, termios.TCSANOW, modes)

    def close(self):
        os.close(self._user)
        os.close(self.program)


@pytest.fixture
def screen(monkeypatch):
    found = Screen(monkeypatch)
    yield found
    found.close()


def test_a_passing_line_goes_with_the_next_one(screen):
    """Or when there is nothing more to wait for; it is removed once."""
    streams.passing.show("asking vault\x1b")
    assert screen.came() == "asking vault\\x1b"
    streams.say(["done"])
    assert screen.came() == "\r\x1b[Kdone\r\n"
    streams.passing.show("asking")
    streams.passing.clear()
    streams.passing.clear()
    assert screen.came() == "asking\r\x1b[K"


def test_a_passing_line_stays_off_a_screen_that_another_program_has(screen):
    """A pinentry asks there, without echo; afterwards it is shown again."""
    screen.echo(False)
    streams.passing.show("asking")
    streams.passing.clear()
    assert screen.came() == ""
    screen.echo(True)
    streams.passing.show("asking")
    assert screen.came() == "asking"
    streams.passing.clear()


def test_a_terminal_that_is_gone_is_nobody_s(screen, monkeypatch):
    """What can't be asked whether it echoes does."""

    def gone(_):
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(termios, "tcgetattr", gone)
    streams.passing.show("asking")
    assert screen.came() == "asking"
    streams.passing.clear()


def test_a_terminal_is_nobody_s_where_none_can_be_asked(screen, monkeypatch):
    """Without the module there is no pinentry either."""
    monkeypatch.setitem(sys.modules, "termios", None)
    streams.passing.show("asking")
    streams.passing.clear()
    assert not streams._Passing().shown
    assert screen.came() == "asking\r\x1b[K"


def test_a_passing_line_is_for_who_looks(screen, monkeypatch, capfd):
    """Not with -q, and not in a file."""
    with monkeypatch.context() as patched:
        patched.setattr(streams, "level", streams.QUIET)
        streams.passing.show("asking")
    assert (screen.came(), streams.passing.shown) == ("", False)
    monkeypatch.setattr(streams, "_STDERR", 2)
    streams.passing.show("asking")
    assert (capfd.readouterr().err, streams.passing.shown) == ("", False)


@pytest.mark.parametrize("plain", ["", "NO_COLOR", "TERM", "--no-color", "a file"])
def test_the_first_word_is_coloured_on_a_terminal(screen, monkeypatch, capfd, plain):
    """Unless somebody wants none; the rest never is (commands.md 1.2)."""
    if plain == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "")
    elif plain == "TERM":
        monkeypatch.setenv("TERM", "dumb")
    elif plain == "--no-color":
        monkeypatch.setattr(streams, "colour", False)
    elif plain == "a file":
        monkeypatch.setattr(streams, "_STDERR", 2)
    streams.complain(EnvrefError("no", hint="yes"))
    shown = screen.came().replace("\r", "") + capfd.readouterr().err
    coloured = "\x1b[1;31merror:\x1b[0m no\n\x1b[36m  hint:\x1b[0m yes\n"
    assert shown == ("error: no\n  hint: yes\n" if plain else coloured)


def test_what_python_has_still_to_write_comes_first(capfd, monkeypatch):
    """Text that somebody printed before."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as printed:
        monkeypatch.setattr(sys, "stdout", printed)
        print("first")
        streams.write("second\n")
        assert capfd.readouterr().out == "first\nsecond\n"


def test_each_warning_has_its_line(capfd):
    """In their order."""
    streams.warn_each(["one", "two"])
    assert capfd.readouterr().err == "warning: one\nwarning: two\n"


def test_nothing_came_where_stdin_was_closed(monkeypatch):
    """Python then has none."""
    monkeypatch.setattr(sys, "stdin", None)
    assert streams.given() == b""


@pytest.mark.parametrize(("value", "wanted"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_a_trace_is_asked_for(monkeypatch, value, wanted):
    """By a variable, or by an option."""
    monkeypatch.delenv("ENVREF_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("ENVREF_DEBUG", value)
    assert streams.debugging() == wanted
    monkeypatch.setattr(streams, "level", streams.DEBUG)
    assert streams.debugging()


def test_nobody_looks_where_stdout_is_closed(monkeypatch):
    """Nor at a file of its own."""
    reading, writing = os.pipe()
    monkeypatch.setattr(streams, "_STDOUT", writing)
    assert not streams.shown_to_people()
    monkeypatch.setattr(streams, "_STDERR", writing)
    assert streams.shown_to_people()
    os.close(reading)
    os.close(writing)
    assert not streams.shown_to_people()


def test_a_terminal_is_where_a_person_may_be(screen, monkeypatch):
    """As stderr, or as standard input."""
    real = os.isatty
    monkeypatch.setattr(os, "isatty", lambda descriptor: real(descriptor) if descriptor else False)
    assert (streams.has_terminal(), streams.watched(), streams.shown_to_people()) == (True, True, False)
    monkeypatch.setattr(streams, "_STDERR", -1)
    assert (streams.has_terminal(), streams.watched()) == (False, False)
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor == 0)
    assert streams.has_terminal()
