"""How a set-up goes on, and how it ends."""

from __future__ import annotations

import threading

import pytest

from setup import __main__ as doors
from setup import mutants, programs
from setup.failure import NotSetUp
from setup.interpreters import Interpreter
from setup.steps import at_once
from tests.conftest import ROOT


def test_steps_are_done_at_once():
    """Each of three waits for the others."""
    meeting = threading.Barrier(3, timeout=20)
    at_once(meeting.wait, meeting.wait, meeting.wait)


def test_every_failure_is_said():
    """All steps end first; the words of all that failed end the program."""
    done = []

    def fail(word):
        raise NotSetUp(word)

    with pytest.raises(NotSetUp, match=r"^one\ntwo$"):
        at_once(lambda: fail("one"), lambda: fail("two"), lambda: done.append(True))
    assert done
    with pytest.raises(ZeroDivisionError):
        at_once(lambda: 1 / 0, lambda: fail("one"))


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """An apt-get that brings nothing; what it was called with."""
    calls = tmp_path / "calls"
    (tmp_path / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(programs, "PROGRAMS", {"a-package": "no-such-program", "dash": "sh"})
    return calls


def test_in_ci_a_program_that_did_not_arrive_ends_the_run(apt, monkeypatch):
    """The package is named, and no test has begun; elsewhere the tests say what they skip."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(NotSetUp, match="not installed: a-package"):
        programs.install_missing()
    monkeypatch.delenv("CI")
    programs.install_missing()


def test_apt_waits_for_another_apt(apt, monkeypatch):
    """A new machine brings its own updates first."""
    monkeypatch.delenv("CI", raising=False)
    programs.install_missing()
    assert apt.read_text() == (
        "--quiet --quiet --yes --no-install-recommends -o DPkg::Lock::Timeout=300 install a-package\n"
    )


def test_the_bench_may_measure_the_oldest_and_the_newest_python(monkeypatch):
    """By default the first, which is the one that runs it."""
    found = [Interpreter((3, minor, 0), f"python3.{minor}") for minor in (12, 11, 13)]
    measured = []
    monkeypatch.setattr(doors, "interpreters", lambda: found)
    monkeypatch.setattr(doors, "_install_programs", lambda *_: None)
    monkeypatch.setattr(doors, "_bench", lambda interpreter, arguments: measured.append(interpreter.minor) or 0)
    for pythons, minors in (("", ["3.12"]), ("ends", ["3.11", "3.13"])):
        monkeypatch.setenv("PYTHONS", pythons)
        assert doors.bench() == 0
        assert measured == minors
        measured.clear()


def test_every_module_is_in_one_room_of_the_mutants():
    """A new one too: what is in none would never be measured."""
    found = [name for room in mutants.ROOMS for name in mutants.modules(room)]
    there = [path.relative_to(ROOT).as_posix() for path in (ROOT / "envref").rglob("*.py") if path.stem != "__init__"]
    assert sorted(found) == sorted(there)
    assert "envref/client.py" in mutants.modules("agent")
    assert "envref/project/trust/gate.py" in mutants.modules("trust")


@pytest.mark.parametrize(
    ("module", "files"),
    [
        ("envref/env/file.py", ["env/test_file.py"]),
        ("envref/errors.py", ["test_errors.py"]),
        ("envref/checks/closure.py", ["checks/test_closure.py"]),
        ("envref/cli/sync.py", ["secrets/test_sync.py"]),
        ("envref/cli/secret/delete.py", ["cli/test_secret_delete.py"]),
        ("envref/backends/aws/direct/client.py", ["backends/aws/direct/test_client.py"]),
        ("envref/backends/vault/file.py", ["backends/vault/test_lifecycle.py", "backends/vault/test_store.py"]),
    ],
)
def test_a_module_is_tried_by_its_own_tests(module, files):
    """Wherever they are."""
    assert mutants.mirrored(module, str(ROOT)) == [f"tests/{file}" for file in files]


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("envref/refs/field.py", "refs/test_reference.py"),
        ("envref/cli/onboard.py", "cli/test_team_work.py"),
        ("envref/cli/child.py", "cli/test_run.py"),
        ("envref/cli/stale.py", "fresh/test_costs.py"),
        ("envref/cli/prompt.py", "cli/test_people.py"),
        ("envref/cli/sync.py", "test_transcripts.py"),
    ],
)
def test_a_survivor_is_tried_by_the_tests_beside_them(module, file):
    """Of its room; of the command line those that call the command, or belong to what imports the module, then all."""
    own = mutants.mirrored(module, str(ROOT))
    assert f"tests/{file}" in mutants.beside(module, str(ROOT), own)


def test_a_truth_is_tried_with_the_other_one():
    """Not with None, which makes no difference where only truth is looked at; anything else is tried with it."""
    found = mutants.mutants(
        "module.py", b"def a():\n    return False\n\ndef b():\n    return x\n\ndef c():\n    return ''\n"
    )
    assert [(mutant.line, mutant.text) for mutant in found] == [
        (2, "(True)"),
        (5, "return None"),
        (8, "return 'mutant'"),
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def a():\n    if b:\n        return\n    c()\n", [3, 4]),
        ("def a():\n    if b:\n        c()\n        return None\n", [3]),
        ("def a():\n    if b:\n        c()\n    else:\n        return None\n", [3]),
        ("def a():\n    for b in c:\n        return None\n", [3]),
        ("def a():\n    try:\n        c()\n    except D:\n        return None\n", [3]),
        ("def a():\n    try:\n        c()\n    except D:\n        return None\n    e()\n", [3, 5, 6]),
        ("def a():\n    with b:\n        return None\n", []),
        ("def a():\n    match b:\n        case 'c':\n            return\n", []),
    ],
)
def test_a_line_that_makes_no_difference_is_let_be(source, lines):
    """A return of nothing, where the function ends anyway."""
    assert [mutant.line for mutant in mutants.mutants("module.py", source.encode())] == lines


class _Python:
    def program(self, name):
        return f"/environment/bin/{name}"


def test_tests_are_compiled_once_where_all_will_be_run(tmp_path, monkeypatch):
    """By one process, before there are workers, those that the run has; not where they were."""
    ran = []
    monkeypatch.setattr(doors, "ROOT", str(tmp_path))
    monkeypatch.setattr(doors, "_test_environment", lambda _: _Python())
    monkeypatch.setattr(doors, "_status", lambda *command, **more: ran.append((command, more)))
    interpreter = Interpreter((3, 12, 4), "python3.12")
    doors._with_compiled_tests(interpreter, "inside")
    [(command, more)] = ran
    assert command == ("/environment/bin/python", "-m", "pytest", "--quiet", "--collect-only")
    assert (more["PYTHONDONTWRITEBYTECODE"], more["ENVREF_TESTS_SCOPE"]) == ("", "inside")
    (tmp_path / "tests" / "__pycache__").mkdir(parents=True)
    (tmp_path / "tests" / "__pycache__" / "conftest.cpython-312-pytest-9.2.0.pyc").touch()
    doors._with_compiled_tests(interpreter, "inside")
    assert len(ran) == 1


def test_of_the_runs_side_by_side_the_first_has_most_workers(monkeypatch):
    """It goes on alone once the others have ended."""
    found = [Interpreter((3, minor, 0), f"python3.{minor}") for minor in (11, 12, 13)]
    ran = []
    monkeypatch.delenv("OTHERS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(doors, "interpreters", lambda: found)
    monkeypatch.setattr(doors, "_install_programs", lambda _, *steps: [step() for step in steps])
    monkeypatch.setattr(doors, "lint", lambda: 0)
    monkeypatch.setattr(doors, "_with_compiled_tests", lambda *_: None)
    monkeypatch.setattr(doors, "_test_environment", lambda _: _Python())
    monkeypatch.setattr(doors, "_side_by_side", lambda *runs: ran.extend(each.command for each in runs) or [0])
    assert doors.test() == 0
    assert [command[command.index("-n") + 1] for command in ran] == ["4", "3", "3"]
