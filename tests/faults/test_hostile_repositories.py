"""P1: no program that an untrusted repository chose is run, nothing it chose is contacted; in strict mode nothing.

Every subcommand in every repository of `repositories`, under strace, in both modes of trust.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import re
import select
import subprocess
import sys

import click
import pytest

from tests import reaper
from tests.conftest import ROOT
from tests.faults import more_repositories as more
from tests.faults import repositories
from tests.nightly import NIGHTLY
from tests.requirements import first_python, need

pytestmark = [first_python, pytest.mark.skipif(sys.platform != "linux", reason="strace")]

CORPUS = {**repositories.REFUSED, **repositories.UNREADABLE, **repositories.QUIET}
MORE = {**more.REFUSED, **more.QUIET}
PRIVATE = "very-private-marker"
BARE = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
PATIENCE = 600.0  # seconds for one command in all clones

# How each subcommand is called, so that it gets to the point where it would use a store.
CALLS = {
    "resolve": ["--export"],
    "run": ["--", "own-command"],
    "get": ["A"],
    "set": ["NEW=1"],
    "init": ["--dir", "new"],
    "completion": ["bash"],
    "secret set": ["k", "--value", "v"],
    "secret get": ["a"],
    "secret list": [],
    "secret delete": ["a", "--force"],
    "secret generate": ["a"],
    "secret copy": ["a", "--from", "other"],
    "secret rotate": ["a"],
    "secret share": ["a", "--to", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    "backend list": ["--check"],
    "credential docker": ["get"],
    "credential git": ["get"],
    "status": [],
    "audit": ["--values", "."],
    "onboard": ["--dry-run"],
    "sync push": ["--to", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    "profile export": ["staging", "--resolve"],
    "vault backup": ["copy.db"],
    "trust": ["--print"],
    "validate": ["--resolve", "-e", ".env"],
}
# Those that need trust before anything (commands.md 11); of the others nobody expects an empty stdout.
USES_STORES = {
    *("resolve", "run", "backend list", "status", "audit", "onboard", "sync push", "profile export", "validate"),
    *(name for name in CALLS if name.startswith("secret ")),
}
# Where the rest of the corpus goes with every change, in default mode.
UNASKED = {"resolve", "run", "audit"}
# With every change each subcommand that uses a store meets the corpus, and these a third of it each, in turn; at night
# all of them meet all of it.
ALSO_IN_CI = {"get", "list", "set", "doctor", "vault unlock", "vault export", "trust"}


def subcommands():
    """Every one there is, by its words."""
    from envref.cli.commands import envref

    def leaves(command, words):
        if not isinstance(command, click.Group):
            yield " ".join(words)
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), [*words, name])

    return list(leaves(envref, []))


SUBCOMMANDS = subcommands()
CHOSEN = [name for name in SUBCOMMANDS if NIGHTLY or name in USES_STORES | ALSO_IN_CI]
# Strict mode has one gate for all: with every change each second one meets it, and the two that hooks run unasked.
# Those two meet the whole corpus, the others a third of it each, in turn.
EVERYWHERE = {"resolve", "run"}
STRICT = CHOSEN if NIGHTLY else [name for name in CHOSEN if name in {*CHOSEN[::2], *EVERYWHERE}]


class Run:
    """One command in one repository: what it printed, how it ended, and its system calls."""

    def __init__(self, repository, place, stdout, stderr, status, calls):
        self.repository = repository
        self.place = place
        self.stdout = stdout
        self.stderr = stderr
        self.status = status
        self.calls = calls

    def executed(self):
        return [match[1] for match in re.finditer(r'execve\("([^"]*)"[^\n]* = 0$', self.calls, re.MULTILINE)]

    def connected(self):
        """The addresses: of the network, and sockets of files; the C library's own look for nscd apart."""
        found = re.findall(r"connect\(\d+, \{sa_family=(.*)\}, \d+\)", self.calls)
        return [address for address in found if "/nscd/" not in address]

    def opened(self):
        """Absolute paths, of files that are there."""
        pattern = r'openat\((?:AT_FDCWD|\d+), "([^"]*)", [^\n]* = (?:\d+|\?)$'
        return [os.path.join(self.place, match[1]) for match in re.finditer(pattern, self.calls, re.MULTILINE)]


class Warm:
    """Under strace, with envref loaded (forked.py), for all tests of this file. Each has clones of its own."""

    def __init__(self, directory):
        self._trace = directory / "trace"
        self._number = 0  # of runs
        self._read = 0  # bytes of the trace
        self._process = subprocess.Popen(
            [
                *[need("strace"), "-f", "-qq", "-s", "4096", "--seccomp-bpf", "-e", "trace=execve,connect,openat"],
                *["-o", self._trace, sys.executable, ROOT / "tests" / "faults" / "forked.py"],
            ],
            env={**BARE, **reaper.mark()},
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, directories, output, words, environment):
        """The number of the first run, and the system calls of all."""
        number = self._number
        request = {"output": str(output), "words": words, "environment": environment, "number": number}
        self._process.stdin.write(json.dumps({"directories": directories, **request}).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._process.kill()  # the tests after this one fail at once
            raise AssertionError(f"{words}: a command hangs")
        assert self._process.stdout.readline() == b"done\n"
        self._number += len(directories)
        with open(self._trace, "rb") as file:
            file.seek(self._read)
            calls = file.read()
        self._read += len(calls)
        return number, calls.decode()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Harness:
    """A user with tools, credentials and secrets, who has cloned the whole corpus."""

    def __init__(self, warm, directory, corpus):
        self._warm = warm
        self.directory = directory
        self.home = directory / "home"
        self.outside = directory / "outside"
        self.programs = directory / "programs"
        for each in (self.home, self.outside, self.programs, directory / "output"):
            each.mkdir()
        self._programs()
        self._secrets()
        self.places = {name: self._clone(name, build) for name, build in corpus.items()}
        self.kept = sorted(os.listdir(self.outside))

    def _programs(self):
        for name in ("op", "vault", "aws", "oci", "doppler", "pass", "own-command"):
            repositories.write(self.programs, name, "#!/bin/sh\nexit 1\n", 0o755)
        for place in (self.outside, self.home / "bin"):
            repositories.write(place, "kv", repositories.PAYLOAD, 0o755)

    def _secrets(self):
        for name in ("private.env", "private.db"):
            repositories.write(self.outside, name, f"PRIVATE={PRIVATE}\n", 0o600)
        repositories.write(self.home, ".vault-token", PRIVATE, 0o600)
        repositories.write(self.home, ".config/envref/vault.db", PRIVATE, 0o600)

    def _clone(self, name, build):
        place = self.directory / "clones" / name
        place.mkdir(parents=True)
        build(place, self.outside)
        return place

    def configure(self, mode):
        repositories.write(self.home, ".config/envref/config.yaml", f"trust: {mode}\n", 0o600)

    def run(self, words):
        """The command in every clone, in their order."""
        output = self.directory / "output"
        first, trace = self._warm.run(list(map(str, self.places.values())), output, words, self._environment())
        parts = re.split(r'^\d+ +openat\(AT_FDCWD, "/run-of-a-test/(\w+)".*\n', trace, flags=re.MULTILINE)
        numbers = [str(number) for number in range(first, first + len(self.places))]
        assert parts[1::2] == [*numbers, "end"]
        return [
            Run(
                name,
                place,
                (output / number).read_text(),
                (output / f"{number}.stderr").read_text(),
                int((output / f"{number}.status").read_text()),
                _until_the_next(calls),
            )
            for number, calls, (name, place) in zip(numbers, parts[2::2], self.places.items(), strict=False)
        ]

    def _environment(self):
        return {
            "HOME": str(self.home),
            "PATH": f"{self.programs}:/usr/bin:/bin",
            **BARE,
            "VAULT_TOKEN": PRIVATE,
            "VAULT_ADDR": "https://own.example:8200",
            "ENVREF_VAULT_PASSPHRASE": "correct horse battery",
            "ENVREF_TIMEOUT": "2",
        }


def _until_the_next(calls):
    """Without what the parent does between two runs: it writes a status, and opens the next outputs."""
    return calls.split("/output/", 1)[0]


def belongs_to_it(path, run, harness):
    """Whether the repository chose the path: in itself, or the one that it points to."""
    real = os.path.realpath(os.path.join(run.place, path))
    return real.startswith((f"{run.place}/", f"{harness.outside}/", f"{harness.home}/bin/"))


def is_private(path, harness):
    """A file of the user's that no repository may have read: not envref's own, and not the system's."""
    own = [harness.home / name for name in (".config/envref/config.yaml", ".cache/envref", ".local/state/envref")]
    theirs = path.startswith((f"{harness.home}/", f"{harness.outside}/", "/dev/zero", "/root/.", "/home/"))
    tools = path.startswith((sys.prefix, sys.base_prefix, str(ROOT)))
    return theirs and not tools and not path.startswith(tuple(map(str, own)))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    made = Warm(tmp_path_factory.mktemp("warm"))
    yield made
    made.end()


@pytest.fixture
def harness(warm, tmp_path):
    """Makes one with a corpus."""
    tmp_path.chmod(0o755)
    return functools.partial(Harness, warm, tmp_path)


@pytest.mark.parametrize(
    ("mode", "words"), [("default", words) for words in CHOSEN] + [("strict", words) for words in STRICT]
)
def test_no_repository_gets_anything_done(harness, mode, words):
    """0 programs it chose run, 0 connections it chose, 0 reads outside; stdout is `false` or empty; nothing grows."""
    harness = harness(met(mode, words))
    harness.configure(mode)
    wrong = []
    for run in harness.run([*words.split(), *CALLS.get(words, [])]):
        stops = mode == "strict" or run.repository in stopping(words)
        wrong += [f"{run.repository}: {fault}" for fault in faults(run, harness, words, mode, stops=stops)]
    assert not wrong
    assert not list(harness.directory.rglob("was-run"))
    assert sorted(os.listdir(harness.outside)) == harness.kept, "a file of the user's was made or deleted"


def met(mode, words):
    """The repositories that a command meets."""
    if NIGHTLY or (mode == "default" and words in UNASKED):
        return {**CORPUS, **MORE}
    if words in (USES_STORES if mode == "default" else EVERYWHERE):
        return CORPUS
    turns = STRICT if mode == "strict" else sorted(ALSO_IN_CI)
    return dict(list(CORPUS.items())[turns.index(words) % 3 :: 3])


def test_the_others_meet_every_repository_together():
    """In default mode, those that use no store; each repository meets two of them."""
    meets = {name: [words for words in ALSO_IN_CI if name in met("default", words)] for name in CORPUS}
    assert [name for name, found in meets.items() if len(found) < 2] == []


def test_strict_mode_meets_every_repository():
    """By the two that hooks run, and by three commands more."""
    meets = {name: [words for words in STRICT if name in met("strict", words)] for name in CORPUS}
    assert [name for name, found in meets.items() if not {*found} >= EVERYWHERE or len(found) < 5] == []


@pytest.mark.parametrize("mode", ["default", "strict"])
@pytest.mark.parametrize("words", CHOSEN if NIGHTLY else ["resolve", "run"])
def test_nothing_of_a_change_after_trust_gets_done(harness, mode, words):
    """What was agreed to was another meaning: all of it stops again, also what was agreed to."""
    harness = harness({name: build for name, (build, _) in more.CHANGED.items()})
    harness.configure(mode)
    assert [run.repository for run in harness.run(["trust"]) if run.status] == []
    for name, place in harness.places.items():
        more.CHANGED[name][1](place, harness.outside)
    wrong = []
    for run in harness.run([*words.split(), *CALLS.get(words, [])]):
        wrong += [f"{run.repository}: {fault}" for fault in faults(run, harness, words, mode, stops=True)]
    assert not wrong
    assert not list(harness.directory.rglob("was-run"))


def stopping(words):
    """The repositories that default mode lets this command do nothing in."""
    return {**repositories.REFUSED, **more.REFUSED} | (repositories.UNREADABLE if words in ("resolve", "run") else {})


def faults(run, harness, words, mode, *, stops):
    """What the run did that it must not have done."""
    own = {str(harness.programs / "own-command")}
    uses = words in USES_STORES
    executed = [path for path in run.executed() if path not in own]
    chosen = [path for path in executed if belongs_to_it(path, run, harness)]
    yield from (f"ran {path}" for path in (executed if mode == "strict" or (stops and uses) else chosen))
    # Nobody agreed to any of them, and git and direnv read the repository's settings.
    yield from (f"ran {path}" for path in executed if os.path.basename(path) in ("git", "direnv"))
    network = [address for address in run.connected() if address.startswith("AF_INET")]
    yield from (f"connected to {address}" for address in (run.connected() if mode == "strict" else network))
    opened = {os.path.realpath(path) for path in run.opened()}
    # A config that is a link is only looked at in default mode; of what is beside it, nothing ever.
    beside = {path for path in opened if path.startswith(f"{harness.outside}/")} - {f"{harness.outside}/config.yaml"}
    private = {path for path in opened if is_private(path, harness)} if mode == "strict" or stops else set()
    yield from (f"read {path}" for path in private | beside)
    # Nobody agreed to any of them: a second activation starts from what the first one set, which is nothing.
    silent = stops or words == "resolve"
    if silent and uses and run.stdout != ("false\n" if words == "resolve" else ""):
        yield f"printed {run.stdout[:80]!r}"
    if stops and uses and run.status not in (1, 4):
        yield f"ended with {run.status}"
    if run.status < 0 or "internal error" in run.stderr:
        yield f"ended with {run.status}, as it wanted too much: {run.stderr[-200:]}"
    if PRIVATE in run.stdout and run.repository != "the_token_in_an_address":
        yield "printed what is private"


def test_the_corpus_is_large_enough():
    """At least a hundred and fifty, and every subcommand that is called in a special way exists."""
    assert len({**CORPUS, **MORE, **more.CHANGED}) >= 150
    assert len({**CORPUS, **MORE, **more.CHANGED}) == len(CORPUS) + len(MORE) + len(more.CHANGED)
    assert CALLS.keys() <= set(SUBCOMMANDS)


def test_the_harness_sees_what_it_looks_for(harness, monkeypatch):
    """With everything trusted, programs are run, connections are tried, files outside are read."""
    harness = harness(CORPUS)
    harness.configure("default")
    monkeypatch.setattr(harness, "_environment", lambda given=harness._environment: {**given(), "ENVREF_TRUST": "all"})
    runs = {run.repository: run for run in harness.run(["resolve", "--export"])}
    assert f"{harness.places['a_plugin_of_its_own']}/kv" in runs["a_plugin_of_its_own"].executed()
    assert str(harness.outside / "private.env") in map(os.path.realpath, runs["a_linked_local_file"].opened())
    assert PRIVATE in runs["a_linked_local_file"].stdout
    assert list(harness.directory.rglob("was-run"))
    assert pathlib.Path(harness.places["a_plugin_of_its_own"], "was-run").exists()
