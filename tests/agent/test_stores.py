"""Real stores behind a warm agent: OpenBao, SSM on moto, `pass`, GNOME keyring, the vault. Failing, and changed.

Each is written by envref itself, with or without the knowledge of the agent, and broken in a way of its own that can
be mended: it refuses, it is locked, it has lost its key, it does not answer any more.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import socket
import time

import pytest

from envref import client
from envref.agent.server import MOST_GUESTS
from tests.agent.commands import begin, noting_each, rows, run
from tests.agent.conftest import gone, process_of
from tests.backends.stores import aws
from tests.backends.stores.openbao import OpenBao, link
from tests.backends.stores.pass_store import GnuPg, Passwords
from tests.backends.stores.secret_service import SecretService
from tests.backends.vaults import PASSPHRASE, new_vault
from tests.nightly import count
from tests.requirements import first_python, need

pytestmark = [first_python, pytest.mark.usefixtures("trusted")]

READS = 'path "secret/*" { capabilities = ["create", "read", "update", "list"] }'
NOBODY = 65534
NOTHING = 'path "secret/*" { capabilities = ["deny"] }'


class Shop:
    """A store: its entry in the config; what breaks it and what mends it, and how long it may take meanwhile."""

    def __init__(self, entry, breaks, mends, limit="30"):
        self.limit = limit
        self.entry = entry
        self.breaks = breaks
        self.mends = mends


@pytest.fixture(scope="module")
def amazon():
    with aws.AwsService() as service:
        yield service


@pytest.fixture
def openbao(tmp_path, monkeypatch):
    """Who signed in may read, by a policy that can be taken away."""
    with OpenBao(tmp_path / "openbao") as server:
        server.ask("POST", "sys/policies/acl/reader", {"policy": READS})
        token = server.ask("POST", "auth/token/create", {"policies": ["reader"]})["auth"]["client_token"]
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", token)
        monkeypatch.setenv("PATH", link(tmp_path / "programs", "vault"), prepend=":")
        yield Shop(
            "type: hashicorp-vault, config: {mount: secret}",
            lambda: server.ask("POST", "sys/policies/acl/reader", {"policy": NOTHING}),
            lambda: server.ask("POST", "sys/policies/acl/reader", {"policy": READS}),
        )


@pytest.fixture
def ssm(amazon, tmp_path, monkeypatch):
    """A service that accepts connections, and says nothing."""
    aws.use(amazon, tmp_path / "shim", monkeypatch)
    process = amazon._process
    yield Shop(
        "type: aws-ssm",
        lambda: process.send_signal(signal.SIGSTOP),
        lambda: process.send_signal(signal.SIGCONT),
        limit="0.5",
    )
    process.send_signal(signal.SIGCONT)


@pytest.fixture
def password_store(home, monkeypatch):
    """The key of its entries is gone."""
    with GnuPg() as gpg:
        monkeypatch.setenv("GNUPGHOME", gpg.home)
        Passwords(home / ".password-store")
        keys = pathlib.Path(gpg.home, "private-keys-v1.d")

        def breaks():
            keys.rename(f"{keys}-away")
            gpg.forget_passphrases()

        def mends():
            gpg.forget_passphrases()
            shutil.rmtree(keys, ignore_errors=True)  # gpg makes an empty one
            pathlib.Path(f"{keys}-away").rename(keys)

        yield Shop("type: pass", breaks, mends)


@pytest.fixture
def keyring(tmp_path, monkeypatch):
    """A daemon that waits, as for a person."""
    need("gnome-keyring-daemon")
    with SecretService(tmp_path / "keyring") as service:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.environment["DBUS_SESSION_BUS_ADDRESS"])
        yield Shop("type: keychain", service.pause, service.resume, limit="0.5")
        service.resume()


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """Locked by somebody whom this agent does not hear."""
    path = tmp_path / "v.db"
    new_vault(path, monkeypatch)

    def elsewhere(*words):
        environment = {"XDG_RUNTIME_DIR": str(tmp_path), "ENVREF_VAULT_PASSPHRASE": PASSPHRASE}
        assert run(Place(tmp_path), "vault", *words, "--path", str(path), env=environment).returncode == 0

    return Shop(f"type: vault, config: {{path: {path}}}", lambda: elsewhere("lock"), lambda: elsewhere("unlock"))


class Place:
    def __init__(self, path):
        self.path = path


@pytest.fixture(params=["openbao", "ssm", "password_store", "keyring", "vault"])
def shop(request, project, own):
    """The store, with one secret, in a project whose user has agreed to an agent."""
    found = request.getfixturevalue(request.param)
    request.getfixturevalue("runtime")  # the last word on XDG_RUNTIME_DIR
    project.write(".envref.yaml", f"project: app\nbackends:\n  - {{name: store, {found.entry}}}\n")
    project.write(".env", "A=ref://secrets/key\nB=ref://secrets/none?default=d\n")
    own("agent: true\n")
    assert put(project, "one").returncode == 0
    return found


def put(app, value, **env):
    return run(app, "secret", "set", "key", stdin=value, env=env)


def exported(app, *arguments):
    done = run(app, "resolve", "--export", *arguments)
    return done.stdout.partition("export ENVREF_SEEN=")[0], done.stderr


GIVEN = ("export A=one\nexport B=d\n", "")


def test_a_store_that_fails_behind_a_warm_agent(shop, project, own):
    """What is kept is served; what is not fails as without an agent, and the failure is not kept."""
    assert exported(project) == GIVEN
    shop.breaks()
    assert exported(project, "--timeout", shop.limit) == GIVEN
    assert run(project, "agent", "forget").returncode == 0
    failed = exported(project, "--timeout", shop.limit)
    assert "A=" not in failed[0]
    assert [row for row in rows(client.folder()) if row[2] != "0"] == []  # it may know that another one is absent
    own("agent: false\n")
    without = exported(project, "--timeout", shop.limit)
    assert failed[0] == without[0]
    if shop.limit == "30":
        assert failed[1] == without[1]
    else:  # where it gave up may differ
        assert "no answer within" in failed[1]
        assert "no answer within" in without[1]
    own("agent: true\n")
    shop.mends()
    assert exported(project) == GIVEN


def test_a_secret_that_changes_behind_a_warm_agent(shop, project, tmp_path):
    """By envref: the next activation has it. By another hand: once the agent has forgotten, or its time is up."""
    assert exported(project) == GIVEN
    assert put(project, "two").returncode == 0
    assert exported(project)[0].startswith("export A=two\n")
    (tmp_path / "another").mkdir(mode=0o700)
    assert put(project, "three", XDG_RUNTIME_DIR=str(tmp_path / "another")).returncode == 0
    assert exported(project)[0].startswith("export A=two\n")
    assert run(project, "agent", "forget").returncode == 0
    assert exported(project)[0].startswith("export A=three\n")


def test_a_killed_agent_behind_each_store(shop, project):
    """At any moment of an activation: it gives what it would without, and the next one starts another agent."""
    chance = random.Random(17)
    for _ in range(count(1, 60)):
        ended = begin(project, "resolve", "--export")
        time.sleep(chance.uniform(0, 0.3))
        _end_at_once()
        done = ended()
        assert (done.stdout.partition("export ENVREF_SEEN=")[0], done.stderr) == GIVEN
    assert exported(project) == GIVEN
    assert [row[2:4] for row in rows(client.folder())] == [["1", "1"]]


def _end_at_once():
    """The agent, if there is one by now."""
    try:
        process = process_of(client.folder())
    except OSError:
        return
    os.kill(process, signal.SIGKILL)
    gone(process)


def test_an_agent_of_no_use_behind_each_store(shop, project, monkeypatch, tmp_path):
    """It does not answer, takes no more, is in a folder that others can enter or own: the store is asked, and one line
    of -v says why. It is waited for once, by all that asks it in a run.
    """
    assert exported(project) == GIVEN
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    troubles = (_stopped, _full, _open_to_all, *((_another_s,) if os.geteuid() == 0 else ()))
    for trouble in troubles:
        mend = trouble(client.folder())
        with monkeypatch.context() as patched:
            patched.setattr(client.Wire, "hear", noting_each(client.Wire.hear, tmp_path / trouble.__name__))
            given, said = exported(project, "-v")
        mend()
        assert given == GIVEN[0], trouble
        assert said.count("agent: ") == 1, said
        assert (tmp_path / trouble.__name__).read_text(encoding="ascii") in ("", "."), trouble


def _stopped(folder):
    process = process_of(folder)
    os.kill(process, signal.SIGSTOP)
    return lambda: os.kill(process, signal.SIGCONT)


def _full(folder):
    """As many connections as it takes."""
    connections = [socket.socket(socket.AF_UNIX) for _ in range(MOST_GUESTS)]
    for connection in connections:
        connection.connect(client.socket_path(folder))

    def close():
        for connection in connections:
            connection.close()

    return close


def _open_to_all(folder):
    os.chmod(folder, 0o755)
    return lambda: os.chmod(folder, 0o700)


def _another_s(folder):
    """Nobody's folder, as far as this user can tell."""
    os.chown(folder, NOBODY, NOBODY)
    return lambda: os.chown(folder, os.geteuid(), os.getegid())
