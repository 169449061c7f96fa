"""The doors: which one a command line goes through, and how an error, a bug and Ctrl-C end it."""

from __future__ import annotations

import os
import signal

import pytest

from envref import __main__ as doors
from envref import streams
from envref.errors import EnvrefError, UsageError
from envref.paths import NO_DIRECTORY
from tests.requirements import first_python

pytestmark = first_python


@pytest.mark.parametrize(
    ("words", "is_hot"),
    [
        ("resolve --export", True),
        ("resolve", False),
        ("resolve --export --watch", False),
        ("run true", True),
        ("run", False),
        ("run --mask true", False),
        ("shim --call gh -- x", True),
        ("shim --call", False),
        ("shim", False),
        ("get A", True),
        ("get", False),
        ("secret get a", True),
        ("secret get", False),
        ("secret set a", False),
        ("credential git get", True),
        ("-C dir credential git get", True),
        ("credential git", False),
        ("credential --setup git", False),
        ("version", True),
        ("version -v", False),
        ("-C dir version", False),
        ("list credential", False),
        ("", False),
    ],
)
def test_a_hot_door_opens_for_what_it_knows(monkeypatch, words, is_hot):
    """And for nothing else; none where a trace is asked for, which only click's door shows."""
    assert (doors._hot(words.split()) is not None) == is_hot
    monkeypatch.setenv("ENVREF_DEBUG", "")
    assert doors._hot(words.split()) is None


def test_completion_is_asked_by_the_environment(monkeypatch):
    """Whatever the words are, and with traces too."""
    monkeypatch.setenv("ENVREF_DEBUG", "1")
    for asked, is_hot in (("bash_complete", 1), ("bash_source", 1), ("bash_else", 0), ("elvish_source", 0)):
        monkeypatch.setenv("_ENVREF_COMPLETE", asked)
        assert (doors._hot(["get", "A"]) is not None) == is_hot


def fails(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (EnvrefError("a", hint="b"), 1, "error: a\n  hint: b\n"),
        (UsageError("a"), 2, "error: a\n"),
    ],
)
def test_an_error_ends_with_its_status(capfd, error, status, told):
    assert doors._guarded(fails(error)) == status
    assert capfd.readouterr().err == told


@pytest.mark.parametrize(("level", "traced"), [(streams.NORMAL, False), (streams.DEBUG, True)])
def test_a_bug_says_where_it_is_and_no_value(capfd, monkeypatch, level, traced):
    """The innermost place; what the exception itself says may be a value."""
    monkeypatch.setattr(streams, "level", level)
    assert doors._guarded(fails(ZeroDivisionError("s3cret"))) == 1
    told = capfd.readouterr().err
    line = fails.__code__.co_firstlineno + 2
    assert f"error: internal error: ZeroDivisionError at test_doors.py:{line}\n  hint: this is a bug in envref;" in told
    assert "s3cret" not in told
    assert (f'test_doors.py", line {line}, in command\n' in told) == traced
    assert all(each.startswith(("debug: ", "error: ", "  hint: ")) for each in told.splitlines())


def test_a_bug_without_a_place():
    """One that was never raised has none."""
    assert doors._bug(ZeroDivisionError()).message == "internal error: ZeroDivisionError at ?"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_directory_that_is_gone_is_no_bug(capfd, monkeypatch, tmp_path, is_there):
    """Whatever needs the current directory fails in one that was removed."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    if not is_there:
        place.rmdir()
    assert doors._guarded(fails(FileNotFoundError())) == 1
    told = capfd.readouterr().err
    assert told.startswith("error: internal error: FileNotFoundError" if is_there else f"error: {NO_DIRECTORY}\n")


def test_ctrl_c_ends_the_process_by_the_signal(capfd, monkeypatch):
    """Behind a line of its own where a prompt may have left the cursor; the shell that called sees how it ended."""
    done = []
    monkeypatch.setattr(os, "kill", lambda *words: done.append(words))
    monkeypatch.setattr(signal, "signal", lambda *words: done.append(words))
    assert doors._guarded(lambda: doors._interruptible(fails(KeyboardInterrupt()))) == 1
    assert done == [(signal.SIGINT, signal.SIG_DFL), (os.getpid(), signal.SIGINT)]
    assert capfd.readouterr().err == "\ninterrupted\n"


def test_docker_s_helper_is_credential_docker(monkeypatch):
    """docker gives it the operation alone."""
    began = []
    monkeypatch.setattr("sys.argv", ["docker-credential-envref", "get"])
    monkeypatch.setattr(doors, "main", lambda: began.extend(doors.sys.argv))
    doors.docker()
    assert began == ["docker-credential-envref", "credential", "docker", "get"]


CREDENTIAL = {"git": {"credential": {"git.example": "A"}}, "docker": {"credential": {"ghcr.io": ["A", "B"]}}}
CREDENTIAL |= {"aws": {"credential-process": ["MY_ACCESS_KEY_ID", "MY_SECRET_ACCESS_KEY"]}}
CREDENTIAL |= {"cargo": {"credential": {"index.crates.io": "A"}}, "kubectl": {"credential": {"k.example:6443": "A"}}}
CLUSTER = '{"apiVersion": "client.authentication.k8s.io/v1", "spec": {"cluster": {"server": "https://k.example:6443"}}}'


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("version", ""),
        ("get A", ""),
        ("get GONE", ""),
        ("get -P qa A", ""),
        ("secret get a", ""),
        ("secret get gone", ""),
        ("resolve --export", ""),
        ("resolve --export --shell fish --only A", ""),
        ("credential aws", ""),
        ("credential cargo", ""),
        ("credential kubectl", ""),
        ("credential docker list", ""),
        ("credential docker get", "ghcr.io"),
        ("credential docker get", "none.example"),
        ("credential docker nope", ""),
        ("credential git get", "protocol=https\nhost=git.example\n"),
        ("credential git erase", "protocol=https\nhost=git.example\n"),
    ],
)
def test_both_doors_do_the_same(shelf, monkeypatch, words, given):
    """Status and output; click's is for a person who adds an option that the other door does not know."""
    keys = "".join(f"{name}=1\n" for name in ("B", "MY_ACCESS_KEY_ID", "MY_SECRET_ACCESS_KEY"))
    shelf.configure(profiles={"qa": None}, tools=CREDENTIAL)
    shelf.write(".env", f"PLAIN=1\nA=ref://secrets/a\n{keys}")
    shelf.values["one"]["app/a"] = "v"
    monkeypatch.setenv("CARGO_REGISTRY_INDEX_URL", "sparse+https://index.crates.io/")
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", CLUSTER)
    hot = shelf.said(*words.split(), stdin=given)
    assert doors._hot(words.split()) is not None
    monkeypatch.setattr(doors, "_hot", lambda _: None)
    clicked = shelf.said(*words.split(), stdin=given)
    assert (clicked.returncode, clicked.stdout, clicked.stderr) == (hot.returncode, hot.stdout, hot.stderr)
    assert clicked.stdout + clicked.stderr
