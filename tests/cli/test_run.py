"""`envref run`: the process becomes the child, with nothing of envref in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.requirements import need

pytestmark = pytest.mark.usefixtures("real_starts")


@pytest.fixture
def app(project):
    project.write(".envref.yaml", "project: app\nbackends: []\n")
    project.write(".env", "A=1\nMULTI='two\nlines'\nEURO=€\n")
    return project


def test_the_process_is_replaced(app):
    """The pid that the caller started is the child's own."""
    started = subprocess.Popen(
        [sys.executable, "-m", "envref", "run", "--", "sh", "-c", "echo $$"],
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    printed, _ = started.communicate(timeout=30)
    assert int(printed) == started.pid


@pytest.mark.parametrize("strict", [True, False])
def test_what_has_no_value_is_said_whether_the_child_starts_or_not(app, strict):
    """By its name; strict mode starts nothing."""
    store = "{name: store, type: plugin, config: {command: ./store}}"
    app.write(".envref.yaml", f"project: app\nbackends: [{store}]\n")
    app.write("store", '#!/bin/sh\ncat > /dev/null\necho \'{"error": "not found"}\'\n').chmod(0o755)
    app.write(".env", "A=1\nB=ref://store/gone\n")
    words = ["run", *([] if strict else ["--partial"]), "--", "sh", "-c", "echo $A"]
    done = app.envref(*words, env={"ENVREF_TRUST": "all"})
    assert done.stderr.startswith("error: B: ")
    assert done.stdout == ("" if strict else "1\n")


@pytest.mark.parametrize("code", [0, 1, 3, 42, 255])
def test_the_exit_status_is_the_childs(app, code):
    """All of them, those that mean something to envref too."""
    assert app.envref("run", "--", "sh", "-c", f"exit {code}").returncode == code


def test_death_by_a_signal_is_the_childs(app):
    """The caller sees the signal, not an error of envref's."""
    done = app.envref("run", "--", "sh", "-c", "kill -KILL $$")
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")


def test_the_child_sees_the_callers_environment_and_the_variables(app):
    """Byte for byte, and nothing else: no LC_CTYPE that Python sets for itself, no switch of envref's."""
    env = need("env")
    caller = {"PATH": os.environ["PATH"], "HOME": "/", "A": "old", "PYTHONPATH": str(ROOT)}
    kinds = ("VAULT_PASSPHRASE", "VAULT_PASSPHRASE_FILE", "VAULT_PASSPHRASE_FD", "TRUST", "STORE_PATH", "SEEN")
    secret = {f"ENVREF_{kind}": "/x" for kind in kinds}
    done = subprocess.run(
        [sys.executable, "-m", "envref", "run", "--", env, "-0"],
        cwd=app.path,
        env={**caller, **secret},
        capture_output=True,
        check=True,
    )
    seen = dict(line.split(b"=", 1) for line in done.stdout.rstrip(b"\0").split(b"\0"))
    expected = {**caller, "A": "1", "MULTI": "two\nlines", "EURO": "€"}
    assert seen == {name.encode(): value.encode() for name, value in expected.items()}


def test_a_caller_with_a_locale_keeps_it(app):
    """Only what Python itself added is taken away."""
    done = app.envref("run", "--", "sh", "-c", 'echo "$LC_CTYPE"', env={"LC_CTYPE": "C.UTF-8"})
    assert done.stdout == "C.UTF-8\n"


def test_signals_that_python_ignores_are_default_again(app):
    """`yes | head` must end: the child dies of SIGPIPE."""
    done = app.envref("run", "--", "sh", "-c", "yes | head -n 1; kill -PIPE $$; echo alive")
    assert "alive" not in done.stdout
    assert done.returncode == -signal.SIGPIPE


def test_no_descriptor_of_envref_is_left_open(app):
    """Only the three standard streams reach the child, and the one that ls opens itself."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("there is no /proc here")
    assert app.envref("run", "--", "ls", "/proc/self/fd").stdout.split() == ["0", "1", "2", "3"]


def test_stdin_is_the_childs(app):
    """Every byte of it."""
    assert app.envref("run", "--", "cat", stdin="line\n").stdout == "line\n"


def test_a_value_that_no_environment_holds_starts_nothing(app):
    """Too long for Linux: an error that names the variable."""
    app.write(".env", f"BIG={'x' * 140_000}\n")
    done = app.envref("run", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: BIG: value exceeds, with its name, the 131072 bytes")


def test_the_program_is_looked_up_on_the_callers_path(app, trusted):
    """Not on a PATH that the files set; that one is for the child."""
    app.write("bin/tool", "#!/bin/sh\necho from the project\n").chmod(0o755)
    app.write(".env", f"PATH={app.path}/bin\n")
    assert "command not found: tool" in app.envref("run", "--", "tool").stderr


def test_a_script_without_an_interpreter_is_run_by_sh(app):
    """As by a shell, env, nohup and timeout."""
    app.write("s.sh", 'echo "$A $1"\n').chmod(0o755)
    assert app.envref("run", "--", "./s.sh", "x").stdout == "1 x\n"


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("#!/no/such/interpreter -x", "its interpreter /no/such/interpreter does not exist"),
        ("#!/bin/sh\r", "its interpreter /bin/sh\\r does not exist\n  hint: its first line ends in a CR"),
    ],
)
def test_a_missing_interpreter_is_named(app, first, words):
    """The script itself is there."""
    app.write("s.sh", f"{first}\n".encode()).chmod(0o755)
    done = app.envref("run", "--", "./s.sh")
    assert done.returncode == 126
    assert done.stderr.startswith(f"error: ./s.sh: {words}")


def test_a_file_that_is_no_program_is_named(app):
    """All that it lacks may be a bit."""
    app.write("s.sh", "true\n").chmod(0o644)
    done = app.envref("run", "--", "./s.sh")
    cure = "  hint: chmod +x makes a file a program\n"
    assert (done.returncode, done.stderr) == (126, f"error: ./s.sh: permission denied\n{cure}")


def test_what_the_system_can_not_start_is_refused_with_the_largest_names(app):
    """Of `run` and of an export, after which no program would start; no size and no value is said."""
    large = "x" * 100_000
    app.write(".env", "".join(f"V{number}={large}\n" for number in range(30)) + f"BIG={large}xx\n")
    for command in (("run", "--", "true"), ("resolve", "--export")):
        done = app.envref(*command)
        assert done.returncode == 1
        assert done.stdout in ("", "false\n")
        assert done.stderr.splitlines()[0].startswith("error: the environment would be larger than the system allows")
        assert "the largest variables are BIG, " in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits one variable")
def test_one_variable_may_be_too_large_alone(app):
    """128 KiB with its name."""
    app.write(".env", f"A={'x' * (128 * 1024 - 3)}\n")
    assert app.envref("resolve", "--export").returncode == 0
    assert app.envref("run", "--", "true").returncode == 0
    app.write(".env", f"A={'x' * (128 * 1024 - 2)}\n")
    assert app.envref("resolve", "--export").stdout == "false\n"
    assert app.envref("run", "--", "true").returncode == 1
