"""streams: stdout whole and once, stderr escaped and redacted; what a reader that goes away means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

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
