"""gpg asked without `pass`: as pass asks it, and only where pass would do nothing else. The oracle is the real pass."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

import pytest

from envref.backends.password_store import gpg
from envref.backends.password_store.store import PassStore
from envref.store_errors import BackendError, BackendTimeout
from tests.backends.asking import KEY, answer_of, foreign
from tests.backends.stores.pass_store import GnuPg, Passwords
from tests.requirements import missing, need

ENTRY = b"of the entry\n"
# What a program may see of who started it.
SEEN = ("GPG_TTY", "GNUPGHOME", "LC_ALL", "PASSWORD_STORE_DIR", "GPG_AGENT_INFO", "PINENTRY_USER_DATA")


@pytest.fixture(scope="module")
def running_gpg():
    with GnuPg() as running:
        yield running


@pytest.fixture
def passwords(running_gpg, home, monkeypatch):
    """The user's store with one entry, and a pass that envref knows."""
    if not gpg._is_known(need("pass")):
        missing("the pass of this machine is none of those that envref replaces by gpg")
    for name, value in running_gpg.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "C")
    store = Passwords(home / ".password-store")
    store.put("envref/app/key", ENTRY)
    return store


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Puts a script first on PATH; `programs(name, body)`."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory), prepend=":")

    def write(name, body, shell="#!/bin/sh"):
        path = directory / name
        path.write_text("\n".join([shell, body.removesuffix("\n"), ""]))
        path.chmod(0o755)
        return path

    return write


def shown(name="envref/app/key"):
    """What `pass show` prints, past envref."""
    done = subprocess.run(["pass", "show", "--", name], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.stdout.decode()


def through_pass(monkeypatch, ask):
    """The same question, asked of pass: a setting of pass that changes nothing is enough for that."""
    with monkeypatch.context() as patch:
        patch.setenv("PASSWORD_STORE_CLIP_TIME", "45")
        return ask()


def test_the_pass_of_this_machine_is_not_started(passwords, programs, monkeypatch):
    """Otherwise nothing here would be tested. The variable for the place of the store is honoured."""
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(passwords.path))
    programs("base64", "echo 'pass was started' >&2; exit 1")
    assert answer_of(PassStore("pass")) == ENTRY.decode().strip()
    assert shown() == ""


@pytest.mark.parametrize("name", ["gpg", "gpg2"])
@pytest.mark.parametrize(
    "variables", [{}, {"GPG_TTY": "/dev/pts/7"}, {"GPG_TTY": ""}, {"GPG_AGENT_INFO": "/run/x:1:1"}], ids=str
)
def test_gpg_is_started_as_pass_starts_it(passwords, programs, tmp_path, monkeypatch, name, variables):
    """The same program with the same words and surroundings."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(passwords.path))
    log = tmp_path / "log"
    wanted = " ".join(f'"{variable}=${{{variable}-unset}}"' for variable in SEEN)
    programs(name, f'printf \'%s\\n\' "$0" "$@" {wanted} >> {log}; cat <&0 >> {log}; exec {need("gpg")} "$@"')

    def started():
        log.unlink(missing_ok=True)
        assert answer_of(PassStore("pass")) == ENTRY.decode().strip()
        return log.read_text()

    assert started() == through_pass(monkeypatch, started)


def hooked(path):
    path.write_text("gpg() { echo hooked; }\n")
    return str(path)


# What somebody may have arranged -> the variables of it.
ARRANGED = {
    "a file that bash reads first": lambda place: {"BASH_ENV": hooked(place / "bash.env")},
    "an exported function": lambda _: {"BASH_FUNC_gpg%%": "() {  echo hooked\n}"},
    "options of gpg": lambda _: {"PASSWORD_STORE_GPG_OPTS": "--list-only"},
    "options of bash": lambda _: {"SHELLOPTS": "noexec"},
}


@pytest.mark.parametrize("what", ARRANGED)
def test_what_somebody_arranged_happens(passwords, tmp_path, monkeypatch, what):
    """Where a variable changes what pass shows, that is what envref reads."""
    for name, value in ARRANGED[what](tmp_path).items():
        monkeypatch.setenv(name, value)
    assert shown() != ENTRY.decode()
    answer = answer_of(PassStore("pass"))
    if shown():
        assert answer == shown().strip()
    else:
        assert isinstance(answer, BackendError)


@pytest.mark.parametrize("name", ["PASSWORD_STORE_UMASK", "PASSWORD_STORE_NEW_IN_1_8", "BASHOPTS"])
def test_a_setting_is_left_to_pass(passwords, monkeypatch, name):
    """Also one that nobody knows yet."""
    assert gpg._instead_of(need("pass"))
    monkeypatch.setenv(name, "077")
    assert gpg._instead_of(need("pass")) == ()


@pytest.mark.parametrize("part", ["", ".", "bin"])
def test_a_search_path_that_depends_on_the_directory_is_left_to_pass(passwords, monkeypatch, part):
    """envref itself looks into absolute directories only."""
    monkeypatch.setenv("PATH", f"{part}:{os.environ['PATH']}")
    assert gpg._instead_of(need("pass")) == ()


def test_a_gpg_where_pass_does_not_look_is_not_taken(passwords, tmp_path, monkeypatch):
    """ENVREF_STORE_PATH is a place for envref's search only."""
    (tmp_path / "gpg").symlink_to(need("gpg"))
    monkeypatch.setenv("ENVREF_STORE_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert gpg._instead_of("/usr/bin/pass") == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cmd_show() {\n", "cmd_show() {\n\techo changed; exit 0\n"),
        ('case "$1" in\n\tinit)', 'echo changed; exit 0\ncase "$1" in\n\tinit)'),
        ('\nGPG="gpg"\n', '\nGPG="echo changed"\n'),
        ("\nPROGRAM=", "\nGPG='echo changed'\nPROGRAM="),
        ("\nPROGRAM=", "\ncmd_show() {\n\techo changed\n}\nPROGRAM="),
        ("\nPROGRAM=", "\nPREFIX=/nowhere\nPROGRAM="),
        ("\nPROGRAM=", "\ngpg() { echo changed; }\nPROGRAM="),
        ("\numask ", "\necho changed; exit 0\numask "),
        ("#!/usr/bin/env bash\n", "#!/bin/sh\necho changed; exit 0\n"),
    ],
)
def test_a_pass_that_somebody_changed_is_asked(passwords, programs, old, new):
    """What it does is what counts."""
    script = pathlib.Path(need("pass")).read_text()
    assert old in script
    shell, _, body = script.replace(old, new).partition("\n")
    programs("pass", body, shell)
    assert shown().strip() != ENTRY.decode().strip()
    answer = answer_of(PassStore("pass"))
    assert answer is None or isinstance(answer, BackendError) or answer.startswith("changed")


def test_a_wrapper_of_pass_is_asked(passwords, programs):
    """As Nix has one, which chooses the programs that pass finds."""
    programs("pass", "echo wrapped")
    assert answer_of(PassStore("pass")) == "wrapped"


def test_a_command_of_ones_own_is_asked(passwords, programs):
    """`command:` is always started, also where it is a usual pass."""
    script = pathlib.Path(need("pass")).read_text()
    shell, _, body = script.partition("\n")
    own = programs("mypass", body, shell)
    programs("base64", "echo 'pass was started' >&2; exit 1")
    error = answer_of(PassStore("pass", command=str(own)))
    assert error.message == "pass: pass was started"


def test_an_entry_that_vanishes_is_absent(passwords, programs):
    """Between the look at its file and the reading of it."""
    programs("gpg", f'rm -f {passwords.path}/envref/app/key.gpg; exec {need("gpg")} "$@"')
    assert answer_of(PassStore("pass")) is None


FAULTS = {
    "unknown": "echo 'the entry was not found' >&2; exit 1",
    "denied": "echo \"gpg: can't open 'x': Permission denied\" >&2; exit 2",
    "coloured": r"printf '\033[31mgpg:\033[0m \033[2Jdecryption failed: No secret key\n' >&2; exit 2",
    "not text on stderr": r"printf '\377\376' >&2; exit 1",
    "much on stderr": "head -c 1048576 /dev/zero | tr '\\0' x >&2; exit 1",
    "silent": "exit 1",
    "part of a value": "printf 'half of it'; exit 2",
    "too much": "head -c 17000000 /dev/zero",
    "bytes": r"printf '\377\376'",
    "empty": "exit 0",
    "a warning": "echo 'gpg: WARNING: unsafe permissions' >&2; echo value",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_gpg_is_the_same_on_both_ways(passwords, programs, monkeypatch, fault):
    """Class, message and cure."""
    programs("gpg", FAULTS[fault])

    def told():
        answer = answer_of(PassStore("pass"))
        return (type(answer), answer.lines()) if isinstance(answer, BackendError) else answer

    assert told() == through_pass(monkeypatch, told)


def test_a_gpg_that_can_not_be_started_is_the_same_on_both_ways(passwords, programs, monkeypatch):
    """Then pass is asked, and says it."""
    programs("gpg", "", shell="#!/no/such/interpreter")

    def told():
        return answer_of(PassStore("pass")).lines()

    assert told() == through_pass(monkeypatch, told)


def test_a_gpg_that_is_killed_is_unavailable(passwords, programs, monkeypatch):
    """bash would say more, and nothing of use."""
    programs("gpg", "printf half; kill -9 $$")
    assert type(answer_of(PassStore("pass"))) is type(through_pass(monkeypatch, lambda: answer_of(PassStore("pass"))))


def test_a_gpg_that_hangs_is_ended_once(passwords, programs):
    """It is not asked again by way of pass."""
    programs("gpg", "exec sleep 86")
    error = answer_of(PassStore("pass"), deadline=time.monotonic() + 0.5)
    assert isinstance(error, BackendTimeout)


def test_one_entry_of_many_fails_alone(passwords, programs):
    """The others are read."""
    (passwords.path / "broken.gpg").write_text("junk\n")
    store = PassStore("pass")
    answers = store.get_many([foreign("broken"), KEY], time.monotonic() + 60)
    assert isinstance(answers[foreign("broken")], BackendError)
    assert answers[KEY].reveal() == ENTRY.decode().strip()
