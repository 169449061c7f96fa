"""doctor --flox: what Flox keeps of an activation, and where.

No Flox was run: the files are made as its documented contract and its source describe them.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pytest

from envref.checks.doctor import checks as doctor
from envref.checks.doctor import flox_state
from envref.checks.doctor.case import Case
from envref.errors import pasted
from envref.project.project import bare

MARKER = "sk-left-over-4711"
MEMORY = pathlib.Path("/dev/shm")


def findings(project):
    """What is found in what Flox keeps, the runtime directory's place aside."""
    case = Case(bare(str(project.path)), [("", ".env")], start=str(project.path))
    return list(flox_state.left_over_starts(case))


@pytest.fixture
def starts(project, home):
    """The directory of one environment's starts, in the home; `.env` has two secrets."""
    project.write(".env", "PLAIN=1\nAPI_KEY=ref://secrets/k\nDB_URL=postgres://u:${ref://secrets/p}@h/d\n")
    path = home / ".cache/flox/run/activations/5f3a-project"
    path.mkdir(mode=0o700, parents=True)
    return path


def trace(*names):
    """A trace as the patched bash writes it: time, operation, export, name, old value, operand."""
    return "".join(f"1786544639.26\x1fset\x1f01\x1f{name}\x1f@\x1f:{MARKER}\n" for name in names)


def start(starts, name="abc.1786544639", **files):
    """The directory of one start with these files."""
    path = starts / name
    path.mkdir(mode=0o700)
    for file, text in files.items():
        (path / file.replace("__", ".")).write_text(text, encoding="utf-8")
    return path


def dead_process():
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    "files",
    [
        {"envtrace__log": trace("PATH", "API_KEY", "DB_URL")},
        {"start__env__json": "{}", "end__env__json": json.dumps({"API_KEY": MARKER, "DB_URL": MARKER, "PATH": "/bin"})},
        {"flox_rc_bash_x": f"export API_KEY={MARKER};\nexport DB_URL='{MARKER}';\n"},
        {"flox_rc_fish_x": f"set -gx API_KEY {MARKER};\nset -gx DB_URL {MARKER};\n"},
        {"flox_rc_tcsh_x": f"setenv API_KEY {MARKER};setenv DB_URL {MARKER};\n"},
    ],
    ids=["trace", "snapshots", "bash", "fish", "tcsh"],
)
def test_a_start_that_nobody_cleans_up(project, starts, files):
    """Path and names of this project's secrets, and the command that removes it; never what is in it."""
    start(starts, **files)
    [finding] = findings(project)
    assert finding.subject == "~/.cache/flox/run/activations/5f3a-project/abc.1786544639"
    assert finding.message.endswith("; secrets of this project in it: API_KEY, DB_URL")
    assert MARKER not in repr(finding)
    subprocess.run(["sh", "-c", pasted(finding.run)], check=True)
    assert findings(project) == []


def test_a_start_of_another_project(project, starts):
    """Its variables are counted, not named: they are not this project's business."""
    start(starts, envtrace__log=trace("OTHER", "MORE"))
    assert findings(project)[0].message.endswith("; 2 variable(s) in it")


def test_a_name_in_a_value_is_no_variable(project, starts):
    """Names are read where Flox writes names."""
    start(starts, envtrace__log="1\x1fset\x1f01\x1fOTHER\x1f@\x1f:API_KEY\n")
    assert findings(project)[0].message.endswith("; 1 variable(s) in it")


@pytest.mark.parametrize(
    "state",
    [
        lambda pid: {"version": 2, "executive_pid": pid, "attached_pids": {}},
        lambda pid: {"attached_pids": {str(pid): {"start_id": 1}}},
        lambda pid: {"version": 1, "activations": [{"id": "x", "attached_pids": [{"pid": pid, "expiration": None}]}]},
    ],
    ids=["executive", "attached", "before 1.12"],
)
def test_a_start_whose_process_lives_is_in_use(project, starts, state):
    """Whatever version of Flox wrote the state file: one living process that it notes is enough."""
    start(starts, envtrace__log=trace("API_KEY"))
    file = starts / "state.json"
    file.write_text(json.dumps(state(os.getpid())))
    assert findings(project) == []
    file.write_text(json.dumps(state(dead_process())))
    assert len(findings(project)) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells when a process started")
def test_another_process_with_the_old_number(project, starts):
    """After a restart of the machine a number is given again: a process younger than the state file is not meant."""
    start(starts, envtrace__log=trace("API_KEY"))
    file = starts / "state.json"
    file.write_text(json.dumps({"executive_pid": os.getpid()}))
    long_ago = time.time() - 10_000_000
    os.utime(file, (long_ago, long_ago))
    assert len(findings(project)) == 1


@pytest.mark.parametrize(
    "state",
    ["", "[", "{}", '{"pid": 0}', '{"pid": true}', '{"pid": "x"}', '{"pid": -1}', '{"pid": 99999999999999999999}', "7"],
)
def test_a_state_file_that_notes_nobody(project, starts, state):
    """Empty, damaged or odd: nobody supervises the start."""
    start(starts, envtrace__log=trace("API_KEY"))
    (starts / "state.json").write_text(state)
    assert len(findings(project)) == 1


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00\x1f\x1f"])
def test_a_damaged_file_of_values(project, starts, content):
    """It is left over all the same; what can't be read names nothing."""
    start(starts, end__env__json=content)
    assert findings(project)[0].message.endswith("; 0 variable(s) in it")


def test_directories_without_values_are_nobody_s_business(project, starts):
    """A lock, a socket, a link: not what this check looks for."""
    start(starts, lock="")
    (starts / "link").symlink_to(starts / "abc.1786544639")
    (starts / "state.lock").write_text("")
    assert findings(project) == []


def test_the_runtime_directory_decides_where_to_look(project, starts, tmp_path, monkeypatch):
    """`$XDG_RUNTIME_DIR` itself, and below it `flox`, where an older Flox wrote; the cache as well."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert findings(project) == []
    places = [runtime / "activations/x", starts, runtime / "flox/activations/x"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        start(place, envtrace__log=trace("API_KEY"))
    shown = [str(runtime / "activations/x"), "~/.cache/flox/run/activations/5f3a-project", str(places[2])]
    assert [finding.subject for finding in findings(project)] == [f"{place}/abc.1786544639" for place in shown]


def test_the_cache_is_where_the_user_put_it(project, starts, tmp_path, monkeypatch):
    """`$XDG_CACHE_HOME/flox/run`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    there = tmp_path / "cache/flox/run/activations/x"
    there.mkdir(parents=True)
    start(there, envtrace__log=trace("API_KEY"))
    assert [finding.subject for finding in findings(project)] == [str(there / "abc.1786544639")]


def test_a_start_in_a_container(project, tmp_path, monkeypatch):
    """No executive cleans up there, so that each start stays."""
    project.write(".env", "API_KEY=ref://secrets/k\n")
    there = tmp_path / "container-activations" / "x"
    there.mkdir(parents=True)
    start(there, envtrace__log=trace("API_KEY"))
    assert flox_state._CONTAINERS == ("/run/flox/container-activations",)
    monkeypatch.setattr(flox_state, "_CONTAINERS", (str(there.parent),))
    assert [finding.subject for finding in findings(project)] == [str(there / "abc.1786544639")]


def test_a_runtime_directory_of_everybody(project, tmp_path, monkeypatch):
    """Flox takes none that is not 0700, and falls back to the disk."""
    tmp_path.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert on_disk(project) == [
        "not mode 0700: Flox keeps the values of a hook in ~/.cache/flox/run, a directory on disk"
    ]


def logged(project):
    case = Case(bare(str(project.path)), [("", ".env")], start=str(project.path))
    return list(flox_state.logged_services(case))


def test_a_log_of_a_started_service(project):
    """Its path and this project's secrets in it, and the command that removes it; never a value."""
    project.write(".env", "PLAIN=1\nAPI_KEY=ref://secrets/k\nDB_URL=ref://secrets/p\nNOT_IN_IT=ref://secrets/n\n")
    line = f'INFO spawning process-compose: PLAIN="1" MY_NOT_IN_IT="x" API_KEY="{MARKER}" DB_URL="{MARKER}" "up"\n'
    project.write(".flox/log/executive.26413.log.2026-11-26", line)
    [finding] = logged(project)
    assert finding.message.endswith(": API_KEY, DB_URL")
    assert finding.subject.endswith(".flox/log/executive.26413.log.2026-11-26")
    assert MARKER not in repr(finding)
    subprocess.run(["sh", "-c", pasted(finding.run)], check=True, cwd=project.path)
    assert logged(project) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("executive.1.log", "API_KEY is not set\n"),
        ("executive.1.log", 'OTHER="\\"API_KEY=\\"x"\n'),
        ("executive.1.log", ""),
        ("services.1.log", 'API_KEY="x"\n'),
    ],
    ids=["a name alone", "a name in a value", "empty", "what a service printed"],
)
def test_a_log_without_secrets(project, file, line):
    """A name counts where Flox writes a variable, in its own log."""
    project.write(".env", "API_KEY=ref://secrets/k\n")
    project.write(f".flox/log/{file}", line)
    assert logged(project) == []


def on_disk(project):
    case = Case(bare(str(project.path)), [], start=str(project.path))
    return [finding.message for finding in flox_state.runtime_on_disk(case)]


def test_no_runtime_directory(project):
    """Flox falls back to a directory in the home."""
    assert on_disk(project) == ["not set: Flox keeps the values of a hook in ~/.cache/flox/run, a directory on disk"]


@pytest.mark.skipif(
    not os.access(MEMORY, os.W_OK) or flox_state.file_system(str(MEMORY)) != "tmpfs", reason="no tmpfs here"
)
def test_a_runtime_directory_in_memory(project, monkeypatch):
    """A real tmpfs is what it should be."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        monkeypatch.setenv("XDG_RUNTIME_DIR", place)
        assert on_disk(project) == []


def test_a_runtime_directory_elsewhere(project, tmp_path, monkeypatch):
    """Any other file system is told by its type."""
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    monkeypatch.setattr(flox_state, "file_system", lambda path: {str(own): "ext4"}[path])
    assert on_disk(project) == [f"{own} is not in memory (ext4): Flox keeps the values of a hook there"]


def test_flox_checks_are_only_made_when_asked_for():
    """None of them is in the other tables."""
    assert not set(doctor.FLOX) & {*doctor.FILES, *doctor.PROJECT, *doctor.STORES}


def test_only_folders_are_looked_into(tmp_path):
    """A link may lead anywhere."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    assert list(flox_state._directories(str(tmp_path))) == [str(tmp_path / "folder")]
    assert list(flox_state._directories(str(tmp_path / "none"))) == []


def test_the_first_process_may_supervise_a_start(project, starts):
    """In a container it is Flox itself."""
    start(starts, envtrace__log=trace("API_KEY"))
    (starts / "state.json").write_text('{"executive_pid": 1}')
    assert findings(project) == []


@pytest.mark.parametrize(("later", "lives"), [(0, True), (1, True), (1.5, False), (None, True)])
def test_a_process_that_began_after_its_state_file_is_another(starts, monkeypatch, later, lives):
    """By more than a second, as times are kept; where nobody says when it began, it is the one. No signal is sent."""
    state, sent = starts / "state.json", []
    state.write_text("{}")
    os.utime(state, (1_000_000, 1_000_000))
    monkeypatch.setattr(flox_state, "began_at", lambda _: None if later is None else 1_000_000 + later)
    monkeypatch.setattr(os, "kill", lambda *words: sent.append(words))
    assert flox_state._lives(4711, str(state)) is lives
    assert sent == [(4711, 0)]


def test_a_process_of_another_user_lives(starts, monkeypatch):
    """It may not be sent anything; it is there."""

    def denied(*_):
        raise PermissionError

    monkeypatch.setattr(flox_state, "began_at", lambda _: None)
    monkeypatch.setattr(os, "kill", denied)
    assert flox_state._lives(4711, str(starts)) is True


def test_a_link_among_what_is_left_is_not_followed(project, starts):
    """It is left over all the same."""
    (start(starts) / "envtrace.log").symlink_to(project.write("elsewhere", trace("API_KEY")))
    assert findings(project)[0].message.endswith("; 0 variable(s) in it")


def test_a_runtime_directory_that_is_not_there(project, tmp_path, monkeypatch):
    """As after a logout: Flox takes the one on the disk."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    [told] = on_disk(project)
    assert told.endswith("Flox keeps the values of a hook in ~/.cache/flox/run, a directory on disk")
