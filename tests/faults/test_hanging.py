"""Every store that hangs, in every way: the call ends with its time, and no process is left (security.md P9).

Whole runs of envref, as a user's shell would wait for them. How each store class behaves in detail is in its own tests.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.backends.vaults import unlocked_vault
from tests.lateness import Stopwatch
from tests.processes import left_of
from tests.requirements import first_python

pytestmark = first_python

LIMIT = 0.7  # seconds that the store is given
LOADED = 2.0  # the same for one whose libraries envref has to load itself first, which counts
SLACK = 1.0  # seconds after which an answer is late
TOLD = r"no answer within ([0-9.]+) s; raise --timeout"  # what was left of the limit when the store was asked
START = 20.0  # seconds for Python's own start and end on a loaded machine

PROGRAMS = {
    "hang": "exec sleep 600",
    "grandchild": "sleep 600 & sleep 600",
    "drip": "while :; do printf ' '; sleep 0.05; done",
    "no_end": "printf '{'; sleep 600 & wait",
    "ignores_term": "trap '' TERM INT HUP QUIT; while :; do sleep 0.2; done",
}

# Backend type -> the program that stands in for the store's own, and the options it must have.
STORES = {
    "1password": ("op", {}),
    "aws-ssm": ("aws", {}),
    "aws-secrets-manager": ("aws", {}),
    "hashicorp-vault": ("vault", {}),
    "oci-vault": ("oci", {"vault_id": "ocid1.v", "compartment_id": "ocid1.c", "key_id": "ocid1.k"}),
    "doppler": ("doppler", {"project": "app", "config": "dev"}),
    "pass": ("pass", {}),
    "plugin": ("envref-backend-store", {}),
}
COMMANDS = {
    "resolve": (["resolve", "--export", "-v"], 3),  # which tells how long the store took
    "strict": (["resolve", "--export", "--strict"], 1),
    "run": (["run", "--", "echo", "started"], 1),
    "set": (["secret", "set", "a"], 1),
    "list": (["secret", "list"], 1),
    "delete": (["secret", "delete", "a", "--force"], 1),
    "rotate": (["secret", "rotate", "a"], 1),
}


class Hanging:
    """A project with one store, which hangs."""

    def __init__(self, project, marker):
        self.project = project
        self.marker = marker
        self.limit = LIMIT

    def configure(self, kind, options):
        self.limit = LOADED if kind in ("keychain", "vault") else LIMIT
        entry = {"name": "store", "type": kind, "config": options}
        self.project.write(".envref.yaml", json.dumps({"project": "app", "backends": [entry]}))
        self.project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\n")

    def stand_in(self, name, script):
        """A program of that name first on PATH."""
        path = self.project.write(f"../programs/{name}", f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return {"PATH": f"{path.parent.resolve()}:{os.environ['PATH']}"}

    def make_password_store(self):
        """What pass looks for before it starts a program."""
        for name in (".gpg-id", "envref/app/a.gpg", "envref/app/b.gpg"):
            self.project.write(f"../password-store/{name}", "x")
        return {"PASSWORD_STORE_DIR": str((self.project.path / "../password-store").resolve())}

    def expect_an_end(self, command, told=TOLD, **environment):
        """Runs envref; it fails in the documented way, in time, and leaves nothing behind. What it said.

        What it says holds the limit that it kept to, whichever command it was: the start of Python has no part in it.
        """
        arguments, status = COMMANDS[command]
        watch = Stopwatch()
        done = self.project.envref(
            *arguments,
            stdin="value-5520\n",
            env={
                "ENVREF_TIMEOUT": str(self.limit),
                "ENVREF_TRUST": "all",
                "TEST_MARKER": self.marker,
                **environment,
            },
        )
        seconds = watch.seconds()
        assert done.returncode == status, done.stderr
        assert done.stdout == ("false\n" if command == "strict" else "")
        assert "internal error" not in done.stderr
        assert "value-5520" not in done.stderr
        assert seconds < self.limit + SLACK + START
        if command == "resolve":
            [took] = re.findall(r'asked backend "store" for \d+ key\(s\): ([0-9.]+) s', done.stderr)
            assert float(took) < self.limit + SLACK
        assert left_of(f"TEST_MARKER={self.marker}") == []
        found = re.search(told, done.stderr)
        assert found, done.stderr
        if told is TOLD:
            assert 0 < float(found[1]) <= self.limit
        return done.stderr


@pytest.fixture
def hanging(project, tmp_path):
    return Hanging(project, f"hanging-{tmp_path}")


@pytest.mark.parametrize("way", PROGRAMS)
@pytest.mark.parametrize("store", STORES)
def test_a_store_s_program_that_hangs_is_ended(hanging, store, way):
    """Eight stores, five ways: each reference fails by itself, and the program's whole family is gone."""
    program, options = STORES[store]
    hanging.configure(store, options)
    environment = {**hanging.stand_in(program, PROGRAMS[way]), **hanging.make_password_store()}
    said = hanging.expect_an_end("resolve", **environment)
    assert "no answer within" in said


# pass lists by its files, and starts nothing for it
EVERY_COMMAND = [(store, command) for store in STORES for command in list(COMMANDS)[1:]]
EVERY_COMMAND.remove(("pass", "list"))


@pytest.mark.parametrize(("store", "command"), EVERY_COMMAND)
def test_no_command_waits_for_ever(hanging, store, command):
    """Whatever is asked of a store that hangs with a child of its own."""
    program, options = STORES[store]
    hanging.configure(store, options)
    environment = {**hanging.stand_in(program, PROGRAMS["grandchild"]), **hanging.make_password_store()}
    hanging.expect_an_end(command, **environment)


class Peer:
    """A socket that takes every connection, and does with each what the way says; `close` ends it."""

    def __init__(self, path, serve):
        self._serve = serve
        self._ended = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection):
        try:
            self._serve(connection, self._ended)
        except OSError:
            pass  # envref has gone

    def close(self):
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def silent(connection, ended):
    ended.wait()


def agreeing(connection):
    """Goes with D-Bus's greeting until messages begin."""
    connection.recv(1)  # the NUL byte
    for answer in (b"OK 1234deadbeef1234deadbeef1234dead\r\n", b"AGREE_UNIX_FD\r\n", b""):
        said = b""
        while not said.endswith(b"\r\n"):
            said += connection.recv(1)
            if not said:
                return
        if said.startswith(b"BEGIN"):
            return
        connection.sendall(answer if b"AUTH" in said or b"NEGOTIATE" in said else b"")


def dripping(connection, ended):
    """An endless line of a greeting."""
    while not ended.wait(0.05):
        connection.sendall(b"X")


def mute(connection, ended):
    agreeing(connection)
    ended.wait()


def endless(connection, ended):
    """A message that is announced as long and comes byte by byte."""
    agreeing(connection)
    connection.sendall(b"l\x02\x00\x01\x00\x00\x00\x04\x01\x00\x00\x00\x10\x00\x00\x00")
    while not ended.wait(0.05):
        connection.sendall(b"\0")


def reading(connection, ended):
    """Reads for ever and says nothing."""
    while not ended.is_set() and connection.recv(4096):
        pass


BUSES = {"hang": silent, "drip": dripping, "mute": mute, "no_end": endless, "reads_only": reading}


@pytest.mark.parametrize("way", BUSES)
def test_a_keychain_that_hangs_is_given_up(hanging, tmp_path, way):
    """Five session buses that never answer."""
    hanging.configure("keychain", {})
    peer = Peer(tmp_path / "bus", BUSES[way])
    try:
        said = hanging.expect_an_end("resolve", DBUS_SESSION_BUS_ADDRESS=f"unix:path={tmp_path}/bus")
    finally:
        peer.close()
    assert "no answer within" in said


@pytest.mark.parametrize("command", ["resolve", "run", "set", "list", "delete"])
def test_a_keyring_that_waits_for_a_person_is_given_up(hanging, secret_service, command):
    """A real keyring daemon that was stopped."""
    hanging.configure("keychain", {})
    secret_service.pause()
    try:
        assert "no answer within" in hanging.expect_an_end(command)
    finally:
        secret_service.resume()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("DELETE FROM metadata WHERE key = 'none'")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def vault(hanging, tmp_path, monkeypatch):
    """The project's store is a vault; its passphrase is not in the environment."""
    vault = unlocked_vault(tmp_path / "vault.db", monkeypatch, {"a": "1"})
    hanging.configure("vault", {"path": vault.file.path})
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    return vault


@pytest.mark.parametrize("command", ["resolve", "set"])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_vault_that_another_process_holds_is_given_up(hanging, vault, command, stopped):
    """A transaction that never ends, of a process that works or one that was stopped."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, vault.file.path, "BEGIN EXCLUSIVE"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        if stopped:
            holder.send_signal(signal.SIGSTOP)
        said = hanging.expect_an_end(command, ENVREF_VAULT_PASSPHRASE="correct horse battery")
    finally:
        holder.kill()
        holder.communicate()
    assert "no answer within" in said


def dripped(descriptor, ended):
    while not ended.wait(0.05):
        os.write(descriptor, b"x")


PIPES = {"hang": None, "no_end": b"correct horse battery\n", "drip": dripped}


@pytest.mark.parametrize("way", PIPES)
def test_a_passphrase_that_never_comes_is_given_up(hanging, vault, tmp_path, way):
    """A named pipe that nobody writes to, that is not closed, or that goes on for ever."""
    pipe = tmp_path / "passphrase"
    os.mkfifo(pipe, 0o600)
    ended = threading.Event()
    writing = os.open(pipe, os.O_RDWR) if PIPES[way] else None
    if way == "no_end":
        os.write(writing, PIPES[way])
    if way == "drip":
        threading.Thread(target=dripped, args=(writing, ended), daemon=True).start()
    try:
        hanging.expect_an_end("resolve", told="no end within the time limit", ENVREF_VAULT_PASSPHRASE_FILE=str(pipe))
    finally:
        ended.set()
