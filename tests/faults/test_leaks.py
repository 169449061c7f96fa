"""No value in any argument list, environment, log, temporary file or message (security.md P2, P15).

Every subcommand runs under strace, which shows each program that is started, with its arguments and its environment,
and each write to a file; afterwards all files are searched, and what was printed. Markers are found in plain, in JSON,
in URLs and in base64.
"""

from __future__ import annotations

import base64
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest

from tests.arguments import PYTHONPATH
from tests.cli.subcommands import APART, CALLS, MARKER, Call, leaves, world_with_vault
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

pytestmark = first_python

ENVREF = (sys.executable, "-m", "envref")
linux = pytest.mark.skipif(sys.platform != "linux", reason="strace traces Linux only")


def base64_forms(text):
    """What of a base64 text is the same whatever stands around `text`."""
    whole = [base64.b64encode(b"\0" * shift + text.encode()).decode() for shift in range(3)]
    return [form[4 if shift else 0 : len(form) // 4 * 4 - 4] for shift, form in enumerate(whole)]


def forms(marker):
    return [marker, marker.encode().hex(), *base64_forms(marker)]


FORMS = forms(MARKER)


def traces(text):
    """The forms of the marker in a text."""
    return [form for form in FORMS if form in text]


def traces_in_files(directory):
    """The files below a directory that hold or are named after a marker."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path.name for path in files if traces(path.name) or traces(path.read_bytes().decode("latin-1"))]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return world_with_vault(tmp_path_factory.mktemp("original"))


@pytest.fixture
def world(original, tmp_path):
    """A world of its own for each test."""
    return original.copied_to(tmp_path / "world")


class Traced:
    """What strace saw: programs that were started, and writes to files."""

    def __init__(self, log):
        lines = log.read_text(encoding="latin-1").splitlines()
        self.starts = [line for line in lines if " execve(" in line]
        self.writes = [line for line in lines if re.search(r" (p?write(64|v2?)?|send(to|m?msg))\(", line)]

    def leaking_starts(self):
        """Programs that got a value; envref itself has its passphrase from the caller."""
        own, *others = self.starts
        told = [line for line in others if traces(line)]
        told = [line for line in told if "TO_BE_EXPECTED=1" not in line or "PHRASE" in line]
        arguments = own.partition("[")[2].partition("], [")[0]
        return [line[:200] for line in told] + (["envref"] if traces(arguments) else [])

    def leaking_writes(self, world):
        """Regular files that got a value, the store's own apart."""
        files = [line for line in self.writes if re.search(r"\(\d+<(/[^>]*)>", line) and traces(line)]
        paths = {re.search(r"\(\d+<(/[^>]*)>", line)[1] for line in files}
        return sorted(path for path in paths if not path.startswith(str(world.records)))


class Scanner(threading.Thread):
    """Looks at the argument lists of all new processes a hundred times a second, as a neighbour would."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before = set(os.listdir("/proc"))
        self.looks = 0
        self.seen = set()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.01):
            self.looks += 1
            for process in set(os.listdir("/proc")) - self.before:
                try:
                    with open(f"/proc/{process}/cmdline", "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    continue

    def leaks(self):
        return [argv[:200] for argv in self.seen if traces(argv.decode("latin-1"))]


def trace(world, log):
    """The words that put strace before a command."""
    kinds = "execve,write,writev,pwrite64,pwritev,sendto,sendmsg"
    return [
        need("strace"),
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-y",
        "-v",
        "-s",
        "100000",
        "-e",
        f"trace={kinds}",
        "-o",
        str(log),
    ]


def watched(world, call, log, **environment):
    """Runs the command under strace and under the neighbour's eye."""
    scanner = Scanner()
    command = [*trace(world, log), *ENVREF, *call.words.split()]
    with subprocess.Popen(
        command,
        cwd=world.project,
        env={**world.environment, "PYTHONPATH": PYTHONPATH, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        scanner.start()
        stdout, stderr = process.communicate(call.stdin, timeout=120)
    scanner.ended.set()
    scanner.join()
    return process.returncode, stdout, stderr, scanner


def test_every_subcommand_is_tried():
    """A command that is added has to be added to the calls of tests/cli/subcommands.py."""
    missing = {name for name in leaves() if not any(call.words.startswith(name) for call in CALLS)}
    assert missing == APART


@linux
@pytest.mark.parametrize("call", CALLS, ids=lambda call: re.sub(r"age1\w+", "AGE", call.words))
def test_a_command_leaves_no_value_anywhere(world, call, tmp_path):
    """No started program, no written file, no message has it; standard output only where that is the purpose."""
    log = tmp_path / "strace"
    child = {"TO_BE_EXPECTED": "1"} if call.words.startswith("run") else {}
    status, stdout, stderr, scanner = watched(world, call, log, ENVREF_DEBUG="1", **child)
    assert (status, "internal error" in stderr) == (call.status, False), stderr
    assert bool(traces(stdout)) == call.prints, "what it prints"
    assert traces(stderr) == []
    seen = Traced(log)
    plain_export = ["export.json"] if "--file ../export.json" in call.words else []
    assert seen.leaking_starts() == []
    written = [pathlib.Path(path).name for path in seen.leaking_writes(world)]
    assert [re.sub("^.envref-new-|-[0-9a-f]+$", "", name) for name in written] == plain_export
    shutil.rmtree(world.records)
    assert traces_in_files(world.path) == plain_export
    assert scanner.looks  # how many there are is up to the machine; strace has seen every start
    assert scanner.leaks() == []


LEAKING = """
import os, subprocess, sys
value = sys.stdin.read()
subprocess.run(["true", value])
subprocess.run(["true"], env={"X": value})
for _ in range(60):
    subprocess.run(["true"])  # a busy machine gives away many numbers meanwhile
open("temporary", "w").write(value)
os.unlink("temporary")
subprocess.run(["sh", "-c", "sleep 1; :", value])  # `sleep` itself refuses a value, at once
"""


@linux
def test_what_is_looked_for_is_found(world, tmp_path, monkeypatch):
    """The same search sees arguments, environments, files and names: the tests above are no empty promises."""
    monkeypatch.setattr(f"{__name__}.FORMS", forms("mk00another"))  # other tests look around at the same time
    monkeypatch.setattr(f"{__name__}.ENVREF", (sys.executable, "-c", LEAKING))
    log = tmp_path / "strace"
    _, _, _, scanner = watched(world, Call("", "a mk00another b"), log)
    seen = Traced(log)
    assert len([line for line in seen.leaking_starts() if "true" in line]) >= 2
    assert "temporary" in [pathlib.Path(path).name for path in seen.leaking_writes(world)]
    assert scanner.leaks()
    (world.path / "tmp" / "encoded").write_bytes(base64.b64encode(b"xmk00anothery"))
    assert "encoded" in traces_in_files(world.path / "tmp")


@linux
def test_a_typed_passphrase_is_nowhere(world, tmp_path):
    """`vault passwd` at a terminal: neither on the screen nor in a file, an argument or an environment."""
    log = tmp_path / "strace"
    os.environ.update(world.environment)
    terminal = Terminal(world.project, "vault", "passwd", program=(*trace(world, log), *ENVREF))
    for prompt in ("Enter new vault passphrase: ", "Confirm vault passphrase: "):
        terminal.await_text(prompt)
        while terminal.echoes():
            time.sleep(0.01)
        terminal.type(f"another {MARKER}\n")
    assert terminal.end() == 0
    assert traces(terminal.output) == []
    seen = Traced(log)
    assert seen.leaking_starts() == []
    assert seen.leaking_writes(world) == []
    shutil.rmtree(world.records)
    assert traces_in_files(world.path) == []


@linux
def test_only_the_child_of_run_has_the_values(world, tmp_path):
    """`envref run`: the values are in its environment and in no argument; the passphrase is in neither (P15)."""
    log = tmp_path / "strace"
    status, stdout, stderr, _ = watched(world, Call("run --all -- env"), log)
    assert (status, stderr) == (0, "")
    assert stdout.count("OLDVALUE") == 3  # A, MIX, DOUBLE
    assert "PHRASE" not in stdout
    starts = Traced(log).starts
    told = [line for line in starts[1:] if traces(line)]
    assert told == [starts[-1]]
    arguments = starts[-1].partition("[")[2].partition("], [")[0]
    assert traces(arguments) == []
    assert "PHRASE" not in starts[-1]


def test_a_store_s_program_learns_no_passphrase(world, tmp_path):
    """A plugin that writes down its arguments and its environment has nothing of envref's own in them (P15)."""
    done = subprocess.run(
        [*ENVREF, "resolve"],
        cwd=world.project,
        env={**world.environment, "PYTHONPATH": PYTHONPATH, "ENVREF_STORE_PATH": f"/{MARKER}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "FOREIGN" in done.stdout
    seen = (world.records / "seen").read_text()
    assert "ENVREF_PLUGIN_NAME" in seen
    assert traces(seen) == []
    assert "ENVREF_TRUST" not in seen


PRIVATE = ["vault export --file ../out", "vault backup ../out", "secret set a"]


@pytest.mark.parametrize("words", PRIVATE)
@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_what_holds_secrets_is_for_its_owner_only(world, words, umask):
    """Vault, export, backup and audit log have mode 0600 whatever the umask, and so have their directories' files."""
    shutil.rmtree(world.path / "config")
    script = (
        f'umask {umask}; "$@" vault init --work-factor 15; printf value | "$@" secret set a; printf v | "$@" {words}'
    )
    subprocess.run(
        ["sh", "-c", script, "sh", *ENVREF],
        cwd=world.project,
        env={**world.environment, "PYTHONPATH": PYTHONPATH},
        check=True,
        capture_output=True,
    )
    made = [world.path / "config/envref/vault.db", *(world.path / "state/envref/audit").iterdir(), world.path / "out"]
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in made if path.exists()}
    assert set(modes.values()) == {"0o600"}, modes
    assert [name.endswith(".log") for name in modes].count(True) == 1
    assert (world.path / "config/envref").stat().st_mode & 0o077 == 0


# Where a bug strikes, from the outside in: the exception's text, its causes and all locals around hold values.
BUGS = {
    "at the first value": ("envref.secret.Secret", "reveal"),
    "in a store": ("envref.backends.vault.store.Vault", "get_many"),
    "in a change": ("envref.backends.vault.contents.Contents", "put"),
    "in a plugin": ("envref.backends.plugin.Plugin", "_call"),
    "in a writer": ("envref.streams", "write"),
    "in a message": ("envref.streams", "inform"),
    "in the files": ("envref.env.file.EnvFile", "read"),
}
BROKEN = """
import importlib, os, sys
place, name, value = *sys.argv[1:3], os.environ["BUG"]
module, _, attribute = place.rpartition(".")
owner = getattr(importlib.import_module(module), attribute, None) or importlib.import_module(place)
def deeper(value, depth):
    if depth:
        return deeper(value, depth - 1)
    try:
        raise KeyError(value)
    except KeyError as context:
        try:
            raise ValueError("context " + value)
        except ValueError as cause:
            bug = RuntimeError("bug " + value, {"value": value})
            bug.add_note(value)
            raise bug from cause
def broken(*arguments, **options):
    shown = value
    return deeper(shown, 5)
setattr(owner, name, broken)
sys.argv = ["envref", *sys.argv[3:]]
from envref.__main__ import main
main()
"""
PLACE = BROKEN.splitlines().index("            raise bug from cause") + 1
STRUCK = [
    ("at the first value", "resolve --export"),
    ("at the first value", "secret get a"),
    ("at the first value", "run -- true"),
    ("in a store", "resolve"),
    ("in a store", "secret get a"),
    ("in a change", "secret set a"),
    ("in a change", "secret rotate a --value-stdin"),
    ("in a change", "vault rekey"),
    ("in a plugin", "resolve --export"),
    ("in a plugin", "secret set p -b store"),
    ("in a writer", "secret get a"),
    ("in a writer", "vault export"),
    ("in a message", "secret set a"),
    ("in a message", "vault rekey"),
]


@pytest.mark.parametrize("debug", [None, "--debug", "ENVREF_DEBUG"])
@pytest.mark.parametrize(("bug", "words"), STRUCK)
def test_a_bug_is_told_without_a_value(world, bug, words, debug):
    """One line and how to report it; with --debug a trace of places, and never text, cause, note or locals."""
    environment = {**world.environment, "PYTHONPATH": PYTHONPATH, "BUG": f"deep {MARKER}"}
    arguments = words.split()
    if debug == "--debug":
        arguments.insert(1 if arguments[0] == "run" else len(arguments), debug)
    elif debug:
        environment[debug] = "1"
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *BUGS[bug], *arguments],
        cwd=world.project,
        env=environment,
        input=f"new {MARKER}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert (done.returncode, traces(done.stdout), traces(done.stderr)) == (1, [], [])
    assert [line for line in lines if not line.startswith("debug: ")][-2:] == [
        f"error: internal error: RuntimeError at <string>:{PLACE}",
        "  hint: this is a bug in envref; please report it with the output of the same command under --debug",
    ]
    assert ("deeper" in done.stderr) == bool(debug)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("bug", ["in a store", "at the first value", "in the files"])
@pytest.mark.parametrize("words", ["resolve --export", "resolve --direnv", "resolve --format shell", "resolve --unset"])
def test_a_bug_in_what_a_shell_evaluates_is_false(world, words, bug):
    """The shell sees a failure, not nothing (P14)."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *BUGS[bug], *words.split()],
        cwd=world.project,
        env={**world.environment, "PYTHONPATH": PYTHONPATH, "BUG": MARKER},
        capture_output=True,
        text=True,
        check=False,
    )
    if "--unset" in words and bug != "in the files":
        assert done.returncode == 0  # it asks no store
    else:
        assert (done.returncode, done.stdout) == (1, "false\n")
