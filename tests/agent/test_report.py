"""What `agent status` and doctor say of an agent that is of no use, each with a cure that cures."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from envref import __version__, client
from envref.agent import report
from envref.errors import EnvrefError
from tests.agent.commands import run
from tests.agent.conftest import need_root, wait_for
from tests.requirements import first_python

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]

CONFIG = "project: app\nbackends:\n  - {name: vault, config: {path: v.db}}\n"


@pytest.fixture
def app(project, runtime):
    project.write(".envref.yaml", CONFIG)
    project.write(".env", "A=1\n")
    return project


def cure(stderr):
    """Runs the command that the message names."""
    [line] = [line.strip() for line in stderr.splitlines() if line.strip().startswith("run: ")]
    words = shlex.split(line.removeprefix("run: "))
    return words if words[0] == "envref" else subprocess.run(words, check=True)


def test_a_project_without_an_agent_is_sound(app, own):
    """And so is one that may start it: none has to run."""
    assert run(app, "doctor").stdout == "OK: no issues found\n"
    own("agent: true\n")
    assert run(app, "doctor").stdout == "OK: no issues found\n"


def test_an_agent_that_serves_is_sound(app, own, runtime):
    own("agent: true\n")
    assert run(app, "agent", "start").returncode == 0
    assert run(app, "doctor").stdout == "OK: no issues found\n"


@pytest.mark.parametrize("command", [("doctor",), ("agent", "status"), ("agent", "start")])
def test_a_folder_that_others_can_enter(app, own, runtime, command):
    """The command that is shown makes room for a new one."""
    own("agent: true\n")
    os.makedirs(runtime)
    os.chmod(runtime, 0o770)
    done = run(app, *command)
    assert done.returncode == 1
    assert "is not a folder that only you can enter" in done.stderr
    cure(done.stderr)
    assert run(app, "agent", "start").returncode == 0


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_folder_that_others_can_replace(app, own, runtime, is_wanted):
    """Said before there is an agent, if the user wants one."""
    own(f"agent: {str(is_wanted).lower()}\n")
    os.chmod(os.path.dirname(runtime), 0o777)
    done = run(app, "doctor")
    assert ("is in a folder where others can replace it" in done.stderr) == is_wanted
    assert ("set XDG_RUNTIME_DIR to a folder of your own" in done.stderr) == is_wanted
    os.chmod(os.path.dirname(runtime), 0o700)


def test_a_folder_of_another_user(app, own, runtime):
    """Which only he, or root, can take away."""
    need_root()
    own("agent: true\n")
    os.makedirs(runtime, 0o700)
    os.chown(runtime, 12001, -1)
    done = run(app, "doctor")
    assert "is not a folder that only you can enter\n    hint: set XDG_RUNTIME_DIR" in done.stderr


def test_an_agent_of_another_version(app, own, runtime, monkeypatch):
    """It is used by nobody here, and keeps what it has until its shells end."""
    own("agent: true\n")
    assert run(app, "agent", "start").returncode == 0
    monkeypatch.setattr(report, "__version__", "9.9")
    done = run(app, "doctor")
    assert f"the agent is of version {__version__}, this is 9.9" in done.stderr
    assert run(app, *cure(done.stderr)[1:]).returncode == 0
    wait_for(lambda: report.read(runtime) is None)


def test_a_session_whose_leader_cannot_be_seen(app, runtime, monkeypatch):
    """As in `docker exec`: getsid gives 0 there. Nothing would be kept for this shell."""
    monkeypatch.setattr(report, "read", lambda _: report.AgentStatus("1", 5, 0, 0, [], []))
    done = run(app, "agent", "status")
    assert done.stderr == f"note: {client.NO_SESSION}\n"
    assert run(app, "agent", "start").stderr.endswith(f"/envref\nnote: {client.NO_SESSION}\n")
    monkeypatch.setattr(report, "read", lambda _: report.AgentStatus("1", 5, 0, 7, [7], []))
    assert run(app, "agent", "status").stderr == ""


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (90_000, "25h")]
)
def test_how_long_it_runs_is_told_in_one_unit(app, monkeypatch, seconds, told):
    """The largest of which there are two."""
    monkeypatch.setattr(report, "read", lambda _: report.AgentStatus("1", 5, seconds, 7, [7], []))
    assert run(app, "agent", "status").stdout.startswith(f"version 1, process 5, for {told}, used by 7\n")


@pytest.mark.parametrize("facts", [[], [b"5"], [b"5", b"0", b"0"], [b"a", b"b", b"c", b"d"]])
def test_an_agent_that_speaks_otherwise(app, own, monkeypatch, facts):
    """Two that are being developed have one version: what the other one says need not make sense here."""
    own("agent: true\n")
    assert run(app, "agent", "start").returncode == 0
    with monkeypatch.context() as patched:
        patched.setattr(client.Wire, "ask", lambda *_: [client.DONE, __version__.encode(), *facts])
        done = run(app, "doctor")
    assert "the agent speaks otherwise than this envref\n    run: envref agent stop\n" in done.stderr


@pytest.mark.parametrize(
    ("lock", "cure"), [("4711\n", "run: kill -9 4711"), ("", "hint: end its process"), (None, "hint: end its process")]
)
def test_an_agent_that_does_not_answer_is_ended_by_its_number(runtime, lock, cure):
    """Where its lock tells it; else the user finds it."""
    os.makedirs(runtime, 0o700)
    if lock is not None:
        with open(os.path.join(runtime, "lock"), "w") as file:
            file.write(lock)
    assert report.silent(runtime).cure() == [cure]


@pytest.mark.parametrize("command", ["start", "status"])
def test_a_path_that_is_too_long_for_a_socket(app, runtime, command):
    """As below a deep home: the cure is another folder."""
    deep = os.path.join(os.path.dirname(runtime), "d" * 100)
    os.mkdir(deep, 0o700)
    done = run(app, "agent", command, env={"XDG_RUNTIME_DIR": deep})
    assert done.returncode == 1
    assert "/envref: has too long a path for a socket\n" in done.stderr
    assert done.stderr.endswith("  hint: set XDG_RUNTIME_DIR to a folder of your own, with a short path\n")


def answered(monkeypatch, *facts):
    """An agent that says this of itself."""

    class Line:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def ask(self, *words):
            assert words == (client.TELL,)
            return [client.DONE, *facts]

    monkeypatch.setattr(client, "connect", lambda _: Line())


ROWS = [b"1password\twork\t2\t1\t3\t4\t5", b"vault /home/me/v.db 17\tte\x1bam\t0\t0\t1\t0\t0"]


def test_what_it_says_of_itself_is_read(monkeypatch):
    """A session of a vault has the vault behind its type: that is nobody's business. Nothing steers a terminal."""
    answered(monkeypatch, __version__.encode(), b"5", b"60", b"7", b"7 8", *ROWS)
    stores = [("1password", "work", 2, 1, 3, 4, 5), ("vault", "te\\x1bam", 0, 0, 1, 0, 0)]
    assert report.read("/place") == (__version__, 5, 60, 7, [7, 8], stores)
    answered(monkeypatch, __version__.encode(), b"5", b"60", b"0", b"")
    assert report.read("/place") == (__version__, 5, 60, 0, [], [])


@pytest.mark.parametrize("row", [b"", b"vault\tteam", b"vault\tteam\t1\t1\t1\t1", ROWS[0] + b"\t6", ROWS[0] + b"x"])
def test_a_row_that_says_otherwise(monkeypatch, row):
    """One column less, or more, or no number."""
    answered(monkeypatch, __version__.encode(), b"5", b"60", b"7", b"7 8", row)
    with pytest.raises(EnvrefError, match="the agent speaks otherwise than this envref"):
        report.read("/place")


@pytest.mark.parametrize("is_there", [True, False])
def test_one_that_does_not_answer_is_none_only_where_none_is(monkeypatch, is_there):
    """As one that is stopped; or that ended meanwhile."""

    def silent(_):
        raise TimeoutError

    monkeypatch.setattr(client, "connect", silent)
    monkeypatch.setattr(report, "is_there", lambda _: is_there)
    if is_there:
        with pytest.raises(EnvrefError, match="the agent does not answer"):
            report.read("/place")
    else:
        assert report.read("/place") is None


@pytest.mark.parametrize("fault", ["", "too long", "above"])
def test_a_new_folder_cures_only_where_it_would_be_good(folder, fault):
    """Not below a path that is too long, nor where others can replace it again."""
    place = os.path.join(folder, "d" * 108) if fault == "too long" else folder
    os.makedirs(place, 0o700)
    if fault == "above":
        os.chmod(os.path.dirname(place), 0o777)
    cure = [f"hint: {report.ELSEWHERE}"] if fault else [f"run: rm -r {place}"]
    assert report.untrusted(place, "is not ours").cure() == cure
