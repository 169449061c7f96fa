"""What `envref run` starts: in which environment, which program, and what it says where there is none."""

from __future__ import annotations

import errno
import os

import pytest

from envref.cli import child
from envref.errors import EnvrefError
from tests.requirements import first_python

pytestmark = first_python


@pytest.fixture
def become(shelf, monkeypatch):
    """`become("run", …)`: the command that the process would become, its environment, and what was said."""
    caught = []
    monkeypatch.setattr(child, "become", lambda command, environment: caught.append((command, environment)))
    shelf.write(".env", "A=ref://secrets/a\nB=1\nGONE=ref://secrets/gone?optional\n")
    shelf.values["one"]["app/a"] = "v"

    def become(*words):
        caught.clear()
        done = shelf.said(*words)
        assert done.returncode == 1  # of who comes back
        command, environment = caught[0] if caught else ((), {})
        return command, {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}, done.stderr

    return become


def test_the_child_gets_the_variables_and_the_caller_s_environment(become, monkeypatch):
    """Less what is envref's own; its words as they are."""
    own = ["VAULT_PASSPHRASE", "VAULT_PASSPHRASE_FD", "VAULT_PASSPHRASE_FILE", "TRUST", "STORE_PATH", "SEEN"]
    for name in own:
        monkeypatch.setenv(f"ENVREF_{name}", "all")
    for name in ("ENVREF_PROFILE", "OTHER", "B"):
        monkeypatch.setenv(name, "theirs")
    command, environment, _ = become("run", "--", "x", "-P", "--")
    assert command == ("x", "-P", "--")
    assert not {f"ENVREF_{name}" for name in own} & environment.keys()
    given = {name: environment.get(name) for name in ("A", "B", "GONE", "OTHER", "ENVREF_PROFILE")}
    assert given == {"A": "v", "B": "1", "GONE": None, "OTHER": "theirs", "ENVREF_PROFILE": "theirs"}
    assert become("run", "--keep-env", "x")[1]["B"] == "theirs"


def test_a_pristine_environment_has_what_every_program_needs(become, monkeypatch, tmp_path):
    """These names, all of LC_*, and the variables."""
    kept = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "LC_TIME"]
    for name in [*kept, "MY_LC_TIME", "PATHS", "XDG_CONFIG_HOME"]:
        monkeypatch.setenv(name, os.environ.get(name, str(tmp_path)))
    found = set(become("run", "--pristine", "x")[1])
    assert {name for name in found if not name.startswith("LC_") or name == "LC_TIME"} == {*kept, "A", "B"}


@pytest.mark.parametrize("door", [[], ["-f", ".env"]], ids=["hot", "click"])
@pytest.mark.parametrize("is_partial", [True, False])
def test_what_is_unresolved_keeps_the_command_from_starting(become, shelf, door, is_partial):
    """Unless it may start without; the error is told either way, and its last line says which it was."""
    shelf.write(".env", "B=1\nGONE=ref://secrets/gone\n")
    command, environment, said = become("run", *door, *(["--partial"] if is_partial else []), "x")
    assert said.startswith("error: GONE: failed to resolve ref://secrets/gone: ")
    assert said.endswith(f"1 reference(s) could not be resolved{'' if is_partial else ' (strict mode)'}\n")
    assert (command, environment.get("B"), "GONE" in environment) == (
        (("x",), "1", False) if is_partial else ((), None, False)
    )


@pytest.mark.parametrize("coerced", [True, False])
def test_a_locale_that_python_chose_is_not_the_child_s(become, monkeypatch, coerced):
    """PEP 538: in the C locale Python sets LC_CTYPE, which the caller did not have."""
    monkeypatch.setattr(child, "coerced_locale", lambda: coerced)
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    assert ("LC_CTYPE" in become("run", "x")[1]) != coerced


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="only Linux shows what a process was started with")
def test_what_this_process_was_started_with_is_looked_at():
    with open("/proc/self/environ", "rb") as started_with:
        had = any(line.startswith(b"LC_CTYPE=") for line in started_with.read().split(b"\0"))
    assert child.coerced_locale() is not had


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Two folders on PATH, behind the current one, with files of which some can be run."""
    modes = {"a/x": 0o644, "b/x": 0o755, "b/only": 0o644, "a/both": 0o755, "b/both": 0o755, "here": 0o755}
    for name, mode in modes.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        path.chmod(mode)
    (tmp_path / "a" / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f":{tmp_path}/a:{tmp_path}/b")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("x", "b/x"),
        ("only", "b/only"),
        ("both", "a/both"),
        ("here", "./here"),
        ("a/x", "a/x"),
        ("./none", "./none"),
        ("folder", "folder"),
        ("none", "none"),
    ],
)
def test_a_program_is_looked_for_as_a_shell_does(programs, command, found):
    """The first that can be run, else the first of the name; a folder is none, and a path is one's own."""
    assert child._program(command).replace(f"{programs}/", "") == found


@pytest.mark.parametrize(
    ("text", "mode", "number", "status", "told", "cure"),
    [
        (None, 0, errno.ENOENT, 127, "command not found: ./x", "after -- stand the program and its arguments"),
        ("", 0o644, errno.EACCES, 126, "./x: permission denied", "chmod +x makes a file a program"),
        ("#! /no/where -x\n", 0o755, errno.ENOENT, 126, "./x: its interpreter /no/where does not exist", "correct its"),
        ("#!/bin/sh\r\n", 0o755, errno.ENOENT, 126, "./x: its interpreter /bin/sh\\r does not", "its first line ends"),
        ("\x7fELF", 0o755, errno.ENOENT, 126, "./x: its interpreter (its dynamic loader) does", "correct its first"),
        ("", 0o755, errno.ELOOP, 126, f"./x: {os.strerror(errno.ELOOP)}", ""),
    ],
)
def test_a_program_that_can_t_be_started(tmp_path, monkeypatch, text, mode, number, status, told, cure):
    """127 for none, 126 for one that does not start (POSIX), and what to do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(child, "_heed_signals", lambda: None)
    monkeypatch.setattr("envref.memory.release", lambda: None)
    if text is not None:
        (tmp_path / "x").write_text(text)
        (tmp_path / "x").chmod(mode)

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "execve", refuse)
    with pytest.raises(EnvrefError) as caught:
        child.become(("./x",), {})
    assert (caught.value.status, caught.value.message.startswith(told)) == (status, True)
    assert (caught.value.hint or "").startswith(cure)


def test_a_script_without_a_first_line_is_run_by_sh(monkeypatch):
    """As shells, env and nohup do (execvp(3)); what else refuses is no script."""
    tried = []

    def refuse(*call):
        tried.append(call)
        if len(tried) == 1:
            raise OSError(errno.ENOEXEC, "")

    monkeypatch.setattr(os, "execve", refuse)
    child._execute("/p/x", ("x", "1", "2"), {b"A": b"1"})
    assert tried == [("/p/x", ("x", "1", "2"), {b"A": b"1"}), ("/bin/sh", ("/bin/sh", "/p/x", "1", "2"), {b"A": b"1"})]


@pytest.mark.parametrize(
    ("words", "seen", "gone"),
    [
        ([], "", {"A"}),
        (["-P", "qa"], "", {"A", "Q"}),
        ([], "1 0123456789ab qa - .", {"A", "Q"}),
        (["-P", "eu"], "1 0123456789ab qa A=- .", {"A", "E"}),
    ],
)
def test_bare_leaves_out_what_a_profile_sets(become, shelf, monkeypatch, words, seen, gone):
    """The profile that is named, else that of this shell's values."""
    shelf.configure(profiles={"qa": None, "eu": None})
    for name, file in (("Q", ".env.qa"), ("E", ".env.eu")):
        shelf.write(file, f"{name}=ref://secrets/{name}\n")
    for name in ("A", "Q", "E", "OTHER"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("ENVREF_SEEN", seen)
    command, environment, _ = become("bare", *words, "--", "x", "-y")
    assert (command, {"A", "Q", "E", "OTHER"} - environment.keys()) == (("x", "-y"), gone)


def test_bare_needs_no_project_but_for_a_tool(become, said, tmp_path, monkeypatch):
    """Its words are where the passphrases are: a shim of an allowed tool may need the file of one."""
    for name in ("ENVREF_VAULT_PASSPHRASE", "ENVREF_VAULT_PASSPHRASE_FILE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(child, "become", lambda command, environment: print(sorted(environment), command))
    done = said("bare", "x", cwd=tmp_path)
    assert (done.returncode, "ENVREF_VAULT_PASSPHRASE" in done.stdout, done.stderr) == (1, False, "")
    done = said("bare", "--allow", "gh", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: loading config: no .envref.yaml found")
