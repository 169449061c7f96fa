"""A project in a temporary directory, an empty HOME, and an environment that holds nothing of the caller's."""

from __future__ import annotations

import gc
import itertools
import os
import pathlib
import re
import signal

import pytest

from tests import inside, lateness, reaper
from tests.arguments import PYTHONPATH, check
from tests.loaded import ENVREF
from tests.observer.sitecustomize import LOG
from tests.requirements import LEFT_OUT, SCOPE, left_out, need_process

pytest.register_assert_rewrite("tests.backends.contract")  # before any file of tests imports it

KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "COVERAGE_PROCESS_START", "CI")
ROOT = pathlib.Path(__file__).parent.parent

# A script's background job, nohup, and some runners of CI hand on that signals are ignored; so would every child here.
# Python itself ignores SIGPIPE and SIGXFSZ. Who said nohup keeps that: a handler is not handed on.
USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: lambda *_: None}
for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, USUAL.get(number, signal.SIG_DFL))


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """What this run starts ends with it. No garbage is looked for while tests are collected: all of that is kept."""
    reaper.begin()
    gc.disable()
    if hasattr(config, "workerinput") and hasattr(config, "failures_db"):
        _ask_of_second_tries_alone(config.failures_db)


def _ask_of_second_tries_alone(database):
    """Of pytest-rerunfailures: a worker asks the others how many tests were tried again, and nothing else.

    Else it tells and asks three times for each test, on a connection that waits 40 ms for a full packet: 3 ms of both
    processors. A test whose worker dies is not tried again, then.
    """
    database.get_suite_reruns = database.get_test_failures = lambda *_: 0
    database.set_test_reruns = lambda *_: None


def pytest_collection_finish():
    """From here on it is looked for again."""
    gc.enable()


def pytest_report_header():
    """What the run leaves out, said at its start; -ra says at the end how many tests that were."""
    return f"scope {SCOPE}: leaves out {LEFT_OUT[SCOPE]}"


def pytest_unconfigure():
    """What was loaded for the commands of the tests ends with them."""
    ENVREF.end()


class _Module(pytest.Module):
    """A file of tests. One that the run leaves out is skipped as a whole, not test by test."""

    def collect(self):
        if reason := left_out(self.path.read_text(encoding="utf-8")):
            pytest.skip(reason, allow_module_level=True)
        return super().collect()


def pytest_pycollect_makemodule(module_path, parent):
    """Files are collected as above."""
    return _Module.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    """A fixture that starts a program leaves its test out where no program is started."""
    with inside.kept(SCOPE):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """So does a test. And none passes in which a program got a secret as an argument."""
    with inside.kept(SCOPE):
        result = yield
    check()
    return result


def pytest_runtest_teardown():
    """No stopwatch of a test outlives it."""
    lateness.end_all()


_NUMBERS = itertools.count()


def _made(tmp_path_factory, name):
    """A new directory. pytest's own would look at all those of the run for the next number, and keep a link to it."""
    return tmp_path_factory.mktemp(f"{name}-{next(_NUMBERS)}", numbered=False)


@pytest.fixture
def tmp_path(tmp_path_factory, request):
    """A directory of the test's own, which has its name."""
    return _made(tmp_path_factory, re.sub(r"\W", "_", request.node.name)[:30])


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """HOME, and the environment a first-time user has: nothing of envref, no desktop, no session bus."""
    path = _made(tmp_path_factory, "home")
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(("PYTEST", "HYPOTHESIS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(path))
    # As in CI, a project that asks for nothing is agreed to. Tests of consent take it away: `nobody_agreed`.
    monkeypatch.setenv("CI", os.environ.get("CI") or "1")
    monkeypatch.setenv(LOG, str(path.with_name(f"{path.name}.arguments")))
    return path


@pytest.fixture(autouse=True)
def no_known_values(monkeypatch):
    """The values of one test are not hidden from the messages of the next, nor looked for in its arguments.

    This process itself holds values and stays open to debuggers; what envref protects are the processes of its command.
    """
    monkeypatch.setattr("envref.secret._known", set())
    monkeypatch.setattr("envref.errors._place", [])  # nor is a command to paste about another test's project
    monkeypatch.setattr("envref.memory.protect", lambda: None)


class Directory:
    """A project directory and the envref command run in it."""

    def __init__(self, path):
        self.path = path

    def write(self, name, content):
        """Writes a file below the project; returns its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def read(self, name):
        return (self.path / name).read_text(encoding="utf-8")

    def envref(self, *arguments, stdin="", env=None, cwd=None):
        """`envref ARGUMENTS` as a process of its own; its completed result, output as text."""
        need_process()
        environment = {**os.environ, "PYTHONPATH": PYTHONPATH, **(env or {})}
        return ENVREF.run(arguments, stdin, environment, cwd or self.path)


@pytest.fixture(autouse=True, scope="session")
def started(tmp_path_factory):
    """What was started really, by any worker of the run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    ENVREF.started = str(shared / "started")
    os.makedirs(ENVREF.started, exist_ok=True)


@pytest.fixture
def real_starts(monkeypatch):
    """Every `project.envref` starts a Python of its own: for tests of starts, imports, memory, traces and signals."""
    monkeypatch.setattr(ENVREF, "real", True)


@pytest.fixture
def nobody_agreed(monkeypatch):
    """Where nothing tells that anybody agreed to the project: no CI, no direnv, no Flox."""
    for name in ("CI", "ENVREF_TRUST", "DIRENV_IN_ENVRC", "FLOX_ENV", "FLOX_ENV_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def trusted(monkeypatch):
    """Whatever a project asks for is allowed: for tests of something else than trust."""
    monkeypatch.setenv("ENVREF_TRUST", "all")


@pytest.fixture
def project(tmp_path):
    """A directory without a config; `project.write(".envref.yaml", …)` makes it a project."""
    path = tmp_path / "project"
    path.mkdir()
    return Directory(path)
